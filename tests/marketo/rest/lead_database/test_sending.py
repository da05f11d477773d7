"""Sending opportunities: which calls are made, with what in them, and what their answers mean."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.marketo.errors import AuthError, MarketoError, OutcomeUnknown, RefusalReason, Rejected, Unavailable
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    RecordAssociation,
)
from tests.marketo.rest.lead_database.conftest import KEY, calls_of, deal, writes_of

INSERT, UPDATE, UPSERT = Operation.INSERT, Operation.UPDATE, Operation.UPSERT
CREATED, UPDATED, SKIPPED = OutcomeStatus.CREATED, OutcomeStatus.UPDATED, OutcomeStatus.SKIPPED
WRITE = "POST /rest/v1/opportunities.json"


def send(marketo, *records, operation=UPSERT):
    return marketo.send(OutgoingBatch(operation, records))


def statuses(answer):
    return [outcome.status for outcome in answer.outcomes]


def made(marketo, *keys):
    """The GUIDs of new opportunities with these keys."""
    return [outcome.marketo_id for outcome in send(marketo, *[deal(key) for key in keys]).outcomes]


# --- which calls --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "action"), [(INSERT, "createOnly"), (UPDATE, "updateOnly"), (UPSERT, "createOrUpdate")]
)
def test_each_operation_has_its_action_by_key(marketo, operation, action):
    (body,) = writes_of(send(marketo, deal("K-1"), operation=operation).exchange)
    assert (body["action"], body["dedupeBy"]) == (action, "dedupeFields")
    assert body["input"] == [{KEY: "K-1", "name": "x"}]


def test_records_with_and_without_guid_are_two_calls_which_the_history_keeps_in_order(marketo):
    (guid,) = made(marketo, "K-1")
    made(marketo, "K-2")
    answer = send(marketo, deal(id=guid, Name="by id"), deal("K-2", Name="by key"), operation=UPDATE)
    assert statuses(answer) == [UPDATED, UPDATED]
    by_guid, by_key = writes_of(answer.exchange)
    assert (by_guid["action"], by_guid["dedupeBy"]) == ("updateOnly", "idField")
    assert by_guid["input"] == [{"marketoGUID": guid, "name": "by id"}]
    assert (by_key["action"], by_key["dedupeBy"]) == ("updateOnly", "dedupeFields")
    assert all(not each.earlier for each in answer.exchange.earlier)


def test_an_upsert_of_what_has_a_guid_does_not_create_it(marketo, sandbox):
    answer = send(marketo, deal(id="00000000-0000-0000-0000-000000000000", Name="x"))
    assert statuses(answer) == [SKIPPED]
    assert "UPDATE skipped it" in answer.outcomes[0].message
    assert "1013" in answer.outcomes[0].message
    assert sandbox.store.opportunities == {}


def test_an_insert_of_what_exists_is_skipped_with_the_reason(marketo):
    made(marketo, "K-1")
    (outcome,) = send(marketo, deal("K-1"), operation=INSERT).outcomes
    assert outcome.status is SKIPPED
    assert outcome.message == (
        "Marketo already has this object, so INSERT skipped it. (Marketo: 1017 - Object already exists)"
    )


def test_an_update_of_a_key_that_nobody_has_is_skipped(marketo, sandbox):
    assert statuses(send(marketo, deal("K-1"), operation=UPDATE)) == [SKIPPED]
    assert sandbox.store.opportunities == {}


def test_one_key_twice_goes_in_two_calls_one_after_the_other(marketo):
    answer = send(marketo, deal("K-1", Name="first"), deal("k-1 ", Name="second"))
    assert len(writes_of(answer.exchange)) == 2
    assert OutcomeStatus.FAILED not in statuses(answer)


def test_a_body_over_a_megabyte_is_split_and_the_split_is_kept(marketo):
    text = "한" * 2000
    answer = send(marketo, *[deal(f"K-{number}", Name="x", Description=text) for number in range(300)])
    assert statuses(answer) == [CREATED] * 300
    sizes = [len(body["input"]) for body in writes_of(answer.exchange)]
    assert (sum(sizes), len(sizes) > 1) == (300, True)
    keys = [record[KEY] for body in writes_of(answer.exchange) for record in body["input"]]
    assert keys == [f"K-{number}" for number in range(300)]


# --- what is in them ----------------------------------------------------------------------------


def test_values_go_as_the_types_of_the_instance(marketo):
    values = {"Probability": "80%", "Amount": Decimal("1604.47"), "IsWon": "yes", "CloseDate": "2026-06-30"}
    (body,) = writes_of(send(marketo, deal("K-1", **values, ContractMonths="12", FiscalYear=2026)).exchange)
    assert body["input"] == [
        {
            KEY: "K-1",
            "probability": 80,
            "amount": 1604.47,
            "isWon": True,
            "closeDate": "2026-06-30",
            "contractMonths": 12,
            "fiscalYear": 2026,
        }
    ]


def test_null_goes_only_for_what_was_cleared(marketo):
    (guid,) = made(marketo, "K-1")
    (body,) = writes_of(send(marketo, deal(id=guid, Stage=None, NextStep=""), operation=UPDATE).exchange)
    assert body["input"] == [{"marketoGUID": guid, "stage": None, "nextStep": None}]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"CloseDat": "x"}, "no field “CloseDat” for opportunities; the nearest is “CloseDate”"),
        ({"ContractMonths": "14.1"}, "ContractMonths: “14.1” is not a whole number"),
        ({"FiscalYear": Decimal("14.1")}, "FiscalYear: “14.1” is not a whole number"),
        ({"IsWon": "other"}, "IsWon: “other” is not yes or no"),
        ({"Amount": "a lot"}, "Amount: “a lot” is not a number"),
        ({"Stage": "x" * 256}, "is 256 characters long; the instance takes 255"),
        ({"createdAt": "2026-01-01"}, "does not let “createdAt” be changed"),
    ],
    ids=str,
)
def test_what_the_instance_would_not_take_is_said_before_sending_and_the_rest_goes(marketo, values, words):
    answer = send(marketo, deal("K-1", **values), deal("K-2"))
    assert statuses(answer) == [OutcomeStatus.FAILED, CREATED]
    assert words in answer.outcomes[0].message
    (body,) = writes_of(answer.exchange)
    assert [record[KEY] for record in body["input"]] == ["K-2"]


def test_a_batch_of_which_nothing_can_be_sent_makes_no_call_to_write(marketo, sandbox):
    answer = send(marketo, deal("K-1", Nonsense="x"))
    assert statuses(answer) == [OutcomeStatus.FAILED]
    again = send(marketo, deal("K-1", Nonsense="x"))
    assert again.exchange.request == "(nothing was sent)"
    assert sandbox.store.opportunities == {}


# --- the fields of the instance -----------------------------------------------------------------


def test_the_fields_are_asked_for_once_for_all_processes(connect):
    first = send(connect(), deal("K-1")).exchange
    second = send(connect(), deal("K-2")).exchange
    assert [line for line, _ in calls_of(first)] == ["GET /rest/v1/opportunities/describe.json", WRITE]
    assert [line for line, _ in calls_of(second)] == [WRITE]


def test_what_is_known_of_the_fields_holds_a_record_back(marketo):
    record = deal("K-1", CloseDat="x")
    assert marketo.problem(record, UPSERT) == ""
    marketo.describe(Kind.OPPORTUNITY)
    assert "the nearest is “CloseDate”" in marketo.problem(record, UPSERT)


def test_a_field_that_is_gone_makes_us_ask_for_the_fields_again(marketo, sandbox):
    made(marketo, "K-1")
    sandbox.faults.add("bad_row", path=WRITE, row=0, code="1006", text="Field 'stage' not found")
    (outcome,) = send(marketo, deal("K-1", Stage="x")).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "1006" in outcome.message
    assert "GET /rest/v1/opportunities/describe.json" in [
        line for line, _ in calls_of(send(marketo, deal("K-1")).exchange)
    ]


# --- keys beside GUIDs --------------------------------------------------------------------------


def test_a_key_that_is_as_marketo_holds_it_is_not_sent_along(marketo):
    (guid,) = made(marketo, "K-1")
    answer = send(marketo, deal(id=guid, Name="y", **{KEY: "K-1"}), operation=UPDATE)
    assert statuses(answer) == [UPDATED]
    assert writes_of(answer.exchange)[-1]["input"] == [{"marketoGUID": guid, "name": "y"}]


def test_a_key_that_differs_is_refused_in_words_and_nothing_is_written(marketo, sandbox):
    (guid,) = made(marketo, "K-1")
    answer = send(marketo, deal(id=guid, Name="y", **{KEY: "K-2"}), operation=UPDATE)
    assert statuses(answer) == [OutcomeStatus.FAILED]
    assert "is “K-2”, Marketo holds “K-1” and does not let it be changed" in answer.outcomes[0].message
    assert sandbox.store.find_by_guid("Opportunity", guid).values["Name"] == "x"


def test_a_key_alone_that_marketo_holds_is_nothing_to_change(marketo):
    (guid,) = made(marketo, "K-1")
    answer = send(marketo, deal(id=guid, **{KEY: "K-1"}), operation=UPDATE)
    assert [(outcome.status, outcome.marketo_id) for outcome in answer.outcomes] == [(OutcomeStatus.UNCHANGED, guid)]
    assert writes_of(answer.exchange) == []


# --- companies ----------------------------------------------------------------------------------


def test_a_company_known_by_id_is_looked_up_once(marketo, sandbox):
    company = [RecordAssociation(LinkTarget.COMPANY, id=7)]
    first = send(marketo, deal("K-1", links=company), deal("K-2", links=company))
    assert [line for line, _ in calls_of(first.exchange)].count("GET /rest/v1/companies.json") == 1
    assert writes_of(first.exchange)[0]["input"][0]["externalCompanyId"] == "C-0007"
    second = send(marketo, deal("K-3", links=company))
    assert [line for line, _ in calls_of(second.exchange)] == [WRITE]
    assert {each.values["CompanyId"] for each in sandbox.store.opportunities.values()} == {"7"}


def test_a_company_that_another_process_looked_up_is_not_looked_up_again(connect, sandbox):
    company = [RecordAssociation(LinkTarget.COMPANY, id=7)]
    send(connect(), deal("K-1", links=company))
    again = send(connect(), deal("K-2", links=[*company]))
    assert not [line for line, _ in calls_of(again.exchange) if line.endswith("companies.json")]
    assert again.outcomes[0].status == OutcomeStatus.CREATED


@pytest.mark.parametrize("kept", ["no JSON", "[1]", "{}", "null", '[["x", "y"]]'])
def test_a_memory_of_companies_that_cannot_be_read_is_none(connect, shared, kept):
    company = [RecordAssociation(LinkTarget.COMPANY, id=7)]
    send(connect(), deal("K-1", links=company))
    (name,) = (name for name in shared._kept if name.startswith("companies:"))
    shared.set(name, kept, 60)
    again = send(connect(), deal("K-2", links=company))
    assert again.outcomes[0].status == OutcomeStatus.CREATED


def test_a_company_that_nobody_knows_fails_its_record_alone(marketo):
    company = [RecordAssociation(LinkTarget.COMPANY, id=424_242)]
    answer = send(marketo, deal("K-1", links=company), deal("K-2"))
    assert statuses(answer) == [OutcomeStatus.FAILED, CREATED]
    assert "no company 424242" in answer.outcomes[0].message


# --- what cannot be sent at all -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (deal(None), "by their external ID, and this one has none"),
        (deal("K-1", Name=None), "does not let the name of an opportunity be cleared"),
        (deal(id="not a guid!"), "“not a guid!” is no Marketo GUID"),
        (deal(None, links=[RecordAssociation(LinkTarget.LEAD, id=1)]), "cannot be linked to a Lead"),
        (
            deal("K-1", links=[RecordAssociation(LinkTarget.COMPANY, key=ExternalKey("DunsNumber", "1"))]),
            "finds companies by externalCompanyId, not by “DunsNumber”",
        ),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_no_instance_takes_is_said_in_words(marketo, sandbox, record, words):
    assert words in marketo.problem(record, UPSERT)
    with pytest.raises(Rejected):
        send(marketo, record)
    assert sandbox.calls == []


# --- failing ------------------------------------------------------------------------------------


def test_where_the_crm_owns_opportunities_access_is_denied_in_words(marketo, sandbox):
    sandbox.instance.native_crm_sync = True
    with pytest.raises(AuthError, match="native sync owns opportunities") as caught:
        send(marketo, deal("K-1"), deal("K-2"))
    assert (caught.value.trouble, caught.value.code) == (RefusalReason.ACCESS, "1018")
    assert len(writes_of(caught.value.exchange)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "code": "606"},
        {"kind": "error", "code": "603"},
        {"kind": "error", "code": "1003"},
        {"kind": "cut_before"},
        {"kind": "cut_after"},
    ],
    ids=str,
)
def test_once_a_part_was_applied_the_batch_is_unknown_and_may_be_sent_again(marketo, sandbox, fault):
    (guid,) = made(marketo, "K-1")
    made(marketo, "K-2")
    records = [deal(id=guid, Name="y"), deal("K-2", Name="z")]
    sandbox.faults.add(**fault, path=WRITE, nth=2)
    with pytest.raises(MarketoError) as caught:
        send(marketo, *records, operation=UPDATE)
    assert type(caught.value) is OutcomeUnknown
    assert len(writes_of(caught.value.exchange)) == 2
    assert statuses(send(marketo, *records, operation=UPDATE)) == [UPDATED, UPDATED]
    names = [each.values["Name"] for each in sandbox.store.opportunities.values()]
    assert names == ["y", "z"]


def test_a_limit_before_anything_was_applied_stays_a_limit(marketo, sandbox):
    (guid,) = made(marketo, "K-1")
    sandbox.faults.add("error", path=WRITE, code="606")
    with pytest.raises(Unavailable) as caught:
        send(marketo, deal(id=guid, Name="y"), deal("K-2"), operation=UPDATE)
    assert caught.value.trouble is RefusalReason.RATE


def test_a_look_up_that_fails_leaves_nothing_applied(marketo, sandbox):
    made(marketo, "K-1")
    sandbox.faults.add("cut_after", path="GET /rest/v1/companies.json")
    with pytest.raises(Unavailable):
        send(marketo, deal("K-2", links=[RecordAssociation(LinkTarget.COMPANY, id=7)]))
    assert len(sandbox.store.opportunities) == 1


@pytest.mark.parametrize("fault", ["shuffled", "missing_seq", "no_result", "cut_inside"])
def test_answers_are_matched_by_their_numbers_or_not_at_all(marketo, sandbox, fault):
    made(marketo, "K-0")
    sandbox.faults.add(fault, path=WRITE)
    records = [deal("K-1", Name="a"), deal("K-2", Name="b")]
    if fault == "shuffled":
        guids = [outcome.marketo_id for outcome in send(marketo, *records).outcomes]
        names = [sandbox.store.find_by_guid("Opportunity", guid).values["Name"] for guid in guids]
        assert names == ["a", "b"]
        return
    with pytest.raises(OutcomeUnknown):
        send(marketo, *records)
