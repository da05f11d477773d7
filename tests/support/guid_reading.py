"""A Marketo in memory that calls opportunities and roles by GUIDs, and finds only those that it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mobjects.marketo.errors import MarketoError, Rejected
from mobjects.marketo.transport_entry import Setting, TransportEntry
from mobjects.marketo.types import (
    BatchResponse,
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoId,
    MarketoQuery,
    OutcomeStatus,
    QueryPage,
    RecordOutcome,
    RemoteObject,
)
from mobjects.sync.content.from_marketo import find_association
from mobjects.sync.content.payload import KeyFields
from tests.support.guids import EXCHANGE, GUID_TRAITS, KEY

TRAITS = replace(GUID_TRAITS, has_cost_ids=False, listed=frozenset({Kind.PROGRAM}))
KEYS = KeyFields(opportunity=KEY, traits=TRAITS)


class GuidMemory:
    """Holds objects by id. ``failing`` is raised by the next call; positions in ``stale`` are refused."""

    name, endpoint, caller, delete_limit = "guids", "", "", 100

    def __init__(self, *found: RemoteObject, page_size: int = 100) -> None:
        self.objects = {each.marketo_id: each for each in found}
        self.page_size = page_size
        self.asked: list[MarketoQuery] = []
        self.deleted: list[MarketoId] = []
        self.failing: MarketoError | None = None
        self.stale: set[str] = set()
        self.before_answer: Callable[[], object] = lambda: None

    def find(self, query: MarketoQuery, position: str = "") -> QueryPage:
        self.asked.append(query)
        if self.failing:
            error, self.failing = self.failing, None
            raise error
        if position in self.stale:
            raise Rejected("The place is no longer known.", code="1003")
        named = (*query.ids, *query.keys, *query.opportunities)
        if not 0 < len(named) <= TRAITS.named_to_a_query:
            raise Rejected(f"Name 1 to {TRAITS.named_to_a_query} objects; these are {len(named)}.")
        fits = [each for each in self.objects.values() if each.kind is query.kind and self._is_named(each, query)]
        after = int(position or 0)
        end = after + self.page_size
        self.before_answer()
        return QueryPage(fits[after:end], end < len(fits), str(end), EXCHANGE)

    def _is_named(self, found: RemoteObject, query: MarketoQuery) -> bool:
        if query.ids:
            return found.marketo_id in query.ids
        if query.keys:
            return ExternalKey(KEY, found.values.get(KEY, "")) in query.keys
        return find_association(found, LinkTarget.OPPORTUNITY) in query.opportunities

    def delete(self, kind: Kind, ids: Sequence[MarketoId]) -> BatchResponse:
        self.deleted += ids
        return BatchResponse([RecordOutcome(OutcomeStatus.DELETED, called) for called in ids], EXCHANGE)

    def close(self) -> None:
        return None


def entry(transport: Any) -> TransportEntry:
    """What the site is told about it; register it under its name while a test runs."""
    endpoint = Setting("GUIDS_AT", "Guids at")
    return TransportEntry(
        name="guids",
        endpoint=endpoint,
        example="https://guids.example",
        settings=(endpoint,),
        where="In memory.",
        masked=(("nothing", re.compile(r"(nothing )\S+")),),
        open=lambda config, store, facts: transport,
        traits=TRAITS,
    )
