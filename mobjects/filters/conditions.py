"""One condition: read from an address, refused in words, shown in words, written back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mobjects.filters.fields import FieldType, FilterField, Words
from mobjects.filters.periods import OFFERED, days_of, normalize_period, period_words
from mobjects.kept_text import translate_kept
from mobjects.marketo.types import DataType
from mobjects.marketo.value_parsing import parse_value, quote_value
from mobjects.models import SyncResultStatus

WHERE = "where"
"""The parameter of an address; once for each condition."""
MOST = 20
"""So many conditions of one list."""
LONGEST = 255
"""Characters of a value."""
ME = "me"
"""Stands for the person who looks."""

_GAPS = ("empty", "filled")
OPERATORS: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.TEXT: ("contains", "lacks", "is", "starts", *_GAPS),
    FieldType.NUMBER: ("is", "from", "to", *_GAPS),
    FieldType.DAY: ("is", "from", "to", "within", *_GAPS),
    FieldType.MOMENT: ("is", "from", "to", "within", *_GAPS),
    FieldType.YES_NO: ("is", *_GAPS),
    FieldType.CHOICE: ("is", *_GAPS),
    FieldType.PERSON: ("is",),
    FieldType.JOB: ("is",),
}
OPERATOR_WORDS: Mapping[str, Words] = {
    "contains": gettext_lazy("contains"),
    "lacks": gettext_lazy("does not contain"),
    "is": gettext_lazy("is"),
    "starts": gettext_lazy("starts with"),
    "from": gettext_lazy("from"),
    "to": gettext_lazy("up to"),
    "within": gettext_lazy("within"),
    "empty": gettext_lazy("is empty"),
    "filled": gettext_lazy("is not empty"),
}
_SENTENCES: Mapping[str, Words] = {
    "contains": gettext_lazy("%(field)s contains %(value)s"),
    "lacks": gettext_lazy("%(field)s does not contain %(value)s"),
    "is": gettext_lazy("%(field)s: %(value)s"),
    "starts": gettext_lazy("%(field)s starts with %(value)s"),
    "from": gettext_lazy("%(field)s from %(value)s"),
    "to": gettext_lazy("%(field)s up to %(value)s"),
    "within": gettext_lazy("%(field)s: %(value)s"),
    "empty": gettext_lazy("%(field)s is empty"),
    "filled": gettext_lazy("%(field)s is not empty"),
}
_REASON_KEY = re.compile(r"[0-9a-f]{16}")


class FilterRefused(SuspiciousOperation):
    """An address asks for what no list offers; the message says to a person what is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is asked of one field.

    Args:
        field: which one.
        operator: one of those of its type.
        text: the value as the address has it; "" if the operator has none.
        value: the value as it is compared.
    """

    field: FilterField
    operator: str
    text: str
    value: Any

    def write(self) -> str:
        """As an address has it."""
        parts = (self.field.name, self.operator, self.text)
        return ".".join(parts[:2] if self.operator in _GAPS else parts)

    def words(self) -> str:
        """As pages have it: ``Amount from 1,000.00``."""
        return str(_SENTENCES[self.operator]) % {"field": self.field.label, "value": self._value_words()}

    def _value_words(self) -> str:
        value = self.value
        if self.operator in _GAPS:
            return ""
        if self.operator == "within":
            return period_words(self.text)
        if self.field.type is FieldType.CHOICE:
            return str(dict(self.field.choices)[value])
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, date):
            return date_format(value, "Y-m-d")
        if isinstance(value, int | Decimal):
            places = 2 if self.field.data_type is DataType.CURRENCY else None
            value = Decimal(value).normalize() if self.field.data_type is DataType.FLOAT else value
            return str(number_format(value, decimal_pos=places, use_l10n=True, force_grouping=_is_amount(self.field)))
        if self.field.type is FieldType.PERSON:
            return _("me") if value == ME else str(value)
        return str(value) if self.field.type is FieldType.JOB else f"“{value}”"


def read_condition(text: str, fields: Mapping[str, FilterField]) -> Condition:
    """Read a condition of an address. Raises as :func:`build_condition`."""
    name, _dot, rest = text.partition(".")
    operator, _dot, value = rest.partition(".")
    return build_condition(name, operator, value, fields)


def build_condition(name: str, operator: str, text: str, fields: Mapping[str, FilterField]) -> Condition:
    """Make a condition of its three parts.

    Args:
        name: of a field.
        operator: what is asked of it.
        text: the value as a person wrote it.
        fields: those of the list, see :func:`mobjects.filters.fields.fields_of`.

    Raises:
        FilterRefused: there is no such field, it has no such operator, or the value is none of its kind.
    """
    field = fields.get(name)
    if field is None:
        raise FilterRefused(
            _("This list has no field “%(name)s” to filter by; choose one under “Add a filter”.") % {"name": name[:60]}
        )
    if operator not in OPERATORS[field.type]:
        known = ", ".join(str(OPERATOR_WORDS[each]) for each in OPERATORS[field.type])
        asked = OPERATOR_WORDS.get(operator, operator[:60])
        said = _("“%(field)s” cannot be asked for “%(operator)s”; choose one of: %(known)s.")
        raise FilterRefused(said % {"field": field.label, "operator": asked, "known": known})
    if operator in _GAPS:
        return Condition(field, operator, "", None)
    if field.type is not FieldType.TEXT:
        text = text.strip()
    if not text or len(text) > LONGEST or "\0" in text:
        said = _("“%(field)s”: give a value of at most %(most)s characters.")
        raise FilterRefused(said % {"field": field.label, "most": LONGEST})
    text, value = _read_value(field, operator, text)
    return Condition(field, operator, text, value)


def _read_value(field: FilterField, operator: str, text: str) -> tuple[str, Any]:
    """A value as addresses have it, and as it is compared. Raises FilterRefused: it is none of the field's."""
    try:
        if operator != "within":
            return text, _READERS[field.type](field, text)
        period = normalize_period(text)
        return period, days_of(period)
    except (ValueError, OverflowError) as error:
        reason = translate_kept(str(error))
        if operator == "within":
            said = _("%(value)s is no period; choose one of: %(known)s. Other numbers of days are possible.")
            reason = said % {"value": quote_value(text), "known": ", ".join(OFFERED)}
        raise FilterRefused(f"“{field.label}”: {reason}") from error


