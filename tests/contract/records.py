"""Records made and looked up by any transport, and the ways in which a call can be lost."""

from __future__ import annotations

from itertools import count as numbers
from typing import NamedTuple

from mobjects.marketo.transport_traits import IdKind
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingRecord,
    RecordAssociation,
)
from mobjects.sandbox.fields import COMPANY_KEY, OPPORTUNITY_KEY

LOST = [
    {"kind": "error", "code": "failed"},
    {"kind": "error", "code": "lost", "applied": True},
    {"kind": "http", "status": 502, "applied": True},
    {"kind": "http", "status": 200},
    {"kind": "empty_body"},
    {"kind": "cut_before"},
    {"kind": "cut_after"},
    {"kind": "slow", "seconds": 30.0},
    {"kind": "short"},
    {"kind": "long"},
    {"kind": "empty"},
]
"""Codes are those of an API's ``codes``."""


class Deal(NamedTuple):
    """An opportunity in Marketo: its id, and its external key ("" if it has none)."""

    id: int | str
    key: str


class Records:
    """Makes records in the way of a transport's API."""

    def __init__(self, marketo):
        self.marketo, self.traits = marketo, marketo.traits
        self.key_field = self.traits.opportunity_key or OPPORTUNITY_KEY
        self.company_field = self.traits.company_key or COMPANY_KEY
        by_guid = self.traits.id_kind(Kind.OPPORTUNITY) is IdKind.GUID
        self.nobody = "00000000-0000-0000-0000-000000000000" if by_guid else 999_999
        self._numbers = numbers(1)

    def key(self, value):
        return ExternalKey(self.key_field, value)

    def new_key(self):
        """A key that nobody has yet, where the API needs one; "" otherwise."""
        return f"Key-{next(self._numbers)}" if self.traits.needs_opportunity_key else ""

    def opportunity(self, name="x", *, id=None, key="", **values):
        key = key or ("" if id else self.new_key())
        return OutgoingRecord(Kind.OPPORTUNITY, id, self.key(key) if key else None, {"Name": name, **values})

    def role(self, deal, person_id=1, **values):
        links = [self.deal_link(deal), RecordAssociation(LinkTarget.LEAD, id=person_id)]
        return OutgoingRecord(Kind.ROLE, values={"Role": "Evaluator", **values}, associations=links)

    def deal_link(self, deal):
        """How a role names its opportunity."""
        if self.traits.roles_name_opportunity_by_key:
            return self.deal_key_link(deal.key)
        return RecordAssociation(LinkTarget.OPPORTUNITY, id=deal.id)

    def deal_key_link(self, key):
        return RecordAssociation(LinkTarget.OPPORTUNITY, key=self.key(key))

    def deals(self, count, **values):
        """Make opportunities, as many as asked for."""
        made = []
        while len(made) < count:
            size = min(self.marketo.limit(Kind.OPPORTUNITY, Operation.INSERT), count - len(made))
            batch = [self.opportunity(**{"name": "x", **values}) for _ in range(size)]
            keys = [record.external_key.value if record.external_key else "" for record in batch]
            made += map(Deal, send(self.marketo, *batch), keys)
        return made

    def named(self, deals):
        """A query for these opportunities."""
        return {"ids": [deal.id for deal in deals]}

    def told(self, found):
        """The values that were read of an opportunity, without its key and what an API tells of what was never set."""
        values = {name: text for name, text in found.values.items() if name != self.key_field}
        if self.traits.unset_is_false:
            values = {name: text for name, text in values.items() if (name, text) not in UNSET}
        return values


UNSET = {("IsClosed", "false"), ("IsWon", "false"), ("IsPrimary", "false")}


def send(marketo, *records, operation=Operation.INSERT):
    """Send records, all of which are accepted; gives their ids."""
    outcomes = marketo.send(OutgoingBatch(operation, records)).outcomes
    assert {outcome.status for outcome in outcomes} <= {OutcomeStatus.CREATED, OutcomeStatus.UPDATED}
    return [outcome.marketo_id for outcome in outcomes]


def ids(marketo, query):
    """The ids of everything that a query finds, page after page."""
    page = marketo.find(query)
    found = list(page.found)
    while page.more:
        page = marketo.find(query, page.position)
        found += page.found
    return [each.marketo_id for each in found]


def patience(fault):
    """The settings with which a fault is met: one that is slow is not waited for."""
    return {"timeout_seconds": 1} if fault["kind"] == "slow" else {}


def one(marketo, query):
    """The one object that a query finds."""
    (found,) = marketo.find(query).found
    return found
