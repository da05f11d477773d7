"""What the SOAP transport has to be told, and whether it will do."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mobjects.marketo.errors import ConfigError
from mobjects.marketo.text import xml_problem

_NAMES = {
    "endpoint": "MARKETO_SOAP_ENDPOINT",
    "user_id": "MARKETO_USER_ID",
    "encryption_key": "MARKETO_ENCRYPTION_KEY (or MARKETO_ENCRYPTION_KEY_FILE)",
}


@dataclass(frozen=True, slots=True)
class SoapSettings:
    """Where Marketo is and who calls.

    Args:
        endpoint: the instance's own SOAP endpoint.
        user_id: the API user.
        encryption_key: its secret; never shown.
        partner_id: LaunchPoint key, optional.
        timeout_seconds: longest wait for the next part of an answer.
        connect_timeout_seconds: longest wait for a connection.
    """

    endpoint: str
    user_id: str
    encryption_key: str = field(repr=False)
    partner_id: str = ""
    timeout_seconds: float = 60.0
    connect_timeout_seconds: float = 10.0

    def check(self) -> None:
        """Refuse settings that no call could be made with.

        Raises:
            ConfigError: naming the setting.
        """
        missing = [setting for name, setting in _NAMES.items() if not getattr(self, name)]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise ConfigError(f"{', '.join(missing)} {verb} not set.")
        problem = _address_problem(self.endpoint)
        if problem:
            raise ConfigError(f"MARKETO_SOAP_ENDPOINT {problem}.")
        for name, text in (("MARKETO_USER_ID", self.user_id), ("MARKETO_PARTNER_ID", self.partner_id)):
            problem = xml_problem(text)
            if problem:
                raise ConfigError(f"{name}: {problem}.")


def _address_problem(address: str) -> str | None:
    """What is wrong with an address. The address itself is left out of the words: it may hold a password."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # a port that is not a number shows only when asked for
    except ValueError:
        return "is not a web address"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not a web address that starts with https://"
    if parts.username is not None:
        return "must not hold a user name or password"
    return None