def _read_typed(field: FilterField, text: str) -> Any:
    return parse_value(text, field.attribute)


def _read_day(field: FilterField, text: str) -> date:
    """A day; of a moment as well, since people ask for days."""
    day = parse_value(text, FilterField("", field.label, field.type, "", DataType.DATE).attribute)
    if not isinstance(day, date):
        raise TypeError(day)
    if day.year in (MINYEAR, MAXYEAR):  # The day before or after may be in no year.
        raise ValueError(_("%(value)s is outside the years 2 to 9998.") % {"value": quote_value(text)})
    return day


def _read_choice(field: FilterField, text: str) -> str:
    words = {str(label).casefold(): value for value, label in field.choices}
    known = {value for value, _label in field.choices}
    found = text if text in known else words.get(text.casefold())
    if found is None:
        said = _("%(value)s is not among the choices: %(known)s.")
        raise ValueError(said % {"value": quote_value(text), "known": ", ".join(sorted(known))})
    return found


def _read_job(field: FilterField, text: str) -> str:
    """A job's number, and behind colons (``…:FAILED:0123456789abcdef``) a status of its results and what those of one
    reason share.
    """
    number, *narrower = text.split(":")
    try:
        read = str(UUID(number))
    except ValueError:
        read = ""
    status, reason = [*narrower, "", ""][:2]
    fits = (not narrower or status in SyncResultStatus.values) and (len(narrower) < 2 or _REASON_KEY.fullmatch(reason))
    if not read or not fits or len(narrower) > 2:
        said = _("%(value)s is no job's number; take it from the address of the job's page.")
        raise ValueError(said % {"value": quote_value(text)})
    return ":".join((read, *narrower))


def split_job(value: str) -> tuple[UUID, str, str]:
    """The three parts of the value of a :attr:`FieldType.JOB`: the job, a status, a reason's key; "" for any."""
    number, status, reason = [*value.split(":"), "", ""][:3]
    return UUID(number), status, reason


_READERS = {
    FieldType.TEXT: _read_typed,
    FieldType.NUMBER: _read_typed,
    FieldType.YES_NO: _read_typed,
    FieldType.DAY: _read_day,
    FieldType.MOMENT: _read_day,
    FieldType.CHOICE: _read_choice,
    FieldType.PERSON: _read_typed,
    FieldType.JOB: _read_job,
}


def _is_amount(field: FilterField) -> bool:
    """Whether its numbers are written in groups of thousands: years and IDs are not."""
    return field.data_type in (DataType.CURRENCY, DataType.FLOAT)
