"""Fields under their REST names: JSON values to the kept texts and back.

REST calls a field as SOAP does with a small first letter. Types and sizes: Adobe's describe samples. A value of the
wrong type is refused with 1003, ``Invalid value for field 'X' and value 'Y'``, as recorded exchanges show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mobjects.sandbox.fields import FIELDS, OPPORTUNITY, OPPORTUNITY_KEY, ROLE, ObjectField
from mobjects.sandbox.rest.rest_call import RecordRefused
from mobjects.sandbox.values import InvalidValue, normalize_text

GUID = "marketoGUID"
KEY = "externalOpportunityId"
LEAD_ID = "leadId"
ROLE_NAME = "role"
COMPANY_KEY = "externalCompanyId"
SALES_PERSON_KEY = "externalSalesPersonId"
CREATED, UPDATED = "createdAt", "updatedAt"

KEYS = {OPPORTUNITY: (KEY,), ROLE: (KEY, LEAD_ID, ROLE_NAME)}
"""The dedupe fields of a kind."""

_KEY_SIZE = 50


@dataclass(frozen=True, slots=True)
class RestField:
    """One field of an opportunity or a role.

    Args:
        name: REST name.
        stored: the field under which the value is kept; ``None`` where it is worked out.
        data_type, label, length: as describe tells them.
        updateable: whether a record that exists may get another value.
        custom: whether the instance added it.
    """

    name: str
    label: str
    data_type: str
    length: int | None = None
    updateable: bool = True
    stored: ObjectField | None = None
    custom: bool = False


def _from_stored(field: ObjectField, name: str = "") -> RestField:
    named = name or field.name[0].lower() + field.name[1:]
    return RestField(named, field.label, field.data_type, field.size, stored=field, custom=field.custom)


def _text(name: str, label: str, length: int, *, updateable: bool = True) -> RestField:
    return RestField(name, label, "string", length, updateable)


_OWN = (
    _text(GUID, "Marketo GUID", 36, updateable=False),
    _text(KEY, "SFDC Oppty Id", _KEY_SIZE, updateable=False),
    RestField(CREATED, "Created At", "datetime", updateable=False),
    RestField(UPDATED, "Updated At", "datetime", updateable=False),
)
_OPPORTUNITY = (
    *_OWN,
    _text(COMPANY_KEY, "External Company Id", _KEY_SIZE),
    _text(SALES_PERSON_KEY, "External Sales Person Id", _KEY_SIZE),
    *(
        _from_stored(field)
        for field in FIELDS[OPPORTUNITY].values()
        if not field.generated and not field.refers_to and field.name != OPPORTUNITY_KEY
    ),
)
_ROLE = (
    *_OWN,
    RestField(LEAD_ID, "Lead Id", "integer", updateable=False),
    RestField(ROLE_NAME, "Role", "string", _KEY_SIZE, updateable=False, stored=FIELDS[ROLE]["Role"]),
    _from_stored(FIELDS[ROLE]["IsPrimary"]),
    _from_stored(FIELDS[ROLE]["ExternalCreatedDate"]),
)

REST_FIELDS: dict[str, dict[str, RestField]] = {
    OPPORTUNITY: {field.name: field for field in _OPPORTUNITY},
    ROLE: {field.name: field for field in _ROLE},
}


def read_value(field: RestField, value: Any) -> str:
    """The text that is kept for a JSON value; ``""`` for null and the empty text.

    Raises:
        RecordRefused: 1003, not a value of the field's type.
    """
    if value is None or value == "":
        return ""
    try:
        text = _as_text(field.data_type, value)
        if field.length is not None and len(text) > field.length:
            raise InvalidValue(f"at most {field.length} characters")
        kept = normalize_text(field.stored or ObjectField(field.name, field.label, field.data_type), text)
    except InvalidValue as bad:
        raise invalid_value(field.name, value) from bad
    return str(int(kept)) if field.data_type == "integer" else kept


def invalid_value(name: str, value: Any) -> RecordRefused:
    """What is answered for a wrong value."""
    return RecordRefused("1003", f"Invalid value for field '{name}' and value '{value}'")


def show_value(field: RestField, text: str) -> Any:
    """A kept text as JSON; a boolean that was never set is false, anything else is null."""
    if field.data_type == "boolean":
        return text == "true"
    if text == "":
        return None
    if field.data_type == "integer":
        return int(Decimal(text))
    if field.data_type in ("currency", "float"):
        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else float(number)
    if field.data_type == "datetime":
        return show_moment(datetime.fromisoformat(text))
    return text


def show_moment(moment: datetime) -> str:
    """A moment as the lead database writes it, ``2026-01-05T09:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_text(data_type: str, value: Any) -> str:
    """A JSON value as the text that SOAP would have sent.

    Raises:
        InvalidValue: no spelling of such a value.
    """
    if isinstance(value, dict | list):
        raise InvalidValue("a single value")
    if data_type == "boolean":
        return _boolean(value)
    if isinstance(value, bool):
        raise InvalidValue(f"a value of type {data_type}")
    if isinstance(value, float) and data_type in ("currency", "float"):
        return format(Decimal(repr(value)), "f")
    text = str(value)
    if data_type in ("integer", "currency", "float") and text.endswith("%"):
        # SOAP takes "80%" for Probability; recorded REST calls with a percent sign were refused.
        raise InvalidValue("a number")
    return text


def _boolean(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value in ("true", "false"):
        return str(value)
    raise InvalidValue("true or false")
