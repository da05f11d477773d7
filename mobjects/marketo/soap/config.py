"""What the SOAP transport has to be told, and whether it will do."""

from __future__ import annotations

from dataclasses import dataclass, field

from mobjects.marketo.errors import ConfigError
from mobjects.marketo.transport_entry import Setting, describe_bad_address, not_set
from mobjects.marketo.value_text import find_xml_problem
from mobjects.marking import gettext_noop as _

ENDPOINT = Setting("SOAP_ENDPOINT", _("Endpoint"))
USER_ID = Setting("USER_ID", _("User ID"))
ENCRYPTION_KEY = Setting("ENCRYPTION_KEY", _("Encryption key"), secret=True)
PARTNER_ID = Setting("PARTNER_ID", _("Partner ID"), required=False, secret=True)


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
    partner_id: str = field(default="", repr=False)
    timeout_seconds: float = 60.0
    connect_timeout_seconds: float = 10.0

    def check(self) -> None:
        """Refuse settings that no call could be made with.

        Raises:
            ConfigError: naming the setting.
        """
        needed = ((ENDPOINT, self.endpoint), (USER_ID, self.user_id), (ENCRYPTION_KEY, self.encryption_key))
        if missing := not_set([setting for setting, value in needed if not value]):
            raise ConfigError(missing)
        if problem := describe_bad_address(str(ENDPOINT), self.endpoint):
            raise ConfigError(problem)
        for setting, text in ((USER_ID, self.user_id), (PARTNER_ID, self.partner_id)):
            if character := find_xml_problem(text):
                raise ConfigError(f"{setting}: {character}.")
