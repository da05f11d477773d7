"""Reading attribute values that people typed or uploaded, by Marketo data type.

One place for the rules of dates, months, amounts and booleans, used by forms,
imports and custom attributes alike. Every error says what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import AttributeValue, DataType
from mobjects.marketo.value_text import find_xml_problem, to_text
from mobjects.marking import gettext_noop as _

_TRUE = frozenset({"true", "1", "yes", "y"})
_FALSE = frozenset({"false", "0", "no", "n"})

_FRACTION = re.compile(r"(?<=:[0-9]{2})\.[0-9]+")  # Of a second.

LARGEST_ID = 2**31 - 1
"""The largest id our columns hold; Marketo's ids are 32-bit integers in its WSDL."""

_SHORTENED = re.compile(r"-?[0-9](?:[.,][0-9]+)?E\+([0-9]{2,3})")
_SHOWN_DIGITS = 11  # From twelve digits on, a spreadsheet shows a number with an exponent.
_THOUSAND = 3  # Digits behind a separator of thousands.
_DIGITS = 15  # As many as a spreadsheet keeps.
_SHOWN = 60  # Longest piece of a bad value that is repeated in a message.


def parse_value(value: object, attribute: MarketoAttribute) -> AttributeValue:
    """Read one value.

    Args:
        value: text, or a number, boolean or date as a spreadsheet holds it.
        attribute: name, type and size to read it as.

    Returns:
        The typed value; ``None`` for empty input. Text is kept as it is, spaces at its ends included; only line
        ends become LF. Other types may have spaces around them.

    Raises:
        ValueError: one sentence with the value and what would be right.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str) and not value.strip() and attribute.type is not DataType.STRING:
        return None
    return _READERS[attribute.type](value, attribute)


def quote_value(value: object) -> str:
    """A bad value as messages repeat it: in quotes, and cut where it is long."""
    text = str(value)
    return f"“{text[:_SHOWN]}…”" if len(text) > _SHOWN else f"“{text}”"


def canonical_text(value: object, attribute: MarketoAttribute) -> str:
    """Read one value and give it as canonical text. Raises as :func:`parse_value`."""
    return to_text(parse_value(value, attribute))


def normalize_remote_text(text: str, attribute: MarketoAttribute) -> str:
    """A standard attribute's value as Marketo gave it, in the text that is compared with what we hold.

    Numbers may have an exponent and more zeros than a person may type: a machine writes no thousands separators.
    A float's zeros at the end are left out, and so is a moment's fraction of a second.

    Returns:
        The text untouched where it is no value of the attribute's type.
    """
    numeric = attribute.type in (DataType.CURRENCY, DataType.FLOAT) and text.strip()
    try:
        if attribute.type is DataType.DATETIME:
            text = _FRACTION.sub("", text)
        value = parse_value(Decimal(text.strip()) if numeric else text, attribute)
    except (ValueError, ArithmeticError):
        return text
    if attribute.type is DataType.FLOAT and isinstance(value, Decimal):
        value = value.normalize()
    return to_text(value)


def parse_month(value: object) -> date:
    """Read a month (``2026-06``, or any date in it) as its first day.

    Raises:
        ValueError: one sentence with the value and what would be right.
    """
    if isinstance(value, datetime | date):
        return date(value.year, value.month, 1)
    match = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})(?:-01)?", str(value).strip())
    try:
        return date(int(match[1]), int(match[2]), 1) if match else _refuse_month(value)
    except ValueError:
        return _refuse_month(value)


def _refuse_month(value: object) -> NoReturn:
    raise ValueError(_("%(value)s is not a month; write YYYY-MM, for example 2026-06.") % {"value": quote_value(value)})


def refuse_shortened(text: str) -> None:
    """Refuse a number that a spreadsheet has shortened. Raises ValueError: it is one."""
    if is_shortened_number(text):
        raise ValueError(
            _(
                "%(value)s is a long number that a spreadsheet has shortened; its last digits are "
                "lost. Take the file from its source once more, and format the column as text before it is "
                "saved."
            )
            % {"value": quote_value(text)}
        )


def parse_decimal(value: object, places: int) -> Decimal:
    """Read a number exactly; thousands separators are refused because they are ambiguous.

    Raises:
        ValueError: not a number, too many decimals or too large.
    """
    # What a formula leaves behind these digits (0.30000000000000004) is not content.
    text = f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value).strip()
    if isinstance(value, str):
        refuse_shortened(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not re.fullmatch(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?", text):
        raise ValueError(
            _("%(value)s is not a number; write digits with a point, for example 1234.50.")
            % {"value": quote_value(value)}
        )
    # Before rounding, which fails on numbers beyond the precision of the decimal context.
    if number and number.adjusted() >= _DIGITS - places:
        raise ValueError(
            _("%(value)s is too large; at most %(places)s digits before the point.")
            % {"value": quote_value(value), "places": _DIGITS - places}
        )
    # As written, zeros included: 48.000 may well mean forty-eight thousand. The point of 1.5E3 is no sign of decimals.
    as_written = isinstance(value, str) and "e" not in text.lower()
    decimals = len(text.partition(".")[2]) if as_written else 0
    if number != round(number, places) or decimals > places:
        hint = _("write thousands without a separator") if decimals == _THOUSAND else _("round it")
        raise ValueError(
            _("%(value)s has more than %(places)s decimals; %(hint)s.")
            % {"value": quote_value(value), "places": places, "hint": hint}
        )
    return round(number, places) or Decimal(0).scaleb(-places)


def _text(value: object, attribute: MarketoAttribute) -> str:
    text = value if type(value) is str else _native_text(value)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if attribute.size is not None and len(text) > attribute.size:
        raise ValueError(
            _("%(value)s is %(count)s characters long; at most %(size)s are allowed.")
            % {"value": quote_value(text), "count": len(text), "size": attribute.size}
        )
    if problem := find_xml_problem(text):
        raise ValueError(problem)
    return text


def _native_text(value: object) -> str:
    """A spreadsheet's number, boolean or date as the text a person sees in the cell."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float) and abs(value) >= 10**15:
        raise ValueError(
            _("%(value)s has more than 15 digits, of which a spreadsheet keeps only 15; format the cell as text.")
            % {"value": quote_value(value)}
        )
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return str(value)


