"""A Marketo in memory that calls opportunities and roles by GUIDs and finds them by several keys at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mobjects.marketo.errors import MarketoError, Rejected
from mobjects.marketo.transport_entry import Setting, TransportEntry
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoQuery,
    QueryPage,
    RemoteObject,
)
from mobjects.sync.content.payload import KeyFields
from tests.support.guids import EXCHANGE, GUID_TRAITS, KEY

TRAITS = replace(GUID_TRAITS, whole_costs=True)
KEYS = KeyFields(opportunity=KEY, traits=TRAITS)
ENDPOINT = Setting("WIRE_AT", "Wire at")


class Wire:
    """Holds objects and gives out those that are named, page by page.

    ``failing`` is raised by the next call; keys in ``refused`` have the whole call refused; positions in ``stale`` are
    not known any more; ``before_answer`` is called before each answer.
    """

    name, endpoint, caller, delete_limit, traits = "wire", "", "", 100, TRAITS

    def __init__(self, *found: RemoteObject, page_size: int = 100) -> None:
        self.objects = list(found)
        self.page_size = page_size
        self.asked: list[MarketoQuery] = []
        self.failing: MarketoError | None = None
        self.refused: set[str] = set()
        self.refusal = "the value “{}” is not taken."
        self.stale: set[str] = set()
        self.before_answer: Callable[[], object] = lambda: None

    @property
    def named(self) -> list[list[str]]:
        """The keys that each call named."""
        return [[key.value for key in _keys(query)] for query in self.asked]

    def find(self, query: MarketoQuery, position: str = "") -> QueryPage:
        self.asked.append(query)
        if self.failing:
            error, self.failing = self.failing, None
            raise error
        if position in self.stale:
            raise Rejected("The place is no longer known.", code="1003")
        keys = _keys(query)
        assert 0 < len(keys) <= TRAITS.named_to_a_query
        for key in keys:
            if key.value in self.refused:
                raise Rejected(self.refusal.format(key.value), code="1003")
        after = int(position or 0)
        fits = [each for each in self.objects if each.kind is query.kind and _is_named(each, keys)]
        end = after + self.page_size
        self.before_answer()
        return QueryPage(fits[after:end], end < len(fits), str(end), EXCHANGE)

    def close(self) -> None:
        return None


def entry(wire: Any) -> TransportEntry:
    """What the site is told about it."""
    return TransportEntry(
        name="wire",
        endpoint=ENDPOINT,
        example="https://wire.example",
        settings=(ENDPOINT,),
        where="In memory.",
        masked=(("nothing", re.compile(r"(nothing )\S+")),),
        open=lambda *_: wire,
        traits=TRAITS,
    )


def _keys(query: MarketoQuery) -> list[ExternalKey]:
    return [*query.keys, *(link.key for link in query.opportunities if link.key)]


def _is_named(found: RemoteObject, keys: list[ExternalKey]) -> bool:
    """Whether Marketo finds an object by one of the keys, whatever their letters."""
    if found.kind is Kind.ROLE:
        told = {
            (KEY, link.key.value) for link in found.associations if link.key and link.link is LinkTarget.OPPORTUNITY
        }
    else:
        told = set(found.values.items())
    plain = {(name.casefold(), text.casefold()) for name, text in told}
    return any((key.field.casefold(), key.value.casefold()) in plain for key in keys)
