"""What every transport promises about reading, against a Marketo that keeps state."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from mobjects.marketo.attributes import OPPORTUNITY, ROLE
from mobjects.marketo.errors import MarketoError, Rejected, Unavailable
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoQuery,
    Operation,
    OutgoingCost,
    OutgoingRecord,
    RecordAssociation,
    TagValue,
)
from mobjects.sandbox.fields import COMPANY_KEY, OPPORTUNITY_KEY, PERSON_KEY
from mobjects.sandbox.seed import FIRST_PROGRAM_ID
from tests.contract.records import LOST, ids, opportunities, role, send
from tests.support.soap import exchange_of

UPDATE = Operation.UPDATE


def one(marketo, query):
    (found,) = marketo.find(query).found
    return found


# --- what was sent comes back -------------------------------------------------------------------

VALUES = {
    "Name": "한국어 🎉 <b>&amp;\"'</b>",
    "Description": "two\nlines and\ttab ",
    "Type": " x",
    "Stage": "Won",
    "Amount": (Decimal("501.00"), "501.00"),
    "ExpectedRevenue": (Decimal("-0.50"), "-0.50"),
    "Probability": (80, "80"),
    "Quantity": (Decimal("480"), "480"),
    "CloseDate": (date(2026, 1, 31), "2026-01-31"),
    "IsClosed": (True, "true"),
    "IsWon": (False, "false"),
    "Fiscal": "FY26",
    "FiscalQuarter": (4, "4"),
    "FiscalYear": (2026, "2026"),
    "ForecastCategoryName": "Best Case",
    "LeadSource": "Web",
    "NextStep": "call",
    "ExternalCreatedDate": (
        datetime(2014, 10, 24, 10, 0, tzinfo=timezone(timedelta(hours=-7))),
        "2014-10-24T17:00:00+00:00",
    ),
    "LastActivityDate": (date(2026, 2, 1), "2026-02-01"),
}


def typed(values):
    return {name: value[0] if isinstance(value, tuple) else value for name, value in values.items()}


def texts(values):
    return {name: value[1] if isinstance(value, tuple) else value for name, value in values.items()}


def test_every_attribute_of_an_opportunity_comes_back_in_canonical_text(marketo):
    assert set(VALUES) == {attribute.name for attribute in OPPORTUNITY}
    key = ExternalKey(OPPORTUNITY_KEY, "K-1")
    company = [RecordAssociation(LinkTarget.COMPANY, key=ExternalKey(COMPANY_KEY, "C-0007"))]
    more = {"ContractMonths": "12"}
    (made,) = send(marketo, OutgoingRecord(Kind.OPPORTUNITY, None, key, typed(VALUES) | more, company))
    found = one(marketo, MarketoQuery(Kind.OPPORTUNITY, id=made))
    assert found.values == texts(VALUES) | more | {OPPORTUNITY_KEY: "K-1"}
    assert list(found.associations) == [RecordAssociation(LinkTarget.COMPANY, id=7)]


def test_every_attribute_of_a_role_comes_back_in_canonical_text(marketo):
    (deal,) = opportunities(marketo, 1)
    values = {name: VALUES[name] for name in ("ExternalCreatedDate",)} | {"Role": "Buyer", "IsPrimary": (True, "true")}
    assert set(values) == {attribute.name for attribute in ROLE}
    links = [
        RecordAssociation(LinkTarget.OPPORTUNITY, id=deal),
        RecordAssociation(LinkTarget.LEAD, key=ExternalKey(PERSON_KEY, "P-0019")),
    ]
    (made,) = send(marketo, OutgoingRecord(Kind.ROLE, values=typed(values), associations=links))
    found = one(marketo, MarketoQuery(Kind.ROLE, id=made))
    assert (found.kind, found.marketo_id, found.values) == (Kind.ROLE, made, texts(values))
    assert set(found.associations) == {
        RecordAssociation(LinkTarget.OPPORTUNITY, id=deal),
        RecordAssociation(LinkTarget.LEAD, id=19),
    }


def test_cleared_values_are_left_out(marketo):
    (made,) = opportunities(marketo, 1, NextStep="call", Stage="open")
    send(marketo, OutgoingRecord(Kind.OPPORTUNITY, made, values={"NextStep": None, "Stage": ""}), operation=UPDATE)
    assert one(marketo, MarketoQuery(Kind.OPPORTUNITY, id=made)).values == {"Name": "x"}


def test_costs_and_tags_of_a_program_come_back_with_cost_ids(marketo):
    query = MarketoQuery(Kind.PROGRAM, id=FIRST_PROGRAM_ID, details=True)
    before = one(marketo, query)
    costs = [OutgoingCost(date(2026, 5, 1), Decimal("501.00"), "광고"), OutgoingCost(date(2026, 5, 1), Decimal("7"))]
    record = OutgoingRecord(
        Kind.PROGRAM, FIRST_PROGRAM_ID, costs=costs, tags=[TagValue("Region", "Korea"), TagValue("Channel", "Roadshow")]
    )
    send(marketo, record, operation=UPDATE)
    found = one(marketo, query)
    added = [cost for cost in found.costs if cost not in before.costs]
    assert [(cost.month, str(cost.amount), cost.note) for cost in added] == [
        (date(2026, 5, 1), "501.00", "광고"),
        (date(2026, 5, 1), "7.00", ""),
    ]
    assert {TagValue("Region", "Korea"), TagValue("Channel", "Roadshow")} <= set(found.tags)
    changed = OutgoingCost(date(2026, 6, 1), Decimal("8.00"), "", added[0].id)
    send(marketo, OutgoingRecord(Kind.PROGRAM, FIRST_PROGRAM_ID, costs=[changed]), operation=UPDATE)
    again = {cost.id: cost for cost in one(marketo, query).costs}
    assert len(again) == len(found.costs)
    assert (again[added[0].id].month, str(again[added[0].id].amount)) == (date(2026, 6, 1), "8.00")


def test_program_tells_its_name_type_and_workspace_and_details_only_on_demand(marketo):
    found = one(marketo, MarketoQuery(Kind.PROGRAM, id=FIRST_PROGRAM_ID))
    assert found.values["Name"] == "2026-01 Webinar - Cloud Cost Control"
    assert (found.values["Type"], found.values["Workspace Name"]) == ("Marketing Event", "Default")
    assert (tuple(found.costs), tuple(found.tags)) == ((), ())


def test_times_of_creation_and_change_are_aware(marketo, sandbox):
    clock = sandbox.store.clock
    clock.freeze(datetime.now(UTC).replace(microsecond=0))
    (made,) = opportunities(marketo, 1)
    started = clock.now()
    clock.advance(60)
    send(marketo, OutgoingRecord(Kind.OPPORTUNITY, made, values={"Name": "y"}), operation=UPDATE)
    found = one(marketo, MarketoQuery(Kind.OPPORTUNITY, id=made))
    assert (found.created_at, found.updated_at) == (started, started + timedelta(seconds=60))


# --- looking for something ----------------------------------------------------------------------


def test_pages_of_100_follow_each_other_without_gap_or_overlap(marketo, sandbox):
    made = opportunities(marketo, 250)
    before = len(sandbox.calls)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY)) == made
    assert len(sandbox.calls) - before == 3


def test_pages_keep_their_filter(marketo):
    made = opportunities(marketo, 120, Stage="open")
    opportunities(marketo, 30)
    send(marketo, *[OutgoingRecord(Kind.OPPORTUNITY, id_, values={"Name": "y"}) for id_ in made[::2]], operation=UPDATE)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, name="y")) == made[::2]
    assert len(ids(marketo, MarketoQuery(Kind.OPPORTUNITY, name="x"))) == 90


def test_exactly_one_page_has_no_next(marketo):
    opportunities(marketo, 100)
    page = marketo.find(MarketoQuery(Kind.OPPORTUNITY))
    assert (len(page.found), page.more) == (100, False)


@pytest.mark.parametrize("kind", Kind)
def test_nothing_found_is_an_empty_page(marketo, kind):
    page = marketo.find(MarketoQuery(kind, id=7))
    assert (list(page.found), page.more) == ([], False)
    assert page.exchange.response


def test_position_that_is_no_longer_valid_is_rejected(marketo):
    with pytest.raises(Rejected):
        marketo.find(MarketoQuery(Kind.OPPORTUNITY), "no such position")
    end = marketo.find(MarketoQuery(Kind.OPPORTUNITY)).position
    with pytest.raises(Rejected):
        marketo.find(MarketoQuery(Kind.OPPORTUNITY), end)


def test_the_object_added_last_under_a_key_is_found(marketo):
    key = ExternalKey(OPPORTUNITY_KEY, "K-1")
    record = OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "x", OPPORTUNITY_KEY: "K-1"})
    _, newer = send(marketo, record, record)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, key=key)) == [newer]
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, key=ExternalKey(OPPORTUNITY_KEY, "K-2"))) == []


def test_opportunities_of_a_name_made_since(marketo, sandbox):
    clock = sandbox.store.clock
    clock.freeze(datetime.now(UTC).replace(microsecond=0))
    opportunities(marketo, 2, Name="A & <B>")
    clock.advance(60)
    since = clock.now()
    made = opportunities(marketo, 2, Name="A & <B>")
    opportunities(marketo, 1)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, name="A & <B>", created_since=since)) == made
    elsewhere = since.astimezone(timezone(timedelta(hours=9)))
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, name="A & <B>", created_since=elsewhere)) == made


def test_changes_within_a_time_both_ends_included(marketo, sandbox):
    clock = sandbox.store.clock
    clock.freeze(datetime.now(UTC).replace(microsecond=0))
    start = clock.now()
    made = []
    for _ in range(4):
        made += opportunities(marketo, 1)
        clock.advance(60)
    minute = timedelta(seconds=60)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, updated_since=start + minute)) == made[1:]
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, updated_until=start + minute)) == made[:2]
    both = MarketoQuery(Kind.OPPORTUNITY, updated_since=start + minute, updated_until=start + 2 * minute)
    assert ids(marketo, both) == made[1:3]


def test_roles_of_an_opportunity(marketo):
    key = ExternalKey(OPPORTUNITY_KEY, "K-1")
    deal, other = send(
        marketo,
        OutgoingRecord(Kind.OPPORTUNITY, external_key=key, values={"Name": "x"}),
        OutgoingRecord(Kind.OPPORTUNITY),
    )
    made = send(marketo, role(deal, 1), role(deal, 2), role(other, 1))
    by_id = MarketoQuery(Kind.ROLE, opportunity=RecordAssociation(LinkTarget.OPPORTUNITY, id=deal))
    by_key = MarketoQuery(Kind.ROLE, opportunity=RecordAssociation(LinkTarget.OPPORTUNITY, key=key))
    assert ids(marketo, by_id) == ids(marketo, by_key) == made[:2]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 38),
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
    found = marketo.find(MarketoQuery(Kind.PROGRAM, **filters)).found
    wanted = [program.id for program in sandbox.store.programs.values() if _holds(program, filters)]
    assert [each.marketo_id for each in found] == wanted
    assert len(wanted) == count


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


def test_question_that_cannot_be_asked_is_refused_before_sending(marketo, sandbox):
    with pytest.raises(Rejected):
        marketo.find(MarketoQuery(Kind.ROLE, name="x"))
    assert sandbox.calls == []


# --- what Marketo allows ------------------------------------------------------------------------


def test_allowed_tags_and_channels(marketo, sandbox):
    tags, channels = marketo.tags(), marketo.channels()
    assert tags.values == sandbox.store.tags
    assert channels.values == {"Channel": list(sandbox.store.channels)}
    assert tags.exchange.response
    assert channels.exchange.response


def test_marketo_without_tags_or_channels(marketo, sandbox):
    sandbox.store.tags.clear()
    sandbox.store.channels.clear()
    assert marketo.tags().values == {}
    assert marketo.channels().values == {"Channel": []}


# --- calls that fail ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_page_that_was_lost_may_simply_be_asked_for_again(connect, sandbox, fault):
    sandbox.faults.add(**fault, operation="getMObjects")
    marketo = connect(timeout_seconds=1 if fault["kind"] == "slow" else 5)
    with pytest.raises(MarketoError) as caught:
        marketo.find(MarketoQuery(Kind.PROGRAM))
    assert type(caught.value) is Unavailable
    assert exchange_of(caught.value).request
    assert len(marketo.find(MarketoQuery(Kind.PROGRAM)).found) == 38


@pytest.mark.parametrize("code", ["20015", "20023", "20024"])
@pytest.mark.parametrize("name", ["find", "delete", "describe", "tags", "channels"])
def test_refusal_for_a_limit_says_which(marketo, sandbox, name, code):
    arguments = {
        "find": (MarketoQuery(Kind.PROGRAM),),
        "delete": (Kind.ROLE, [800001]),
        "describe": (Kind.ROLE,),
        "tags": (),
        "channels": (),
    }
    sandbox.faults.add("soap", code=code)
    with pytest.raises(Unavailable) as caught:
        getattr(marketo, name)(*arguments[name])
    assert caught.value.code == code
    assert caught.value.trouble is not None
