"""Answers to syncMObjects and describeMObject: tolerant of every way to say nothing, strict about who is meant."""

import pytest

from mobjects.marketo.errors import ConfigError, OutcomeUnknown, Rejected, Unavailable
from mobjects.marketo.http_common import MAX_STORED_CHARACTERS
from mobjects.marketo.types import (
    ExternalKey,
    FieldDescription,
    Kind,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingRecord,
    RecordOutcome,
)
from tests.support import soap
from tests.support.soap import exchange_of, row, sync_answer, transport


def _batch(*records, operation=Operation.UPSERT):
    return OutgoingBatch(operation, records or [OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "x"})])


def _send(server, *rows, batch=None):
    server.answer(sync_answer(*rows))
    return transport(server.endpoint).send(batch or _batch())


def _keyed(*values):
    return _batch(*(OutgoingRecord(Kind.OPPORTUNITY, external_key=ExternalKey("K", value)) for value in values))


def test_one_outcome_per_record_in_order(server):
    records = [OutgoingRecord(Kind.OPPORTUNITY, values={"Name": name}) for name in "abcde"]
    answer = _send(
        server,
        *[row("CREATED", 11), row("UPDATED", 12), row("UNCHANGED", 13)],
        *[row("SKIPPED", error="already there"), row("FAILED", error="값이 <나쁨>")],
        batch=_batch(*records),
    )
    assert list(answer.outcomes) == [
        RecordOutcome(OutcomeStatus.CREATED, 11),
        RecordOutcome(OutcomeStatus.UPDATED, 12),
        RecordOutcome(OutcomeStatus.UNCHANGED, 13),
        RecordOutcome(OutcomeStatus.SKIPPED, None, "already there"),
        RecordOutcome(OutcomeStatus.FAILED, None, "값이 <나쁨>"),
    ]


@pytest.mark.parametrize("id_xml", ['<id xsi:nil="true"/>', "<id/>", "<id></id>", "<id>0</id>", "", "<id>-1</id>"])
def test_every_way_to_write_no_id(server, id_xml):
    answer = _send(server, f"<mObjStatus>{id_xml}<status>FAILED</status></mObjStatus>")
    assert list(answer.outcomes) == [RecordOutcome(OutcomeStatus.FAILED)]


@pytest.mark.parametrize(
    "xml",
    [
        "<new>x</new><id>7</id><new><a/></new><status>CREATED</status><new/>",
        "<status>CREATED</status><id>7</id>",
        '<id> 7 </id><externalKey xsi:nil="true"/><status> CREATED </status><error/>',
        "<id>7</id><externalKey><name/><value/></externalKey><status>CREATED</status>",
    ],
    ids=["unknown elements", "another order", "nil key and spaces", "empty key"],
)
def test_tolerated_forms_of_a_row(server, xml):
    assert list(_send(server, f"<mObjStatus>{xml}</mObjStatus>").outcomes) == [RecordOutcome(OutcomeStatus.CREATED, 7)]


@pytest.mark.parametrize(
    ("operation", "words"),
    [(Operation.INSERT, "already has"), (Operation.UPDATE, "does not have"), ("UPSERT", "reason")],
)
def test_skipped_without_a_reason_is_explained(server, operation, words):
    batch = _batch(operation=Operation(operation))
    assert words in _send(server, row("SKIPPED"), batch=batch).outcomes[0].message


def test_echoed_keys_that_match_are_accepted(server):
    answer = _send(server, row(id=1, key=("K", "a&b")), row(id=2, key=("K", "c ")), batch=_keyed("a&b", "c"))
    assert [outcome.marketo_id for outcome in answer.outcomes] == [1, 2]


def test_echo_for_a_record_that_was_sent_without_a_key_is_ignored(server):
    assert _send(server, row(id=1, key=("K", "a"))).outcomes[0].marketo_id == 1


