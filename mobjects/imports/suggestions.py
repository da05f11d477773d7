"""A value that would do in the place of a bad one, where only one can be meant.

Nothing here decides: what is suggested is read again by the column's own rules, and a person presses the button.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from difflib import get_close_matches

from mobjects.marketo.types import DataType
from mobjects.marketo.value_text import find_xml_problem
from mobjects.resources.columns import FileColumn, MonthColumn

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier",
            "feb february februar février",
            "mar march märz mrz mars",
            "apr april avril",
            "may mai",
            "jun june juni juin",
            "jul july juli juillet",
            "aug august août",
            "sep sept september septembre",
            "oct october okt oktober octobre",
            "nov november novembre",
            "dec december dez dezember décembre",
        ),
        1,
    )
    for name in names.split()
}
_TRUE = frozenset(
    ["yes", "y", "true", "t", "on", "x", "ja", "j", "oui", "o", "si", "sí", "wahr", "vrai", "✓", "✔", "예", "네", "참"]
)
_FALSE = frozenset(["no", "n", "false", "f", "off", "nein", "non", "falsch", "faux", "✗", "아니오", "아니요", "거짓"])

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.년 ]\s*(\d{1,2})\s*[-/.월 ]\s*(\d{1,2})\s*[.일]?")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4})")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_DAY_WORD = re.compile(r"(?:[^\W\d_]+day,?\s+)?(\d{1,2})(?:st|nd|rd|th)?[-. ]+([^\W\d_]+)[-., ]+(\d{4})")
_WORD_DAY = re.compile(r"(?:[^\W\d_]+day,?\s+)?([^\W\d_]+)[-. ]+(\d{1,2})(?:st|nd|rd|th)?[-, ]+(\d{4})")
_MONTH_YEAR = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{4})")
_YEAR_MONTH = re.compile(r"(\d{4})\s*[-/.년 ]?\s*(\d{1,2})\s*[.월]?")
_WORD_YEAR = re.compile(r"([^\W\d_]+)[-./, ]*'?(\d{4}|\d\d)")
_YEAR_WORD = re.compile(r"(\d{4})[-./, ]*([^\W\d_]+)")
_TIME = re.compile(r"(.+?)(?:,?\s+|T)(\d{1,2}):(\d\d)(:\d\d)?(?:\.\d+)?\s*([ap]m)?", re.IGNORECASE)

_CURRENCY = re.compile(r"^(?:[A-Z]{3}|\w?[$€£¥₩])\s*|\s*(?:[A-Z]{3}|[$€£¥₩])$")
_GROUPED = re.compile(r"\d{1,3}([ ',.])\d{3}(?:\1\d{3})*")
_DECIMALS = re.compile(r"(.+)([.,])(\d+)")
_PROGRAM = re.compile(r"PG(\d{1,10})A1\b", re.IGNORECASE)
_LETTERED = re.compile(r"(?:Q|FY|NO\.?|ID|#)\s*:?\s*(\d{1,10})", re.IGNORECASE)

_LONGEST = 100
"""Characters. No number or date is longer, and the patterns take long to find that out."""
MIN_SIMILARITY = 0.6
"""How alike an allowed value has to be to be suggested, from 0 to 1."""


def suggest_value(column: FileColumn, text: str) -> str:
    """A text that could be meant by a bad cell of a column; empty if none can be told, or more than one.

    Args:
        column: whose rules the text breaks.
        text: the cell, as text.
    """
    if column.is_text:
        return "".join(char for char in text if not find_xml_problem(char))
    tidy = _tidied(text)
    if not 0 < len(tidy) <= _LONGEST:
        return ""
    if isinstance(column, MonthColumn):
        return _month(tidy)
    found = _SUGGESTERS[column.attribute.type](tidy)
    return found or (tidy if tidy != text else "")


def find_nearest(value: str, allowed: Sequence[str]) -> str:
    """The allowed value that is most alike; empty if none is."""
    plain = {other.casefold(): other for other in allowed}
    near = get_close_matches(value.casefold(), plain, 1, MIN_SIMILARITY)
    return plain[near[0]] if near else ""


def _tidied(text: str) -> str:
    """Text without what cannot be seen, full-width digits made plain."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(char for char in plain if unicodedata.category(char) != "Cf").strip()


# --- yes or no -----------------------------------------------------------------------------


def _boolean(text: str) -> str:
    word = text.casefold()
    return "true" if word in _TRUE else "false" if word in _FALSE else ""


