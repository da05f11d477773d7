"""The APIs under contract: how each is reached, and how what may happen to any call is scripted for it.

Beside SOAP and REST stands the Marketo in memory that other tests use in their place, so that it cannot promise
anything else than they do. It has no wire and no settings: what cannot be tried on it says why (``not_in_memory``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
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
from mobjects.marketo.types import Kind, RemoteCost, RemoteObject, TagValue
from mobjects.sandbox import KEY, USER_ID, SandboxServer
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET
from mobjects.sandbox.state import SandboxStore
from tests.contract.held import Held, MemoryHeld, SandboxHeld
from tests.support import guid_transport
from tests.support.guid_transport import GuidMarketo
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

    def held(self, sandbox: SandboxServer) -> Held:
        """What the sandbox holds, as this API calls it."""
        return SandboxHeld(sandbox, by_guid=False)

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

    def held(self, sandbox: SandboxServer) -> Held:
        """What the sandbox holds, as this API calls it."""
        return SandboxHeld(sandbox, by_guid=True)

    def close(self) -> None:
        """End the connections."""
        self.client.close()


class MemoryApi:
    """The Marketo in memory. It knows the sandbox's programs, people, tags and channels."""

    name = "memory"
    undetected: ClassVar[set[str]] = set()
    traits = guid_transport.TRAITS
    secret = ""
    codes: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.marketo = GuidMarketo()

    def connect(self, sandbox: SandboxServer) -> MarketoTransport:
        """The one Marketo that this API has."""
        store = sandbox.store
        self.marketo.people = {text: person.id for person in store.persons.values() for text in person.values.values()}
        self.marketo.allowed_tags, self.marketo.allowed_channels = dict(store.tags), list(store.channels)
        self.marketo.objects |= {program.marketo_id: program for program in _programs(store)}
        return self.marketo  # type: ignore[return-value]  # calls_today: its traits say that it cannot tell

    def held(self, sandbox: SandboxServer) -> Held:
        """What it holds."""
        companies = sandbox.store.companies.values()
        return MemoryHeld(self.marketo, {text: each.id for each in companies for text in each.values.values()})

    @staticmethod
    def can_spoil(fault: Mapping[str, Any]) -> bool:
        """Whether a fault can be scripted: a batch or deletion whose answer is lost, before or after it is applied."""
        return fault["kind"] in ("cut_before", "cut_after", "bad_row")

    def add_fault(self, sandbox: SandboxServer, call: str, kind: str, row: int = 0, text: str = "") -> None:
        """As :meth:`SoapApi.add_fault`; of the calls that change something, whichever comes next."""
        if kind == "bad_row":
            self.marketo.bad_row = (row, text)
        else:
            self.marketo.lose = kind.removeprefix("cut_")

    def close(self) -> None:
        """Nothing is open."""


def _programs(store: SandboxStore) -> Iterable[RemoteObject]:
    for each in store.programs.values():
        yield RemoteObject(
            Kind.PROGRAM,
            each.id,
            {"Name": each.name, "Type": each.type, "Workspace Name": each.workspace_name},
            costs=[RemoteCost(None, cost.month, Decimal(cost.amount), cost.note) for cost in each.costs.values()],
            tags=[TagValue(type_, value) for type_, value in {**each.tags, "Channel": each.channel}.items()],
        )


Api = SoapApi | RestApi | MemoryApi
APIS: tuple[type[Api], ...] = (SoapApi, RestApi, MemoryApi)


def only_where(holds: Callable[[TransportTraits], bool]) -> pytest.MarkDecorator:
    """For a test that asks for what only some APIs can do."""
    return _with([api for api in APIS if holds(api.traits)])


def not_in_memory(reason: str) -> pytest.MarkDecorator:
    """For a test that the Marketo in memory cannot be put to; the reason says what it lacks."""
    assert reason
    return _with([api for api in APIS if api is not MemoryApi])


def with_faults(names: str, cases: Sequence[tuple[Any, ...]]) -> pytest.MarkDecorator:
    """For a test of calls that go wrong: each case, which begins with the fault, for each API that can be so spoilt."""
    rows = [
        pytest.param(api, *case, id=f"{api.name}-{case[0]}")
        for api in APIS
        for case in cases
        if api is not MemoryApi or MemoryApi.can_spoil(case[0])
    ]
    return pytest.mark.parametrize(f"api, {names}", rows, indirect=["api"])


def _with(chosen: Sequence[type[Api]]) -> pytest.MarkDecorator:
    assert chosen
    return pytest.mark.parametrize("api", chosen, ids=[api.name for api in chosen], indirect=True)
