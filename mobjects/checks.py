"""System checks of the Marketo settings: what is missing or unsafe, in words, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

TRANSPORTS = ("soap",)

_NEEDED = (
    ("SOAP_ENDPOINT", "mobjects.W001", "MARKETO_SOAP_ENDPOINT"),
    ("USER_ID", "mobjects.W002", "MARKETO_USER_ID"),
    ("ENCRYPTION_KEY", "mobjects.W003", "MARKETO_ENCRYPTION_KEY (or MARKETO_ENCRYPTION_KEY_FILE)"),
)


def endpoint_is_loopback() -> bool:
    """Whether the configured endpoint is on this machine."""
    return _is_loopback(settings.MARKETO["SOAP_ENDPOINT"])


@register()
def check_marketo(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check ``settings.MARKETO``. What is merely missing is a warning, so that the admin still starts."""
    return [*_transport(), *_missing(), *_endpoint(), *_timeout()]


def _transport() -> Iterator[CheckMessage]:
    name = settings.MARKETO["TRANSPORT"]
    if name not in TRANSPORTS:
        yield Error(
            f"MARKETO_TRANSPORT is “{name}”, which is no known way to talk to Marketo.",
            hint=f"Set it to one of: {', '.join(TRANSPORTS)}.",
            id="mobjects.E001",
        )


def _missing() -> Iterator[CheckMessage]:
    for key, check_id, variable in _NEEDED:
        if not settings.MARKETO[key]:
            yield Warning(
                f"{variable} is not set, so nothing can be sent to Marketo.",
                hint="Marketo shows it under Admin > Web Services (Admin > Integration > SOAP API).",
                id=check_id,
            )


def _endpoint() -> Iterator[CheckMessage]:
    url = settings.MARKETO["SOAP_ENDPOINT"]
    if not url:
        return
    if not url.startswith(("http://", "https://")) or not _host(url):
        yield Error(
            f"MARKETO_SOAP_ENDPOINT is “{url}”, which is no web address.",
            hint="It looks like https://123-ABC-456.mktoapi.com/soap/mktows/2_7.",
            id="mobjects.E002",
        )
    elif not _is_loopback(url):
        yield from _remote_endpoint(url)


def _remote_endpoint(url: str) -> Iterator[CheckMessage]:
    if url.startswith("http://"):
        yield Error(
            f"MARKETO_SOAP_ENDPOINT is “{url}”: records and signatures would travel unencrypted.",
            hint="Use https://. Plain http is accepted only for an endpoint on this machine.",
            id="mobjects.E003",
        )
    if settings.DEBUG:
        yield Warning(
            "DJANGO_DEBUG is on while MARKETO_SOAP_ENDPOINT is a real Marketo: error pages show data and settings.",
            hint="Set DJANGO_DEBUG=false, or use the local Marketo (manage.py sandbox).",
            id="mobjects.W004",
        )


def _timeout() -> Iterator[CheckMessage]:
    seconds = settings.MARKETO["TIMEOUT_SECONDS"]
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= 600:
        yield Error(
            f"MARKETO_TIMEOUT_SECONDS is {seconds!r}.",
            hint="Set it to a number of seconds from 1 to 600.",
            id="mobjects.E004",
        )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # for example a half-written IPv6 address
        return ""


def _is_loopback(url: str) -> bool:
    host = _host(url)
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # any other name; 127.0.0.1.example.com is one
        return False
