"""A value that would do in the place of a bad one, where only one can be meant.

Nothing here decides: what is suggested is read again by the column's own rules, and a person presses the button.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from difflib import get_close_matches

from mobjects.imports.formats.dates import read_day, read_moment, read_month, split_time
from mobjects.imports.formats.numbers import read_number
from mobjects.imports.formats.text import tidy_text
from mobjects.marketo.types import DataType
from mobjects.marketo.value_text import find_xml_problem
from mobjects.resources.columns import FileColumn, MonthColumn
from mobjects.spreadsheets.row_shape import cell_text

_TRUE = frozenset(
    ["yes", "y", "true", "t", "on", "ja", "j", "oui", "si", "sí", "wahr", "vrai", "✓", "✔", "예", "네", "참"]
)
_FALSE = frozenset(["no", "n", "false", "f", "off", "nein", "non", "falsch", "faux", "✗", "아니오", "아니요", "거짓"])

_PROGRAM = re.compile(r"PG(\d{1,10})A1\b", re.IGNORECASE)
_LETTERED = re.compile(r"(?:Q|FY|NO\.?|ID|#)\s*:?\s*(\d{1,10})", re.IGNORECASE)

_FRACTION = re.compile(r"\.[0-9]+")
_NOON = time(12)
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
    tidy = tidy_text(text)
    if not tidy:
        return ""
    if isinstance(column, MonthColumn):
        return _only(read_month(tidy).values())
    found = _SUGGESTERS[column.attribute.type](tidy)
    return found or (tidy if tidy != text else "")


def find_nearest(value: str, allowed: Sequence[str]) -> str:
    """The allowed value that is most alike; empty if none is."""
    plain = {other.casefold(): other for other in allowed}
    near = get_close_matches(value.casefold(), plain, 1, MIN_SIMILARITY)
    return plain[near[0]] if near else ""


def _only(meanings: Iterable[str]) -> str:
    """The one thing that is meant; empty if there is none, or more than one."""
    found = set(meanings)
    return found.pop() if len(found) == 1 else ""


# --- yes or no -----------------------------------------------------------------------------


def _boolean(text: str) -> str:
    word = text.casefold()
    return "true" if word in _TRUE else "false" if word in _FALSE else ""


# --- dates and numbers ----------------------------------------------------------------------


def _date(text: str) -> str:
    """A day; none where a time of day may be midnight in another zone, which is the next day."""
    body, clock, _ = split_time(text)
    if clock and time.fromisoformat(clock) >= _NOON:
        return ""
    return _only(map(date.isoformat, read_day(body).values()))


def _moment(text: str) -> str:
    return _FRACTION.sub("", _only(read_moment(text).values()))


def _number(text: str) -> str:
    return _only(read_number(text).values())


def _whole(text: str) -> str:
    for pattern in (_PROGRAM, _LETTERED):
        if match := (pattern.search if pattern is _PROGRAM else pattern.fullmatch)(text):
            return match[1]
    body = text.removesuffix("%").strip()
    numbers = [number.partition(".") for number in read_number(body).values()]
    return _only(whole for whole, _, fraction in numbers if not fraction.strip("0"))


_SUGGESTERS: dict[DataType, Callable[[str], str]] = {
    DataType.INTEGER: _whole,
    DataType.REFERENCE: _whole,
    DataType.FLOAT: _number,
    DataType.CURRENCY: _number,
    DataType.BOOLEAN: _boolean,
    DataType.DATE: _date,
    DataType.DATETIME: _moment,
}


def suggest_moment(column: FileColumn, moment: datetime) -> str:
    """What a number is in a column of days, months or moments; "" where it may be of the day that follows.

    Args:
        column: of the cell.
        moment: that the number would be with a date's format.
    """
    if column.attribute.type is DataType.DATETIME:
        return cell_text(moment)
    if moment.time() >= _NOON:  # It may be midnight of another zone, or miss that by the seconds of a historic one.
        return ""
    return f"{moment:%Y-%m}" if isinstance(column, MonthColumn) else f"{moment:%Y-%m-%d}"
