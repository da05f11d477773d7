"""Reading what people type or upload, by Marketo data type."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import DataType
from mobjects.marketo.value_parsing import (
    canonical_text,
    normalize_remote_text,
    parse_decimal,
    parse_month,
    parse_value,
)
from mobjects.marketo.value_text import to_text


def read(value, kind, *, name="X", size=None):
    return parse_value(value, MarketoAttribute(name, name, kind, size))


@pytest.mark.parametrize("kind", DataType)
@pytest.mark.parametrize("empty", [None, ""])
def test_empty_is_none(kind, empty):
    assert read(empty, kind) is None


@pytest.mark.parametrize("kind", [kind for kind in DataType if kind is not DataType.STRING])
def test_blanks_alone_are_empty_except_in_text(kind):
    assert read("  ", kind) is None
    assert read("  ", DataType.STRING) == "  "


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("  a ", DataType.STRING, "  a "),
        ("a\r\nb\rc", DataType.STRING, "a\nb\nc"),
        (12.0, DataType.STRING, "12"),
        (0.1, DataType.STRING, "0.1"),
        (True, DataType.STRING, "TRUE"),
        (datetime(2026, 6, 1), DataType.STRING, "2026-06-01"),
        (datetime(2026, 6, 1, 9, 30), DataType.STRING, "2026-06-01 09:30:00"),
        (" 7 ", DataType.INTEGER, 7),
        ("7.00", DataType.INTEGER, 7),
        (7.0, DataType.INTEGER, 7),
        ("-7", DataType.INTEGER, -7),
        ("2147483647", DataType.REFERENCE, 2147483647),
        ("1234.5", DataType.CURRENCY, Decimal("1234.50")),
        ("1e3", DataType.CURRENCY, Decimal("1000.00")),
        ("-0", DataType.CURRENCY, Decimal("0.00")),
        (0.30000000000000004, DataType.CURRENCY, Decimal("0.30")),
        (9999999999999.99, DataType.CURRENCY, Decimal("9999999999999.99")),
        ("1.2345", DataType.FLOAT, Decimal("1.2345")),
        ("YES", DataType.BOOLEAN, True),
        (1.0, DataType.BOOLEAN, True),
        (False, DataType.BOOLEAN, False),
        ("n", DataType.BOOLEAN, False),
        ("2026-06-30", DataType.DATE, date(2026, 6, 30)),
        (datetime(2026, 6, 30), DataType.DATE, date(2026, 6, 30)),
        (date(2026, 6, 30), DataType.DATE, date(2026, 6, 30)),
        ("2026-06-30T14:00:00+02:00", DataType.DATETIME, datetime(2026, 6, 30, 12, tzinfo=UTC)),
        ("2026-06-30 14:00", DataType.DATETIME, datetime(2026, 6, 30, 14, tzinfo=UTC)),
        (date(2026, 6, 30), DataType.DATETIME, datetime(2026, 6, 30, tzinfo=UTC)),
    ],
)
def test_values_are_read_by_type(value, kind, expected):
    result = read(value, kind)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("abc", DataType.INTEGER, "“abc” is not a whole number"),
        ("1.5", DataType.INTEGER, "not a whole number"),
        (True, DataType.INTEGER, "not a whole number"),
        ("9" * 5000, DataType.INTEGER, "too large"),
        ("0", DataType.REFERENCE, "IDs are whole numbers from 1"),
        ("2147483648", DataType.REFERENCE, "too large"),
        ("1,234.50", DataType.CURRENCY, "is not a number"),
        ("1_000", DataType.CURRENCY, "is not a number"),
        ("NaN", DataType.CURRENCY, "is not a number"),
        ("1.005", DataType.CURRENCY, "more than 2 decimals"),
        ("1e-400", DataType.CURRENCY, "more than 2 decimals"),
        ("1e400", DataType.CURRENCY, "too large; at most 13 digits"),
        ("10000000000000", DataType.CURRENCY, "too large"),
        ("1.00005", DataType.FLOAT, "more than 4 decimals"),
        ("maybe", DataType.BOOLEAN, "write true or false"),
        ("30/06/2026", DataType.DATE, "write YYYY-MM-DD"),
        ("2026-02-30", DataType.DATE, "not a day of the calendar"),
        (datetime(2026, 6, 30, 1), DataType.DATE, "not a date"),
        ("yesterday", DataType.DATETIME, "not a date and time"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), DataType.DATETIME, "outside the years"),
        ("a\x07b", DataType.STRING, "character 2 is U+0007"),
        (10**15, DataType.STRING, "more than 15 digits"),
        ("x" * 1000, DataType.CURRENCY, "x…” is not a number"),
    ],
)
def test_bad_values_are_refused_in_words(value, kind, words):
    with pytest.raises(ValueError) as caught:
        read(value, kind)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 250


def test_too_long_text_is_refused_with_both_lengths():
    with pytest.raises(ValueError, match="is 4 characters long; at most 3"):
        read("abcd", DataType.STRING, size=3)


@pytest.mark.parametrize("text", ["80", "80%", " 80 % ", "80.0%"])
def test_probability_may_have_a_percent_sign(text):
    assert read(text, DataType.INTEGER, name="Probability") == 80


@pytest.mark.parametrize("text", ["101", "-1%"])
def test_probability_is_0_to_100(text):
    with pytest.raises(ValueError, match="between 0 and 100"):
        read(text, DataType.INTEGER, name="Probability")


@pytest.mark.parametrize(
    "value", ["2026-06", "2026-6", "2026-06-01", " 2026-06 ", date(2026, 6, 9), datetime(2026, 6, 9)]
)
def test_months_are_their_first_day(value):
    assert parse_month(value) == date(2026, 6, 1)


@pytest.mark.parametrize("value", ["Jun-26", "2026-13", "06/2026", "2026-06-02", "0000-01", "٢٠٢٦-٠٦"])
def test_bad_months_are_refused(value):
    with pytest.raises(ValueError, match="write YYYY-MM"):
        parse_month(value)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_amounts_survive_text_and_spreadsheets(amount):
    assert parse_decimal(to_text(amount), 2) == amount
    assert parse_decimal(float(amount), 2) == amount


@given(st.text() | st.floats() | st.integers() | st.booleans() | st.dates() | st.datetimes(), st.sampled_from(DataType))
def test_nothing_but_a_sentence_comes_out_of_bad_input(value, kind):
    attribute = MarketoAttribute("X", "X", kind, 50)
    try:
        text = canonical_text(value, attribute)
    except ValueError:
        return
    assert canonical_text(text, attribute) == text


def test_a_thousands_point_is_not_taken_for_a_decimal_point():
    with pytest.raises(ValueError, match="more than 2 decimals"):
        parse_decimal("48.000", places=2)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("3000", DataType.CURRENCY, "3000.00"),
        ("3000.0000", DataType.CURRENCY, "3000.00"),
        ("1.5E7", DataType.CURRENCY, "15000000.00"),
        ("-0.00", DataType.CURRENCY, "0.00"),
        ("  ", DataType.CURRENCY, ""),
        ("48.50", DataType.FLOAT, "48.5"),
        ("480", DataType.FLOAT, "480"),
        ("1.2345E7", DataType.FLOAT, "12345000"),
        ("80%", DataType.INTEGER, "80"),
        ("80.0", DataType.INTEGER, "80"),
        ("1", DataType.BOOLEAN, "true"),
        ("false", DataType.BOOLEAN, "false"),
        (" 2014-10-24 ", DataType.DATE, "2014-10-24"),
        ("2014-10-24T10:00:00-07:00", DataType.DATETIME, "2014-10-24T17:00:00+00:00"),
        ("2011-08-01 11:00:00", DataType.DATETIME, "2011-08-01T11:00:00+00:00"),
        (" a\r\nb ", DataType.STRING, " a\nb "),
    ],
)
def test_what_marketo_gives_reads_as_what_was_sent(text, kind, expected):
    assert normalize_remote_text(text, MarketoAttribute("Probability" if "%" in text else "X", "X", kind)) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("$3,000", DataType.CURRENCY),
        ("1.234", DataType.CURRENCY),
        ("1E999999999", DataType.CURRENCY),
        ("NaN", DataType.FLOAT),
        ("many", DataType.INTEGER),
        ("maybe", DataType.BOOLEAN),
        ("2014-10-24 00:00:00", DataType.DATE),
        ("x" * 300, DataType.STRING),
    ],
)
def test_what_is_no_value_of_its_type_stands_as_marketo_wrote_it(text, kind):
    assert normalize_remote_text(text, MarketoAttribute("X", "X", kind, 255)) == text


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("1.234", "has more than 2 decimals; write thousands without a separator"),
        ("333.333333", "has more than 2 decimals; round it"),
        (33.333333, "has more than 2 decimals; round it"),
        (2.345, "has more than 2 decimals; round it"),
        ("1.234E-1", "has more than 2 decimals; round it"),
    ],
)
def test_an_amount_that_is_refused_says_what_is_wrong_with_it(value, why):
    with pytest.raises(ValueError, match=why):
        parse_decimal(value, 2)


@pytest.mark.parametrize("text", ["1.5E3", "15E2", "1.5e+03", "0.15E4"])
def test_an_amount_with_an_exponent_is_the_number_it_says(text):
    assert parse_decimal(text, 2) == 1500
