"""What of finished jobs has a period: requests and answers, values of results; and the values of decisions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from mobjects import clock
from mobjects.marketo.types import Kind
from mobjects.models import (
    Approval,
    Conflict,
    EarlierCall,
    PurgeKind,
    RecordStatus,
    SyncBatch,
    SyncJob,
    SyncResult,
    SyncResultStatus,
    WorkerLease,
    records_of_kind,
)
from mobjects.retention.kinds import Chunk, HolderKind, Part, RetentionKind, clear_values, ended_before, walk_rows

UNANSWERED = (SyncResultStatus.PENDING, SyncResultStatus.UNKNOWN)
"""Results by whose values a look-up, or a pull, still finds out what became of a sending."""


def jobs_at_rest(until: datetime) -> QuerySet[SyncJob]:
    """Jobs that ended before a moment and that nothing needs any more.

    No job that follows them (an undo, the sending of a dry run, a retry) is open, nor one whose approval shows them; no
    record waits for a person or for its outcome because of them.
    """
    over = SyncJob.objects.filter(state__in=SyncJob.FINAL_STATES, created_at__lt=until)
    over = over.filter(ended_before(until, "finished_at"))
    followers = SyncJob.objects.filter(origin=OuterRef("pk")).exclude(state__in=SyncJob.FINAL_STATES)
    undecided = Conflict.objects.filter(job=OuterRef("pk"), decided_at__isnull=True)
    working = WorkerLease.objects.filter(job=OuterRef("pk"))
    shown = Approval.objects.filter(preview=OuterRef("pk"), job__isnull=False)
    shown = shown.exclude(job__state__in=SyncJob.FINAL_STATES)
    needed = Q(Exists(followers)) | Q(Exists(undecided)) | Q(Exists(working)) | Q(Exists(shown))
    for kind in Kind:
        unknown = records_of_kind(kind).filter(pk=OuterRef("record_id"), last_status=RecordStatus.UNKNOWN).order_by()
        lost = SyncResult.objects.filter(job=OuterRef("pk"), status__in=UNANSWERED, kind=kind.value)
        claimed = records_of_kind(kind).filter(claimed_by__job=OuterRef("pk")).order_by()
        needed |= Q(Exists(lost.filter(Exists(unknown)))) | Q(Exists(claimed))
    return over.exclude(needed)


def _with_payload(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.exclude(request="", response="", headers={})


_LONG = 10
"""What is sent and answered is long: a database takes ten times as long to let go of it as of a result's values."""

_NO_PAYLOAD: dict[str, Any] = {"request": "", "response": "", "headers": {}}


class PayloadKind(HolderKind):
    """Requests and answers, whole; the batch with its times, states and fault stays."""

    kind, holders, marker = PurgeKind.PAYLOADS, SyncJob, "payloads_removed_at"
    parts = (
        Part(_with_payload(EarlierCall.objects.all()), "batch__job", clear_values("calls", **_NO_PAYLOAD), _LONG),
        Part(_with_payload(SyncBatch.objects.all()), "job", clear_values("batches", **_NO_PAYLOAD), _LONG),
    )

    def due(self, until: datetime) -> QuerySet[SyncJob]:
        return jobs_at_rest(until).filter(payloads_removed_at__isnull=True)

    def rows(self, until: datetime) -> QuerySet[SyncBatch]:
        return _with_payload(SyncBatch.objects.filter(job__in=self.due(until).values("pk")).order_by())


class ResultKind(HolderKind):
    """What results say of values: sent, before and after. The result with its record, status and reason stays."""

    kind, holders, marker = PurgeKind.RESULTS, SyncJob, "values_removed_at"
    parts = (
        Part(
            SyncResult.objects.exclude(sent={}, diff=[]),
            "job",
            clear_values("results", sent={}, diff=[]),
            apart="status",
        ),
    )

    def due(self, until: datetime) -> QuerySet[SyncJob]:
        return jobs_at_rest(until).filter(values_removed_at__isnull=True)

    def rows(self, until: datetime) -> QuerySet[SyncResult]:
        found = SyncResult.objects.filter(job__in=self.due(until).values("pk")).order_by()
        return found.exclude(sent={}, diff=[])


class DecisionKind(RetentionKind):
    """The values of both sides of a conflict that was decided; who decided what stays."""

    kind, moment = PurgeKind.DECISIONS, "decided_at"

    def due(self, until: datetime) -> QuerySet[Conflict]:
        return Conflict.objects.filter(decided_at__lt=until, values_removed_at__isnull=True)

    def iter_chunks(self, until: datetime) -> Iterator[Chunk]:
        clear = clear_values("decisions", base={}, here={}, candidates=[], values_removed_at=clock.now())
        return (partial(clear, part) for part in walk_rows(self.due(until)))
