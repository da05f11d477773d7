"""The results of a job: making them, finding those of a record, and taking back what is no longer the last word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import BooleanField, Exists, F, Func, OuterRef
from django.db.models.lookups import Exact
from django.dispatch import Signal
from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from mobjects.db.prepared import SHARED, given, the_row
from mobjects.formatting import format_moment
from mobjects.marketo.reason_masking import reason_key
from mobjects.marketo.types import Kind
from mobjects.models import SyncBatch, SyncedRecord, SyncJob, SyncResult, SyncResultStatus
from mobjects.models.synced_record import SyncedQuerySet

GONE = _("Marketo has no object with this ID any more.")
IN_BATCH = _("It is in a batch right now; pull it again afterwards.")
SENT_MEANWHILE = _("It was sent while Marketo was being read; pull it again.")

results_ended_late = Signal()
"""Sent, in the transaction of the change, when results of a job that is over get another end: ``work``, ``counts`` by
status and ``reasons`` by words, both negative for what is no longer so.
"""

_UNFINISHED = (*SyncResult.PASSING_STATUSES, SyncResultStatus.UNKNOWN)


def results_of_record(job: SyncJob, kind: Kind) -> SyncedQuerySet:
    """Results of a job about the record of an outer query.

    They are found by the record: of a job that has just begun PostgreSQL supposes next to no results, and would read
    all of them for each record.
    """
    of_record = SyncResult.objects.filter(kind=kind.value, record_id=OuterRef("pk"))
    return of_record.filter(_IsTrue(Exact(F("job"), job.pk)))  # type: ignore[return-value]


class _IsTrue(Func):
    """A condition that no index is read by."""

    template = "((%(expressions)s) IS TRUE)"
    output_field: ClassVar = BooleanField()


def has_end(job: SyncJob, kind: Kind) -> Exists:
    """The condition that the record of an outer query has its end in this job: the job does nothing more for it."""
    return Exists(results_of_record(job, kind).exclude(status__in=_UNFINISHED))


def short_labels(records: Iterable[SyncedRecord]) -> list[str]:
    """The records' names as results keep them: in English, whoever's request they are written in."""
    with override("en"):
        return [str(record)[:255] for record in records]


def short_label(record: SyncedRecord) -> str:
    """A record's name as a result keeps it; see :func:`short_labels`, which is quicker for many."""
    return short_labels([record])[0]


def supersede_unknown(job: SyncJob, kind: Kind, ids: Sequence[int]) -> None:
    """Take earlier "outcome unknown" results of this job as steps on the way, because these records go on."""
    # Asked first, because there hardly ever are any.
    ((counts,),) = SHARED.ask("counts", lambda: the_row(SyncJob).values_list("counts"), job.pk)
    if ids and counts.get(SyncResultStatus.UNKNOWN.value):
        unknown = SyncResult.objects.filter(
            job=job, status=SyncResultStatus.UNKNOWN, kind=kind.value, record_id__in=ids
        )
        add_counts(job, {SyncResultStatus.UNKNOWN.value: -unknown.update(status=SyncResultStatus.RETRIED)})


def name_of(job: SyncJob) -> str:
    """What a kept text calls a job: by when it was asked for."""
    return _("job of %(time)s") % {"time": format_moment(job.created_at)}


def end_waiting_results(
    job: SyncJob, kind: Kind, ids: Sequence[int], end_of: Callable[[SyncResult], tuple[SyncResultStatus, str]]
) -> None:
    """Give the results "outcome unknown" that other jobs have of some records their end: nobody will ask again.

    To be called last in a transaction that holds the records: it locks the jobs' rows.

    Args:
        job: which found out; its own results are its own business.
        kind: of the records.
        ids: our ids of the records.
        end_of: the status that such a result gets, and the words for it.
    """
    waiting = SyncResult.objects.filter(kind=kind.value, record_id__in=ids, status=SyncResultStatus.UNKNOWN)
    changes: dict[SyncJob, LateEnds] = {}
    for row in waiting.exclude(job=job).select_related("job").order_by("job", "pk"):
        status, words = end_of(row)
        still = SyncResult.objects.filter(pk=row.pk, status=SyncResultStatus.UNKNOWN)
        if still.update(status=status, error=words, reason_key=reason_key(words)):
            changes.setdefault(row.job, LateEnds()).add(row.error, status, words)
    for other, late in changes.items():
        add_counts(other, late.counts)
    # Figures of days are locked behind all jobs, as where a job ends.
    for other, late in changes.items():
        late.tell(other)


class LateEnds:
    """Outcomes of a job that were unknown and are known now: what changes of its counts and reasons."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def add(self, before: str, status: str, words: str) -> None:
        """Note one.

        Args:
            before: the words that it had.
            status, words: what became of it.
        """
        self.counts.update({status: 1, SyncResultStatus.UNKNOWN.value: -1})
        self.reasons.update({before: -1} if before else {})
        self.reasons.update({words: 1} if words and status not in SyncResult.ACCEPTED_STATUSES else {})

    def tell(self, job: SyncJob) -> None:
        """Send :data:`results_ended_late` if the job is over. The caller holds its row."""
        over = SyncJob.objects.filter(pk=job.pk, state__in=SyncJob.FINAL_STATES).defer("selection", "progress").first()
        if over is not None and self.counts:
            results_ended_late.send(SyncJob, work=over, counts=self.counts, reasons=self.reasons)


def sent_again_by(job: SyncJob, status: SyncResultStatus, words: str) -> tuple[SyncResultStatus, str]:
    """The end of an earlier sending that was never answered, of a record that a job has sent again.

    Args:
        status: what became of it there. Where Marketo has accepted it, nothing is left to send.
        words: Marketo's.
    """
    end = SyncResultStatus.EQUAL if status in SyncResult.ACCEPTED_STATUSES else status
    return end, (
        _("The %(job)s sent it again: %(status)s. %(words)s")
        % {"job": name_of(job), "status": status.label, "words": words}
    ).strip()


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
        error=error,
        **ids_of_result(record),
    )


def ids_of_result(record: SyncedRecord) -> dict[str, Any]:
    """What a record is called in Marketo as a result keeps it, by column: a number, a GUID, or both."""
    return {"marketo_id": record.marketo_id, "marketo_guid": getattr(record, "marketo_guid", None) or ""}


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
    with transaction.atomic(savepoint=False):
        held = SHARED.ask("held counts", lambda: the_row(SyncJob).select_for_update().values_list("counts"), job.pk)
        ((kept,),) = held
        counts = Counter(kept)
        counts.update(changes)
        job.counts = {status: number for status, number in counts.items() if number}
        column = SyncJob._meta.get_field("counts")
        SHARED.update("new counts", lambda: (the_row(SyncJob), {"counts": given(1, column)}), job.pk, job.counts)