def _integer(value: object, attribute: MarketoAttribute) -> int:
    text = str(value).strip()
    if attribute.name == "Probability":
        text = text.removesuffix("%").strip()
    number = _whole(value, text)
    if attribute.name == "Probability" and not 0 <= number <= 100:
        raise ValueError(_("%(value)s is not between 0 and 100 percent.") % {"value": quote_value(value)})
    return number


def is_shortened_number(text: str) -> bool:
    """Whether a text is a number as a spreadsheet shows a long one (``1.23457E+15``): its last digits are lost."""
    match = _SHORTENED.fullmatch(text.strip())
    return match is not None and int(match[1]) >= _SHOWN_DIGITS


def _reference(value: object, attribute: MarketoAttribute) -> int:
    if isinstance(value, str):
        refuse_shortened(value)
    number = _whole(value, str(value).strip())
    if number < 1:
        raise ValueError(_("%(value)s is not an ID; IDs are whole numbers from 1.") % {"value": quote_value(value)})
    return number


def _whole(value: object, text: str) -> int:
    match = re.fullmatch(r"([-+]?[0-9]+)(?:\.0*)?", text)
    if isinstance(value, bool) or not match:
        raise ValueError(_("%(value)s is not a whole number, for example 80.") % {"value": quote_value(value)})
    if len(match[1]) > 20 or abs(int(match[1])) > LARGEST_ID:
        raise ValueError(
            _("%(value)s is too large; the largest number allowed is %(largest_id)s.")
            % {"value": quote_value(value), "largest_id": LARGEST_ID}
        )
    return int(match[1])


def _boolean(value: object, attribute: MarketoAttribute) -> bool:
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().casefold()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(_("%(value)s is not yes or no; write true or false.") % {"value": quote_value(value)})


def _date(value: object, attribute: MarketoAttribute) -> date:
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date()
    elif isinstance(value, date):
        return value
    else:
        text = str(value).strip()
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                return date.fromisoformat(text)
        except ValueError:
            raise ValueError(_("%(value)s is not a day of the calendar.") % {"value": quote_value(value)}) from None
    raise ValueError(
        _("%(value)s is not a date; write YYYY-MM-DD, for example 2026-06-30.") % {"value": quote_value(value)}
    )


def _datetime(value: object, attribute: MarketoAttribute) -> datetime:
    """Without an offset a time is read as UTC. A fraction of a second is not kept anywhere, so it is refused."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    else:
        try:
            moment = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValueError(
                _(
                    "%(value)s is not a date and time; write YYYY-MM-DD HH:MM:SS+00:00, for example "
                    "2026-06-30T14:00:00+02:00."
                )
                % {"value": quote_value(value)}
            ) from None
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(
            _("%(value)s is outside the years 1 to 9999 in UTC.") % {"value": quote_value(value)}
        ) from None
    if moment.microsecond:
        raise ValueError(
            _("%(value)s has a fraction of a second, which is not kept; write whole seconds.")
            % {"value": quote_value(value)}
        )
    return moment


_READERS: dict[DataType, Callable[[object, MarketoAttribute], AttributeValue]] = {
    DataType.STRING: _text,
    DataType.INTEGER: _integer,
    DataType.REFERENCE: _reference,
    DataType.FLOAT: lambda value, attribute: parse_decimal(value, places=4),
    DataType.CURRENCY: lambda value, attribute: parse_decimal(value, places=2),
    DataType.BOOLEAN: _boolean,
    DataType.DATE: _date,
    DataType.DATETIME: _datetime,
}