# --- dates ----------------------------------------------------------------------------------


def _date(text: str) -> str:
    day = _day(text)
    if day is None and (match := _TIME.fullmatch(text)):
        day = _day(match[1].strip())
    return day.isoformat() if day else ""


def _moment(text: str) -> str:
    match = _TIME.fullmatch(text)
    day = _day((match[1] if match else text).strip())
    if day is None:
        return ""
    if not match:
        return day.isoformat()
    hour = int(match[2])
    if match[5]:
        hour = hour % 12 + (12 if match[5].lower() == "pm" else 0)
    return f"{day.isoformat()} {hour:02}:{match[3]}{match[4] or ''}"


def _month(text: str) -> str:
    for pattern, order in ((_MONTH_YEAR, (2, 1)), (_YEAR_MONTH, (1, 2)), (_WORD_YEAR, (2, 1)), (_YEAR_WORD, (1, 2))):
        if match := pattern.fullmatch(text):
            year, month = (match[group] for group in order)
            number = int(month) if month.isdecimal() else _MONTHS.get(month.casefold(), 0)
            year = f"20{year}" if len(year) == 2 else year
            return f"{year}-{number:02}" if 1 <= number <= 12 else ""
    return _date(text)[:7]


def _day(text: str) -> date | None:
    """The one day that a text can mean."""
    for pattern in (_YEAR_FIRST, _COMPACT):
        if match := pattern.fullmatch(text):
            return _calendar(match[1], match[2], match[3])
    if match := _DAY_WORD.fullmatch(text):
        return _calendar(match[3], match[2], match[1])
    if match := _WORD_DAY.fullmatch(text):
        return _calendar(match[3], match[1], match[2])
    if match := _YEAR_LAST.fullmatch(text):
        first, second, year = match.groups()
        days = {_calendar(year, first, second), _calendar(year, second, first)} - {None}
        return days.pop() if len(days) == 1 else None
    return None


def _calendar(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month) if month.isdecimal() else _MONTHS[month.casefold()], int(day))
    except (KeyError, ValueError):
        return None


# --- numbers --------------------------------------------------------------------------------


def _number(text: str) -> str:
    body, sign = text, ""
    if body.startswith("(") and body.endswith(")"):
        body, sign = body[1:-1], "-"
    body = _CURRENCY.sub("", _CURRENCY.sub("", body.strip())).strip()
    if body[:1] in ("-", "+", "−"):
        sign, body = ("" if body[0] == "+" else "-"), _CURRENCY.sub("", body[1:].strip())
    whole, fraction = _split_decimal(body)
    return f"{sign}{whole}.{fraction}" if whole and fraction else f"{sign}{whole}" if whole else ""


def _split_decimal(body: str) -> tuple[str, str]:
    """Digits before and behind the decimal separator; both empty if it could be read in two ways."""
    if body.isdecimal():
        return body, ""
    marks = {mark for mark in body if mark in ",."}
    match = _GROUPED.fullmatch(body)
    if match and (match[1] not in ",." or body.count(match[1]) > 1):
        return _digits(body), ""
    match = _DECIMALS.fullmatch(body)
    if not match or (body.count(match[2]) > 1):
        return "", ""
    before, behind = match[1], match[3]
    if not (before.isdecimal() or _GROUPED.fullmatch(before)):
        return "", ""
    if len(marks) == 1 and before.isdecimal() and len(behind) == 3:
        return "", ""  # 1,500 may be one and a half, or one and a half thousand.
    return _digits(before), behind


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


def _whole(text: str) -> str:
    for pattern in (_PROGRAM, _LETTERED):
        if match := (pattern.search if pattern is _PROGRAM else pattern.fullmatch)(text):
            return match[1]
    body = text.removesuffix("%").strip()
    if _GROUPED.fullmatch(body):
        return _digits(body)  # With three digits behind it, it could be no whole number otherwise.
    number = _number(body)
    whole, _, fraction = number.partition(".")
    return whole if not fraction.strip("0") else ""


_SUGGESTERS: dict[DataType, Callable[[str], str]] = {
    DataType.INTEGER: _whole,
    DataType.REFERENCE: _whole,
    DataType.FLOAT: _number,
    DataType.CURRENCY: _number,
    DataType.BOOLEAN: _boolean,
    DataType.DATE: _date,
    DataType.DATETIME: _moment,
}
