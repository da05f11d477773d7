"""One chunk of the undo of a deletion: its rows come back, each with its own id and as it was.

Rows of one model are inserted by statements of many rows. Where a row is refused, those of its statement are tried by
halves, so that the others come back. The caller's transaction holds the deletion's row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django.core import serializers
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, models, transaction
from django.db.models import Max
from django.db.models.sql import InsertQuery
from django.utils.translation import gettext_noop as _

from mobjects.db.bulk import bulk_update_rows
from mobjects.db.edit_context import edit
from mobjects.models import (
    BulkDeletion,
    Conflict,
    CustomField,
    DeletedRecord,
    EditSource,
    Kind,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    records_of_kind,
)
from mobjects.removals.chunks import OWNERS
from mobjects.sync.conflicts.ambiguous import RECORD_DELETED

TAKEN = _("Something else has its Marketo ID, its key or its place by now, or an equal cost was added.")

GONE_FIELDS = _("%(names)s: there is no such custom field any more.")
"""Noted at what came back without values."""

_Row = tuple[DeletedRecord, models.Model]
"""What was kept of a deleted row, and the row itself."""


def restore_chunk(deletion: BulkDeletion, kept: Sequence[DeletedRecord]) -> Counter[str]:
    """Bring rows of a deletion back; what cannot be is left, with a note.

    Args:
        deletion: that is undone.
        kept: rows of it in the order in which they were deleted, so that what others belong to stands before them.

    Returns:
        How many came back, and how many were left.
    """
    back: list[DeletedRecord] = []
    with edit(EditSource.RESTORED, username=deletion.undone_by, reference=deletion.pk), CustomField.read_once():
        for _name, group in groupby(kept, key=lambda row: row.model):
            back += _restore_rows(list(group))
    ids = {row.pk for row in back}
    left = [row.pk for row in kept if row.pk not in ids]
    DeletedRecord.objects.filter(pk__in=ids).update(restored=True)
    DeletedRecord.objects.bulk_update([row for row in back if row.note], ["note"], batch_size=500)
    DeletedRecord.objects.filter(pk__in=left).update(restored=False, note=TAKEN)
    _reopen_conflicts(back)
    return +Counter({"restored": len(back), "left": len(left)})


def _restore_rows(kept: Sequence[DeletedRecord]) -> list[DeletedRecord]:
    """Those of some rows of one model that came back."""
    objects = [found.object for found in serializers.deserialize("python", [row.values for row in kept])]
    for row, found in zip(kept, objects, strict=True):
        if isinstance(found, Opportunity | OpportunityPersonRole) and (names := _leave_out_undefined(found)):
            row.note = GONE_FIELDS % {"names": names}
    rows = _without_equal_cost(_with_owners(list(zip(kept, objects, strict=True))))
    if not rows:
        return []
    owner = OWNERS.get(type(rows[0][1]))
    before = _hold_programs({getattr(found, f"{owner}_id") for _row, found in rows}) if owner else {}
    back = [row for row, _found in _insert_rows(rows)]
    _put_back_revisions(kept[0].deletion_id, before)
    return back


def _leave_out_undefined(found: Opportunity | OpportunityPersonRole) -> str:
    """Leave out values of custom fields that were deleted since, which no form would save; the names of these fields.

    Nor does Marketo count as having accepted them: it may have no such field any more, and would refuse to clear it.
    """
    gone = found.custom_attributes.keys() - CustomField.by_name(found.KIND).keys()
    if gone:
        for column in ("custom_attributes", "accepted"):
            values = getattr(found, column)
            setattr(found, column, {name: text for name, text in values.items() if name not in gone})
    return ", ".join(sorted(gone))


def _insert_rows(rows: Sequence[_Row]) -> Iterator[_Row]:
    """Insert rows; those that the database takes."""
    try:
        with transaction.atomic():
            _insert([found for _row, found in rows])
    except IntegrityError:
        half = len(rows) // 2
        if half:
            yield from _insert_rows(rows[:half])
            yield from _insert_rows(rows[half:])
    else:
        yield from rows


def _insert(objects: Sequence[models.Model]) -> None:
    """As ``bulk_create`` does, but with the moments at which rows came into being and were changed as they were."""
    connection, model = connections[DEFAULT_DB_ALIAS], type(objects[0])
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    size = connection.ops.bulk_batch_size(fields, objects)
    for start in range(0, len(objects), size):
        query = InsertQuery(model)
        query.insert_values(fields, list(objects[start : start + size]), raw=True)
        query.get_compiler(connection=connection).execute_sql()


def _with_owners(rows: list[_Row]) -> list[_Row]:
    """Those of some rows of one model whose references lead to something; the database looks only at the end."""
    for field in rows[0][1]._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            related: Any = field.related_model
            wanted = {getattr(found, field.attname) for _row, found in rows} - {None}
            there = {None, *related._default_manager.filter(pk__in=wanted).values_list("pk", flat=True)}
            rows = [row for row in rows if getattr(row[1], field.attname) in there]
        if not rows:
            break
    return rows


def _without_equal_cost(rows: list[_Row]) -> list[_Row]:
    """Rows without costs to which an equal one was added since: costs without an ID have no key that would tell."""
    costs = [found for _row, found in rows if isinstance(found, ProgramCost) and found.marketo_cost_id is None]
    if not costs:
        return rows
    names = ("program_id", "month", "amount", "note")
    of_deletion = DeletedRecord.objects.filter(deletion=rows[0][0].deletion_id, model=rows[0][0].model)
    alike = ProgramCost.objects.filter(**{f"{name}__in": {getattr(cost, name) for cost in costs} for name in names})
    others = alike.exclude(pk__in=of_deletion.values("record_id")).order_by()
    newest = {tuple(values): pk for *values, pk in others.values_list(*names).annotate(Max("pk"))}
    added = {cost.pk for cost in costs if newest.get(tuple(getattr(cost, name) for name in names), 0) > cost.pk}
    return [row for row in rows if row[1].pk not in added]


def _hold_programs(ids: set[int]) -> dict[int, int]:
    """The revisions of programs, which stay as they are until the transaction ends."""
    held = Program.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return dict(held.values_list("pk", "revision"))


def _put_back_revisions(deletion: int, before: dict[int, int]) -> None:
    """Costs and tags that come back with their program are no change of it; their insert has raised it."""
    came_back = DeletedRecord.objects.filter(deletion=deletion, model="program", record_id__in=before)
    kept = {pk: values["fields"]["synced_revision"] for pk, values in came_back.values_list("record_id", "values")}
    # A sync that came between two chunks has sent the program without them: then they are a change of it.
    here = Program.objects.filter(pk__in=kept, claimed_by__isnull=True).values_list("pk", "synced_revision")
    same = [(before[pk], pk) for pk, synced in here if kept[pk] == synced]
    bulk_update_rows(Program, {"revision": "%s"}, same)


def _reopen_conflicts(back: Sequence[DeletedRecord]) -> None:
    """A person has to decide again what was closed only because the record was gone."""
    for kind in Kind:
        name = records_of_kind(kind).model._meta.model_name
        ids = [row.record_id for row in back if row.model == name]
        if ids:
            closed = Conflict.objects.filter(kind=kind.value, record_id__in=ids, answer_text=RECORD_DELETED)
            since = back[0].deletion.created_at
            closed.filter(decided_at__gte=since).update(decided_at=None, answer="", answer_text="")
