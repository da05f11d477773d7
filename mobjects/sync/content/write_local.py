"""Writing Marketo's values into local records, through the same rules as forms and imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import F, Value
from django.db.models.functions import Least

from mobjects.marketo import attributes, parsing
from mobjects.marketo.attributes import Attribute
from mobjects.marketo.types import DataType, FoundCost
from mobjects.models import CustomField, Program, ProgramCost, ProgramTag, SyncedRecord, records
from mobjects.models.program import CHANNEL_TAG, COST_PREFIX
from mobjects.sync.content.cost_matching import read_cost
from mobjects.sync.content.from_marketo import OURS, TAG_PREFIX
from mobjects.sync.content.loading import loaded
from mobjects.sync.content.payload import (
    COMPANY_ID,
    COMPANY_KEY,
    OPPORTUNITY,
    PERSON_ID,
    PERSON_KEY,
    KeyFields,
    content,
)

NO_OPPORTUNITY = "its opportunity is not here; pull opportunities first."

_COLUMNS = {
    COMPANY_ID: ("company_id", DataType.REFERENCE),
    COMPANY_KEY: ("company_key", DataType.STRING),
    PERSON_ID: ("person_id", DataType.REFERENCE),
    PERSON_KEY: ("person_key", DataType.STRING),
}


class CannotKeep(ValueError):
    """Marketo holds a value that our rules refuse; the message names the field and the value."""


def take(record: SyncedRecord, given: Mapping[str, str], keys: KeyFields, *, new: Iterable[FoundCost] = ()) -> None:
    """Write values into a record and its costs and tags, and save it. To be called in a transaction.

    Args:
        record: an existing one, or one that is not saved yet.
        given: content name to canonical text; "" clears, or removes a cost or tag here.
        keys: names of the external key fields.
        new: costs to be added to a program.

    Raises:
        CannotKeep: a value cannot be kept here. The record in memory is of no use then, and the transaction has to
            be rolled back.
    """
    if isinstance(record, Program):
        _take_program(record, given)
        for cost in new:
            _save(_cost(record, None, cost))
        return
    standard = {item.name: item for item in attributes.STANDARD[record.KIND]}
    for name, text in given.items():
        if name in standard:
            _set(record, standard[name].field, standard[name], text)
        elif name in _COLUMNS:
            column, type_ = _COLUMNS[name]
            _set(record, column, Attribute(name, name, type_), text)
        elif name == OPPORTUNITY:
            _take_opportunity(record, text)
        elif name == keys.opportunity and hasattr(record, "external_id"):
            record.external_id = text or None
        else:
            _take_custom(record, name, text)
    _save(record)


def leave_settled(record: SyncedRecord, keys: KeyFields, *, accepted: Mapping[str, str], clean: bool = False) -> None:
    """Write down what Marketo holds of a record after it was changed here, and whether anything is left to send.

    Args:
        record: just saved; the caller's transaction holds its row.
        keys: names of the external key fields.
        accepted: what Marketo holds.
        clean: nothing is left to send, whatever differs.
    """
    now = loaded(record.KIND, [record.pk])[0]
    changes: dict[str, Any] = {"accepted": dict(accepted)}
    if clean or content(now, keys) == dict(accepted):
        changes |= {"synced_revision": F("revision"), "last_status": "", "last_error": "", "unknown_since": None}
    else:
        changes["synced_revision"] = Least(F("synced_revision"), Value(max(now.revision - 1, 0)))
    records(record.KIND).filter(pk=record.pk).update(**changes)


def _take_program(record: Program, given: Mapping[str, str]) -> None:
    record.channel = given.get(CHANNEL_TAG, record.channel)
    _save(record)
    for name, text in given.items():
        if name.startswith(COST_PREFIX):
            _take_cost(record, int(name.removeprefix(COST_PREFIX)), text)
        elif name != CHANNEL_TAG:
            _take_tag(record, name.removeprefix(TAG_PREFIX), text)


def _set(record: Any, column: str, attribute: Attribute, text: str) -> None:
    try:
        value = parsing.parse(text, attribute)
    except ValueError as error:
        raise CannotKeep(f"{attribute.name}: {error}") from error
    field = record._meta.get_field(column)
    setattr(record, column, "" if value is None and not field.null else value)


def _take_opportunity(record: Any, text: str) -> None:
    if not text.startswith(OURS):
        raise CannotKeep(f"{OPPORTUNITY}: {NO_OPPORTUNITY}")
    record.opportunity_id = int(text.removeprefix(OURS))


def _take_custom(record: Any, name: str, text: str) -> None:
    kept = {key: value for key, value in record.custom_attributes.items() if key != name}
    if text:
        field = CustomField.objects.get(kind=record.KIND.value, name=name)
        try:
            kept[name] = parsing.canonical(text, field.attribute)
        except ValueError as error:
            raise CannotKeep(f"{name}: {error}") from error
    record.custom_attributes = kept


def _take_cost(program: Program, pk: int, text: str) -> None:
    cost = ProgramCost.objects.filter(program=program, pk=pk).first()
    if not text:
        if cost is not None:
            cost.delete()
        return
    month, amount, note = read_cost(text)
    _save(_cost(program, cost, FoundCost(None, month, amount, note)))


def _cost(program: Program, cost: ProgramCost | None, found: FoundCost) -> ProgramCost:
    if cost is None:
        cost = ProgramCost(program=program, marketo_cost_id=found.id)
    cost.month, cost.amount, cost.note = found.month, found.amount, found.note
    return cost


def _take_tag(program: Program, type_: str, text: str) -> None:
    tag = ProgramTag.objects.filter(program=program, type=type_).first()
    if text:
        tag = tag or ProgramTag(program=program, type=type_)
        tag.value = text
        _save(tag)
    elif tag is not None:
        tag.delete()


def _save(row: Any) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise CannotKeep(_words(row, error)) from error
    row.save()


def _words(row: Any, error: ValidationError) -> str:
    """The first problem as "field value: message", under the name that Marketo's field has."""
    column, messages = next(iter(error.message_dict.items()))
    if column == NON_FIELD_ERRORS:
        return messages[0]
    standard = attributes.STANDARD[row.KIND] if isinstance(row, SyncedRecord) else ()
    names = {item.field: item.name for item in standard}
    name = names.get(column, str(row._meta.get_field(column).verbose_name).capitalize())
    value = getattr(row, column)
    return f"{name} {parsing.shown(value)}: {messages[0]}" if value not in (None, "") else f"{name}: {messages[0]}"
