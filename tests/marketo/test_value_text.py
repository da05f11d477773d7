"""Values as text, characters XML cannot carry, XML for reading."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from lxml import etree

from mobjects.marketo.value_text import find_xml_problem, to_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        (" 80% ", " 80% "),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-12, "-12"),
        (Decimal("2000"), "2000"),
        (Decimal("2E+3"), "2000"),
        (Decimal("501.00"), "501.00"),
        (Decimal("0.0000001"), "0.0000001"),
        (Decimal("-0.00"), "0.00"),
        (date(2014, 10, 24), "2014-10-24"),
        (datetime(2014, 10, 24, 9, 5, 1, 999, tzinfo=UTC), "2014-10-24T09:05:01+00:00"),
        (datetime(2014, 10, 24, 9, 5, tzinfo=timezone(timedelta(hours=9))), "2014-10-24T09:05:00+09:00"),
    ],
)
def test_canonical_text(value, text):
    assert to_text(value) == text


@pytest.mark.parametrize("value", [datetime(2014, 10, 24, 9, 5), Decimal("NaN"), Decimal("-Infinity")])
def test_value_without_canonical_text_is_refused(value):
    with pytest.raises(ValueError, match=r"no time zone|not a number"):
        to_text(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\x00", "character 1 is U+0000"),
        ("ab\x0bc\x01", "character 3 is U+000B"),
        ("한글\x1b", "character 3 is U+001B"),
        ("🎉\ud800", "character 2 is U+D800"),
        ("a\ufffe", "character 2 is U+FFFE"),
        ("\uffff", "character 1 is U+FFFF"),
    ],
)
def test_first_character_xml_cannot_carry_is_named(text, words):
    assert find_xml_problem(text) == f"{words}, which XML cannot carry"


@pytest.mark.parametrize("text", ["", "\t\r\n plain", "한글 <>&\"'", "🎉\U0010ffff", "\x7f\x85\ue000\ufffd"])
def test_text_that_xml_carries_comes_back_unchanged(text):
    assert find_xml_problem(text) is None
    element = etree.Element("v")
    element.text = text
    assert (etree.fromstring(etree.tostring(element)).text or "") == text
