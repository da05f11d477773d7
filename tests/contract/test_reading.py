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
    OutgoingRecord,
    RecordAssociation,
)
from mobjects.sandbox.fields import PERSON_KEY
from tests.contract.apis import not_in_memory, only_where
from tests.contract.records import LOST, Deal, ids, one, patience, send
from tests.support.soap import exchange_of

UPDATE = Operation.UPDATE


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


def test_every_attribute_of_an_opportunity_comes_back_in_canonical_text(marketo, records):
    assert set(VALUES) == {attribute.name for attribute in OPPORTUNITY}
    company = [RecordAssociation(LinkTarget.COMPANY, key=ExternalKey(records.company_field, "C-0007"))]
    more = {"ContractMonths": "12"}
    record = OutgoingRecord(Kind.OPPORTUNITY, None, records.key("K-1"), typed(VALUES) | more, company)
    (made,) = send(marketo, record)
    found = one(marketo, MarketoQuery(Kind.OPPORTUNITY, id=made))
    assert found.values == texts(VALUES) | more | {records.key_field: "K-1"}
    by_key = RecordAssociation(LinkTarget.COMPANY, key=ExternalKey(records.traits.company_key, "C-0007"))
    by_id = RecordAssociation(LinkTarget.COMPANY, id=7)
    assert list(found.associations) == [by_key if records.traits.company_key else by_id]


def test_every_attribute_of_a_role_comes_back_in_canonical_text(marketo, records):
    (deal,) = records.deals(1)
    values = {name: VALUES[name] for name in ("ExternalCreatedDate",)} | {"Role": "Buyer", "IsPrimary": (True, "true")}
    assert set(values) == {attribute.name for attribute in ROLE}
    links = [records.deal_link(deal), RecordAssociation(LinkTarget.LEAD, key=ExternalKey(PERSON_KEY, "P-0019"))]
    (made,) = send(marketo, OutgoingRecord(Kind.ROLE, values=typed(values), associations=links))
    found = one(marketo, MarketoQuery(Kind.ROLE, id=made))
    assert (found.kind, found.marketo_id, found.values) == (Kind.ROLE, made, texts(values))
    assert set(found.associations) == {records.deal_link(deal), RecordAssociation(LinkTarget.LEAD, id=19)}


def test_cleared_values_are_left_out(marketo, records):
    (deal,) = records.deals(1, NextStep="call", Stage="open")
    cleared = {"NextStep": None, "Stage": ""}
    send(marketo, OutgoingRecord(Kind.OPPORTUNITY, deal.id, values=cleared), operation=UPDATE)
    assert records.told(one(marketo, MarketoQuery(Kind.OPPORTUNITY, id=deal.id))) == {"Name": "x"}


@not_in_memory("It keeps no times.")
def test_times_of_creation_and_change_are_aware(marketo, records, sandbox):
    clock = sandbox.store.clock
    clock.freeze(datetime.now(UTC).replace(microsecond=0))
    (deal,) = records.deals(1)
    started = clock.now()
    clock.advance(60)
    send(marketo, OutgoingRecord(Kind.OPPORTUNITY, deal.id, values={"Name": "y"}), operation=UPDATE)
    found = one(marketo, MarketoQuery(Kind.OPPORTUNITY, id=deal.id))
    assert (found.created_at, found.updated_at) == (started, started + timedelta(seconds=60))


# --- looking for something ----------------------------------------------------------------------


def test_pages_follow_each_other_without_gap_or_overlap(marketo, records):
    (deal,) = records.deals(1)
    made = []
    for start in range(0, 350, 50):
        roles = [records.role(deal, 1, Role=f"role {number}") for number in range(start, start + 50)]
        made += send(marketo, *roles)
    query = MarketoQuery(Kind.ROLE, opportunity=records.deal_link(deal))
    page = marketo.find(query)
    assert page.more
    assert [each.marketo_id for each in page.found] == sorted(each.marketo_id for each in page.found)
    assert sorted(ids(marketo, query)) == sorted(made)