@pytest.mark.parametrize(
    ("batch", "rows", "words"),
    [
        (_keyed("a", "b"), [row(id=1)], "1 results for 2 records"),
        (_keyed("a"), [row(id=1), row(id=2)], "2 results for 1 records"),
        (_keyed("a"), [], "0 results for 1 records"),
        (_keyed("a", "b"), [row(id=2, key=("K", "b")), row(id=1, key=("K", "a"))], "K 'b', which is not record 1"),
        (_keyed("a"), [row(id=2, key=("Other", "a"))], "Other 'a', which is not record 1"),
        (
            _batch(
                OutgoingRecord(Kind.OPPORTUNITY), OutgoingRecord(Kind.OPPORTUNITY, external_key=ExternalKey("K", "a"))
            ),
            [row(id=1, key=("K", "a")), row(id=2)],
            "K 'a', which is not record 1",
        ),
        (_batch(OutgoingRecord(Kind.OPPORTUNITY, 5)), [row(id=6)], "about ID 6, but record 1 has 5"),
        (_keyed("a"), [row("DELETED", 1)], "unknown status 'DELETED'"),
        (_keyed("a"), ["<mObjStatus><id>1</id></mObjStatus>"], "unknown status '(none)'"),
        (_keyed("a"), ["<mObjStatus/>"], "Result 1 is empty"),
    ],
)
def test_answer_that_does_not_fit_the_batch_is_an_unknown_outcome(server, batch, rows, words):
    with pytest.raises(OutcomeUnknown) as caught:
        _send(server, *rows, batch=batch)
    assert words in caught.value.message
    assert "is not known" in caught.value.message
    assert "successSyncMObjects" in exchange_of(caught.value).response


def test_failed_row_of_a_known_record_may_carry_its_own_id(server):
    batch = _batch(OutgoingRecord(Kind.OPPORTUNITY, 5))
    assert _send(server, row("FAILED", 5, "no"), batch=batch).outcomes[0].marketo_id == 5


def _delete(server, ids, *rows):
    server.answer(soap.success("DeleteMObjects", f"<mObjStatusList>{''.join(rows)}</mObjStatusList>"))
    return transport(server.endpoint).delete(Kind.ROLE, ids)


def test_one_outcome_per_deleted_id_in_order(server):
    answer = _delete(server, [5, 6, 7], row("DELETED", 5), row("UNCHANGED"), row("FAILED", 7, "값이 <나쁨>"))
    assert list(answer.outcomes) == [
        RecordOutcome(OutcomeStatus.DELETED, 5),
        RecordOutcome(OutcomeStatus.UNCHANGED, None),
        RecordOutcome(OutcomeStatus.FAILED, 7, "값이 <나쁨>"),
    ]
    assert "successDeleteMObjects" in answer.exchange.response


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("DELETED", 5)], "1 results for 2 records"),
        ([], "0 results for 2 records"),
        ([row("DELETED", 6), row("DELETED", 5)], "about ID 6, but record 1 has 5"),
        ([row("DELETED", 5), row("SKIPPED", 6)], "unknown status 'SKIPPED'"),
        ([row("DELETED", 5), row("UPDATED", 6)], "unknown status 'UPDATED'"),
    ],
)
def test_answer_that_does_not_fit_the_deletion_is_an_unknown_outcome(server, rows, words):
    with pytest.raises(OutcomeUnknown, match=words) as caught:
        _delete(server, [5, 6], *rows)
    assert "is not known" in caught.value.message


DTD = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
GOOD = sync_answer(row(id=1))


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html><body>Login</body></html>", 200, "HTTP 200, an HTML page"),
        ("<!DOCTYPE html><p>Proxy<br>", 200, "an HTML page"),
        ("<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>", 502, "HTTP 502, an HTML page"),
        ("Service Unavailable", 503, "something that is not SOAP"),
        ('{"ok": true}', 200, "something that is not SOAP"),
        ("<a/>", 200, "something that is not SOAP"),
        ("", 200, "an empty answer"),
        ("", 202, "an empty answer"),
        ("", 500, "HTTP 500, an empty answer"),
        ("<html>moved</html>", 302, "HTTP 302"),
        (GOOD, 500, "a SOAP answer that is not a fault"),
        (GOOD.replace("<SOAP-ENV:Env", DTD + "<SOAP-ENV:Env", 1), 200, "something that is not SOAP"),
        (GOOD.replace("<SOAP-ENV:Env", "<!DOCTYPE a><SOAP-ENV:Env", 1), 200, "something that is not SOAP"),
        (GOOD[:-40], 200, "something that is not SOAP"),
        (soap.LIST_ANSWER, 200, "a SOAP answer without successSyncMObjects"),
        (soap.envelope(""), 200, "a SOAP answer without successSyncMObjects"),
        (soap.envelope("").replace("SOAP-ENV:Body", "SOAP-ENV:Other"), 200, "without successSyncMObjects"),
    ],
)
def test_what_is_not_an_answer_is_an_unknown_outcome_of_a_write(server, body, status, words):
    server.answer(body, status)
    with pytest.raises(OutcomeUnknown) as caught:
        transport(server.endpoint).send(_batch())
    assert words in caught.value.message
    assert server.endpoint in caught.value.message
    assert "is not known" in caught.value.message
    assert exchange_of(caught.value).http_status == status


