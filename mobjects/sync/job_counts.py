"""The counts of a job, kept beside its results so that lists need not count a hundred thousand rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import transaction

from mobjects.models import SyncJob, SyncResult

_UNCOUNTED = frozenset(status.value for status in SyncResult.PASSING)


def save_results(job: SyncJob, results: Sequence[SyncResult]) -> None:
    """Save new results of a job and count them; see :func:`count`."""
    SyncResult.objects.bulk_create(results)
    count(job, Counter(str(row.status) for row in results))


def count(job: SyncJob, more: Mapping[str, int]) -> None:
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
