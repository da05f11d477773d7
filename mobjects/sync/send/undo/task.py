"""Taking a sending back: first the old values are put back here, chunk by chunk, then those records are sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils.translation import gettext_noop

from mobjects.db.edit_context import edit
from mobjects.db.retry import retry_on_database_error
from mobjects.formatting import to_sentence
from mobjects.marketo.types import Kind
from mobjects.models import (
    EditSource,
    SyncedRecord,
    SyncJob,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.write_local import RemoteValueRefused, write_local_values
from mobjects.sync.job_results import build_result, save_results
from mobjects.sync.send.task import SendTask
from mobjects.sync.send.undo.verdicts import NOTHING_LEFT, find_old_values, judged_results, undo_groups
from mobjects.sync.transport_factory import key_names

CHUNK = 100
"""Records in one transaction."""


class UndoTask(SendTask):
    """Undoes the job's ``origin``. What was changed since is left alone, with a result that says so.

    The job's selection names the records that it has put back (their results "Old values put back here"), so that it
    sends these and no others.
    """

    single_worker = True

    def wanted_workers(self) -> int:
        """One: what is put back has an order."""
        job = self._context.job
        if not job.planned and job.origin is not None:
            job.planned = sum(group.count for group in undo_groups(job.origin))
            job.save(update_fields=["planned"])
        return 1

    def step(self) -> bool:
        """Put back the next chunk; once all is put back, what :class:`SendTask` does."""
        return self._restore_next() or super().step()

    @retry_on_database_error
    def _restore_next(self) -> bool:
        job = self._context.job
        with transaction.atomic():
            # Two workers at once, one of them with an expired lease, take turns.
            kept = SyncJob.objects.select_for_update().values_list("progress", flat=True).get(pk=job.pk)
            if job.origin is None or kept.get("restored"):
                return False
            after = kept.get("after", 0)
            found = self._next_results(job.origin, after)
            done: dict[str, object] = {"restored": True} if not found else {"after": found[-1].pk}
            for kind in Kind:
                if of_kind := [result for result in found if result.kind == kind.value]:
                    save_results(job, self._restore(kind, of_kind))
            job.progress = {**kept, **done}
            SyncJob.objects.filter(pk=job.pk).update(progress=job.progress)
        return True

    def _next_results(self, undone: SyncJob, after: int) -> list[SyncResult]:
        """Of all kinds, in the order in which they were sent."""
        found = [
            result
            for kind in Kind
            for result in judged_results(undone, kind).filter(pk__gt=after).values_list("pk")[:CHUNK]
        ]
        pks = sorted(pk for (pk,) in found)[:CHUNK]
        return list(SyncResult.objects.filter(pk__in=pks).order_by("pk"))

    def _restore(self, kind: Kind, found: Sequence[SyncResult]) -> list[SyncResult]:
        ids = [result.record_id for result in found]
        # Locked before they are judged: what is edited or sent meanwhile waits, or is seen.
        list(records_of_kind(kind).select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk").values_list("pk"))
        undone = found[0].job
        judged = judged_results(undone, kind).filter(pk__in=[result.pk for result in found])
        records = {record.pk: record for record in load_records(kind, ids)}
        job = self._context.job
        key_then = key_names(undone.transport)
        with edit(EditSource.UNDO, username=job.username, reference=job.pk):
            rows = [self._restore_record(result, records.get(result.record_id), key_then) for result in judged]
        return self._with_revisions(kind, rows)

    def _restore_record(self, result: SyncResult, record: SyncedRecord | None, key_then: Collection[str]) -> SyncResult:
        job, left = self._context.job, result.left  # type: ignore[attr-defined]  # annotated
        if record is None or left:
            return _left_alone(job, result, to_sentence(left))
        values = find_old_values(result, self._context.keys, key_then)
        if not values.back:
            return _left_alone(job, result, to_sentence(NOTHING_LEFT))
        try:
            with transaction.atomic():
                write_local_values(record, {name: old for name, _, old in values.back}, self._context.keys)
        except RemoteValueRefused as error:
            return _left_alone(job, result, str(error))
        row = build_result(job, record, SyncResultStatus.RESTORED)
        row.diff = [list(entry) for entry in values.back]
        row.error = gettext_noop("Not taken back: %(kept)s.") % {"kept": ", ".join(values.kept)} if values.kept else ""
        return row

    def _with_revisions(self, kind: Kind, rows: list[SyncResult]) -> list[SyncResult]:
        now = dict(records_of_kind(kind).filter(pk__in=[row.record_id for row in rows]).values_list("pk", "revision"))
        for row in rows:
            row.revision = now.get(row.record_id, row.revision)
        return rows


def _left_alone(job: SyncJob, result: SyncResult, reason: str) -> SyncResult:
    same = ("kind", "record_id", "label", "revision", "marketo_id", "marketo_guid")
    values = {name: getattr(result, name) for name in same}
    return SyncResult(job=job, status=SyncResultStatus.HELD.value, error=reason, **values)
