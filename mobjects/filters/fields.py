"""The fields by which records can be found, and what can be asked of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mobjects.marketo import attributes
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import DataType
from mobjects.models import (
    RECORD_MODELS,
    CustomField,
    Kind,
    ProgramCost,
    ProgramTag,
    RecordStatus,
)

Words = str | Promise
Someone = User | AnonymousUser
Part = type[Model]
Choices = Sequence[tuple[str, Words]]


class FieldType(StrEnum):
    """What kind of values a field has, as far as questions go."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    YES_NO = "yes_no"
    CHOICE = "choice"
    PERSON = "person"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field by which records can be found.

    Args:
        name: in addresses.
        label: on pages.
        type: says which operators it has.
        path: of the model's field, or of the part's; of a custom field its name among the attributes.
        data_type: how a value is read.
        is_custom: whether it lies among the custom attributes.
        part: the model of the record's parts that hold it, such as costs; a record is found if one of them fits.
        choices: of a :attr:`FieldType.CHOICE`: values and words.
    """

    name: str
    label: Words
    type: FieldType
    path: str
    data_type: DataType = DataType.STRING
    is_custom: bool = False
    part: Part | None = None
    choices: Choices = ()

    @property
    def attribute(self) -> MarketoAttribute:
        """What reads a value of it."""
        return MarketoAttribute(str(self.label), str(self.label), self.data_type)


_TYPES = {
    DataType.STRING: FieldType.TEXT,
    DataType.INTEGER: FieldType.NUMBER,
    DataType.FLOAT: FieldType.NUMBER,
    DataType.CURRENCY: FieldType.NUMBER,
    DataType.REFERENCE: FieldType.NUMBER,
    DataType.BOOLEAN: FieldType.YES_NO,
    DataType.DATE: FieldType.DAY,
    DataType.DATETIME: FieldType.MOMENT,
}
_OWN: dict[Kind, tuple[str, ...]] = {
    Kind.PROGRAM: ("name", "type", "workspace", "channel", "marketo_id"),
    Kind.OPPORTUNITY: ("external_id", "marketo_id", "marketo_guid", "company_id", "company_key"),
    Kind.ROLE: ("person_id", "person_key", "marketo_id", "marketo_guid"),
}
_WHOLE = frozenset({"marketo_id", "company_id", "person_id"})
_PARTS = (
    FilterField("tag", _("Tag (type: value)"), FieldType.TEXT, "words", part=ProgramTag),
    FilterField("cost_month", _("Month of a cost"), FieldType.DAY, "month", DataType.DATE, part=ProgramCost),
    FilterField("cost_amount", _("Amount of a cost"), FieldType.NUMBER, "amount", DataType.CURRENCY, part=ProgramCost),
)
UNCORRECTED = "uncorrected"
"""The name of the field that leads to what a job did not get accepted and nobody changed since."""
_STATUSES = tuple((each.value, each.label) for each in RecordStatus)
_OF_ALL = (
    FilterField("last_status", _("Last status"), FieldType.CHOICE, "last_status", choices=_STATUSES),
    FilterField("last_error", _("Last error"), FieldType.TEXT, "last_error"),
    FilterField("last_synced_at", _("Last synced"), FieldType.MOMENT, "last_synced_at", DataType.DATETIME),
    FilterField("read_at", _("Last read from Marketo"), FieldType.MOMENT, "read_at", DataType.DATETIME),
    FilterField("edited_at", _("Changed here"), FieldType.MOMENT, "created_at", DataType.DATETIME),
    FilterField("edited_by", _("Changed by"), FieldType.PERSON, "username"),
    FilterField("held", _("Held back if it were sent now"), FieldType.YES_NO, "hold", DataType.BOOLEAN),
    FilterField("job", _("Job that dealt with it"), FieldType.JOB, "job"),
    FilterField(UNCORRECTED, _("Not accepted by a job and not corrected since"), FieldType.JOB, "job"),
)


def fields_of(kind: Kind, custom: Iterable[CustomField] | None = None) -> Mapping[str, FilterField]:
    """The fields by which records of a kind can be found, by name, in the order in which they are offered.

    Args:
        kind: which records.
        custom: its custom fields; they are read if they are not given.
    """
    found = [_standard(each) for each in attributes.STANDARD[kind]]
    found += [_own(kind, name) for name in _OWN[kind]]
    if kind is Kind.PROGRAM:
        found += _PARTS
    else:
        found += map(_custom, CustomField.objects.filter(kind=kind.value) if custom is None else custom)
    return {field.name: field for field in (*found, *_OF_ALL)}


def seen_fields(fields: Mapping[str, FilterField], user: Someone) -> dict[str, FilterField]:
    """Those by which somebody may find records: not by what belongs to them and that they may not see."""
    return {
        name: field
        for name, field in fields.items()
        if field.part is None or user.has_perm(f"mobjects.view_{field.part._meta.model_name}")
    }


def _standard(attribute: MarketoAttribute) -> FilterField:
    name = attribute.field_name
    return FilterField(name, _(attribute.label), _TYPES[attribute.type], name, attribute.type)


def _own(kind: Kind, name: str) -> FilterField:
    label: Words = _(attributes.OTHER_NAMES[name]) if name in attributes.OTHER_NAMES else _verbose(kind, name)
    if name in _WHOLE:
        return FilterField(name, label, FieldType.NUMBER, name, DataType.INTEGER)
    return FilterField(name, label, FieldType.TEXT, name)


def _verbose(kind: Kind, name: str) -> Words:
    field: Any = RECORD_MODELS[kind]._meta.get_field(name)
    label: Words = field.verbose_name
    return label


def _custom(field: CustomField) -> FilterField:
    """Values lie there as text, which is compared as what it stands for."""
    data_type = DataType(field.data_type)
    return FilterField(f"custom_{field.name}", str(field), _TYPES[data_type], field.name, data_type, is_custom=True)
