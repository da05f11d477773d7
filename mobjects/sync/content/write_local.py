"""Writing Marketo's values into local records, through the same rules as forms and imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Case, F, Value, When
from django.db.models.functions import Least
from django.utils.translation import gettext_noop as _

from mobjects.marketo import attributes, value_parsing
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import DataType, RemoteCost
from mobjects.models import CustomField, Program, ProgramCost, ProgramTag, RecordStatus, SyncedRecord, records_of_kind
from mobjects.models.program import CHANNEL_TAG, COST_PREFIX, TAG_PREFIX
from mobjects.sync.content import payload
from mobjects.sync.content.cost_matching import parse_cost
from mobjects.sync.content.from_marketo import OUR_NUMBER_PREFIX
from mobjects.sync.content.loading import load_records

NO_OPPORTUNITY = _("its opportunity is not here; pull opportunities first.")

_COLUMNS = {
    payload.COMPANY_ID: ("company_id", DataType.REFERENCE),
    payload.COMPANY_KEY: ("company_key", DataType.STRING),
    payload.PERSON_ID: ("person_id", DataType.REFERENCE),
    payload.PERSON_KEY: ("person_key", DataType.STRING),
}


class RemoteValueRefused(ValueError):
    """Marketo holds a value that our rules refuse; the message names the field and the value."""


def write_local_values(
    record: SyncedRecord, given: Mapping[str, str], keys: payload.KeyFields, *, new: Iterable[RemoteCost] = ()
) -> None:
    """Write values into a record and its costs and tags, and save it. To be called in a transaction.

    Args:
        record: an existing one, or one that is not saved yet.
        given: content name to canonical text; "" clears, or removes a cost or tag here.
        keys: names of the external key fields.
        new: costs to be added to a program.

    Raises:
        RemoteValueRefused: a value cannot be kept here. The record in memory is of no use then, and the transaction
        has to
            be rolled back.
    """
    if isinstance(record, Program):
        _write_program(record, given)
        for cost in new:
            _save(_cost(record, None, cost))
        return
    standard = {item.name: item for item in attributes.STANDARD[record.KIND]}
    for name, text in given.items():
        if name in standard:
            _set(record, standard[name].field_name, standard[name], text)
        elif name in _COLUMNS:
            column, type_ = _COLUMNS[name]
            _set(record, column, MarketoAttribute(name, name, type_), text)
        elif name == payload.OPPORTUNITY:
            _set_opportunity(record, text)
        elif name == keys.opportunity and hasattr(record, "external_id"):
            record.external_id = text or None
        else:
            _set_custom_attribute(record, name, text)
    _save(record)


def store_accepted_values(
    record: SyncedRecord, keys: payload.KeyFields, *, accepted: Mapping[str, str], clean: bool = False
) -> None:
    """Write down what Marketo holds of a record after it was changed here, and whether anything is left to send.

    Args:
        record: just saved; the caller's transaction holds its row.
        keys: names of the external key fields.
        accepted: what Marketo holds.
        clean: nothing is left to send, whatever differs.
    """
    now = load_records(record.KIND, [record.pk])[0]
    changes: dict[str, Any] = {"accepted": dict(accepted)}
    if clean or payload.record_content(now, keys) == dict(accepted):
        # What Marketo last answered stays; that it did not answer is known no longer.
        answered = Case(When(last_status=RecordStatus.UNKNOWN, then=Value("")), default=F("last_status"))
        changes |= {"synced_revision": F("revision"), "last_status": answered, "last_error": "", "unknown_since": None}
    else:
        changes["synced_revision"] = Least(F("synced_revision"), Value(max(now.revision - 1, 0)))
    records_of_kind(record.KIND).filter(pk=record.pk).update(**changes)


def _write_program(record: Program, given: Mapping[str, str]) -> None:
    record.channel = given.get(CHANNEL_TAG, record.channel)
    _save(record)
    for name, text in given.items():
        if name.startswith(COST_PREFIX):
            _write_cost(record, int(name.removeprefix(COST_PREFIX)), text)
        elif name != CHANNEL_TAG:
            _write_tag(record, name.removeprefix(TAG_PREFIX), text)


def _set(record: Any, column: str, attribute: MarketoAttribute, text: str) -> None:
    try:
        value = value_parsing.parse_value(text, attribute)
    except ValueError as error:
        raise RemoteValueRefused(f"{attribute.name}: {error}") from error
    field = record._meta.get_field(column)
    setattr(record, column, "" if value is None and not field.null else value)


def _set_opportunity(record: Any, text: str) -> None:
    if not text.startswith(OUR_NUMBER_PREFIX):
        raise RemoteValueRefused(f"{payload.OPPORTUNITY}: {NO_OPPORTUNITY}")
    record.opportunity_id = int(text.removeprefix(OUR_NUMBER_PREFIX))


def _set_custom_attribute(record: Any, name: str, text: str) -> None:
    kept = {key: value for key, value in record.custom_attributes.items() if key != name}
    if text:
        field = CustomField.objects.get(kind=record.KIND.value, name=name)
        try:
            kept[name] = value_parsing.canonical_text(text, field.attribute)
        except ValueError as error:
            raise RemoteValueRefused(f"{name}: {error}") from error
    record.custom_attributes = kept


def _write_cost(program: Program, pk: int, text: str) -> None:
    cost = ProgramCost.objects.filter(program=program, pk=pk).first()
    if not text:
        if cost is not None:
            cost.delete()
        return
    month, amount, note = parse_cost(text)
    _save(_cost(program, cost, RemoteCost(None, month, amount, note)))


def _cost(program: Program, cost: ProgramCost | None, found: RemoteCost) -> ProgramCost:
    if cost is None:
        cost = ProgramCost(program=program, marketo_cost_id=found.id)
    cost.month, cost.amount, cost.note = found.month, found.amount, found.note
    return cost


def _write_tag(program: Program, type_: str, text: str) -> None:
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
        raise RemoteValueRefused(_describe_error(row, error)) from error
    row.save()


def keep_refusal_standing(record: SyncedRecord, before: int) -> None:
    """A refusal speaks of what was sent; what came from Marketo since is no correction of it.

    Args:
        record: just saved with values of Marketo's.
        before: its revision until then.
    """
    standing = records_of_kind(record.KIND).filter(pk=record.pk, answered_revision=before)
    standing.update(answered_revision=F("revision"))


def _describe_error(row: Any, error: ValidationError) -> str:
    """The first problem as "field value: message", under the name that Marketo's field has."""
    column, messages = next(iter(error.message_dict.items()))
    if column == NON_FIELD_ERRORS:
        return messages[0]
    standard = attributes.STANDARD[row.KIND] if isinstance(row, SyncedRecord) else ()
    names = {item.field_name: item.name for item in standard}
    name = names.get(column, str(row._meta.get_field(column).verbose_name).capitalize())
    value = getattr(row, column)
    return (
        f"{name} {value_parsing.quote_value(value)}: {messages[0]}"
        if value not in (None, "")
        else f"{name}: {messages[0]}"
    )
