"""What people ask of a deletion of many records, and the worker's part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from mobjects import clock
from mobjects.audit.events import record_event
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.approvals.lifecycle import HELD_WORK, HeldWork
from mobjects.jobs.queue import BackgroundWork
from mobjects.models import Approval, ApprovedWork, BulkDeletion, BulkDeletionState, EventKind, SyncedRecord
from mobjects.removals.approval_gate import hold_if_ruled
from mobjects.removals.chunks import PARTS, REASONS, delete_chunk, model_of_deletion, under_way, versions_of
from mobjects.removals.lifecycle import DELETION_STATES
from mobjects.removals.undo import restore_chunk

CHUNK = 500
RUNNER = f"{__name__}.run_deletion"
State = BulkDeletionState
DELETION_WORK = BackgroundWork(
    RUNNER, "deletion", lambda: BulkDeletion.objects.filter(state__in=BulkDeletion.WORKING_STATES)
)


def ask_deletion(records: QuerySet[Any], filters: str, user: User) -> BulkDeletion:
    """Write down what is to be deleted, as it is now; nothing is deleted yet.

    Args:
        records: of one model.
        filters: in words, what the list was narrowed to.
    """
    model = records.model
    ids = list(records.order_by("pk").values_list("pk", flat=True))
    parts = (versions_of(model, ids[start : start + CHUNK * 10]) for start in range(0, len(ids), CHUNK * 10))
    pairs = [[pk, version] for part in parts for pk, version in part.items()]
    # What was refused or withdrawn is history.
    BulkDeletion.objects.filter(user=user, state=State.ASKED, approvals=None).delete()
    name = str(model._meta.model_name)
    return BulkDeletion.objects.create(
        model=name, filters=filters, records=pairs, user=user, username=user.get_username()
    )


def records_by_count(deletion: BulkDeletion, ids: Sequence[int]) -> dict[str, QuerySet[Any]]:
    """The records behind each figure of :func:`preview_deletion`, of those with some ids."""
    model = model_of_deletion(deletion)
    here = model.objects.filter(pk__in=ids)
    found = {"records": here, "busy": here.filter(under_way(model))}
    if issubclass(model, SyncedRecord):
        found |= {"in_marketo": here.filter(_has_id(model) | ~Q(accepted={})), "unsent": here.dirty()}
    return found


def _has_id(model: type[Any]) -> Q:
    """The condition that Marketo has told what it calls the record."""
    own = {field.name for field in model._meta.concrete_fields}
    known = Q(marketo_id__isnull=False)
    return known | Q(marketo_guid__isnull=False) if "marketo_guid" in own else known


def preview_deletion(deletion: BulkDeletion) -> dict[str, Any]:
    """What would be deleted now: how many, how many of them Marketo has, what is left, and what goes along."""
    model = model_of_deletion(deletion)
    ids = [pk for pk, _ in deletion.records]
    counts: Counter[str] = Counter(dict.fromkeys(records_by_count(deletion, []), 0))
    along: Counter[Any] = Counter()
    for start in range(0, len(ids), CHUNK * 10):
        found = records_by_count(deletion, ids[start : start + CHUNK * 10])
        here = found["records"]
        counts.update({name: records.count() for name, records in found.items()})
        for part, link in PARTS.get(model, ()):
            along[part] += part._default_manager.filter(**{f"{link}__in": here.values("pk")}).count()
    return {
        **counts,
        "going": counts["records"] - counts["busy"],
        "along": [count_words(part, count) for part, count in along.items() if count],
    }


def count_words(model: Any, count: int) -> str:
    """A number of records of a model, in words."""
    options = model._meta
    what = options.verbose_name if count == 1 else options.verbose_name_plural
    return gettext("%(count)s %(what)s") % {"count": f"{count:,}", "what": what}


def confirm_deletion(deletion: BulkDeletion, user: User | None = None) -> bool:
    """Let it be done, or wait for approval if a rule says so; ``False`` if it was confirmed already.

    Args:
        user: who confirms it; ``None`` is who asked for it.
    """
    held = hold_if_ruled(deletion, user)
    if held is not None:
        return held
    with transaction.atomic():
        confirmed = _begin(deletion, State.ASKED)
        if confirmed:
            record_event(EventKind.ASKED, on=deletion, detail={"what": "deletion"})
    return confirmed and _start(deletion, len(deletion.records))


def _begin(deletion: BulkDeletion, before: State) -> bool:
    return DELETION_STATES.change(deletion, State.DELETING, only_from=(before,), step_at=clock.now(), position=0)


def _release(approval: Approval) -> None:
    if approval.deletion is not None and _begin(approval.deletion, State.HELD):
        _start(approval.deletion, len(approval.deletion.records))


def _give_back(approval: Approval, _words: str) -> None:
    """Back to its preview, where it can be confirmed anew."""
    if approval.deletion is not None:
        DELETION_STATES.change(approval.deletion, State.ASKED, only_from=(State.HELD,))


HELD_WORK[ApprovedWork.REMOVE] = HeldWork(_release, _give_back)


def undo_deletion(deletion: BulkDeletion, user: User) -> bool:
    """Let it be taken back; ``False`` if that was asked for already, or nothing was deleted, or its values are gone."""
    kept = Q(values_removed_at__isnull=True)
    with transaction.atomic():
        asked = DELETION_STATES.change(
            deletion, State.UNDOING, where=kept, step_at=clock.now(), undone_by=user.get_username()
        )
        if asked:
            record_event(EventKind.ASKED, on=deletion, user=user, detail={"what": "deletion-undo"})
    return asked and _start(deletion, deletion.deleted.count())


def _start(deletion: BulkDeletion, size: int) -> bool:
    if size <= CHUNK:
        run_deletion(deletion.pk)
        deletion.refresh_from_db()
    else:
        DELETION_WORK.enqueue_after_commit(deletion.pk)
    return True


def run_deletion(pk: int) -> None:
    """Do all that is left of a deletion or its undo. Safe to call at any time, by any number of workers."""
    while _do_chunk(pk):
        pass


@retry_on_database_error
def _do_chunk(pk: int) -> bool:
    """Do the next chunk; ``False`` if there is none."""
    with transaction.atomic():
        deletion = BulkDeletion.objects.select_for_update().filter(pk=pk).first()
        if deletion is None or not deletion.is_working:
            return False
        now = clock.now()
        return (_delete_next if deletion.state == State.DELETING else _restore_next)(deletion, now)


def _delete_next(deletion: BulkDeletion, now: datetime) -> bool:
    chunk = deletion.records[deletion.position : deletion.position + CHUNK]
    if not chunk:
        DELETION_STATES.change(deletion, State.DELETED, ended_at=now)
        return False
    deleted, left = delete_chunk(deletion, chunk)
    counts = Counter(deletion.counts) + Counter({"deleted": deleted, **{REASONS[why]: len(left[why]) for why in left}})
    kept = deletion.left or {}
    BulkDeletion.objects.filter(pk=deletion.pk).update(
        position=deletion.position + len(chunk),
        counts=dict(counts),
        left={why: [*kept.get(why, ()), *ids] for why, ids in left.items()},
        step_at=now,
    )
    return True


def _restore_next(deletion: BulkDeletion, now: datetime) -> bool:
    rows = list(deletion.deleted.filter(restored=None).order_by("pk")[:CHUNK])
    if not rows:
        DELETION_STATES.change(deletion, State.UNDONE, undone_at=now)
        return False
    counts = Counter(deletion.undone) + restore_chunk(deletion, rows)
    BulkDeletion.objects.filter(pk=deletion.pk).update(undone=dict(counts), step_at=now)
    return True
