"""Reading the text of a value as its field's type. Everything arrives as xs:string.

Accepted spellings are those seen in Adobe's samples and in a production connector:
booleans ``1 0 true false``, ``80%`` for Probability, currency with or without decimals.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from mobjects.sandbox.fields import ObjectField

# [0-9] and not \d: Python's \d also takes digits of other scripts.
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,10})?")
_FLOAT = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}-01")
_W3C = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
_INT_LIMIT = 2**31

Comparable = str | bool | Decimal | date | datetime


class InvalidValue(ValueError):
    """The text is not a value of the field's type; the message says what is wanted."""


def _require(pattern: re.Pattern[str], text: str, wanted: str) -> str:
    if not pattern.fullmatch(text):
        raise InvalidValue(wanted)
    return text


def _read_iso(text: str, pattern: re.Pattern[str], wanted: str) -> datetime:
    try:
        return datetime.fromisoformat(_require(pattern, text, wanted))
    except ValueError as error:
        raise InvalidValue(wanted) from error


def read_integer(text: str) -> Decimal:
    """A whole number of 32 bits."""
    number = int(_require(_INTEGER, text, "a whole number"))
    if not -_INT_LIMIT <= number < _INT_LIMIT:
        raise InvalidValue("a whole number of at most 32 bits")
    return Decimal(number)


def read_currency(text: str) -> Decimal:
    """An amount without sign of currency or thousands separators."""
    return Decimal(_require(_DECIMAL, text, "an amount such as 501.00"))


def read_float(text: str) -> Decimal:
    """A number, decimals and exponent allowed."""
    return Decimal(_require(_FLOAT, text, "a number"))


def read_boolean(text: str) -> bool:
    """``1``, ``true``, ``0`` or ``false``; ``True`` is refused, as nothing shows that Marketo takes it."""
    if text not in _BOOLEANS:
        raise InvalidValue("one of 1, 0, true, false")
    return _BOOLEANS[text]


def read_date(text: str) -> date:
    """A calendar day, ``2014-10-24``."""
    return _read_iso(text, _DATE, "a date such as 2014-10-24").date()


def read_datetime(text: str) -> datetime:
    """A moment in W3C form with offset, ``2014-10-24T10:00:00-07:00``."""
    return _read_iso(text, _W3C, "a date and time with offset such as 2014-10-24T10:00:00-07:00")


def read_month(text: str) -> date:
    """A month, ``2013-06``, as its first day."""
    return _read_iso(f"{text}-01", _MONTH, "a month such as 2013-06").date()


_READERS: dict[str, Callable[[str], Comparable]] = {
    "integer": read_integer,
    "reference": read_integer,
    "currency": read_currency,
    "float": read_float,
    "boolean": read_boolean,
    "date": read_date,
    "datetime": read_datetime,
}


def normalize_text(field: ObjectField, text: str) -> str:
    """The text that is kept: as received, except booleans (true/false) and Probability (no ``%``).

    Raises:
        InvalidValue: not a value of the field's type, or longer than the field.
    """
    if field.name == "Probability":
        text = text.removesuffix("%")
    if field.data_type == "boolean":
        return "true" if read_boolean(text) else "false"
    parse_comparable(field, text)
    return text


def parse_comparable(field: ObjectField, text: str) -> Comparable:
    """The value behind the text, so that ``501`` and ``501.00`` count as equal."""
    reader = _READERS.get(field.data_type)
    if reader is not None:
        return reader(text)
    if field.size is not None and len(text) > field.size:
        raise InvalidValue(f"at most {field.size} characters, got {len(text)}")
    return text
