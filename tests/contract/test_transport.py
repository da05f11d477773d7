"""What every transport promises, against a Marketo that keeps state (see mobjects/marketo/transport.py)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, OutcomeUnknown, Rejected, Unavailable
from mobjects.marketo.transport import ConnectionVerdict
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoQuery,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingCost,
    OutgoingRecord,
    RecordAssociation,
    TagValue,
)
from mobjects.sandbox.fields import PERSON_KEY
from mobjects.sandbox.seed import FIRST_PROGRAM_ID
from tests.contract.apis import not_in_memory, with_faults
from tests.contract.records import Deal, ids, patience, send
from tests.support.soap import exchange_of

INSERT, UPDATE, UPSERT = Operation.INSERT, Operation.UPDATE, Operation.UPSERT


def statuses(answer):
    return [outcome.status for outcome in answer.outcomes]


def test_inserted_records_get_their_ids_in_order(marketo, records, held):
    answer = marketo.send(OutgoingBatch(INSERT, [records.opportunity(name) for name in ("a", "b", "c")]))
    assert statuses(answer) == [OutcomeStatus.CREATED] * 3
    assert [held.values(outcome.marketo_id)["Name"] for outcome in answer.outcomes] == ["a", "b", "c"]


def test_created_updated_unchanged_skipped_and_failed_land_on_their_own_records(marketo, records):
    opportunity = records.opportunity
    known = marketo.send(
        OutgoingBatch(UPSERT, [opportunity("old", key="K-1"), opportunity("same", key="K-2")])
    ).outcomes
    answer = marketo.send(
        OutgoingBatch(
            UPSERT,
            [
                opportunity("new", key="K-3"),
                opportunity("renamed", key="K-1"),
                opportunity("same", key="K-2"),
                opportunity("nobody", id=records.nobody),
                opportunity("bad", key="K-4", Amount="a lot"),
            ],
        )
    )
    created, updated, same, *others = statuses(answer)
    assert (created, updated) == (OutcomeStatus.CREATED, OutcomeStatus.UPDATED)
    assert same in (OutcomeStatus.UNCHANGED, OutcomeStatus.UPDATED)  # not every API says that nothing has changed
    assert others == [OutcomeStatus.SKIPPED, OutcomeStatus.FAILED]
    assert [outcome.marketo_id for outcome in answer.outcomes[1:3]] == [outcome.marketo_id for outcome in known]
    assert answer.outcomes[0].marketo_id
    assert all(outcome.message for outcome in answer.outcomes[3:])


@pytest.mark.parametrize("size", [100, None], ids=["100", "limit"])
def test_full_batch_is_one_call(marketo, records, held, size):
    size = size or marketo.limit(Kind.OPPORTUNITY, INSERT)
    records.deals(1)  # What is asked once a day has been asked.
    before = held.calls
    answer = marketo.send(OutgoingBatch(INSERT, [records.opportunity(f"n{index}") for index in range(size)]))
    assert len(answer.outcomes) == size
    assert len({outcome.marketo_id for outcome in answer.outcomes}) == size
    assert held.calls - before == 1


def test_more_than_the_limit_is_refused_before_sending(marketo, records, held):
    size = marketo.limit(Kind.OPPORTUNITY, INSERT) + 1
    with pytest.raises(Rejected):
        marketo.send(OutgoingBatch(INSERT, [records.opportunity("x") for _ in range(size)]))
    assert held.calls == 0


def test_unsupported_operation_is_refused_before_sending(marketo, held):
    assert marketo.limit(Kind.PROGRAM, INSERT) is None
    with pytest.raises(Rejected, match="INSERT"):
        marketo.send(OutgoingBatch(INSERT, [OutgoingRecord(Kind.PROGRAM, FIRST_PROGRAM_ID)]))
    assert held.calls == 0


def test_any_text_that_xml_carries_reaches_marketo_unchanged(marketo, records, held):
    text = "한국어 🎉 <b>&amp;\"'</b>\r\n\ttwo  spaces "
    (made,) = send(marketo, records.opportunity("x", Description=text))
    assert held.values(made)["Description"] == text


def test_typed_values_and_cleared_fields(marketo, records, held):
    (deal,) = records.deals(1, NextStep="call", Stage="open")
    values = {"NextStep": None, "Stage": "", "Amount": Decimal("1E+3"), "IsWon": True, "CloseDate": date(2026, 1, 31)}
    answer = marketo.send(OutgoingBatch(UPDATE, [records.opportunity("x", id=deal.id, **values)]))
    assert statuses(answer) == [OutcomeStatus.UPDATED]
    assert held.values(deal.id) == {"Name": "x", "Amount": "1000", "IsWon": "true", "CloseDate": "2026-01-31"}


def test_roles_by_id_and_by_external_key(marketo, records, held):
    (made,) = send(marketo, records.opportunity("x", key="K-1"), operation=UPSERT)
    by_key = OutgoingRecord(
        Kind.ROLE,
        values={"Role": "Decision Maker"},
        associations=[
            records.deal_key_link("K-1"),
            RecordAssociation(LinkTarget.LEAD, key=ExternalKey(PERSON_KEY, "P-0002")),
        ],
    )
    nobody = records.role(Deal(424_242, "no such key"))
    answer = marketo.send(OutgoingBatch(INSERT, [records.role(Deal(made, "K-1"), 1), by_key, nobody]))
    assert statuses(answer) == [OutcomeStatus.CREATED, OutcomeStatus.CREATED, OutcomeStatus.FAILED]
    ends = [held.role_ends(outcome.marketo_id) for outcome in answer.outcomes[:2]]
    deal = "K-1" if records.traits.roles_name_opportunity_by_key else made
    assert ends == [(deal, 1), (deal, 2)]


def test_role_of_a_person_whom_nobody_knows_fails_alone(marketo, records):
    (deal,) = records.deals(1)
    unknown = OutgoingRecord(
        Kind.ROLE,
        values={"Role": "Buyer"},
        associations=[
            records.deal_link(deal),
            RecordAssociation(LinkTarget.LEAD, key=ExternalKey(PERSON_KEY, "P-nobody")),
        ],
    )
    answer = marketo.send(OutgoingBatch(INSERT, [records.role(deal), unknown]))
    assert statuses(answer) == [OutcomeStatus.CREATED, OutcomeStatus.FAILED]
    assert answer.outcomes[1].message


def test_opportunity_with_company_and_its_role_in_one_batch(marketo, records, held):
    company = [RecordAssociation(LinkTarget.COMPANY, key=ExternalKey(records.company_field, "C-0007"))]
    links = [records.deal_key_link("K-9"), RecordAssociation(LinkTarget.LEAD, id=3)]
    batch = OutgoingBatch(
        UPSERT,
        [
            OutgoingRecord(
                Kind.OPPORTUNITY, external_key=records.key("K-9"), values={"Name": "x"}, associations=company
            ),
            OutgoingRecord(Kind.ROLE, values={"Role": "Buyer", "IsPrimary": False}, associations=links),
        ],
    )
    answer = marketo.send(batch)
    assert statuses(answer) == [OutcomeStatus.CREATED, OutcomeStatus.CREATED]
    made = answer.outcomes[0].marketo_id
    assert ids(marketo, MarketoQuery(Kind.OPPORTUNITY, key=records.key("K-9"))) == [made]
    assert held.company(made) == 7


def test_company_may_be_given_by_id(marketo, records, held):
    by_id = [RecordAssociation(LinkTarget.COMPANY, id=7)]
    key = records.key("K-1")
    (made,) = send(
        marketo, OutgoingRecord(Kind.OPPORTUNITY, None, key, {"Name": "x"}, associations=by_id), operation=UPSERT
    )
    assert held.company(made) == 7


def test_program_costs_and_tags(marketo, held):
    record = OutgoingRecord(
        Kind.PROGRAM,
        FIRST_PROGRAM_ID,
        costs=[OutgoingCost(date(2026, 5, 1), Decimal("501.00"), "광고")],
        tags=[TagValue("Region", "Korea"), TagValue("Channel", "Roadshow")],
    )
    answer = marketo.send(OutgoingBatch(UPDATE, [record]))
    assert [(outcome.status, outcome.marketo_id) for outcome in answer.outcomes] == [
        (OutcomeStatus.UPDATED, FIRST_PROGRAM_ID)
    ]
    assert (date(2026, 5, 1), Decimal(501), "광고") in held.costs(FIRST_PROGRAM_ID)
    tags = held.tags(FIRST_PROGRAM_ID)
    assert (tags["Region"], tags["Channel"]) == ("Korea", "Roadshow")


@not_in_memory("It has no wire, and no secret.")
def test_rendered_batch_is_what_is_sent_without_the_secret(api, marketo, records, held):
    batch = OutgoingBatch(INSERT, [records.opportunity("Größe 71")])
    rendered = marketo.render(batch)
    assert held.calls == 0
    sent = marketo.send(batch).exchange
    assert "***" in rendered
    assert "Größe 71" in rendered
    assert "Größe 71" in sent.request
    assert api.secret not in rendered + "".join(call.request + call.response for call in (*sent.earlier, sent))


@not_in_memory("It asks for none.")
def test_wrong_secret_is_an_auth_error_and_changes_nothing(api, connect, records, held):
    with pytest.raises(AuthError) as caught:
        connect(secret="wrong-key").send(OutgoingBatch(INSERT, [records.opportunity("x")]))
    assert caught.value.code == api.codes["credentials"]
    assert "wrong-key" not in repr(caught.value.exchange) + str(caught.value)
    assert held.ids(Kind.OPPORTUNITY) == set()


@not_in_memory("It needs none.")
def test_missing_setting_is_named(connect, records, held):
    with pytest.raises(ConfigError, match=r"MARKETO_(USER|CLIENT)_ID"):
        connect(caller="").send(OutgoingBatch(INSERT, [records.opportunity("x")]))
    assert held.calls == 0


@not_in_memory("It is at no address.")
def test_wrong_path_is_a_config_error(connect, records, sandbox, held):
    with pytest.raises(ConfigError, match=r"check MARKETO_\w+_ENDPOINT"):
        connect(endpoint=f"{sandbox.url}/no/such/path").send(OutgoingBatch(INSERT, [records.opportunity("x")]))
    assert held.ids(Kind.OPPORTUNITY) == set()


@with_faults(
    "fault, error, applied",
    [
        ({"kind": "error", "code": "failed"}, OutcomeUnknown, False),
        ({"kind": "error", "code": "lost", "applied": True}, OutcomeUnknown, True),
        ({"kind": "error", "code": "quota"}, Unavailable, False),
        ({"kind": "error", "code": "rate"}, Unavailable, False),
        ({"kind": "error", "code": "at once"}, Unavailable, False),
        ({"kind": "error", "code": "bad"}, Rejected, False),
        ({"kind": "http", "status": 500}, OutcomeUnknown, False),
        ({"kind": "http", "status": 502, "applied": True}, OutcomeUnknown, True),
        ({"kind": "http", "status": 200}, OutcomeUnknown, False),
        ({"kind": "cut_before"}, OutcomeUnknown, False),
        ({"kind": "cut_after"}, OutcomeUnknown, True),
        ({"kind": "slow", "seconds": 30.0}, OutcomeUnknown, True),
        ({"kind": "short"}, OutcomeUnknown, True),
        ({"kind": "long"}, OutcomeUnknown, True),
        ({"kind": "empty"}, OutcomeUnknown, True),
        ({"kind": "empty_body"}, OutcomeUnknown, True),
        ({"kind": "row_status", "row_status": "DELETED"}, OutcomeUnknown, True),
        ({"kind": "row_status", "row_status": "MAYBE"}, OutcomeUnknown, True),
    ],
)
def test_failed_call_never_claims_more_than_is_certain(connect, records, held, fail, fault, error, applied):
    fail("send", **fault)
    marketo = connect(**patience(fault))
    with pytest.raises(MarketoError) as caught:
        marketo.send(OutgoingBatch(INSERT, [records.opportunity("deal a"), records.opportunity("deal b")]))
    assert type(caught.value) is error
    assert exchange_of(caught.value).request
    assert bool(held.ids(Kind.OPPORTUNITY)) is applied
    assert statuses(marketo.send(OutgoingBatch(INSERT, [records.opportunity("c")]))) == [OutcomeStatus.CREATED]


def test_one_bad_row_does_not_touch_the_others(marketo, records, fail):
    fail("send", "bad_row", row=1, text="<나쁨> & bad")
    answer = marketo.send(OutgoingBatch(INSERT, [records.opportunity(name) for name in "abc"]))
    assert statuses(answer) == [OutcomeStatus.CREATED, OutcomeStatus.FAILED, OutcomeStatus.CREATED]
    assert "<나쁨> & bad" in answer.outcomes[1].message


@not_in_memory("It takes every field and describes none.")
def test_fields_are_described(marketo, records):
    fields = {field.name: field for field in marketo.describe(Kind.OPPORTUNITY).fields}
    assert (fields["Amount"].type, fields["Amount"].label, fields["Amount"].custom) == ("currency", "Amount", False)
    assert (fields["Description"].size, fields["ContractMonths"].custom) == (2000, True)
    assert records.key_field in fields
    assert "PersonId" in [field.name for field in marketo.describe(Kind.ROLE).fields]
    with pytest.raises(Rejected):
        marketo.describe(Kind.PROGRAM)


@not_in_memory("It is at no address and has no clock.")
def test_ping(connect, sandbox):
    ping = connect().ping()
    assert ping.verdict is ConnectionVerdict.OK
    assert abs(ping.clock_offset_seconds) < 30
    assert connect(secret="wrong").ping().verdict is ConnectionVerdict.REFUSED
    assert connect(endpoint=f"{sandbox.url}/nowhere").ping().verdict is ConnectionVerdict.NOT_MARKETO
    assert connect(endpoint="").ping().verdict is ConnectionVerdict.NOT_CONFIGURED


@not_in_memory("It has no clock.")
def test_ping_tells_how_far_the_clock_is_off(marketo, sandbox):
    sandbox.store.clock.advance(timedelta(hours=2).total_seconds())
    ping = marketo.ping()
    # Whether a wrong clock makes Marketo refuse calls depends on how they are signed.
    assert ping.verdict in (ConnectionVerdict.CLOCK_OFF, ConnectionVerdict.OK)
    assert ping.clock_offset_seconds == pytest.approx(7200, abs=30)
    assert "behind Marketo's" in ping.message