lists_opportunities = only_where(lambda traits: Kind.OPPORTUNITY in traits.listed)


@lists_opportunities
def test_pages_of_100_go_by_rising_id(marketo, records, held):
    made = [deal.id for deal in records.deals(250)]
    before = held.calls
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY)) == made
    assert held.calls - before == 3


@lists_opportunities
def test_pages_keep_their_filter(marketo, records):
    made = [deal.id for deal in records.deals(120, Stage="open")]
    records.deals(30)
    send(marketo, *[OutgoingRecord(Kind.OPPORTUNITY, id_, values={"Name": "y"}) for id_ in made[::2]], operation=UPDATE)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, name="y")) == made[::2]
    assert len(ids(marketo, MarketoQuery(Kind.OPPORTUNITY, name="x"))) == 90


@lists_opportunities
def test_exactly_one_page_has_no_next(marketo, records):
    records.deals(100)
    page = marketo.find(MarketoQuery(Kind.OPPORTUNITY))
    assert (len(page.found), page.more) == (100, False)


@only_where(lambda traits: Kind.OPPORTUNITY not in traits.listed)
@pytest.mark.parametrize(
    "filters", [{}, {"name": "x"}, {"created_since": datetime(2026, 1, 1, tzinfo=UTC)}], ids=["all", "name", "time"]
)
def test_what_cannot_be_listed_is_refused_in_words(marketo, held, filters):
    with pytest.raises(Rejected, match="external ID"):
        marketo.find(MarketoQuery(Kind.OPPORTUNITY, **filters))
    assert held.calls == 0


@pytest.mark.parametrize("kind", Kind)
def test_nothing_found_is_an_empty_page(marketo, records, kind):
    page = marketo.find(MarketoQuery(kind, id=7 if kind is Kind.PROGRAM else records.nobody))
    assert (list(page.found), page.more) == ([], False)
    assert page.exchange.response


@lists_opportunities
def test_position_that_is_no_longer_valid_is_rejected(marketo):
    with pytest.raises(Rejected):
        marketo.find(MarketoQuery(Kind.OPPORTUNITY), "no such position")
    end = marketo.find(MarketoQuery(Kind.OPPORTUNITY)).position
    with pytest.raises(Rejected):
        marketo.find(MarketoQuery(Kind.OPPORTUNITY), end)


def test_position_of_another_question_is_rejected(marketo, records):
    (deal,) = records.deals(1)
    with pytest.raises(Rejected):
        marketo.find(MarketoQuery(Kind.ROLE, opportunity=records.deal_link(deal)), "no such position")


@only_where(lambda traits: not traits.opportunity_key)
def test_the_object_added_last_under_a_key_is_found(marketo, records):
    record = OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "x", records.key_field: "K-1"})
    _, newer = send(marketo, record, record)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, key=records.key("K-1"))) == [newer]
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, key=records.key("K-2"))) == []


def test_an_object_is_found_by_its_key(marketo, records):
    (made,) = send(marketo, records.opportunity("x", key="K-1"), operation=Operation.UPSERT)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, key=records.key("K-1"))) == [made]
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, key=records.key("K-2"))) == []


@only_where(lambda traits: traits.named_to_a_query > 1)
def test_as_many_as_the_limit_are_named_in_one_query(marketo, records, held):
    deals = records.deals(records.traits.named_to_a_query)
    roles = send(marketo, *[records.role(deal) for deal in deals])
    before = held.calls
    by_id = MarketoQuery(Kind.OPPORTUNITY, ids=[deal.id for deal in deals])
    by_key = MarketoQuery(Kind.OPPORTUNITY, keys=[records.key(deal.key) for deal in deals])
    of_deals = MarketoQuery(Kind.ROLE, opportunities=[records.deal_link(deal) for deal in deals])
    assert set(ids(marketo, by_id)) == set(ids(marketo, by_key)) == {deal.id for deal in deals}
    assert set(ids(marketo, of_deals)) == set(roles)
    assert held.calls - before == 3


