"""The site over REST: its settings for a sandbox, and a client that does not wait for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from mobjects.marketo.probing import FactsSource
from mobjects.marketo.registry import TRANSPORTS
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.transport import RestTransport
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.transport_entry import Config
from mobjects.sandbox import SandboxServer
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET


def rest_settings(sandbox: SandboxServer) -> dict[str, Any]:
    """What ``settings.MARKETO`` has to hold for this sandbox over REST; nothing of SOAP is set."""
    return {
        "TRANSPORT": "rest",
        "REST_ENDPOINT": sandbox.rest_endpoint,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "SOAP_ENDPOINT": "",
        "USER_ID": "",
        "ENCRYPTION_KEY": "",
        "LOOK_UP_SECONDS": TRANSPORTS["rest"].look_up_seconds,
        "DAILY_QUOTA": TRANSPORTS["rest"].traits.calls_a_day,
    }


@contextmanager
def impatient(seconds: float) -> Iterator[None]:
    """Over REST, wait for answers only so long while the block runs. No setting does so, as Marketo takes longer."""
    usual = TRANSPORTS["rest"]

    def open_transport(config: Config, store: SharedStore, facts: FactsSource) -> RestTransport:
        settings = RestSettings.from_config(config)
        hasty = replace(settings, lead_timeout_seconds=seconds, asset_timeout_seconds=seconds)
        return RestTransport(hasty, store, facts=facts)

    TRANSPORTS["rest"] = replace(usual, open=open_transport)
    try:
        yield
    finally:
        TRANSPORTS["rest"] = usual
