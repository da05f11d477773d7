"""A transport over HTTP to the sandbox, and short ways to make records for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.transport import RestTransport
from mobjects.marketo.shared_store import MemoryStore
from mobjects.marketo.types import Exchange, ExternalKey, Kind, LinkTarget, OutgoingRecord, RecordAssociation
from mobjects.sandbox import SandboxServer
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET

KEY = "externalOpportunityId"


@pytest.fixture
def shared() -> MemoryStore:
    """What the transports of a test share."""
    return MemoryStore()


@pytest.fixture
def connect(sandbox: SandboxServer, shared: MemoryStore, client: httpx.Client) -> Callable[[], RestTransport]:
    """Make a transport as one more process would."""
    return lambda: RestTransport(
        RestSettings(sandbox.rest_endpoint, CLIENT_ID, CLIENT_SECRET, lead_timeout_seconds=5), shared, client=client
    )


@pytest.fixture
def marketo(connect: Callable[[], RestTransport]) -> RestTransport:
    return connect()


def deal(key: str | None = "K-1", *, id: str | None = None, links: Any = (), **values: Any) -> OutgoingRecord:
    """An opportunity; without further values it is given a name."""
    external = ExternalKey(KEY, key) if key and id is None else None
    return OutgoingRecord(Kind.OPPORTUNITY, id, external, values or {"Name": "x"}, links)


def to_deal(key: str) -> RecordAssociation:
    return RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey(KEY, key))


def to_person(who: int | str, field: str = "ExternalPersonId") -> RecordAssociation:
    if isinstance(who, int):
        return RecordAssociation(LinkTarget.LEAD, id=who)
    return RecordAssociation(LinkTarget.LEAD, key=ExternalKey(field, who))


def role(name: str = "Buyer", key: str = "K-1", person: Any = 1, **more: Any) -> OutgoingRecord:
    """A role; ``id`` and ``replaced`` as in the record, anything else is a value."""
    known = {given: more.pop(given) for given in ("replaced",) if given in more}
    links = (to_deal(key), person if isinstance(person, RecordAssociation) else to_person(person))
    values = {"Role": name, **more} if name else more
    guid = values.pop("id", None)
    return OutgoingRecord(Kind.ROLE, guid, values=values, associations=links, **known)


def calls_of(exchange: Exchange) -> list[tuple[str, Any]]:
    """The calls of a batch: method and path, and the body."""
    shown = []
    for each in (*exchange.earlier, exchange):
        line, _, body = each.request.partition("\n\n")
        shown.append((line.partition("?")[0], json.loads(body) if body.startswith("{") else body))
    return shown


def writes_of(exchange: Exchange) -> list[Any]:
    """The bodies of the calls that change something."""
    return [body for line, body in calls_of(exchange) if line.startswith("POST") and isinstance(body, dict)]
