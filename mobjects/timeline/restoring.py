"""Bringing back what a record held: what it would change now, and doing it where nothing moved on meanwhile."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext as _

from mobjects.db.edit_context import edit
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo import attributes
from mobjects.marketo.types import Kind
from mobjects.marketo.value_text import to_text
from mobjects.models import (
    CustomField,
    EditSource,
    ImportChange,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    RecordEdit,
    SyncedRecord,
    SyncResult,
    records_of_kind,
)
from mobjects.models.program import COST_PREFIX
from mobjects.sync.content import payload
from mobjects.sync.content.cost_matching import parse_cost
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.write_local import RemoteValueRefused, write_local_values
from mobjects.sync.transport_factory import key_fields, key_names
from mobjects.timeline.entries import merge_changes
from mobjects.timeline.import_values import ValueChange, import_values, rows_of_changes, tag_types

MOST_VALUES = 1000
"""So many changes of one saving are looked at."""

_REFERENCE = {"Name": "name", "Type": "type", "Workspace": "workspace"}
"""What is kept of a program for reading."""
_GIVEN = (attributes.MARKETO_ID, attributes.MARKETO_GUID)
"""Marketo's to give; nothing brings them back."""
_COST_FIELD = re.compile(rf"({COST_PREFIX}\d+) (month|amount|note|{attributes.COST_ID_WORDS.strip()})")
_COST_ID = re.compile(rf" \({attributes.COST_ID_WORDS}(\d+)\)$")
_LINK = re.compile(rf".*\(({attributes.OUR_NUMBER_PREFIX}\d+)\)", re.DOTALL)


class RestoreRefused(ValueError):
    """Nothing was brought back; the message says why."""


@dataclass(frozen=True, slots=True)
class RestoredValue:
    """A value that would be brought back: its name, what it is now, what it would be; "" is empty, or not there."""

    name: str
    now: str
    restored: str


def current_texts(record: SyncedRecord) -> dict[str, str]:
    """All that is kept of a record's changes, as name to text, the way the triggers write it; empty ones left out.

    Args:
        record: as :func:`~mobjects.sync.content.loading.load_records` loads it.
    """
    values = payload.record_content(record, payload.KeyFields())
    if isinstance(record, Program):
        values |= {name: getattr(record, field) for name, field in _REFERENCE.items()}
        values |= {
            cost.content_key: f"{cost.content_text} ({attributes.COST_ID_WORDS}{cost.marketo_cost_id})"
            for cost in record.costs.all()
            if cost.marketo_cost_id
        }
    elif isinstance(record, Opportunity):
        values[attributes.EXTERNAL_ID] = record.external_id or ""
    elif isinstance(record, OpportunityPersonRole):
        values[payload.OPPORTUNITY] = f"{record.opportunity} ({values[payload.OPPORTUNITY]})"
    values[attributes.MARKETO_ID] = to_text(record.marketo_id)
    values[attributes.MARKETO_GUID] = getattr(record, "marketo_guid", None) or ""
    return {name: text for name, text in values.items() if text}


def find_restored(kind: Kind, record_id: int, called: str) -> list[ValueChange] | None:
    """The values that an entry of the history can bring back; ``None`` if the record has no such entry.

    Args:
        called: ``edit-7``, ``import-7`` or ``result-7``, as :class:`~mobjects.timeline.entries.TimelineEntry` has it.

    Returns:
        Names with what they would be and what the entry made of them. What was sent is brought back as it was sent.
    """
    sort, _, number = called.partition("-")
    if not is_number(number):
        return None
    found = {"edit": _of_edit, "import": _of_import, "result": _of_result}.get(sort)
    return found(kind, record_id, int(number)) if found else None


