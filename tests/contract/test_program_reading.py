"""What every transport promises about reading programs, and what they may have, against a Marketo that keeps state."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mobjects.marketo.types import Kind, MarketoQuery, Operation, OutgoingCost, OutgoingRecord, TagValue
from mobjects.sandbox.seed import FIRST_PROGRAM_ID
from tests.contract.apis import not_in_memory, only_where
from tests.contract.records import one, send

UPDATE = Operation.UPDATE


@only_where(lambda traits: traits.has_cost_ids)
def test_costs_and_tags_of_a_program_come_back_with_cost_ids(marketo):
    query = MarketoQuery(Kind.PROGRAM, id=FIRST_PROGRAM_ID, details=True)
    found, added = add_costs(marketo, query)
    changed = OutgoingCost(date(2026, 6, 1), Decimal("8.00"), "", added[0].id)
    send(marketo, OutgoingRecord(Kind.PROGRAM, FIRST_PROGRAM_ID, costs=[changed]), operation=UPDATE)
    again = {cost.id: cost for cost in one(marketo, query).costs}
    assert len(again) == len(found.costs)
    assert (again[added[0].id].month, str(again[added[0].id].amount)) == (date(2026, 6, 1), "8.00")


@only_where(lambda traits: not traits.has_cost_ids)
def test_costs_and_tags_of_a_program_come_back_and_are_changed_by_what_they_were(marketo):
    query = MarketoQuery(Kind.PROGRAM, id=FIRST_PROGRAM_ID, details=True)
    found, added = add_costs(marketo, query)
    changed = OutgoingCost(date(2026, 6, 1), Decimal("8.00"), "", accepted=added[0])
    send(marketo, OutgoingRecord(Kind.PROGRAM, FIRST_PROGRAM_ID, costs=[changed]), operation=UPDATE)
    again = one(marketo, query).costs
    assert len(again) == len(found.costs)
    assert added[0] not in again
    assert (date(2026, 6, 1), "8.00") in [(cost.month, str(cost.amount)) for cost in again]


def add_costs(marketo, query):
    """Add two costs of one month and set tags; gives the program as it is then, and the costs."""
    before = one(marketo, query)
    costs = [OutgoingCost(date(2026, 5, 1), Decimal("501.00"), "광고"), OutgoingCost(date(2026, 5, 1), Decimal("7"))]
    tags = [TagValue("Region", "Korea"), TagValue("Channel", "Roadshow")]
    send(marketo, OutgoingRecord(Kind.PROGRAM, FIRST_PROGRAM_ID, costs=costs, tags=tags), operation=UPDATE)
    found = one(marketo, query)
    added = [cost for cost in found.costs if cost not in before.costs]
    assert [(cost.month, str(cost.amount), cost.note) for cost in added] == [
        (date(2026, 5, 1), "501.00", "광고"),
        (date(2026, 5, 1), "7.00", ""),
    ]
    assert set(tags) <= set(found.tags)
    return found, added


def test_program_tells_its_name_type_and_workspace_and_details_only_on_demand(marketo):
    found = one(marketo, MarketoQuery(Kind.PROGRAM, id=FIRST_PROGRAM_ID))
    assert found.values["Name"] == "2026-01 Webinar - Cloud Cost Control"
    assert found.values["Type"]
    assert found.values["Workspace Name"] == "Default"
    assert (tuple(found.costs), tuple(found.tags)) == ((), ())


@not_in_memory("It finds programs by their ids, or all; asked for more it refuses, as the last test here sees.")
@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"archived": False}, 38),
        ({"archived": True}, 40),
        ({"name": "2026-01 Webinar - Cloud Cost Control"}, 1),
        ({"tag": TagValue("Channel", "Webinar")}, 5),
        ({"tag": TagValue("Region", "Webinar")}, 0),
        ({"workspace": "Europe"}, 12),
        ({"workspace": "Europe", "tag": TagValue("Channel", "Webinar")}, 2),
        ({"updated_since": datetime(2026, 2, 1, tzinfo=UTC)}, 12),
    ],
    ids=str,
)
def test_filters_of_programs(marketo, sandbox, filters, count):
    found = [each.marketo_id for each in marketo.find(MarketoQuery(Kind.PROGRAM, **filters)).found]
    programs = sandbox.store.programs
    wanted = [program.id for program in programs.values() if _holds(program, filters)]
    assert len(wanted) == count
    if not marketo.traits.tells_archived:
        found = [number for number in found if filters.get("archived") or not programs[number].is_archived]
    assert found == wanted


def _holds(program, filters):
    tags = {**program.tags, "Channel": program.channel}
    tag = filters.get("tag")
    return all(
        [
            filters.get("archived") or not program.is_archived,
            filters.get("name", program.name) == program.name,
            filters.get("workspace", program.workspace_name) == program.workspace_name,
            tag is None or tags.get(tag.type) == tag.value,
            program.updated_at >= filters.get("updated_since", program.updated_at),
        ]
    )


def test_allowed_tags_and_channels(marketo, sandbox):
    tags, channels = marketo.tags(), marketo.channels()
    assert tags.values == sandbox.store.tags
    assert channels.values == {"Channel": list(sandbox.store.channels)}
    assert tags.exchange.response
    assert channels.exchange.response


@not_in_memory("What it allows is what it was given; there is nothing to read.")
def test_marketo_without_tags_or_channels(marketo, sandbox):
    sandbox.store.tags.clear()
    sandbox.store.channels.clear()
    assert marketo.tags().values == {}
    assert marketo.channels().values == {"Channel": []}
