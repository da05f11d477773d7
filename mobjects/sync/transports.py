"""From settings to a transport: the only module that names an implementation or reads its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from mobjects.marketo.errors import ConfigError
from mobjects.marketo.soap.client import SoapTransport
from mobjects.marketo.transport import Transport
from mobjects.sync.payloads import KeyFields

NOT_SET = "not set"


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a transport is opened, and what people may see of its settings.

    Args:
        open: from ``settings.MARKETO`` to the transport.
        endpoint: name of the setting that holds the address.
        shown: label and name of each setting that may be shown.
        secret: label and name of each setting of which only "set" may be shown.
    """

    open: Callable[[dict[str, Any]], Transport]
    endpoint: str
    shown: tuple[tuple[str, str], ...]
    secret: tuple[tuple[str, str], ...]


def open_transport() -> Transport:
    """The transport that the settings name; the caller closes it.

    Raises:
        ConfigError: ``MARKETO_TRANSPORT`` names none we have.
    """
    name = _config()["TRANSPORT"]
    if name not in TRANSPORTS:
        known = ", ".join(sorted(TRANSPORTS))
        raise ConfigError(f"MARKETO_TRANSPORT is “{name}”; it can be: {known}.")
    return TRANSPORTS[name].open(_config())


def key_fields() -> KeyFields:
    """Which custom fields hold external keys, from the settings."""
    config = _config()
    return KeyFields(
        opportunity=config["OPPORTUNITY_KEY_FIELD"],
        person=config["PERSON_KEY_FIELD"],
        company=config["COMPANY_KEY_FIELD"],
    )


def target() -> str:
    """Where records go: the endpoint, or "" if none is set."""
    wiring = TRANSPORTS.get(_config()["TRANSPORT"])
    return str(_config()[wiring.endpoint]) if wiring else ""


def facts() -> list[tuple[str, str]]:
    """The settings by label, for people; of a secret only whether it is set."""
    config = _config()
    wiring = TRANSPORTS.get(config["TRANSPORT"])
    shown = [("Transport", str(config["TRANSPORT"]).upper())]
    if wiring:
        shown += [(label, str(config[name]) or NOT_SET) for label, name in wiring.shown]
        shown += [(label, "set" if config[name] else NOT_SET) for label, name in wiring.secret]
    keys = key_fields()
    return [
        *shown,
        ("Opportunity key field", keys.opportunity or NOT_SET),
        ("Person key field", keys.person or NOT_SET),
        ("Company key field", keys.company or NOT_SET),
        ("Time-out", f"{config['TIMEOUT_SECONDS']} s"),
    ]


def _config() -> dict[str, Any]:
    config: dict[str, Any] = settings.MARKETO
    return config


def _soap(config: dict[str, Any]) -> Transport:
    return SoapTransport(
        endpoint=config["SOAP_ENDPOINT"],
        user_id=config["USER_ID"],
        encryption_key=config["ENCRYPTION_KEY"],
        partner_id=config["PARTNER_ID"],
        timeout_seconds=config["TIMEOUT_SECONDS"],
    )


TRANSPORTS = {
    "soap": Wiring(
        open=_soap,
        endpoint="SOAP_ENDPOINT",
        shown=(("Endpoint", "SOAP_ENDPOINT"), ("User ID", "USER_ID")),
        secret=(("Encryption key", "ENCRYPTION_KEY"), ("Partner ID", "PARTNER_ID")),
    )
}