@lists_opportunities
def test_opportunities_of_a_name_made_since(marketo, records, sandbox):
    clock = sandbox.store.clock
    clock.freeze(datetime.now(UTC).replace(microsecond=0))
    records.deals(2, name="A & <B>")
    clock.advance(60)
    since = clock.now()
    made = [deal.id for deal in records.deals(2, name="A & <B>")]
    records.deals(1)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, name="A & <B>", created_since=since)) == made
    elsewhere = since.astimezone(timezone(timedelta(hours=9)))
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, name="A & <B>", created_since=elsewhere)) == made


@lists_opportunities
def test_changes_within_a_time_both_ends_included(marketo, records, sandbox):
    clock = sandbox.store.clock
    clock.freeze(datetime.now(UTC).replace(microsecond=0))
    start = clock.now()
    made = []
    for _ in range(4):
        made += [deal.id for deal in records.deals(1)]
        clock.advance(60)
    minute = timedelta(seconds=60)
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, updated_since=start + minute)) == made[1:]
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, updated_until=start + minute)) == made[:2]
    both = MarketoQuery(Kind.OPPORTUNITY, updated_since=start + minute, updated_until=start + 2 * minute)
    assert ids(marketo, both) == made[1:3]


def test_roles_of_an_opportunity(marketo, records):
    (deal,) = send(marketo, records.opportunity("x", key="K-1"), operation=Operation.UPSERT)
    deal, (other,) = Deal(deal, "K-1"), records.deals(1)
    made = send(marketo, records.role(deal, 1), records.role(deal, 2), records.role(other, 1))
    named = MarketoQuery(Kind.ROLE, opportunity=records.deal_link(deal))
    by_key = MarketoQuery(Kind.ROLE, opportunity=records.deal_key_link("K-1"))
    assert set(ids(marketo, named)) == set(ids(marketo, by_key)) == set(made[:2])


def test_question_that_cannot_be_asked_is_refused_before_sending(marketo, held):
    with pytest.raises(Rejected):
        marketo.find(MarketoQuery(Kind.ROLE, name="x"))
    assert held.calls == 0


# --- calls that fail ----------------------------------------------------------------------------


@not_in_memory("A test hands it the error that reading raises.")
@pytest.mark.parametrize("fault", LOST, ids=str)
def test_page_that_was_lost_may_simply_be_asked_for_again(api, connect, fail, fault):
    marketo = connect(**patience(fault))
    whole = ids(marketo, MarketoQuery(Kind.PROGRAM))
    fail("find", **fault)
    if fault["kind"] in api.undetected:
        assert set(ids(marketo, MarketoQuery(Kind.PROGRAM))) <= set(whole)
        return
    with pytest.raises(MarketoError) as caught:
        marketo.find(MarketoQuery(Kind.PROGRAM))
    assert type(caught.value) is Unavailable
    assert exchange_of(caught.value).request
    assert ids(marketo, MarketoQuery(Kind.PROGRAM)) == whole


@not_in_memory("It has no limits of its own.")
@pytest.mark.parametrize("limit", ["quota", "rate", "at once"])
@pytest.mark.parametrize("name", ["find", "delete", "describe", "tags", "channels"])
def test_refusal_for_a_limit_says_which(api, marketo, records, fail, name, limit):
    arguments = {
        "find": (MarketoQuery(Kind.PROGRAM),),
        "delete": (Kind.ROLE, [records.nobody]),
        "describe": (Kind.ROLE,),
        "tags": (),
        "channels": (),
    }
    fail("any", "error", code=limit)
    with pytest.raises(Unavailable) as caught:
        getattr(marketo, name)(*arguments[name])
    assert caught.value.code == api.codes[limit]
    assert caught.value.trouble == limit
