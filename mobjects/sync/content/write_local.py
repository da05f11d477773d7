"""Writing Marketo's values into local records, through the same rules as forms and imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, models
from django.db.models import Case, F, Value, When
from django.db.models.functions import Least
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.bulk import bulk_update_rows
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


@dataclass(slots=True)
class RecordDraft:
    """A record with values given to it, and its costs and tags that come, change or go; nothing of it is saved yet.

    Args:
        record: an existing one, or one that is not saved yet.
        own: whether its own columns are to be saved.
        saved: costs and tags that are new, or copies of existing ones that change.
        removed: costs and tags that go.
    """

    record: Any
    own: bool = True
    saved: list[ProgramCost | ProgramTag] = field(default_factory=list)
    removed: list[ProgramCost | ProgramTag] = field(default_factory=list)


def write_local_values(record: SyncedRecord, given: Mapping[str, str], keys: payload.KeyFields) -> None:
    """Write values into a record and its costs and tags, and save it. To be called in a transaction.

    Args:
        record: an existing one.
        given: content name to canonical text; "" clears, or removes a cost or tag here.
        keys: names of the external key fields.

    Raises:
        RemoteValueRefused: a value cannot be kept here. The record in memory is of no use then, and the transaction
        has to
            be rolled back.
    """
    save_draft(draft_values(record, given, keys))


def draft_values(
    record: SyncedRecord,
    given: Mapping[str, str],
    keys: payload.KeyFields,
    *,
    new: Iterable[RemoteCost] = (),
    ids: Mapping[int, int] | None = None,
) -> RecordDraft:
    """Write values into a record in memory.

    Args:
        record: an existing one, or one that is not saved yet.
        given: content name to canonical text; "" clears, or removes a cost or tag here.
        keys: names of the external key fields.
        new: costs to be added to a program.
        ids: Marketo cost ids that costs of a program are now known to have, by our own id of the cost.

    Raises:
        RemoteValueRefused: a value is none of its type. The record in memory is of no use then.
    """
    if isinstance(record, Program):
        return _draft_program(record, given, new, ids or {})
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
    return RecordDraft(record)


def check_draft(draft: RecordDraft) -> None:
    """Judge by itself what is to be saved. What it would stand beside, the database judges in :func:`save_drafts`.

    Raises:
        RemoteValueRefused: a value cannot be kept here.
    """
    for row in ([draft.record] if draft.own else []) + draft.saved:
        links = {each.name for each in row._meta.concrete_fields if each.is_relation}
        _clean(row, exclude=links, validate_unique=False, validate_constraints=False)


def save_draft(draft: RecordDraft) -> None:
    """Save one draft row by row. To be called in a transaction.

    Raises:
        RemoteValueRefused: a value cannot be kept here; the transaction has to be rolled back.
    """
    if draft.own:
        _save(draft.record)
    for gone in draft.removed:
        gone.delete()
    for row in draft.saved:
        row.program = draft.record  # It may have got its id only now.
        _save(row)


def save_drafts(drafts: Sequence[RecordDraft]) -> None:
    """Save drafts of one kind, with a statement for each kind of row. To be called in a transaction.

    Args:
        drafts: each of them passed :func:`check_draft`.

    Raises:
        IntegrityError: the database refuses one of them; the transaction has to be rolled back.
    """
    _save_records([draft.record for draft in drafts if draft.own])
    gone: dict[type[models.Model], list[int]] = defaultdict(list)
    rows: dict[type[models.Model], list[Any]] = defaultdict(list)
    for draft in drafts:
        for each in draft.removed:
            gone[type(each)].append(each.pk)
        for each in draft.saved:
            rows[type(each)].append(each)
    for model, ids in gone.items():
        model._default_manager.filter(pk__in=ids).delete()
    for model, found in rows.items():
        _update_rows(model, _CHILD_COLUMNS[model], [row for row in found if row.pk is not None])
        model._default_manager.bulk_create([row for row in found if row.pk is None])


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
    if clean or payload.record_content(now, keys) == {name: text for name, text in accepted.items() if text}:
        # What Marketo last answered stays; that it did not answer is known no longer.
        answered = Case(When(last_status=RecordStatus.UNKNOWN, then=Value("")), default=F("last_status"))
        changes |= {"synced_revision": F("revision"), "last_status": answered, "last_error": "", "unknown_since": None}
    else:
        changes["synced_revision"] = Least(F("synced_revision"), Value(max(now.revision - 1, 0)))
    records_of_kind(record.KIND).filter(pk=record.pk).update(**changes)


def _draft_program(
    record: Program, given: Mapping[str, str], new: Iterable[RemoteCost], ids: Mapping[int, int]
) -> RecordDraft:
    draft = RecordDraft(record)
    record.channel = given.get(CHANNEL_TAG, record.channel)
    # Copies: what is refused must leave nothing behind in a record that was loaded with them.
    costs = {cost.pk: copy(cost) for cost in record.costs.all()} if record.pk else {}
    tags = {tag.type: copy(tag) for tag in record.tags.all()} if record.pk else {}
    saved: dict[int, ProgramCost] = {}
    for pk, cost_id in ids.items():
        saved[pk] = costs[pk]
        costs[pk].marketo_cost_id = cost_id
    for name, text in given.items():
        if name.startswith(COST_PREFIX):
            known = costs.get(int(name.removeprefix(COST_PREFIX)))
            if text:
                changed = _cost(record, known, RemoteCost(None, *parse_cost(text)))
                saved[changed.pk or -len(saved) - 1] = changed
            elif known is not None:
                draft.removed.append(known)
        elif name != CHANNEL_TAG:
            _draft_tag(draft, tags.get(name.removeprefix(TAG_PREFIX)), name.removeprefix(TAG_PREFIX), text)
    draft.saved += [*saved.values(), *(_cost(record, None, cost) for cost in new)]
    return draft


def _draft_tag(draft: RecordDraft, tag: ProgramTag | None, type_: str, text: str) -> None:
    if text:
        tag = tag or ProgramTag(program=draft.record, type=type_)
        tag.value = text
        draft.saved.append(tag)
    elif tag is not None:
        draft.removed.append(tag)


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
        defined = CustomField.by_name(record.KIND).get(name)
        if defined is None:
            raise RemoteValueRefused(_("%(names)s: there is no such custom field any more.") % {"names": name})
        try:
            kept[name] = value_parsing.canonical_text(text, defined.attribute)
        except ValueError as error:
            raise RemoteValueRefused(f"{name}: {error}") from error
    record.custom_attributes = kept


def _cost(program: Program, cost: ProgramCost | None, found: RemoteCost) -> ProgramCost:
    if cost is None:
        cost = ProgramCost(program=program, marketo_cost_id=found.id)
    cost.month, cost.amount, cost.note = found.month, found.amount, found.note
    return cost


def _save(row: Any) -> None:
    _clean(row)
    row.save()


def _clean(row: Any, **how: Any) -> None:
    try:
        row.full_clean(**how)
    except ValidationError as error:
        raise RemoteValueRefused(_describe_error(row, error)) from error


_CHILD_COLUMNS: Mapping[type[models.Model], Sequence[str]] = {
    ProgramCost: ("month", "amount", "note", "marketo_cost_id"),
    ProgramTag: ("value",),
}


def _save_records(records: Sequence[Any]) -> None:
    known = [record for record in records if record.pk is not None]
    new = [record for record in records if record.pk is None]
    moment = clock.now()
    for record in new:
        record.created_at = moment
    if new:
        type(new[0])._default_manager.bulk_create(new)
    if known:
        _update_rows(type(known[0]), known[0].edited_fields(), known, modified_at=moment)


def _update_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Any], **same: Any) -> None:
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    values = [[*(_plain(getattr(row, field.attname)) for field in fields), row.pk] for row in rows]
    bulk_update_rows(model, dict.fromkeys(columns, "%s"), values, same=same)


def _plain(value: Any) -> Any:
    """A value as JSON can hold it and the database takes it."""
    if isinstance(value, datetime):
        value = connection.ops.adapt_datetimefield_value(value)
    return value if value is None or isinstance(value, (str, int, dict)) else str(value)


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
