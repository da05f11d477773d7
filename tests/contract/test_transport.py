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
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingCost,
    OutgoingRecord,
    RecordAssociation,
    TagValue,
)
from mobjects.sandbox import KEY
from mobjects.sandbox.fields import COMPANY_KEY, OPPORTUNITY_KEY, PERSON_KEY
from mobjects.sandbox.seed import FIRST_PROGRAM_ID
from tests.support.soap import exchange_of

INSERT, UPDATE, UPSERT = Operation.INSERT, Operation.UPDATE, Operation.UPSERT


def opportunity(name, *, id=None, key=None, **values):
    external_key = ExternalKey(OPPORTUNITY_KEY, key) if key else None
    return OutgoingRecord(Kind.OPPORTUNITY, id, external_key, {"Name": name, **values})


def role(opportunity_id, person_id=1, **values):
    links = [
        RecordAssociation(LinkTarget.OPPORTUNITY, id=opportunity_id),
        RecordAssociation(LinkTarget.LEAD, id=person_id),
    ]
    return OutgoingRecord(Kind.ROLE, values={"Role": "Evaluator", **values}, associations=links)


def statuses(answer):
    return [outcome.status for outcome in answer.outcomes]


def test_inserted_records_get_their_ids_in_order(marketo, sandbox):
    answer = marketo.send(OutgoingBatch(INSERT, [opportunity(name) for name in ("a", "b", "c")]))
    assert statuses(answer) == [OutcomeStatus.CREATED] * 3
    stored = [sandbox.store.opportunities[outcome.marketo_id].values["Name"] for outcome in answer.outcomes]
    assert stored == ["a", "b", "c"]


def test_created_updated_unchanged_skipped_and_failed_land_on_their_own_records(marketo):
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
                opportunity("nobody", id=999_999),
                opportunity("bad", key="K-4", Amount="a lot"),
            ],
        )
    )
    assert statuses(answer) == [
        OutcomeStatus.CREATED,
        OutcomeStatus.UPDATED,
        OutcomeStatus.UNCHANGED,
        OutcomeStatus.SKIPPED,
        OutcomeStatus.FAILED,
    ]
    assert [outcome.marketo_id for outcome in answer.outcomes[1:3]] == [outcome.marketo_id for outcome in known]
    assert answer.outcomes[0].marketo_id
    assert all(outcome.message for outcome in answer.outcomes[3:])


def test_full_batch_of_100_is_one_call(marketo, sandbox):
    answer = marketo.send(OutgoingBatch(INSERT, [opportunity(f"n{index}") for index in range(100)]))
    assert len(answer.outcomes) == 100
    assert len({outcome.marketo_id for outcome in answer.outcomes}) == 100
    assert len(sandbox.calls) == 1


def test_more_than_the_limit_is_refused_before_sending(marketo, sandbox):
    size = marketo.limit(Kind.OPPORTUNITY, INSERT) + 1
    with pytest.raises(Rejected):
        marketo.send(OutgoingBatch(INSERT, [opportunity("x")] * size))
    assert sandbox.calls == []


def test_unsupported_operation_is_refused_before_sending(marketo, sandbox):
    assert marketo.limit(Kind.PROGRAM, INSERT) is None
    with pytest.raises(Rejected, match="INSERT"):
        marketo.send(OutgoingBatch(INSERT, [OutgoingRecord(Kind.PROGRAM, FIRST_PROGRAM_ID)]))
    assert sandbox.calls == []


def test_any_text_that_xml_carries_reaches_marketo_unchanged(marketo, sandbox):
    text = "한국어 🎉 <b>&amp;\"'</b>\r\n\ttwo  spaces "
    (outcome,) = marketo.send(OutgoingBatch(INSERT, [opportunity("x", Description=text)])).outcomes
    assert sandbox.store.opportunities[outcome.marketo_id].values["Description"] == text


def test_typed_values_and_cleared_fields(marketo, sandbox):
    (outcome,) = marketo.send(OutgoingBatch(INSERT, [opportunity("x", NextStep="call", Stage="open")])).outcomes
    values = {"NextStep": None, "Stage": "", "Amount": Decimal("1E+3"), "IsWon": True, "CloseDate": date(2026, 1, 31)}
    answer = marketo.send(OutgoingBatch(UPDATE, [opportunity("x", id=outcome.marketo_id, **values)]))
    assert statuses(answer) == [OutcomeStatus.UPDATED]
    stored = sandbox.store.opportunities[outcome.marketo_id].values
    assert stored == {"Name": "x", "Amount": "1000", "IsWon": "true", "CloseDate": "2026-01-31"}


def test_roles_by_id_and_by_external_key(marketo, sandbox):
    (made,) = marketo.send(OutgoingBatch(UPSERT, [opportunity("x", key="K-1")])).outcomes
    by_key = OutgoingRecord(
        Kind.ROLE,
        values={"Role": "Decision Maker"},
        associations=[
            RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey(OPPORTUNITY_KEY, "K-1")),
            RecordAssociation(LinkTarget.LEAD, key=ExternalKey(PERSON_KEY, "P-0002")),
        ],
    )
    answer = marketo.send(OutgoingBatch(INSERT, [role(made.marketo_id, 1), by_key, role(424_242)]))
    assert statuses(answer) == [OutcomeStatus.CREATED, OutcomeStatus.CREATED, OutcomeStatus.FAILED]
    links = [sandbox.store.roles[outcome.marketo_id].values for outcome in answer.outcomes[:2]]
    assert [link["PersonId"] for link in links] == ["1", "2"]
    assert {link["OpportunityId"] for link in links} == {str(made.marketo_id)}


