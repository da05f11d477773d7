"""Reads for the history pages and the dashboard. The number of queries never grows with the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, Min, QuerySet

from mobjects.marketo.contract import Kind
from mobjects.models import RECORDS, SyncBatch, SyncJob, SyncResult

PAYLOAD = ("request", "response")
"""Columns that may hold a megabyte each; lists do without them."""

UNSETTLED = (SyncBatch.State.NOT_SENT, SyncBatch.State.UNKNOWN)
ERROR_GROUPS = 10


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Results of a job that share a status and a reason; ``sample`` is the id of one of them."""

    status: str
    error: str
    count: int
    sample: int

    @property
    def label(self) -> str:
        """The status in words."""
        return str(SyncResult.Status(self.status).label)


@dataclass(frozen=True, slots=True)
class KindCounts:
    """How many records of a kind are in which state."""

    kind: Kind
    states: dict[str, int]

    @property
    def total(self) -> int:
        """All records of the kind."""
        return sum(self.states.values())


def batches_of(job: SyncJob) -> QuerySet[SyncBatch]:
    """A job's batches in the order in which they went out, without their payloads."""
    return job.batches.defer(*PAYLOAD).order_by("sequence", "attempt")


def unsettled_batches(job: SyncJob) -> list[SyncBatch]:
    """The batches of a job that stopped it: not applied, or unknown."""
    return list(batches_of(job).filter(state__in=UNSETTLED))


def results_of(job: SyncJob, *, status: str = "", search: str = "", same_as: int | None = None) -> QuerySet[SyncResult]:
    """A job's results, in the order in which they were written.

    Args:
        status: only this status; "" means any.
        search: part of a record's label, or its Marketo ID.
        same_as: the id of a result; only results with its status and its reason.
    """
    results = job.results.select_related("batch").defer("batch__request", "batch__response").order_by("pk")
    if status:
        results = results.filter(status=status)
    if search:
        found = results.filter(label__icontains=search)
        # A number too large for the column is no ID; PostgreSQL would refuse to look for it.
        by_id = search.isascii() and search.isdecimal() and len(search) < 10
        results = found | results.filter(marketo_id=int(search)) if by_id else found
    if same_as is not None:
        sample = job.results.filter(pk=same_as).values("status", "error")[:1]
        results = results.filter(status__in=sample.values("status"), error__in=sample.values("error"))
    return results


def error_groups(job: SyncJob) -> list[ErrorGroup]:
    """The most frequent reasons for which several records of a job were not accepted."""
    rows = (
        job.results.exclude(error="")
        .exclude(status__in=SyncResult.ACCEPTED)
        .order_by()
        .values("status", "error")
        .annotate(count=Count("pk"), sample=Min("pk"))
        .filter(count__gt=1)
        .order_by("-count", "sample")[:ERROR_GROUPS]
    )
    return [ErrorGroup(**row) for row in rows]


def existing(results: Iterable[SyncResult]) -> set[tuple[str, int]]:
    """Which records of some results still exist, as (kind, id); one query for each kind among them."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for result in results:
        wanted[result.kind].add(result.record_id)
    return {
        (kind, pk)
        for kind, ids in wanted.items()
        for pk in RECORDS[Kind(kind)].objects.filter(pk__in=ids).values_list("pk", flat=True)
    }


def record_history(kind: Kind, record_id: int) -> QuerySet[SyncResult]:
    """Everything that ever became of one record, newest first."""
    results = SyncResult.objects.filter(kind=kind.value, record_id=record_id)
    return results.select_related("job", "batch").defer("batch__request", "batch__response").order_by("-pk")


def neighbours(batch: SyncBatch) -> tuple[int | None, int | None]:
    """The ids of the batches before and after one in its job."""
    ids = list(batch.job.batches.order_by("sequence", "attempt").values_list("pk", flat=True))
    place = ids.index(batch.pk)
    return ids[place - 1] if place else None, ids[place + 1] if place + 1 < len(ids) else None


def state_counts(kinds: Collection[Kind]) -> list[KindCounts]:
    """Records per state, for each kind given; one query each."""
    return [KindCounts(kind, _states(kind)) for kind in RECORDS if kind in kinds]


def latest_jobs(count: int) -> list[SyncJob]:
    """The newest jobs."""
    return list(SyncJob.objects.order_by("-created_at", "-pk")[:count])


def _states(kind: Kind) -> dict[str, int]:
    records = RECORDS[kind].objects.with_state()
    return dict(records.order_by().values_list("state").annotate(count=Count("pk")))
