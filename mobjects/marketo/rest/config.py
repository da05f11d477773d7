"""What the REST transport has to be told, and whether it will do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mobjects.marketo.errors import ConfigError
from mobjects.marketo.transport_entry import Config, Setting, describe_bad_address, not_set
from mobjects.marking import gettext_noop as _

ENDPOINT = Setting("REST_ENDPOINT", _("Endpoint"))
CLIENT_ID = Setting("CLIENT_ID", _("Client ID"))
CLIENT_SECRET = Setting("CLIENT_SECRET", _("Client secret"), secret=True)

# Admin shows two addresses, …/rest and …/identity, and people paste either, or that of a single call.
_API_PATH = re.compile(r"/+(?:rest|identity)(?:/.*)?$", re.IGNORECASE | re.DOTALL)
LEAD_DATABASE_SECONDS = 70.0
"""Marketo works up to 60 s on a call of the lead database, as Adobe's developer pages say."""
ASSET_SECONDS = 310.0
"""Marketo works up to 300 s on a call about assets, programs among them."""


@dataclass(frozen=True, slots=True)
class RestSettings:
    """Where Marketo is and who calls.

    Args:
        endpoint: the instance's address as Marketo's Admin shows it, with or without ``/rest`` or ``/identity``.
        client_id: of the custom service.
        client_secret: its secret; never shown.
        lead_timeout_seconds, asset_timeout_seconds: longest waits for the next part of an answer of each API.
        connect_timeout_seconds: longest wait for a connection.
    """

    endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    lead_timeout_seconds: float = LEAD_DATABASE_SECONDS
    asset_timeout_seconds: float = ASSET_SECONDS
    connect_timeout_seconds: float = 10.0

    @classmethod
    def from_config(cls, config: Config) -> RestSettings:
        """From ``settings.MARKETO``. Spaces around what was pasted are left out.

        ``TIMEOUT_SECONDS`` cannot make us give up before Marketo does: what it may still be working on is not known.
        ``TEST_SECONDS`` can, for calls that change nothing there.
        """
        seconds, of_test = float(config["TIMEOUT_SECONDS"]), config.get("TEST_SECONDS")
        return cls(
            endpoint=str(config[ENDPOINT.name]).strip(),
            client_id=str(config[CLIENT_ID.name]).strip(),
            client_secret=str(config[CLIENT_SECRET.name]).strip(),
            lead_timeout_seconds=of_test or max(seconds, LEAD_DATABASE_SECONDS),
            asset_timeout_seconds=of_test or max(seconds, ASSET_SECONDS),
        )

    @property
    def base(self) -> str:
        """The endpoint without the path of an API, without a slash at its end and without double ones in its path."""
        address = _API_PATH.sub("", self.endpoint).rstrip("/")
        scheme, separator, rest = address.partition("://")
        return f"{scheme}{separator}{re.sub('/{2,}', '/', rest)}"

    def check(self) -> None:
        """Refuse settings that no call could be made with.

        Raises:
            ConfigError: naming the setting.
        """
        needed = ((ENDPOINT, self.endpoint), (CLIENT_ID, self.client_id), (CLIENT_SECRET, self.client_secret))
        if missing := not_set([setting for setting, value in needed if not value]):
            raise ConfigError(missing)
        if problem := describe_bad_address(str(ENDPOINT), self.base):
            raise ConfigError(problem)
        if urlsplit(self.endpoint).query or urlsplit(self.endpoint).fragment:
            raise ConfigError(_("%(endpoint)s must end with its path, without “?” or “#”.") % {"endpoint": ENDPOINT})
        for setting, text in ((CLIENT_ID, self.client_id), (CLIENT_SECRET, self.client_secret)):
            if not text.isprintable():
                number = next(index for index, each in enumerate(text) if not each.isprintable())
                raise ConfigError(
                    _("%(setting)s: character %(number)s is U+%(code)s; paste it anew.")
                    % {"setting": setting, "number": number + 1, "code": f"{ord(text[number]):04X}"}
                )