def test_opportunity_with_company_and_its_role_in_one_batch(marketo, sandbox):
    company = [RecordAssociation(LinkTarget.COMPANY, key=ExternalKey(COMPANY_KEY, "C-0007"))]
    key = ExternalKey(OPPORTUNITY_KEY, "K-9")
    links = [RecordAssociation(LinkTarget.OPPORTUNITY, key=key), RecordAssociation(LinkTarget.LEAD, id=3)]
    batch = OutgoingBatch(
        UPSERT,
        [
            OutgoingRecord(Kind.OPPORTUNITY, external_key=key, values={"Name": "x"}, associations=company),
            OutgoingRecord(Kind.ROLE, values={"IsPrimary": False}, associations=links),
        ],
    )
    answer = marketo.send(batch)
    assert statuses(answer) == [OutcomeStatus.CREATED, OutcomeStatus.CREATED]
    assert sandbox.store.opportunities[answer.outcomes[0].marketo_id].values[OPPORTUNITY_KEY] == "K-9"


def test_program_costs_and_tags(marketo, sandbox):
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
    program = sandbox.store.programs[FIRST_PROGRAM_ID]
    assert (date(2026, 5, 1), "501.00", "광고") in [(c.month, c.amount, c.note) for c in program.costs.values()]
    assert (program.tags["Region"], program.channel) == ("Korea", "Roadshow")


def test_rendered_batch_is_what_is_sent_without_the_secret(marketo, sandbox):
    batch = OutgoingBatch(INSERT, [opportunity("x")])
    rendered = marketo.render(batch)
    assert sandbox.calls == []
    exchange = marketo.send(batch).exchange
    assert "***" in rendered
    assert "<value>x</value>" in rendered
    assert "***" in exchange.request
    assert KEY not in rendered + exchange.request


def test_wrong_key_is_an_auth_error_and_changes_nothing(connect, sandbox):
    with pytest.raises(AuthError) as caught:
        connect(encryption_key="wrong-key").send(OutgoingBatch(INSERT, [opportunity("x")]))
    assert caught.value.code == "20014"
    assert "wrong-key" not in repr(caught.value.exchange)
    assert sandbox.store.opportunities == {}


def test_missing_setting_is_named(connect, sandbox):
    with pytest.raises(ConfigError, match="MARKETO_USER_ID"):
        connect(user_id="").send(OutgoingBatch(INSERT, [opportunity("x")]))
    assert sandbox.calls == []


def test_wrong_path_is_a_config_error(connect, sandbox):
    with pytest.raises(ConfigError, match="check MARKETO_SOAP_ENDPOINT"):
        connect(endpoint=f"{sandbox.url}/no/such/path").send(OutgoingBatch(INSERT, [opportunity("x")]))
    assert sandbox.store.opportunities == {}


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        ({"kind": "soap", "code": "10001"}, OutcomeUnknown, False),
        ({"kind": "soap", "code": "20011", "applied": True}, OutcomeUnknown, True),
        ({"kind": "soap", "code": "20015"}, Unavailable, False),
        ({"kind": "soap", "code": "20023"}, Unavailable, False),
        ({"kind": "soap", "code": "20024"}, Unavailable, False),
        ({"kind": "soap", "code": "20110"}, Rejected, False),
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
    ids=str,
)
def test_failed_call_never_claims_more_than_is_certain(connect, sandbox, fault, error, applied):
    sandbox.faults.add(**fault, operation="syncMObjects")
    marketo = connect(timeout_seconds=1 if fault["kind"] == "slow" else 5)
    with pytest.raises(MarketoError) as caught:
        marketo.send(OutgoingBatch(INSERT, [opportunity("a"), opportunity("b")]))
    assert type(caught.value) is error
    assert "<value>a</value>" in exchange_of(caught.value).request
    assert bool(sandbox.store.opportunities) is applied
    assert statuses(marketo.send(OutgoingBatch(INSERT, [opportunity("c")]))) == [OutcomeStatus.CREATED]


def test_one_bad_row_does_not_touch_the_others(marketo, sandbox):
    sandbox.faults.add("bad_row", row=1, text="<나쁨> & bad")
    answer = marketo.send(OutgoingBatch(INSERT, [opportunity(name) for name in "abc"]))
    assert statuses(answer) == [OutcomeStatus.CREATED, OutcomeStatus.FAILED, OutcomeStatus.CREATED]
    assert answer.outcomes[1].message == "<나쁨> & bad"


def test_fields_are_described(marketo):
    fields = {field.name: field for field in marketo.describe(Kind.OPPORTUNITY).fields}
    assert (fields["Amount"].type, fields["Amount"].label, fields["Amount"].custom) == ("currency", "Amount", False)
    assert (fields["Description"].size, fields[OPPORTUNITY_KEY].custom) == (2000, True)
    assert "PersonId" in [field.name for field in marketo.describe(Kind.ROLE).fields]
    with pytest.raises(Rejected):
        marketo.describe(Kind.PROGRAM)


def test_ping(connect, sandbox):
    ping = connect().ping()
    assert ping.verdict is ConnectionVerdict.OK
    assert abs(ping.clock_offset_seconds) < 30
    assert connect(encryption_key="wrong").ping().verdict is ConnectionVerdict.REFUSED
    assert connect(endpoint=f"{sandbox.url}/nowhere").ping().verdict is ConnectionVerdict.NOT_MARKETO
    assert connect(endpoint="").ping().verdict is ConnectionVerdict.NOT_CONFIGURED


def test_ping_tells_how_far_the_clock_is_off(marketo, sandbox):
    sandbox.store.clock.advance(timedelta(hours=2).total_seconds())
    ping = marketo.ping()
    assert ping.verdict is ConnectionVerdict.CLOCK_OFF
    assert ping.clock_offset_seconds == pytest.approx(7200, abs=30)
    assert "behind Marketo's" in ping.message
