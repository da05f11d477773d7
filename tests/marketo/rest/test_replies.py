"""Answers: matched with what was sent or not guessed at; dates, numbers and characters as Marketo writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from mobjects.marketo.errors import OutcomeUnknown, Rejected, Unavailable
from mobjects.marketo.rest import replies
from tests.support.rest_server import failure, success

PATH = "/rest/v1/opportunities.json"


def entry(seq, **more):
    return {"seq": seq, "status": "updated", **more}


def written(server, calls, *result):
    server.answer(success(*result))
    return calls.write_json(PATH, {"input": []})


@pytest.mark.parametrize("as_written", [int, str], ids=["numbers", "text"])
def test_entries_are_put_into_the_order_of_what_was_sent(server, calls, as_written):
    reply = written(server, calls, *(entry(as_written(seq)) for seq in (2, 0, 1)))
    assert [each["seq"] for each in replies.match_by_seq(reply, 3)] == [as_written(seq) for seq in (0, 1, 2)]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ([], "Marketo answered for 0 records where 2 were sent"),
        ([entry(0)], "Marketo answered for 1 records where 2 were sent"),
        ([entry(0), entry(1), entry(2)], "Marketo answered for 3 records where 2 were sent"),
        ([entry(0), entry(0)], "numbers a record 0 that it cannot be about"),
        ([entry(0), entry(2)], "numbers a record 2 that it cannot be about"),
        ([entry(0), entry(-1)], "numbers a record -1"),
        ([entry(0), {"status": "updated"}], "does not say which record"),
        ([entry(0), entry(None)], "does not say which record"),
        ([entry(0), entry(True)], "does not say which record"),
        ([entry(0), entry(0.5)], "does not say which record"),
        ([entry(0), "x"], "does not say which record"),
    ],
)
def test_an_answer_that_does_not_fit_is_an_unknown_outcome_for_all(server, calls, result, words):
    reply = written(server, calls, *result)
    with pytest.raises(OutcomeUnknown, match=words) as caught:
        replies.match_by_seq(reply, 2)
    assert caught.value.message.endswith("Whether it was applied is not known.")
    assert caught.value.exchange is reply.exchange


def test_reasons_are_read_as_text(server, calls):
    reasons = [{"code": "1003", "message": "Invalid value"}, {"code": 1013}, "x"]
    (skipped,) = written(server, calls, {"seq": 0, "status": "skipped", "reasons": reasons}).result
    assert replies.read_reasons(skipped["reasons"]) == [
        replies.Reason("1003", "Invalid value"),
        replies.Reason("1013", ""),
    ]


@pytest.mark.parametrize("value", [None, "x", 5, {}], ids=repr)
def test_what_is_no_list_of_reasons_has_none(value):
    assert replies.read_reasons(value) == []


def test_warnings_of_either_api_are_text(server, calls):
    server.answer(success(warnings=["as assets write it", {"code": 1, "message": "as errors are written"}]))
    assert calls.read(PATH).warnings == ["as assets write it", "as errors are written"]


def test_numbers_with_a_point_stay_exact(server, calls):
    (found,) = written(server, calls, {"amount": 0.1, "big": 12345678901234.56, "count": 3}).result
    assert found == {"amount": Decimal("0.1"), "big": Decimal("12345678901234.56"), "count": 3}


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [
        (5, 5, Decimal(5)),
        ("5", 5, Decimal(5)),
        (" 1604.47 ", None, Decimal("1604.47")),
        (Decimal("5.0"), 5, Decimal("5.0")),
        (5.5, None, Decimal("5.5")),
        (True, None, None),
        (None, None, None),
        ("", None, None),
        ("80%", None, None),
        ("NaN", None, None),
        ("1e999999", None, None),
    ],
    ids=repr,
)
def test_numbers_are_read_from_numbers_and_text(value, whole, number):
    assert replies.whole_number(value) == whole
    assert replies.decimal_number(value) == number


MOMENT = datetime(2015, 5, 21, 22, 45, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015-05-21T22:45:13Z+0000", MOMENT),
        ("2015-05-21T22:45:13Z", MOMENT),
        ("2015-05-21T22:45:13+0000", MOMENT),
        ("2015-05-21T15:45:13Z-0700", MOMENT),
        (" 2015-05-21T15:45:13-07:00 ", MOMENT),
        ("2015-05-21 22:45:13", MOMENT),
        ("2015-05-21", datetime(2015, 5, 21, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_moments_are_read_as_marketo_writes_them(text, moment):
    assert replies.parse_moment(text) == moment


def test_characters_that_no_database_keeps_are_replaced(server, calls):
    text = json.dumps(success({"na\0me": ["a\0b", "\ud83d", "\U0001f600"]}))
    server.answer(text)
    reply = calls.read(PATH)
    assert reply.result == [{"na\ufffdme": ["a\ufffdb", "\ufffd", "\U0001f600"]}]
    server.answer(failure("1003", "a\0b"))
    with pytest.raises(Rejected, match="a\ufffdb"):
        calls.read(PATH)
    server.answer(b"\xff\0")
    with pytest.raises(Unavailable) as caught:
        calls.read(PATH)
    assert caught.value.exchange.response == "\ufffd\ufffd"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_is_read_in_any_of_its_encodings(encoding):
    assert replies.parse_object('{"a": "ü"}'.encode(encoding)) == {"a": "ü"}
