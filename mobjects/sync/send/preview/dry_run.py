"""A dry run: all that a sending would do, worked out by a worker and kept like a job's results. It makes no call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.types import Kind, Operation, OutgoingBatch
from mobjects.models import SyncBatch, SyncBatchState, SyncedRecord, SyncJob, SyncResult, SyncResultStatus
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.content.loading import load_records
from mobjects.sync.job_results import build_result, has_end, save_results
from mobjects.sync.send import results
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.preview.foreseen_effects import PlannedEffect
from mobjects.sync.send.preview.record_plans import RecordPlan, judged_records, plan_record
from mobjects.sync.send.selection import SyncSelection, ordered_kinds
from mobjects.sync.send.task import SENDING_ORDER
from mobjects.sync.task import JobContext, next_sequence
from mobjects.sync.transport_factory import masked

_Phase = tuple[Kind, SyncSelection, Operation]


class DryRunTask:
    """Plans a batch at a step, in the order in which a job would send them.

    Each batch is kept with its request as it would be written now, each record with its values and differences, and
    with the revision by which :class:`SyncSelection` later tells whether it changed since. How many of them Marketo
    would skip is kept with the job: they are sent all the same, as Marketo may know better.

    ``job.progress`` holds ``phase`` and ``after``, the place it came to, and once there are some ``skipped``: their
    number, and the id of the result of one, whose reason is theirs.

    Args:
        context: the job and what it works with; the transport is asked for its rules only.
    """

    single_worker = True

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._selection = SyncSelection.from_json(context.job.selection)
        self._phases: list[_Phase] = [
            (kind, part, operation)
            for kind in ordered_kinds(self._selection)
            for part in self._selection.iter_parts()
            for operation in SENDING_ORDER
            if context.transport.limit(kind, operation)
        ]

    @retry_on_database_error
    def step(self) -> bool:
        """Plan the next batch; ``False`` once there is none."""
        job = self._context.job
        if not job.planned:
            job.planned = sum(group.count for group in forecast_groups(self._selection, self._context.keys))
            job.save(update_fields=["planned"])
        with transaction.atomic():
            # Two workers at once, one of them with an expired lease, take turns.
            kept = SyncJob.objects.select_for_update().values_list("progress", flat=True).get(pk=job.pk)
            phase, after = kept.get("phase", 0), kept.get("after", 0)
            while phase < len(self._phases):
                if found := self._next_records(self._phases[phase], after):
                    skipped = self._keep(self._phases[phase], found)
                    return self._go_on(kept, phase, found[-1].pk, skipped)
                phase, after = phase + 1, 0
            self._go_on(kept, phase, 0)
        return False

    def due_at(self) -> datetime | None:
        """Never: nothing is waited for."""
        return None

    def finish(self) -> None:
        """Write down what would be held back, and why."""
        results.record_all_held(self._context.job, self._selection, self._context.keys)

    def _go_on(self, kept: dict[str, Any], phase: int, after: int, skipped: Sequence[SyncResult] = ()) -> bool:
        progress = {**kept, "phase": phase, "after": after}
        if skipped:
            count, one = kept.get("skipped", (0, skipped[0].pk))
            progress["skipped"] = [count + len(skipped), one]
        self._context.job.progress = progress
        SyncJob.objects.filter(pk=self._context.job.pk).update(progress=self._context.job.progress)
        return True

    def _open(self, phase: _Phase) -> SyncedQuerySet:
        kind, part, operation = phase
        found = judged_records(kind, part, self._context.keys).filter(hold="", wire_operation=operation.value)
        return found.exclude(has_end(self._context.job, kind))

    def _next_records(self, phase: _Phase, after: int) -> list[SyncedRecord]:
        kind, _, operation = phase
        limit = self._context.transport.limit(kind, operation) or 0
        ids = list(self._open(phase).filter(pk__gt=after).values_list("pk", flat=True)[:limit])
        return load_records(kind, ids) if ids else []

    def _keep(self, phase: _Phase, found: Sequence[SyncedRecord]) -> list[SyncResult]:
        """Write down a batch; gives the results of what Marketo would skip."""
        kind, part, operation = phase
        keys, transport = self._context.keys, self._context.transport
        plans = [plan_record(record, operation, "", keys, transport, resend=part.resend) for record in found]
        going = [plan for plan in plans if plan.sent]
        batch = self._keep_batch(kind, operation, going) if going else None
        positions = {plan.record.pk: position for position, plan in enumerate(going, start=1)}
        rows = [self._result(plan, batch, positions.get(plan.record.pk)) for plan in plans]
        save_results(self._context.job, rows)
        return [row for plan, row in zip(plans, rows, strict=True) if plan.effect is PlannedEffect.SKIP]

    def _keep_batch(self, kind: Kind, operation: Operation, going: Sequence[RecordPlan]) -> SyncBatch:
        written = [plan.wire for plan in going if plan.wire is not None]
        request = self._context.transport.render(OutgoingBatch(operation, written)) if written else ""
        return SyncBatch.objects.create(
            job=self._context.job,
            kind=kind.value,
            operation=operation.value,
            state=SyncBatchState.PLANNED,
            sequence=next_sequence(self._context.job),
            size=len(going),
            request=masked(request),
        )

    def _result(self, plan: RecordPlan, batch: SyncBatch | None, position: int | None) -> SyncResult:
        status = {PlannedEffect.HELD: SyncResultStatus.HELD, PlannedEffect.NOTHING: SyncResultStatus.EQUAL}
        of_batch = batch if plan.sent else None
        row = build_result(
            self._context.job,
            plan.record,
            status.get(plan.effect, SyncResultStatus.PLANNED),
            batch=of_batch,
            position=position,
            error=plan.reason,
        )
        row.sent, row.diff = dict(plan.sent), [list(entry) for entry in plan.changes] if plan.sent else []
        return row
