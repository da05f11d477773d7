"""Every fault code: what is raised, what is said, and what a write may still have done."""

import pytest

from mobjects.marketo.errors import AuthError, MarketoError, OutcomeUnknown, RefusalReason, Rejected, Unavailable
from mobjects.marketo.soap import faults
from mobjects.marketo.types import Kind, MarketoQuery, Operation, OutgoingBatch, OutgoingRecord
from tests.support import soap
from tests.support.soap import exchange_of, transport

BATCH = OutgoingBatch(Operation.INSERT, [OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "x"})])

# code: (raised for a write, raised for a read, why a call that was right in itself was refused)
EXPECTED = {
    "10001": (OutcomeUnknown, Unavailable, None),
    "20011": (OutcomeUnknown, Unavailable, None),
    "20012": (Rejected, Rejected, None),
    "20013": (AuthError, AuthError, RefusalReason.ACCESS),
    "20014": (AuthError, AuthError, None),
    "20015": (Unavailable, Unavailable, RefusalReason.QUOTA),
    "20016": (AuthError, AuthError, RefusalReason.EXPIRED),
    "20017": (Rejected, Rejected, None),
    "20018": (Rejected, Rejected, None),
    "20019": (Rejected, Rejected, RefusalReason.UNSUPPORTED),
    "20022": (Rejected, Rejected, None),
    "20023": (Unavailable, Unavailable, RefusalReason.RATE),
    "20024": (Unavailable, Unavailable, RefusalReason.AT_ONCE),
    **{str(code): (Rejected, Rejected, None) for code in (*range(20101, 20112), 20113, 20114, 20122, 20123)},
    "29999": (OutcomeUnknown, Unavailable, None),
}


def _error(call, *arguments):
    with pytest.raises(MarketoError) as caught:
        call(*arguments)
    return caught.value


def test_expectations_cover_the_whole_table():
    assert set(faults.FAULT_RULES) == set(EXPECTED) - {"29999"}


@pytest.mark.parametrize("http_status", [500, 200])
@pytest.mark.parametrize("detail", [True, False], ids=["code in detail", "code in faultstring"])
@pytest.mark.parametrize("code", EXPECTED)
def test_fault_of_a_write(server, code, detail, http_status):
    server.answer(soap.fault(code, "Some <b>text</b>".replace("<", "&lt;"), detail=detail), http_status)
    error = _error(transport(server.endpoint).send, BATCH)
    assert type(error) is EXPECTED[code][0]
    assert error.code == code
    assert error.trouble is EXPECTED[code][2]
    assert error.message.startswith(faults.fault_rule_for(code).meaning)
    assert "Some <b>text" in error.message
    assert code in error.message
    assert exchange_of(error).http_status == http_status
    assert "Fault" in exchange_of(error).response


@pytest.mark.parametrize("code", EXPECTED)
def test_fault_of_a_deletion(server, code):
    server.answer(soap.fault(code), 500)
    error = _error(transport(server.endpoint).delete, Kind.ROLE, [800001])
    assert type(error) is EXPECTED[code][0]
    assert "<id>800001</id>" in exchange_of(error).request


READS = {
    "find": (MarketoQuery(Kind.PROGRAM),),
    "describe": (Kind.OPPORTUNITY,),
    "tags": (),
    "channels": (),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("code", EXPECTED)
def test_fault_of_a_read(server, code, name):
    server.answer(soap.fault(code), 500)
    error = _error(getattr(transport(server.endpoint), name), *READS[name])
    assert type(error) is EXPECTED[code][1]
    assert error.code == code
    assert error.trouble is EXPECTED[code][2]
    assert "what was applied" not in error.message


@pytest.mark.parametrize("code", faults.FAULT_RULES)
def test_every_code_has_one_sentence_that_says_what_to_do(code):
    meaning = faults.fault_rule_for(code).meaning
    assert meaning.count(".") == 1
    assert meaning.endswith(".")
    assert "; " in meaning


_STRING = "<faultstring> {} </faultstring>"


def _plain_fault(inner):
    return soap.envelope(f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>{inner}</SOAP-ENV:Fault>")


@pytest.mark.parametrize(
    ("inner", "code", "words"),
    [
        (_STRING.format("Bad Request"), "", "(Marketo: Bad Request)"),
        (_STRING.format("20014x no code"), "", "20014x no code"),
        ("", "", "no reason given"),
        (
            _STRING.format("20014 - Auth")
            + '<detail><x:serviceException xmlns:x="u"><code> </code></x:serviceException></detail>',
            "20014",
            "20014 - Auth",
        ),
        (
            _STRING.format("20110 - Input error")
            + "<detail><serviceException><message>No stage</message><code>20103</code></serviceException></detail>",
            "20103",
            "(Marketo: 20103 - No stage)",
        ),
    ],
)
def test_code_comes_from_the_detail_else_from_the_faultstring(server, inner, code, words):
    server.answer(_plain_fault(inner), 500)
    error = _error(transport(server.endpoint).send, BATCH)
    assert error.code == code
    assert words in error.message
    assert type(error) is (EXPECTED[code][0] if code else OutcomeUnknown)


def test_fault_text_that_repeats_a_secret_is_masked(server):
    server.answer(soap.fault("20014", f"bad signature {soap.SIGNATURE} for key {soap.KEY}"), 500)
    error = _error(transport(server.endpoint).send, BATCH)
    assert "bad signature *** for key ***" in error.message
    assert soap.KEY not in exchange_of(error).response
    assert soap.SIGNATURE not in exchange_of(error).response + exchange_of(error).request
