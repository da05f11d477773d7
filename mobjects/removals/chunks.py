"""One chunk of a deletion. The caller's transaction holds the deletion's row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from mobjects.db.edit_context import edit
from mobjects.models import (
    BulkDeletion,
    DeletedRecord,
    EditSource,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    RecordStatus,
    SyncedRecord,
)

PARTS: dict[type[models.Model], tuple[tuple[type[models.Model], str], ...]] = {
    Program: ((ProgramCost, "program"), (ProgramTag, "program")),
    Opportunity: ((OpportunityPersonRole, "opportunity"),),
}
"""What is deleted with a record, and by which field it belongs to it."""
OWNERS: dict[type[models.Model], str] = {ProgramCost: "program", ProgramTag: "program"}
UNDER_WAY = _("they are in a batch, or the outcome of their last sending is unknown")
CHANGED = _("they were changed, or deleted, since they were shown")
REASONS = {"under_way": UNDER_WAY, "changed": CHANGED}
"""Why records are left alone."""


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


def delete_chunk(deletion: BulkDeletion, chunk: Sequence[tuple[int, str]]) -> tuple[int, dict[str, list[int]]]:
    """Delete records that are still as they were shown.

    Args:
        chunk: our own id of each, and what stood for it when it was shown.

    Returns:
        How many were deleted, and which were left, by the reason: a key of :data:`REASONS`.
    """
    model = model_of_deletion(deletion)
    shown = dict(chunk)
    _lock_owners(model, list(shown))
    locked = {
        row.pk: row for row in _with_owner(model).select_for_update(of=("self",)).filter(pk__in=shown).order_by("pk")
    }
    _lock_parts(model, list(locked))
    now = versions_of(model, list(locked))
    same = {pk: row for pk, row in locked.items() if shown[pk] == now.get(pk)}
    busy = set(model.objects.filter(under_way(model), pk__in=same).values_list("pk", flat=True))
    going = [row for pk, row in same.items() if pk not in busy]
    kept = [_kept(deletion, row) for row in going]
    ids = [row.pk for row in going]
    for part, link in PARTS.get(model, ()):
        kept += [_kept(deletion, row) for row in _with_owner(part).filter(**{f"{link}__in": ids}).order_by("pk")]
    DeletedRecord.objects.bulk_create(kept, batch_size=500)
    _note(deletion, going)
    with edit(EditSource.DELETED, username=deletion.username, reference=deletion.pk):
        model.objects.filter(pk__in=ids).delete()
    return len(going), {"under_way": sorted(busy), "changed": sorted(shown.keys() - same.keys())}


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


def _with_owner(model: type[models.Model]) -> models.QuerySet[Any]:
    """Rows with what they belong to, which may stand in what a row is called."""
    links = [link for parts in PARTS.values() for part, link in parts if part is model]
    rows = model._default_manager.all()
    return rows.select_related(*links) if links else rows


def _kept(deletion: BulkDeletion, row: models.Model) -> DeletedRecord:
    [values] = serializers.serialize("python", [row])
    # Not by Django's own JSON, which cuts times to milliseconds.
    values["fields"] = {field: _to_plain(value) for field, value in values["fields"].items()}
    name = str(row._meta.model_name)
    with override("en"):  # As all that is kept.
        label = str(row)[:255]
    return DeletedRecord(deletion=deletion, model=name, record_id=row.pk, label=label, values=values)


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