@pytest.mark.parametrize("status", [301, 307, 308, 404, 405, 410, 501])
def test_answer_that_nothing_is_there_is_a_wrong_endpoint(server, status):
    server.answer("<html>no</html>", status, headers={"Location": f"{server.address}/elsewhere"})
    with pytest.raises(ConfigError, match="Nothing was applied; check MARKETO_SOAP_ENDPOINT"):
        transport(server.endpoint).send(_batch())
    assert len(server.calls) == 1


@pytest.mark.parametrize(("status", "body"), [(200, "<html></html>"), (200, ""), (500, "<html></html>"), (502, "")])
def test_what_is_not_an_answer_to_a_read_was_at_least_harmless(server, status, body):
    server.answer(body, status)
    with pytest.raises(Unavailable, match=r"is not Marketo's SOAP service.*check MARKETO_SOAP_ENDPOINT"):
        transport(server.endpoint).describe(Kind.ROLE)


def test_blank_lines_before_the_answer_are_tolerated(server):
    server.answer("\r\n\n" + GOOD)
    assert transport(server.endpoint).send(_batch()).outcomes[0].marketo_id == 1


def test_long_answer_is_kept_cut_and_without_nul(server):
    server.answer(b"\0\xff" + b"x" * (MAX_STORED_CHARACTERS + 5))
    with pytest.raises(OutcomeUnknown) as caught:
        transport(server.endpoint).send(_batch())
    kept = exchange_of(caught.value).response
    assert kept.startswith("\ufffd\ufffdxxx")
    assert kept.endswith(f"\n(cut: the answer had {MAX_STORED_CHARACTERS + 7} bytes)")


FIELDS = """
<field><name>Amount</name><description xsi:nil="true"/><displayName>Amount of it</displayName>
<sourceObject>Opportunity</sourceObject><dataType>currency</dataType><size xsi:nil="true"/>
<isReadonly>false</isReadonly><isUpdateBlocked>false</isUpdateBlocked><isName xsi:nil="true"/>
<isPrimaryKey>false</isPrimaryKey><isCustom>false</isCustom><isDynamic>false</isDynamic>
<dynamicFieldRef xsi:nil="true"/><updatedAt>2013-01-01T00:00:00Z</updatedAt></field>
<field><name>Region</name><displayName xsi:nil="true"/><dataType>string</dataType><size>255</size>
<isReadonly>false</isReadonly><isUpdateBlocked>true</isUpdateBlocked><isCustom>true</isCustom></field>
"""


def _description(fields):
    return soap.success(
        "DescribeMObject",
        "<metadata><name>Opportunity</name><description/><isCustom>false</isCustom><isVirtual>false</isVirtual>"
        f"<fieldList>{fields}</fieldList><updatedAt>2013-01-01T00:00:00Z</updatedAt></metadata>",
    )


def test_described_fields(server):
    server.answer(_description(FIELDS))
    described = transport(server.endpoint).describe(Kind.OPPORTUNITY)
    assert "successDescribeMObject" in described.exchange.response
    assert list(described.fields) == [
        FieldDescription("Amount", "Amount of it", "currency", None, read_only=False, custom=False),
        FieldDescription("Region", "Region", "string", 255, read_only=True, custom=True),
    ]
    assert b"<objectName>Opportunity</objectName>" in server.calls[0].body


@pytest.mark.parametrize("written", ["<name/>", ""])
def test_field_without_a_name_is_no_description(server, written):
    server.answer(_description(FIELDS).replace("<name>Amount</name>", written, 1))
    with pytest.raises(Unavailable, match="a field without its name"):
        transport(server.endpoint).describe(Kind.OPPORTUNITY)


def test_a_reason_is_kept_whole_with_what_stands_in_it(server):
    server.answer(
        soap.sync_answer(row("FAILED").replace("</mObjStatus>", "<error>No <b>such</b> field</error></mObjStatus>"))
    )
    assert transport(server.endpoint).send(_batch()).outcomes[0].message == "No such field"


def test_description_without_fields_is_no_description(server):
    server.answer(_description(""))
    with pytest.raises(Unavailable, match="no fields"):
        transport(server.endpoint).describe(Kind.OPPORTUNITY)


def test_programs_cannot_be_described(server):
    with pytest.raises(Rejected, match="does not describe"):
        transport(server.endpoint).describe(Kind.PROGRAM)
    assert server.calls == []