def find_removal(kind: Kind, record_id: int, called: str) -> tuple[datetime | None, datetime | None]:
    """When the values went that an entry of the history could have brought back, and when the entry was made.

    Args:
        called: as :func:`find_restored` takes it.

    Returns:
        Nothing of both if it has them, or there is no such entry.
    """
    sort, _, number = called.partition("-")
    if sort == "result" and find_restored(kind, record_id, called) is None and is_number(number):
        results = SyncResult.objects.filter(kind=kind.value, record_id=record_id, pk=int(number))
        found = results.values_list("job__values_removed_at", "job__finished_at").first()
    elif sort == "import" and is_number(number):
        changes = ImportChange.objects.filter(owner_kind=kind.value, owner_id=record_id, pk=int(number))
        found = changes.values_list("imported__rows_removed_at", "imported__committed_at").first()
    else:
        found = None
    return found or (None, None)


def is_number(text: str) -> bool:
    """Whether a part of an address can be an id."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _of_edit(kind: Kind, record_id: int, pk: int) -> list[ValueChange] | None:
    of_record = RecordEdit.objects.filter(kind=kind.value, record_id=record_id)
    chosen = of_record.filter(pk=pk).first()
    if chosen is None:
        return None
    rows = [chosen]
    if chosen.saving is not None:
        rows = list(of_record.filter(saving=chosen.saving, pk__lte=pk).order_by("-pk")[:MOST_VALUES])
    return merge_changes([tuple(change) for row in reversed(rows) for change in row.changes])


def _of_import(kind: Kind, record_id: int, pk: int) -> list[ValueChange] | None:
    of_record = ImportChange.objects.filter(owner_kind=kind.value, owner_id=record_id).select_related("imported")
    chosen = of_record.filter(pk=pk).first()
    if chosen is None:
        return None
    changes = list(of_record.filter(imported=chosen.imported_id, pk__lte=pk).order_by("-pk")[:MOST_VALUES])
    rows, types = rows_of_changes(changes), tag_types(changes)
    found = ((change, rows.get((change.imported_id, change.number))) for change in reversed(changes))
    return merge_changes(
        [each for change, row in found if row is not None for each in import_values(change, row, types)]
    )


def _of_result(kind: Kind, record_id: int, pk: int) -> list[ValueChange] | None:
    chosen = SyncResult.objects.filter(kind=kind.value, record_id=record_id, pk=pk).select_related("job").first()
    if chosen is None or not chosen.sent:
        return None
    called = key_names(chosen.job.transport) if kind is Kind.OPPORTUNITY else ()
    key = next((name for name in called if name in chosen.sent), "")
    return [(attributes.EXTERNAL_ID if name == key else name, text, "") for name, text in chosen.sent.items()]


def preview_restore(record: SyncedRecord, changes: Iterable[ValueChange]) -> list[RestoredValue]:
    """What bringing values back would change of a record now; values that are so already are left out.

    Args:
        record: as :func:`~mobjects.sync.content.loading.load_records` loads it.
        changes: from :func:`find_restored`.
    """
    now = current_texts(record)
    wanted: dict[str, str] = {}
    for name, text, _became in changes:
        if part := _COST_FIELD.fullmatch(name):
            cost = part.group(1)
            wanted[cost] = _with_field(wanted.get(cost, now.get(cost, "")), part.group(2), text)
        elif name not in _GIVEN:
            wanted[name] = text
    lines = [RestoredValue(name, now.get(name, ""), text) for name, text in wanted.items()]
    return [line for line in lines if _compared(line.now) != _compared(line.restored)]


def _compared(text: str) -> str:
    """A link to an opportunity without its name, which may have changed."""
    link = _LINK.fullmatch(text)
    return link.group(1) if link else text


def _with_field(cost: str, field: str, text: str) -> str:
    """A cost's text with another value of one field; "" if the cost is gone."""
    if not cost:
        return ""
    number = _COST_ID.search(cost)
    month, amount, note = parse_cost(_COST_ID.sub("", cost))
    parts = {"month": f"{month:%Y-%m}", "amount": f"{amount:.2f}", "note": note, field: text}
    id_ = parts.get(attributes.COST_ID_WORDS.strip(), number.group(1) if number else "")
    line = f"{parts['month']} {parts['amount']} {parts['note']}".rstrip()
    return f"{line} ({attributes.COST_ID_WORDS}{id_})" if id_ else line


