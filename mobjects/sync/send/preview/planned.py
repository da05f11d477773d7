"""Sending exactly what a dry run showed: the last look, when the values are already taken for the batch."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from mobjects.formatting import to_sentence
from mobjects.marketo.types import Kind
from mobjects.models import SyncedRecord, SyncJob, SyncJobAction, SyncResult, SyncResultStatus
from mobjects.sync.content.payload import BuildResult, HeldBack, Payload
from mobjects.sync.send.selection import CHANGED_SINCE, SyncSelection

Built = Sequence[tuple[SyncedRecord, BuildResult]]


def can_be_sent(job: SyncJob) -> bool:
    """Whether a job is a dry run that is over, found something to send and still has its values to compare with."""
    over = job.action == SyncJobAction.DRY_RUN and job.state in SyncJob.FINAL_STATES
    return over and job.values_removed_at is None and bool(job.counts.get(SyncResultStatus.PLANNED))


def hold_unplanned(kind: Kind, selection: SyncSelection, built: Built) -> list[tuple[SyncedRecord, BuildResult]]:
    """Hold back what would not go out exactly as a dry run showed it.

    The selection holds back what was edited since; this finds what else makes a difference, such as values that
    Marketo was found to hold meanwhile. To be called while the records are locked.

    Args:
        kind: of the records.
        selection: with its dry run.
        built: each record with what would be sent of it now.
    """
    ids = [record.pk for record, part in built if isinstance(part, Payload)]
    planned = SyncResult.objects.filter(job=UUID(selection.of_dry_run), kind=kind.value, record_id__in=ids)
    planned = planned.filter(status=SyncResultStatus.PLANNED)
    sent = {
        record: (revision, values) for record, revision, values in planned.values_list("record_id", "revision", "sent")
    }
    changed = HeldBack(to_sentence(CHANGED_SINCE))
    return [
        (record, changed if isinstance(part, Payload) and sent.get(record.pk) != (record.revision, part.sent) else part)
        for record, part in built
    ]
