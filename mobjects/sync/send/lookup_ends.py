"""Writing down what a look-up found: once for the job that looked, and for every job that waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F
from django.utils.translation import gettext_noop as _

from mobjects.models import SyncBatch, SyncedRecord, SyncJob, SyncResult, SyncResultStatus
from mobjects.sync.job_results import (
    add_counts,
    build_result,
    end_waiting_results,
    name_of,
    sent_again_by,
    supersede_unknown,
)

NOT_ARRIVED = _("It did not arrive: Marketo does not have it.")
SENT_AGAIN = _(" It is sent again.")


@dataclass(frozen=True, slots=True)
class LookupEnd:
    """What became of the last sending of a record.

    Args:
        status: in the job that looked it up; a step on the way where that job sends the record again.
        words: a sentence.
        of_sending: how the job that sent it has ended with the record, which it does not send again.
    """

    status: SyncResultStatus
    words: str
    of_sending: SyncResultStatus


def store_lookup_end(
    job: SyncJob, record: SyncedRecord, end: LookupEnd, sent: dict[str, str], batch: SyncBatch | None
) -> None:
    """Write results of a record whose outcome is no longer unknown; the transaction holds the record.

    Only the last sending has the outcome that was found. A job that sent the record before that, or looked it up for
    another one, has nothing left to do with it.

    Args:
        job: which looked it up.
        sent: what the last sending held.
        batch: the call that looked it up, if there was one.
    """
    unknown = SyncResult.objects.filter(
        kind=record.KIND.value, record_id=record.pk, status=SyncResultStatus.UNKNOWN
    ).select_related("job")
    last = unknown.order_by("-pk").first()
    sender = last.job if last is not None else job
    row = build_result(job, record, end.status, batch=batch, error=end.words)
    if sender != job and end.status in SyncResult.ACCEPTED_STATUSES:
        row.status, row.error = (
            SyncResultStatus.EQUAL.value,
            _("%(words)s The %(job)s had sent it.") % {"words": end.words, "job": name_of(sender)},
        )
    elif row.error == NOT_ARRIVED:
        row.error += SENT_AGAIN
    row.sent = sent
    supersede_unknown(job, record.KIND, [record.pk])
    row.save()
    if batch is not None:
        SyncBatch.objects.filter(pk=batch.pk).update(size=F("size") + 1)
    add_counts(job, {row.status: 1})

    def end_of(waiting: SyncResult) -> tuple[SyncResultStatus, str]:
        if waiting.job_id == sender.pk or end.of_sending not in SyncResult.ACCEPTED_STATUSES:
            return end.of_sending, end.words
        return sent_again_by(sender, end.of_sending, "")

    end_waiting_results(job, record.KIND, [record.pk], end_of)
