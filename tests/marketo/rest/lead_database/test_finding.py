"""Finding opportunities and roles: what is asked, what is read, and what is not believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mobjects.marketo.errors import Rejected, Unavailable
from mobjects.marketo.rest.transport import RestTransport
from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, MarketoQuery, Operation, OutgoingBatch
from tests.marketo.rest.lead_database.conftest import KEY, deal, role, to_deal, to_person
from tests.support.rest_server import success

DESCRIBED = {
    "name": "opportunity",
    "idField": "marketoGUID",
    "dedupeFields": [KEY],
    "searchableFields": [[KEY], ["marketoGUID"], ["contractNo"]],
    "fields": [
        {"name": "marketoGUID", "displayName": "Marketo GUID", "dataType": "string", "length": 36, "updateable": False},
        {"name": KEY, "displayName": "SFDC Oppty Id", "dataType": "string", "length": 50, "updateable": False},
        {"name": "name", "displayName": "Name", "dataType": "string", "length": 255, "updateable": True},
        {"name": "amount", "displayName": "Amount", "dataType": "currency", "updateable": True},
        {"name": "contractNo", "displayName": "Contract", "dataType": "string", "length": 255, "updateable": True},
    ],
}


@pytest.fixture
def scripted(server, make_calls, store, client, clock):
    """A transport to the scripted server, which has described opportunities."""
    server.answer(success(DESCRIBED))
    settings = make_calls().settings
    return RestTransport(settings, store, client=client, now=clock, sleep=clock.sleep)


def by_key(*values, field=KEY):
    return MarketoQuery(Kind.OPPORTUNITY, keys=[ExternalKey(field, value) for value in values])


# --- what is asked ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (MarketoQuery(Kind.OPPORTUNITY), "cannot list all of them; give external IDs"),
        (MarketoQuery(Kind.OPPORTUNITY, name="x"), "does not find them by name"),
        (MarketoQuery(Kind.OPPORTUNITY, updated_since=datetime(2026, 1, 1, tzinfo=UTC)), "by time"),
        (MarketoQuery(Kind.ROLE, workspace="x"), "by workspace"),
        (MarketoQuery(Kind.ROLE, id_from=7), "by a range of IDs"),
        (MarketoQuery(Kind.OPPORTUNITY, id=7), "“7” is no Marketo GUID"),
        (MarketoQuery(Kind.OPPORTUNITY, ids=["a,b"]), "“a,b” is no Marketo GUID"),
        (MarketoQuery(Kind.OPPORTUNITY, ids=["a"] * 301), "at most 300 values in a call, and these are 301"),
        (MarketoQuery(Kind.OPPORTUNITY, id="a", key=ExternalKey(KEY, "K-1")), "not several of these"),
        (by_key("K,1"), "“K,1” has a comma, which separates values"),
        (by_key(" "), "the value of “externalOpportunityId” is empty"),
        (MarketoQuery(Kind.OPPORTUNITY, opportunity=to_deal("K-1")), "only person roles have an opportunity"),
        (MarketoQuery(Kind.ROLE, opportunity=to_person(1)), "a Lead is not an opportunity"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_rest_cannot_answer_is_refused_in_words_before_sending(marketo, sandbox, query, words):
    with pytest.raises(Rejected) as caught:
        marketo.find(query)
    assert words in caught.value.message
    assert sandbox.calls == []


def test_a_field_that_the_instance_lacks_or_does_not_search_is_refused_in_words(scripted, server):
    with pytest.raises(Rejected, match="no field “ContractNumber” for opportunities; the nearest is “ContractNo”"):
        scripted.find(by_key("7", field="ContractNumber"))
    with pytest.raises(Rejected, match="does not find opportunities by “Name”"):
        scripted.find(by_key("7", field="Name"))
    assert len(server.calls) == 1


def test_many_guids_go_in_a_body(marketo, sandbox):
    guids = [f"{number:08}-0000-0000-0000-000000000000" for number in range(300)]
    page = marketo.find(MarketoQuery(Kind.OPPORTUNITY, ids=guids))
    assert (list(page.found), page.more) == ([], False)
    assert page.exchange.request.startswith("POST /rest/v1/opportunities.json?_method=GET\n")


def test_a_custom_field_that_is_searchable_is_a_key(marketo):
    marketo.send(OutgoingBatch(Operation.UPSERT, [deal("K-1", ContractMonths=12), deal("K-2", ContractMonths=24)]))
    (found,) = marketo.find(by_key("24", field="ContractMonths")).found
    assert (found.values[KEY], found.values["ContractMonths"]) == ("K-2", "24")


def test_of_several_objects_under_a_key_the_newest_is_found(scripted, server):
    rows = [
        {"marketoGUID": "b", "contractNo": "7", "createdAt": "2026-01-01T00:00:00Z"},
        {"marketoGUID": "c", "contractNo": "7", "createdAt": "2026-03-01T00:00:00Z"},
        {"marketoGUID": "a", "contractNo": "7", "createdAt": "2026-02-01T00:00:00Z"},
    ]
    server.answer(success(*rows))
    found = scripted.find(MarketoQuery(Kind.OPPORTUNITY, key=ExternalKey("ContractNo", "7"))).found
    assert [each.marketo_id for each in found] == ["c"]
    server.answer(success(*rows))
    assert [each.marketo_id for each in scripted.find(by_key("7", field="ContractNo")).found] == ["a", "b", "c"]


# --- what is read -------------------------------------------------------------------------------


def test_a_guid_is_kept_in_small_letters_without_blanks(scripted, server):
    server.answer(success({"seq": 0, "marketoGUID": "DFF23271-F996-47D7-984F-F2676861B5FA ", KEY: "k-1", "name": "x"}))
    (found,) = scripted.find(by_key("K-1")).found
    assert found.marketo_id == "dff23271-f996-47d7-984f-f2676861b5fa"
    assert found.values == {KEY: "k-1", "Name": "x"}


@pytest.mark.parametrize(
    ("value", "text"), [(1604.47, "1604.47"), ("1604.47", "1604.47"), (3000, "3000.00"), ("3E3", "3000.00")], ids=repr
)
def test_numbers_may_be_numbers_or_text(scripted, server, value, text):
    server.answer(success({"marketoGUID": "a", KEY: "K-1", "amount": value}))
    (found,) = scripted.find(by_key("K-1")).found
    assert found.values["Amount"] == text


def test_a_role_tells_its_opportunity_by_key_and_its_person_by_id(marketo):
    marketo.send(OutgoingBatch(Operation.UPSERT, [deal("K-1"), role("Buyer", person=19, IsPrimary=True)]))
    (found,) = marketo.find(MarketoQuery(Kind.ROLE, opportunities=[to_deal("K-1")])).found
    assert found.values == {"Role": "Buyer", "IsPrimary": "true"}
    assert [each.link for each in found.associations] == [LinkTarget.OPPORTUNITY, LinkTarget.LEAD]
    assert list(found.associations) == [to_deal("K-1"), to_person(19)]


# --- what is not believed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{KEY: "K-1"}], "without its GUID"),
        ([{"marketoGUID": "a", KEY: "K-2"}], "externalOpportunityId is “k-2”, which was not asked for"),
        ([{"marketoGUID": "a"}], "which was not asked for"),
        (["nonsense"], "something else than objects"),
    ],
    ids=str,
)
def test_a_page_that_contradicts_the_question_is_refused_as_a_whole(scripted, server, rows, words):
    server.answer(success({"marketoGUID": "b", KEY: "K-1"}, *rows))
    with pytest.raises(Unavailable) as caught:
        scripted.find(by_key("K-1"))
    assert words in caught.value.message
    assert caught.value.exchange.response


def test_more_without_a_place_to_go_on_is_refused(scripted, server):
    server.answer(success({"marketoGUID": "b", KEY: "K-1"}, moreResult=True))
    with pytest.raises(Unavailable, match="there is more, but not where"):
        scripted.find(by_key("K-1"))


@pytest.mark.parametrize("described", [{}, {"fields": []}, {"fields": [{"displayName": "x"}]}, "x"], ids=str)
def test_a_description_that_tells_no_fields_is_not_believed(server, make_calls, store, client, described):
    server.answer(success(described))
    transport = RestTransport(make_calls().settings, store, client=client)
    with pytest.raises(Unavailable, match="did not tell the fields of opportunities"):
        transport.describe(Kind.OPPORTUNITY)
