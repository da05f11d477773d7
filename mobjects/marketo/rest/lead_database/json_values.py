"""Values of content as JSON wants them, by the type that the instance gives a field, and back as text.

Recorded exchanges show that Marketo refuses, with code 1003, a percent sign, a number with decimals in an integer
field, and words for a yes or no. So all of that is said here, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from mobjects.marketo.attributes import STANDARD, MarketoAttribute
from mobjects.marketo.rest.lead_database.field_catalogue import InstanceField
from mobjects.marketo.rest.replies import parse_moment
from mobjects.marketo.types import AttributeValue, DataType, Kind
from mobjects.marketo.value_parsing import normalize_remote_text, parse_value, quote_value
from mobjects.marketo.value_text import format_datetime, to_text
from mobjects.marking import gettext_noop as _

_ATTRIBUTES = {kind: {attribute.name: attribute for attribute in known} for kind, known in STANDARD.items()}

JsonValue = str | int | float | bool | None

LARGEST_INTEGER = 2**63 - 1
LARGEST_EXACT = 2.0**53
"""From here on a float is no longer each whole number, and soon more than JSON's readers take for one."""


ValueWriter = Callable[[AttributeValue, InstanceField], JsonValue]


def to_json(value: AttributeValue, field: InstanceField) -> JsonValue:
    """A value as it goes into a body; ``None`` clears.

    Raises:
        ValueError: it is none of the field's type, in one sentence.
    """
    return None if value is None or value == "" else writer_for(field)(value, field)


def writer_for(field: InstanceField) -> ValueWriter:
    """What writes the values of a field that are not empty, as :func:`to_json` does; a batch has thousands of them."""
    return _WRITERS.get(field.type, _natural)


def _write_text(value: AttributeValue, field: InstanceField) -> str:
    text = value if type(value) is str else to_text(value)
    if field.size is not None and len(text) > field.size:
        raise ValueError(
            _("%(value)s is %(length)s characters long; the instance takes %(size)s")
            % {"value": quote_value(text), "length": len(text), "size": field.size}
        )
    return text


def _write_integer(value: AttributeValue, field: InstanceField) -> int:
    if type(value) is int:
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        number = int(value)
    else:
        number = int(str(parse_value(_without_percent(value), _as_attribute(field, DataType.INTEGER))))
    if abs(number) > LARGEST_INTEGER:
        raise ValueError(_("%(value)s has more than the 64 bits of a whole number") % {"value": quote_value(value)})
    return number


def _write_number(value: AttributeValue, field: InstanceField) -> int | float:
    if type(value) is int:
        return value
    if not isinstance(value, Decimal):
        number = parse_value(_without_percent(value), _as_attribute(field, DataType.FLOAT))
        value = number if isinstance(number, Decimal) else Decimal(str(number))
    return _plain_number(value)


def _plain_number(value: Decimal) -> int | float:
    """An amount has fewer digits than a float keeps."""
    if not value.is_finite():
        raise ValueError(_("%(value)s is not a number") % {"value": value})
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < LARGEST_EXACT else number


def _without_percent(value: AttributeValue) -> object:
    return value.strip().removesuffix("%").strip() if isinstance(value, str) else value


def _write_boolean(value: AttributeValue, field: InstanceField) -> bool:
    if isinstance(value, bool):
        return value
    return bool(parse_value(value, _as_attribute(field, DataType.BOOLEAN)))


def _write_date(value: AttributeValue, field: InstanceField) -> str:
    if type(value) is date:
        return value.isoformat()
    return to_text(parse_value(value, _as_attribute(field, DataType.DATE)))


def _write_datetime(value: AttributeValue, field: InstanceField) -> str:
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return format_datetime(value)
    return to_text(parse_value(value, _as_attribute(field, DataType.DATETIME)))


def _natural(value: AttributeValue, field: InstanceField) -> JsonValue:
    """A type that nobody has told of: the value as its own type suggests."""
    if isinstance(value, Decimal):
        return _plain_number(value)
    return value if isinstance(value, int) else to_text(value)


def _as_attribute(field: InstanceField, type_: DataType) -> MarketoAttribute:
    return MarketoAttribute(field.content_name, field.label, type_, field.size)


_TEXT_TYPES = ("string", "text", "email", "phone", "url", "textarea", "reference")
_NUMBER_TYPES = ("currency", "float", "percent", "number", "double")
_WRITERS: dict[str, ValueWriter] = {
    **dict.fromkeys(_TEXT_TYPES, _write_text),
    **dict.fromkeys(("integer", "score"), _write_integer),
    **dict.fromkeys(_NUMBER_TYPES, _write_number),
    "boolean": _write_boolean,
    "date": _write_date,
    "datetime": _write_datetime,
}


def from_json(kind: Kind, name: str, value: object) -> str:
    """A value that Marketo told, as canonical text; "" for none. What does not fit its type stays as it is written.

    Args:
        kind, name: of which attribute, by its content name.
    """
    if value is None:
        return ""
    text = _plain_text(value)
    attribute = _ATTRIBUTES[kind].get(name)
    if attribute is None:
        return text
    if attribute.type is DataType.DATETIME and (moment := parse_moment(value)):
        text = moment.isoformat()
    return normalize_remote_text(text, attribute)


def _plain_text(value: object) -> str:
    if isinstance(value, str | int | Decimal | date):  # a bool is an int
        return to_text(value)
    return str(value)
