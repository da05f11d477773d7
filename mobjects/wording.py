"""What became of a job, in plain sentences. Reads job and batch rows that are already loaded; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mobjects.models import SyncBatch, SyncJob, SyncResult
from mobjects.sync.selection import Choice

Status = SyncResult.Status

SEPARATOR = " · "

ACCEPTED = tuple(status.value for status in Status if status in SyncResult.ACCEPTED)
STATUS_ORDER = (
    Status.FAILED,
    Status.SKIPPED,
    Status.UNKNOWN,
    Status.HELD,
    Status.NOT_SENT,
    Status.PENDING,
    Status.CREATED,
    Status.UPDATED,
    Status.UNCHANGED,
    Status.EQUAL,
)
"""What needs a person first, what went well last."""

PROBLEM_WORDS = (
    (Status.FAILED, "failed"),
    (Status.SKIPPED, "skipped"),
    (Status.UNKNOWN, "with an unknown outcome"),
    (Status.HELD, "held back"),
    (Status.NOT_SENT, "not applied"),
)
KIND_WORDS = {
    "Program": ("program", "programs"),
    "Opportunity": ("opportunity", "opportunities"),
    "OpportunityPersonRole": ("person role", "person roles"),
}


def records(count: int) -> str:
    """``1 record``, ``1,234 records``."""
    return f"{count:,} record{'' if count == 1 else 's'}"


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts per status on one line, such as ``15 failed · 412 created``."""
    present = [status for status in STATUS_ORDER if counts.get(status)]
    return SEPARATOR.join(f"{counts[status]:,} {status.label.lower()}" for status in present) or "nothing sent"


def accepted(counts: Mapping[str, int]) -> int:
    """How many records Marketo accepted, or holds already."""
    return sum(counts.get(status, 0) for status in ACCEPTED)


def total(job: SyncJob) -> int:
    """The records that a job is about, as far as is known."""
    return max(job.planned, job.done)


def sentence(job: SyncJob, unsettled: Sequence[SyncBatch] = (), *, worker_alive: bool | None = None) -> str:
    """What became of a job.

    Args:
        job: any state.
        unsettled: its batches without an answer, in order.
        worker_alive: whether a worker could run it; ``None`` where that is not known.
    """
    if job.state == SyncJob.State.NOT_QUEUED:
        return f"Not queued. {job.problem_text or 'Nothing was sent.'}"
    if job.state == SyncJob.State.QUEUED:
        nobody = " No worker is running, so it will wait until one is started."
        return "Waiting for a worker." + (nobody if worker_alive is False else "")
    if job.state == SyncJob.State.RUNNING:
        gone = " But no worker is running; it may have been cut off."
        return f"Running: {job.done:,} of {records(total(job))} done." + (gone if worker_alive is False else "")
    if job.state in (SyncJob.State.STOPPED, SyncJob.State.CRASHED):
        return " ".join(_stopped(job, unsettled))
    return _finished(job)


def selection_text(kept: Mapping[str, object]) -> str:
    """A job's selection, in words."""
    kinds = [str(kind) for kind in kept.get("kinds") or ()]  # type: ignore[attr-defined]
    ids = kept.get("ids")
    if isinstance(ids, list):
        names = KIND_WORDS.get(kinds[0] if kinds else "", ("record", "records"))
        what = f"{len(ids):,} selected {names[len(ids) != 1]}"
    else:
        names_of_all = [KIND_WORDS[kind][1] for kind in kinds if kind in KIND_WORDS]
        what = f"All {'' if kept.get('resend') else 'changed '}{', '.join(names_of_all) or 'records'}"
    if kept.get("resend"):
        what += ", unchanged ones too"
    if kept.get("include_unknown"):
        what += ", unknown outcomes again"
    return what


def operation_text(operation: str) -> str:
    """An operation as shown."""
    return "Automatic" if operation == Choice.AUTO else operation


def moment(at: datetime | None) -> str:
    """A time with its zone, ``2026-03-01 12:30:05 UTC``; "" for none."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""


def duration(span: timedelta | float | None) -> str:
    """A time span, given as such or in seconds: ``40 ms``, ``1.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if span is None:
        return ""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _finished(job: SyncJob) -> str:
    count = total(job)
    if not count:
        return "Finished: there was nothing to send."
    problems = [f"{job.counts[status]:,} {words}" for status, words in PROBLEM_WORDS if job.counts.get(status)]
    if not problems:
        return f"Finished: {'the record was' if count == 1 else f'all {count:,} records were'} accepted."
    return f"Finished: {accepted(job.counts):,} of {count:,} accepted; {', '.join(problems)}."


def _stopped(job: SyncJob, unsettled: Sequence[SyncBatch]) -> list[str]:
    reason = (job.problem_text or "no reason is known").rstrip(".")
    said = [f"{job.get_state_display()}: {reason}."]
    said += [_unsettled(batch) for batch in unsettled[-1:]]
    unknown = job.counts.get(Status.UNKNOWN, 0)
    left = total(job) - accepted(job.counts) - unknown
    if unknown:
        said.append(f"What became of {records(unknown)} is not known.")
    if left > 0:
        said.append(f"{records(left)} {'stays' if left == 1 else 'stay'} to be sent.")
    return said


def _unsettled(batch: SyncBatch) -> str:
    if batch.state == SyncBatch.State.UNKNOWN:
        return f"Batch {batch.sequence} may or may not have been applied."
    return f"Nothing of batch {batch.sequence} was applied."
