"""The results of a job: making them, finding those of a record, and taking back what is no longer the last word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import OuterRef

from mobjects.marketo.types import Kind
from mobjects.models import SyncBatch, SyncedRecord, SyncJob, SyncResult, SyncResultStatus
from mobjects.models.synced_record import SyncedQuerySet


def results_of_record(job: SyncJob, kind: Kind) -> SyncedQuerySet:
    """Results of a job about the record of an outer query."""
    return SyncResult.objects.filter(job=job, kind=kind.value, record_id=OuterRef("pk"))  # type: ignore[return-value]


def short_label(record: SyncedRecord) -> str:
    """A record's name as a result keeps it."""
    return str(record)[:255]


def supersede_unknown(job: SyncJob, kind: Kind, ids: Sequence[int]) -> None:
    """Take earlier "outcome unknown" results of this job as steps on the way, because these records go on."""
    # Asked first, because there hardly ever are any.
    counts = SyncJob.objects.values_list("counts", flat=True).get(pk=job.pk)
    if ids and counts.get(SyncResultStatus.UNKNOWN.value):
        unknown = SyncResult.objects.filter(
            job=job, status=SyncResultStatus.UNKNOWN, kind=kind.value, record_id__in=ids
        )
        add_counts(job, {SyncResultStatus.UNKNOWN.value: -unknown.update(status=SyncResultStatus.RETRIED)})


def build_result(
    job: SyncJob,
    record: SyncedRecord,
    status: SyncResultStatus,
    *,
    batch: SyncBatch | None = None,
    position: int | None = None,
    error: str = "",
) -> SyncResult:
    """A result of a record as it is now and of which nothing is sent; not saved yet."""
    return SyncResult(
        job=job,
        batch=batch,
        kind=record.KIND.value,
        record_id=record.pk,
        label=short_label(record),
        position=position,
        revision=record.revision,
        status=status.value,
        marketo_id=record.marketo_id,
        error=error,
    )


def to_sentence(reason: str) -> str:
    """A reason as a sentence."""
    return f"{reason[0].upper()}{reason[1:]}."


_UNCOUNTED = frozenset(status.value for status in SyncResult.PASSING_STATUSES)


def save_results(job: SyncJob, results: Sequence[SyncResult]) -> None:
    """Save new results of a job and count them; see :func:`add_counts`."""
    SyncResult.objects.bulk_create(results)
    add_counts(job, Counter(str(row.status) for row in results))


def add_counts(job: SyncJob, more: Mapping[str, int]) -> None:
    """Add to a job's counts; negative numbers take away. To be called last in a transaction: it locks the job's row.

    Args:
        more: results by status; those that are only steps on the way are not counted.
    """
    changes = {status: number for status, number in more.items() if number and status not in _UNCOUNTED}
    if not changes:
        return
    with transaction.atomic():
        kept = SyncJob.objects.select_for_update().values_list("counts", flat=True).get(pk=job.pk)
        counts = Counter(kept)
        counts.update(changes)
        job.counts = {status: number for status, number in counts.items() if number}
        SyncJob.objects.filter(pk=job.pk).update(counts=job.counts)
