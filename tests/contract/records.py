"""Records made and looked up by any transport, and the ways in which a call can be lost."""

from __future__ import annotations

from mobjects.marketo.types import (
    Kind,
    LinkTarget,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingRecord,
    RecordAssociation,
)

LOST = [
    {"kind": "soap", "code": "10001"},
    {"kind": "soap", "code": "20011", "applied": True},
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


def send(marketo, *records, operation=Operation.INSERT):
    """Send records, all of which are accepted; gives their ids."""
    outcomes = marketo.send(OutgoingBatch(operation, records)).outcomes
    assert {outcome.status for outcome in outcomes} <= {OutcomeStatus.CREATED, OutcomeStatus.UPDATED}
    return [outcome.marketo_id for outcome in outcomes]


def opportunities(marketo, count, **values):
    """Make opportunities, as many as asked for; gives their ids."""
    made = []
    for start in range(0, count, 100):
        records = [OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "x", **values})] * min(100, count - start)
        made += send(marketo, *records)
    return made


def role(opportunity_id, person_id=1, **values):
    links = [
        RecordAssociation(LinkTarget.OPPORTUNITY, id=opportunity_id),
        RecordAssociation(LinkTarget.LEAD, id=person_id),
    ]
    return OutgoingRecord(Kind.ROLE, values={"Role": "Evaluator", **values}, associations=links)


def ids(marketo, query):
    """The ids of everything that a query finds, page after page."""
    page = marketo.find(query)
    found = list(page.found)
    while page.more:
        page = marketo.find(query, page.position)
        found += page.found
    return [each.marketo_id for each in found]
