"""Small labels: a state in words, with a colour that only repeats what the words say."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from mobjects.models import RecordState, SyncBatch, SyncBatchState, SyncJob, SyncJobState, SyncResult, SyncResultStatus

TONES = frozenset({"neutral", "info", "success", "warning", "danger"})
"""Of labels; ``frame.css`` has the theme's colours for them, for light and dark."""

RECORD_TONES: dict[str, str] = {
    RecordState.NEVER: "neutral",
    RecordState.CHANGED: "info",
    RecordState.IN_BATCH: "info",
    RecordState.SYNCED: "success",
    RecordState.SKIPPED: "warning",
    RecordState.CHANGED_SKIPPED: "info",
    RecordState.FAILED: "danger",
    RecordState.CHANGED_FAILED: "info",
    RecordState.UNKNOWN: "warning",
}
JOB_TONES: dict[str, str] = {
    SyncJobState.NOT_QUEUED: "warning",
    SyncJobState.QUEUED: "info",
    SyncJobState.RUNNING: "info",
    SyncJobState.WAITING: "info",
    SyncJobState.PAUSED: "warning",
    SyncJobState.HELD: "warning",
    SyncJobState.CANCELLED: "neutral",
    SyncJobState.SUCCEEDED: "success",
    SyncJobState.PROBLEMS: "warning",
    SyncJobState.STOPPED: "danger",
    SyncJobState.CRASHED: "danger",
}
BATCH_TONES: dict[str, str] = {
    SyncBatchState.WAITING: "info",
    SyncBatchState.SENDING: "info",
    SyncBatchState.ANSWERED: "success",
    SyncBatchState.REFUSED: "danger",
    SyncBatchState.NOT_SENT: "danger",
    SyncBatchState.UNKNOWN: "warning",
    SyncBatchState.PLANNED: "info",
}
RESULT_TONES: dict[str, str] = {
    SyncResultStatus.PENDING: "info",
    SyncResultStatus.CREATED: "success",
    SyncResultStatus.UPDATED: "success",
    SyncResultStatus.UNCHANGED: "neutral",
    SyncResultStatus.SKIPPED: "warning",
    SyncResultStatus.FAILED: "danger",
    SyncResultStatus.UNKNOWN: "warning",
    SyncResultStatus.HELD: "warning",
    SyncResultStatus.EQUAL: "neutral",
    SyncResultStatus.NOT_SENT: "danger",
    SyncResultStatus.RETRIED: "neutral",
    SyncResultStatus.LOOKED_UP: "neutral",
    SyncResultStatus.DELETED: "success",
    SyncResultStatus.ADDED: "success",
    SyncResultStatus.TAKEN: "success",
    SyncResultStatus.SAME: "neutral",
    SyncResultStatus.DIFFERS: "warning",
    SyncResultStatus.MISSING: "warning",
    SyncResultStatus.CONFLICT: "warning",
    SyncResultStatus.PLANNED: "info",
    SyncResultStatus.RESTORED: "neutral",
}


def render_badge(label: str, tone: str = "neutral") -> SafeString:
    """A label as HTML.

    Args:
        label: the words; escaped here.
        tone: one of :data:`TONES`.
    """
    return format_html('<span class="mo-label mo-{}">{}</span>', tone, label)


def state_badge(row: SyncJob | SyncBatch | SyncResult) -> SafeString:
    """The state of a job or batch, or the status of a result."""
    # Not by get_state_display(), which lists all states in words each time.
    if isinstance(row, SyncJob):
        return render_badge(str(SyncJobState(row.state).label), JOB_TONES[row.state])
    if isinstance(row, SyncBatch):
        return render_badge(str(SyncBatchState(row.state).label), BATCH_TONES[row.state])
    return render_badge(str(SyncResultStatus(row.status).label), RESULT_TONES[row.status])


def record_state_badge(state: str) -> SafeString:
    """The state of a record, one of :class:`~mobjects.models.RecordState`."""
    return render_badge(str(RecordState(state).label), RECORD_TONES[state])
