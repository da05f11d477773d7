"""The APIs under contract: how each is reached, and how what may happen to any call is scripted for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import httpx
import pytest
import requests

from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.http import new_client
from mobjects.marketo.rest.transport import RestTransport
from mobjects.marketo.shared_store import MemoryStore
from mobjects.marketo.soap.transport import SoapTransport
from mobjects.marketo.transport import MarketoTransport
from mobjects.marketo.transport_traits import TransportTraits
from mobjects.sandbox import KEY, USER_ID, SandboxServer
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET
from tests.support.xml import ValidatingAdapter


class SoapApi:
    """Marketo over SOAP."""

    name = "soap"
    undetected: ClassVar[set[str]] = set()
    traits = SoapTransport.traits
    secret = KEY
    codes: ClassVar = {
        "failed": "10001",
        "lost": "20011",
        "quota": "20015",
        "rate": "20023",
        "at once": "20024",
        "bad": "20110",
        "credentials": "20014",
    }
    _calls: ClassVar = {"send": "syncMObjects", "delete": "deleteMObjects", "find": "getMObjects", "any": ""}

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.mount("http://", ValidatingAdapter())

    def connect(
        self,
        sandbox: SandboxServer,
        *,
        endpoint: str | None = None,
        caller: str = USER_ID,
        secret: str = KEY,
        timeout_seconds: float = 5.0,
    ) -> MarketoTransport:
        """A transport to the sandbox."""
        return SoapTransport(
            endpoint=sandbox.endpoint if endpoint is None else endpoint,
            user_id=caller,
            encryption_key=secret,
            timeout_seconds=timeout_seconds,
            session=self.session,
        )

    def add_fault(self, sandbox: SandboxServer, call: str, kind: str, code: str = "", **options: Any) -> None:
        """Script what goes wrong with the next call of a sort; ``error`` is an answer that is an error."""
        if kind == "error":
            kind, options = "soap", {"code": self.codes.get(code, code), **options}
        sandbox.faults.add(kind, operation=self._calls[call], **options)

    def close(self) -> None:
        """End the connections."""
        self.session.close()


class RestApi:
    """Marketo over REST."""

    name = "rest"
    # A list does not say how many it holds, so that one that is short or empty cannot be told from a whole one.
    undetected: ClassVar = {"short", "long", "empty"}
    traits = RestTransport.traits
    secret = CLIENT_SECRET
    codes: ClassVar = {
        "failed": "611",
        "lost": "604",
        "quota": "607",
        "rate": "606",
        "at once": "615",
        "bad": "1003",
        "credentials": "",
    }
    _calls: ClassVar = {
        "send": "POST /rest/v1/opportunities.json",
        "delete": "*/delete.json",
        "find": "*/programs.json",
        "any": "/rest/*",
    }

    def __init__(self) -> None:
        self.client: httpx.Client = new_client()

    def connect(
        self,
        sandbox: SandboxServer,
        *,
        endpoint: str | None = None,
        caller: str = CLIENT_ID,
        secret: str = CLIENT_SECRET,
        timeout_seconds: float = 5.0,
    ) -> MarketoTransport:
        """A transport to the sandbox; it shares nothing with another one."""
        address = sandbox.rest_endpoint if endpoint is None else endpoint
        settings = RestSettings(
            address, caller, secret, lead_timeout_seconds=timeout_seconds, asset_timeout_seconds=timeout_seconds
        )
        return RestTransport(settings, MemoryStore(), client=self.client)

    def add_fault(self, sandbox: SandboxServer, call: str, kind: str, code: str = "", **options: Any) -> None:
        """As :meth:`SoapApi.add_fault`."""
        if kind == "error":
            options = {"code": self.codes.get(code, code), **options}
        sandbox.faults.add(kind, path=self._calls[call], **options)

    def close(self) -> None:
        """End the connections."""
        self.client.close()


Api = SoapApi | RestApi
APIS: tuple[type[Api], ...] = (SoapApi, RestApi)


def only_where(holds: Callable[[TransportTraits], bool]) -> pytest.MarkDecorator:
    """For a test that asks for what only some APIs can do."""
    chosen = [api for api in APIS if holds(api.traits)]
    assert chosen
    return pytest.mark.parametrize("api", chosen, ids=[api.name for api in chosen], indirect=True)
