"""One chunk of a deletion, or of its undo. The caller's transaction holds the deletion's row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_noop as _

from mobjects.db.edit_context import edit
from mobjects.models import (
    BulkDeletion,
    Conflict,
    DeletedRecord,
    EditSource,
    Kind,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    RecordStatus,
    SyncedRecord,
    records_of_kind,
)
from mobjects.sync.conflicts.ambiguous import RECORD_DELETED

PARTS: dict[type[models.Model], tuple[tuple[type[models.Model], str], ...]] = {
    Program: ((ProgramCost, "program"), (ProgramTag, "program")),
    Opportunity: ((OpportunityPersonRole, "opportunity"),),
}
"""What is deleted with a record, and by which field it belongs to it."""
OWNERS: dict[type[models.Model], str] = {ProgramCost: "program", ProgramTag: "program"}
UNDER_WAY = _("they are in a batch, or the outcome of their last sending is unknown")
CHANGED = _("they were changed, or deleted, since they were shown")
TAKEN = _("Something else has its Marketo ID, its key or its place by now, or an equal cost was added.")


def model_of_deletion(deletion: BulkDeletion) -> Any:
    """The model of the records."""
    return apps.get_model("mobjects", deletion.model)


def under_way(model: type[models.Model]) -> Q:
    """Records of which Marketo may get something at this moment: they, or what is deleted with them."""
    owner = f"{OWNERS[model]}__" if model in OWNERS else ""
    own = Q(**{f"{owner}claimed_by__isnull": False}) | Q(**{f"{owner}last_status": RecordStatus.UNKNOWN})
    for part, link in PARTS.get(model, ()):
        if issubclass(part, SyncedRecord):
            own |= Q(Exists(part._default_manager.filter(under_way(part), **{link: OuterRef("pk")})))
    return own


def versions_of(model: Any, ids: Sequence[int]) -> dict[int, str]:
    """What stands for each record as it is now, with the roles that would go along; a record that is gone is left out.

    A program's costs and tags raise its own revision.
    """
    if not issubclass(model, SyncedRecord):
        rows = model.objects.filter(pk__in=ids).values_list("pk", *model.content_fields)
        return {pk: sha256(json.dumps(values, default=str).encode()).hexdigest()[:16] for pk, *values in rows}
    found = {pk: str(revision) for pk, revision in model.objects.filter(pk__in=ids).values_list("pk", "revision")}
    for part, link in PARTS.get(model, ()):
        if issubclass(part, SyncedRecord):
            along = part._default_manager.filter(**{f"{link}__in": ids}).order_by("pk")
            for owner, pk, revision in along.values_list(link, "pk", "revision"):
                found[owner] = f"{found.get(owner, '')} {pk}:{revision}"
    return found


def delete_chunk(deletion: BulkDeletion, chunk: Sequence[tuple[int, str]]) -> Counter[str]:
    """Delete records that are still as they were shown.

    Args:
        chunk: our own id of each, and what stood for it when it was shown.

    Returns:
        How many were deleted, and how many were left, by the reason.
    """
    model = model_of_deletion(deletion)
    shown = dict(chunk)
    _lock_owners(model, list(shown))
    locked = {row.pk: row for row in model.objects.select_for_update(of=("self",)).filter(pk__in=shown).order_by("pk")}
    _lock_parts(model, list(locked))
    now = versions_of(model, list(locked))
    same = {pk: row for pk, row in locked.items() if shown[pk] == now.get(pk)}
    busy = set(model.objects.filter(under_way(model), pk__in=same).values_list("pk", flat=True))
    going = [row for pk, row in same.items() if pk not in busy]
    kept = [_kept(deletion, row) for row in going]
    ids = [row.pk for row in going]
    for part, link in PARTS.get(model, ()):
        kept += [_kept(deletion, row) for row in part._default_manager.filter(**{f"{link}__in": ids}).order_by("pk")]
    DeletedRecord.objects.bulk_create(kept, batch_size=500)
    _note(deletion, going)
    with edit(EditSource.DELETED, username=deletion.username, reference=deletion.pk):
        model.objects.filter(pk__in=ids).delete()
    counts = Counter({"deleted": len(going), UNDER_WAY: len(busy), CHANGED: len(shown) - len(same)})
    return +counts


def restore_chunk(deletion: BulkDeletion, rows: Sequence[DeletedRecord]) -> Counter[str]:
    """Bring rows of a deletion back, each with its own id and as it was; what cannot be is left, with a note."""
    with edit(EditSource.RESTORED, username=deletion.undone_by, reference=deletion.pk):
        return _restore_rows(rows)


def _restore_rows(rows: Sequence[DeletedRecord]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        try:
            with transaction.atomic():
                [found] = serializers.deserialize("python", [row.values])
                if type(found.object)._default_manager.filter(pk=row.record_id).exists():
                    raise IntegrityError
                if _has_equal_cost(row, found.object):
                    raise IntegrityError
                found.save(force_insert=True)
                _check_owner(found.object)
            row.restored = True
        except IntegrityError:
            row.restored, row.note = False, TAKEN
        counts["restored" if row.restored else "left"] += 1
    DeletedRecord.objects.bulk_update(rows, ["restored", "note"], batch_size=500)
    _put_back_revisions(rows)
    _reopen_conflicts(rows)
    return counts


def _check_owner(record: models.Model) -> None:
    """Look at once whether what a row belongs to is there; the database does so only at the end."""
    for field in record._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            related: Any = field.related_model
            wanted = getattr(record, field.attname)
            if wanted is not None and not related._default_manager.filter(pk=wanted).exists():
                raise IntegrityError


def _has_equal_cost(row: DeletedRecord, cost: models.Model) -> bool:
    """Whether an equal cost was added since: costs without an ID have no key that would tell."""
    if not isinstance(cost, ProgramCost) or cost.marketo_cost_id is not None:
        return False
    same = {"program": cost.program_id, "month": cost.month, "amount": cost.amount, "note": cost.note}
    of_deletion = DeletedRecord.objects.filter(deletion=row.deletion_id, model=row.model).values("record_id")
    return ProgramCost.objects.filter(**same, pk__gt=row.record_id).exclude(pk__in=of_deletion).exists()


def _reopen_conflicts(rows: Sequence[DeletedRecord]) -> None:
    """A person has to decide again what was closed only because the record was gone."""
    restored = [row for row in rows if row.restored]
    for kind in Kind:
        name = records_of_kind(kind).model._meta.model_name
        ids = [row.record_id for row in restored if row.model == name]
        if ids:
            closed = Conflict.objects.filter(kind=kind.value, record_id__in=ids, answer_text=RECORD_DELETED)
            since = restored[0].deletion.created_at
            closed.filter(decided_at__gte=since).update(decided_at=None, answer="", answer_text="")


def _put_back_revisions(rows: Iterable[DeletedRecord]) -> None:
    """Costs and tags that come back with their program are no change of it: each insert has raised it by one."""
    raised = Counter(
        row.values["fields"]["program"] for row in rows if row.restored and "program" in row.values["fields"]
    )
    came_back = DeletedRecord.objects.filter(
        deletion__in={row.deletion_id for row in rows}, model="program", record_id__in=raised, restored=True
    )
    for pk, values in came_back.values_list("record_id", "values"):
        # A sync that came between two chunks has sent the program without them: then they are a change of it.
        as_it_was = Program.objects.filter(
            pk=pk, synced_revision=values["fields"]["synced_revision"], claimed_by__isnull=True
        )
        as_it_was.update(revision=F("revision") - raised[pk])


def _lock_owners(model: Any, ids: list[int]) -> None:
    """Hold the programs of costs and tags first, as everybody does who changes these."""
    if model in OWNERS:
        owners = model.objects.filter(pk__in=ids).values(OWNERS[model])
        list(Program.objects.select_for_update().filter(pk__in=owners).order_by("pk").values_list("pk", flat=True))


def _lock_parts(model: type[models.Model], ids: list[int]) -> None:
    """Hold the roles that would go along: none of them is claimed for a batch meanwhile."""
    for part, link in PARTS.get(model, ()):
        held = part._default_manager.select_for_update(of=("self",)).filter(**{f"{link}__in": ids})
        list(held.order_by("pk").values_list("pk", flat=True))


def _kept(deletion: BulkDeletion, row: models.Model) -> DeletedRecord:
    [values] = serializers.serialize("python", [row])
    # Not by Django's own JSON, which cuts times to milliseconds.
    values["fields"] = {field: _to_plain(value) for field, value in values["fields"].items()}
    name = str(row._meta.model_name)
    return DeletedRecord(deletion=deletion, model=name, record_id=row.pk, label=str(row)[:255], values=values)


def _to_plain(value: Any) -> Any:
    """A value as JSON holds it and the field reads it back."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _note(deletion: BulkDeletion, going: Sequence[models.Model]) -> None:
    """Write each record into the admin's log, as the page of one record does."""
    if deletion.user_id is not None and going:
        about = ContentType.objects.get_for_model(going[0])
        LogEntry.objects.bulk_create(
            LogEntry(
                user_id=deletion.user_id,
                content_type=about,
                object_id=str(row.pk),
                object_repr=str(row)[:200],
                action_flag=DELETION,
                change_message=_("Deletion %(pk)s") % {"pk": deletion.pk},
            )
            for row in going
        )