@retry_on_database_error
def restore_values(
    kind: Kind, record_id: int, called: str, *, seen: Sequence[RestoredValue], names: Collection[str], user: Any
) -> list[str]:
    """Bring values back. The record is changed then, if it holds anything that Marketo has not accepted.

    Args:
        called: the entry, as :func:`find_restored` takes it.
        seen: what the person was shown.
        names: of the values to bring back.
        user: who asked for it.

    Returns:
        The names of what was brought back.

    Raises:
        RestoreRefused: the record is gone, something of what was shown has changed since, or a value cannot be kept.
            Nothing was written.
    """
    try:
        with edit(EditSource.VALUES, user):
            return _restore(kind, record_id, called, seen, names)
    except RemoteValueRefused as error:
        raise RestoreRefused(str(error)) from error
    except ValidationError as error:
        raise RestoreRefused(" ".join(error.messages)) from error
    except IntegrityError as error:
        raise RestoreRefused(_("The database refuses it: a value is taken by another record by now.")) from error


def _restore(
    kind: Kind, record_id: int, called: str, seen: Sequence[RestoredValue], names: Collection[str]
) -> list[str]:
    held = records_of_kind(kind).select_for_update(of=("self",)).filter(pk=record_id)
    if not list(held.values_list("pk")):
        raise RestoreRefused(_("The record is no longer here."))
    (record,) = load_records(kind, [record_id])
    lines = preview_restore(record, find_restored(kind, record_id, called) or ())
    if lines != list(seen):
        raise RestoreRefused(_("The record was changed since this page was shown. Nothing was written; look again."))
    chosen = {line.name: line.restored for line in lines if line.name in names}
    if chosen:
        _write(record, chosen)
    return list(chosen)


def _write(record: Any, values: dict[str, str]) -> None:
    keys = key_fields()
    if isinstance(record, Program):
        for name, field in _REFERENCE.items():
            setattr(record, field, values.pop(name, getattr(record, field)))
        for name in [name for name in values if name.startswith(COST_PREFIX)]:
            _write_cost(record, int(name.removeprefix(COST_PREFIX)), values.pop(name))
    elif isinstance(record, Opportunity) and attributes.EXTERNAL_ID in values:
        record.external_id = values.pop(attributes.EXTERNAL_ID) or None
    if payload.OPPORTUNITY in values and isinstance(record, OpportunityPersonRole):
        values[payload.OPPORTUNITY] = _compared(values[payload.OPPORTUNITY])
    if not isinstance(record, Program):
        _check_custom_fields(record, values)
    write_local_values(record, values, keys)


def _check_custom_fields(record: SyncedRecord, values: dict[str, str]) -> None:
    """Refuse a custom attribute that is no longer defined."""
    links = (payload.COMPANY_ID, payload.COMPANY_KEY, payload.PERSON_ID, payload.PERSON_KEY, payload.OPPORTUNITY)
    known = {*links, *(item.name for item in attributes.STANDARD[record.KIND])}
    custom = {name for name, text in values.items() if name not in known and text}
    defined = CustomField.objects.filter(kind=record.KIND.value, name__in=custom).values_list("name", flat=True)
    if missing := sorted(custom.difference(defined)):
        raise RestoreRefused(_("%(names)s: there is no such custom field any more.") % {"names": ", ".join(missing)})


def _write_cost(program: Program, pk: int, text: str) -> None:
    """A cost under its own number, which it gets back: under it Marketo has accepted it."""
    cost = ProgramCost.objects.filter(pk=pk).first()
    if cost is not None and cost.program_id != program.pk:
        raise RestoreRefused(_("A period cost belongs to another program by now."))
    if not text:
        if cost is not None:
            cost.delete()
        return
    adding = cost is None
    cost = cost or ProgramCost(pk=pk, program=program)
    number = _COST_ID.search(text)
    cost.marketo_cost_id = int(number.group(1)) if number else None
    cost.month, cost.amount, cost.note = parse_cost(_COST_ID.sub("", text))
    cost.full_clean()
    cost.save(force_insert=adding)
