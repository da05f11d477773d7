"""Every code: what is raised, what is said, and what a write may still have done."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import AuthError, MarketoError, OutcomeUnknown, RefusalReason, Rejected, Unavailable
from mobjects.marketo.rest import codes
from mobjects.marketo.rest.codes import RecordProblem
from tests.support.rest_server import SECRET, failure

PATH = "/rest/v1/opportunities.json"

# code: (raised for a write, raised for a read, why a call that was right in itself was refused)
EXPECTED = {
    **dict.fromkeys(("500", "502", "604", "611"), (OutcomeUnknown, Unavailable, None)),
    **dict.fromkeys(("600", "601", "602"), (AuthError, AuthError, RefusalReason.EXPIRED)),
    **dict.fromkeys(("603", "1018"), (AuthError, AuthError, RefusalReason.ACCESS)),
    **dict.fromkeys(("605", "612", "616", "703"), (Rejected, Rejected, RefusalReason.UNSUPPORTED)),
    "606": (Unavailable, Unavailable, RefusalReason.RATE),
    "607": (Unavailable, Unavailable, RefusalReason.QUOTA),
    "615": (Unavailable, Unavailable, RefusalReason.AT_ONCE),
    **dict.fromkeys(("608", "614", "713", "719"), (Unavailable, Unavailable, None)),
    **dict.fromkeys(
        ("609", "610", "613", "701", "702", "704", "709", "710", "711", "718", "1022", "1036", "1173"),
        (Rejected, Rejected, None),
    ),
    **{str(code): (Rejected, Rejected, None) for code in (*range(1001, 1005), *range(1006, 1012), 1013, 1014, 1017)},
    "9999": (OutcomeUnknown, Unavailable, None),
    "": (OutcomeUnknown, Unavailable, None),
}
SENT_AGAIN = {"600", "601", "602"}


def refused(server, call, code, *arguments):
    for number in (1, 2) if code in SENT_AGAIN else (1,):
        server.give_token(f"token-{number}")
        server.answer(failure(code, "Some <b>text</b>\n"))
    with pytest.raises(MarketoError) as caught:
        call(*arguments)
    return caught.value


def test_expectations_cover_the_whole_table():
    assert set(codes.CODE_RULES) == set(EXPECTED) - {"9999", ""}


@pytest.mark.parametrize("code", EXPECTED)
def test_a_refused_write(server, calls, code):
    error = refused(server, calls.write_json, code, PATH, {"input": []})
    assert type(error) is EXPECTED[code][0]
    assert error.code == code
    assert error.trouble is EXPECTED[code][2]
    assert error.message.startswith(codes.code_rule_for(code).meaning)
    assert error.message.endswith(f"(Marketo: {f'{code} - ' if code else ''}Some <b>text</b>)")
    assert error.exchange.http_status == 200
    assert error.exchange.identity["Request ID"] == "e42b#14272d07d79"
    assert '"success": false' in error.exchange.response


@pytest.mark.parametrize("code", EXPECTED)
def test_a_refused_read(server, calls, code):
    error = refused(server, calls.read, code, PATH)
    assert type(error) is EXPECTED[code][1]
    assert error.code == code
    assert error.trouble is EXPECTED[code][2]
    assert "what was applied" not in error.message


@pytest.mark.parametrize("code", codes.CODE_RULES)
def test_every_code_has_one_sentence_that_says_what_to_do(code):
    meaning = codes.code_rule_for(code).meaning
    assert meaning.count(".") == 1
    assert meaning.endswith(".")
    assert "; " in meaning


def test_a_code_may_be_a_number(server, calls):
    server.answer(failure(606))
    with pytest.raises(Unavailable) as caught:
        calls.read(PATH)
    assert (caught.value.code, caught.value.trouble) == ("606", RefusalReason.RATE)


def test_of_several_errors_the_least_certain_decides(server, calls):
    errors = [{"code": "709", "message": "no"}, {"code": "611", "message": "broken"}]
    server.answer({"success": False, "errors": errors})
    with pytest.raises(OutcomeUnknown, match="611 - broken"):
        calls.write_json(PATH, {})


@pytest.mark.parametrize("errors", [None, [], "x", [7]], ids=repr)
def test_a_refusal_without_a_reason_is_an_unknown_outcome(server, calls, errors):
    server.answer({"success": False, "errors": errors})
    with pytest.raises(OutcomeUnknown, match="no reason given"):
        calls.write_json(PATH, {})


def test_the_words_of_marketo_that_repeat_a_secret_are_masked(server, calls):
    server.answer(failure("603", f"denied for {SECRET} with token-1"))
    with pytest.raises(AuthError) as caught:
        calls.read(PATH)
    assert "denied for *** with ***" in caught.value.message
    assert "denied for *** with ***" in caught.value.exchange.response


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("1004", RecordProblem.MISSING),
        ("1007", RecordProblem.AMBIGUOUS),
        ("1013", RecordProblem.MISSING),
        ("1017", RecordProblem.EXISTS),
        ("1003", None),
        ("9999", None),
    ],
)
def test_what_a_reason_says_of_a_record(code, problem):
    assert codes.record_problem(code) is problem


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        ("1013", "Object not found", "1013 - Object not found"),
        ("1013", "", "1013 - no reason given"),
        ("", "a\n b", "a b"),
    ],
)
def test_a_reason_is_quoted_in_one_line(code, text, said):
    assert codes.quote_reason(code, text) == said
