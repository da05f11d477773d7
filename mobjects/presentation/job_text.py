"""What became of a job, in plain sentences. Reads job and batch rows that are already loaded; writes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mobjects import models
from mobjects.formatting import format_count
from mobjects.models.program import COST_PREFIX
from mobjects.presentation import follow_up_text
from mobjects.sync.send.selection import OperationChoice

SEPARATOR = " · "
_COST = re.compile(rf"^{COST_PREFIX}\d+\b")

STATUS_ORDER = (
    *models.SyncResult.PROBLEM_STATUSES,
    models.SyncResultStatus.DIFFERS,
    models.SyncResultStatus.MISSING,
    models.SyncResultStatus.PENDING,
    models.SyncResultStatus.PLANNED,
    models.SyncResultStatus.CREATED,
    models.SyncResultStatus.UPDATED,
    models.SyncResultStatus.DELETED,
    models.SyncResultStatus.ADDED,
    models.SyncResultStatus.TAKEN,
    models.SyncResultStatus.UNCHANGED,
    models.SyncResultStatus.EQUAL,
    models.SyncResultStatus.SAME,
)
"""What needs a person first, what went well last. Steps on the way are not counted and not here."""

STATUS_WORDS: dict[str, str] = {status.value: status.label.lower() for status in models.SyncResultStatus} | {
    models.SyncResultStatus.UNKNOWN: "with an unknown outcome",
    models.SyncResultStatus.CONFLICT: "waiting for a decision",
    models.SyncResultStatus.EQUAL: "with nothing to send",
    models.SyncResultStatus.SAME: "without a difference",
    models.SyncResultStatus.DIFFERS: "different in Marketo",
    models.SyncResultStatus.DELETED: "deleted in Marketo",
    models.SyncResultStatus.TAKEN: "taken from Marketo",
    models.SyncResultStatus.MISSING: "not in Marketo",
    models.SyncResultStatus.PLANNED: "to be sent",
}
"""What stands behind a number of records."""

KIND_WORDS = {
    "Program": ("program", "programs"),
    "Opportunity": ("opportunity", "opportunities"),
    "OpportunityPersonRole": ("person role", "person roles"),
}
DONE_WORDS: dict[str, str] = {
    models.SyncJobAction.PULL: "read",
    models.SyncJobAction.COMPARE: "compared",
    models.SyncJobAction.DELETE: "deleted in Marketo",
    models.SyncJobAction.IDENTIFY: "looked up",
}
NOTHING_WORDS: dict[str, str] = {
    models.SyncJobAction.SEND: "there was nothing to send",
    models.SyncJobAction.PULL: "Marketo has nothing that fits",
    models.SyncJobAction.COMPARE: "there was nothing to compare",
    models.SyncJobAction.DELETE: "there was nothing to delete",
    models.SyncJobAction.IDENTIFY: "there was nothing to look up",
    **follow_up_text.NOTHING_WORDS,
}
COUNTED_ACTIONS = (models.SyncJobAction.PULL, models.SyncJobAction.COMPARE, models.SyncJobAction.IDENTIFY)
"""How many records they are about is not known before they end; what they did is kept if they end early."""
DESCRIBED = 4
"""Lists that are read: fields of opportunities, fields of roles, tags, channels."""


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts per status on one line, such as ``15 failed · 412 created``."""
    return SEPARATOR.join(_counted(counts, STATUS_ORDER)) or "nothing sent"


def outcome_text(job: models.SyncJob) -> str:
    """What a job has come to so far, on one line."""
    if job.counts or job.action == models.SyncJobAction.SEND:
        return counts_text(job.counts)
    if job.state != models.SyncJobState.SUCCEEDED:
        return "nothing yet" if job.is_live else "nothing"
    return "read" if job.action == models.SyncJobAction.DESCRIBE else "nothing found"


def count_accepted(counts: Mapping[str, int]) -> int:
    """How many records Marketo accepted, or holds already."""
    return sum(counts.get(status, 0) for status in models.SyncResult.ACCEPTED_STATUSES)


def count_done(job: models.SyncJob) -> int:
    """The records whose result is there: neither under way nor, while the job goes on, still to be looked up."""
    open_statuses = [models.SyncResultStatus.PENDING]
    if job.state not in models.SyncJob.FINAL_STATES:
        open_statuses.append(models.SyncResultStatus.UNKNOWN)
    return sum(count for status, count in job.counts.items() if status not in open_statuses)


def count_records(job: models.SyncJob) -> int:
    """The records that a job is about, as far as is known."""
    return max(job.planned, job.result_count)


def describe_job(
    job: models.SyncJob,
    unaccepted: Sequence[models.SyncBatch] = (),
    *,
    worker_alive: bool | None = None,
    seconds_left: float | None = None,
) -> str:
    """What became of a job.

    Args:
        job: any state.
        unaccepted: its batches that were not applied, or may not have been, in order.
        worker_alive: whether a worker could run it; ``None`` where that is not known.
        seconds_left: how long it still takes; ``None`` where that is not known.
    """
    if job.state == models.SyncJobState.NOT_QUEUED:
        return f"Not queued. {job.problem_text or 'Nothing was sent.'}"
    if job.state == models.SyncJobState.QUEUED:
        return "Waiting for a worker." + _nobody(worker_alive)
    if job.state == models.SyncJobState.RUNNING:
        return _running(job, worker_alive, seconds_left)
    if job.state == models.SyncJobState.WAITING:
        return _waiting(job, worker_alive)
    if job.state == models.SyncJobState.PAUSED:
        return f"Paused{_so_far(job)}. It goes on when somebody presses “Resume”."
    if job.state in (models.SyncJobState.STOPPED, models.SyncJobState.CRASHED, models.SyncJobState.CANCELLED):
        return " ".join(_stopped(job, unaccepted))
    return _finished(job)


def selection_text(kept: Mapping[str, object]) -> str:
    """What a job that sends was asked to send, in words."""
    kinds = [str(kind) for kind in kept.get("kinds") or ()]  # type: ignore[attr-defined]
    changed = "" if kept.get("resend") else "changed "
    if kept.get("of_job"):
        statuses = [STATUS_WORDS.get(str(status), "") for status in kept.get("of_statuses") or ()]  # type: ignore[attr-defined]
        what = f"The {changed}records of the job that this one repeats that were {_or(statuses)} there"
        if kept.get("of_error"):
            what += f", with a reason like “{kept['of_error']}”"
    elif kept.get("of_import"):
        what = f"The {changed}records of import {kept['of_import']}"
    else:
        what = follow_up_text.describe_dry_run_part(kept) or _describe_records(kinds, kept.get("ids"), changed)
    if kept.get("resend"):
        what += ", unchanged ones too"
    if kept.get("include_unknown"):
        what += ", unknown outcomes again"
    if kept.get("read_first"):
        what += ", each read in Marketo first"
    return what + follow_up_text.describe_rest(kept)


def batch_sentence(batch: models.SyncBatch, counts: Mapping[str, int]) -> str:
    """What a call was about and what came of it.

    Args:
        counts: its results by status, steps on the way included.
    """
    kind = batch.get_kind_display().lower()
    if batch.state == models.SyncBatchState.WAITING:
        return f"{batch.operation} of {format_count(batch.size, 'record')} ({kind}), still to be sent."
    if batch.state == models.SyncBatchState.PLANNED:
        return follow_up_text.describe_planned_batch(batch)
    if batch.operation == "DESCRIBE":
        return f"Reading what Marketo knows about {kind}."
    statuses = (*STATUS_ORDER, models.SyncResultStatus.RETRIED, models.SyncResultStatus.LOOKED_UP)
    came = SEPARATOR.join(_counted(counts, statuses))
    if batch.operation == "GET":
        return f"Reading of {kind}: {came or format_count(batch.size, 'record')}."
    return f"{batch.operation} of {format_count(batch.size, 'record')} ({kind}){f': {came}' if came else ''}."


def asked_text(job: models.SyncJob) -> str:
    """What a job was asked to do, in words."""
    kept = job.selection
    if job.action in follow_up_text.SENDS_SELECTION:
        return selection_text(kept)
    if job.action == models.SyncJobAction.UNDO:
        return follow_up_text.describe_undo()
    if job.action == models.SyncJobAction.DESCRIBE:
        return "The fields of opportunities and roles, tags and channels"
    if job.action == models.SyncJobAction.COMPARE:
        return _describe_records(kept.get("kinds") or (), kept.get("ids"), "synced ")
    if job.action == models.SyncJobAction.IDENTIFY:
        by = f", by the field {kept['key_field']}" if kept.get("key_field") else ""
        return _describe_records(kept.get("kinds") or (), kept.get("ids"), "") + f" without an ID{by}"
    what = _describe_records([kept.get("kind", "")], kept.get("ids"), "")
    if job.action == models.SyncJobAction.DELETE:
        return what + (", with their roles" if kept.get("kind") == "Opportunity" else "")
    return what + "".join(_filters(kept))


def field_text(name: str) -> str:
    """A field's name as shown. A cost is kept under our own number, which means nothing to people."""
    return _COST.sub(_("Period cost"), name) if _COST.match(name) else name


def operation_text(operation: str) -> str:
    """An operation as shown."""
    return "Automatic" if operation == OperationChoice.AUTO else operation


def format_time(at: datetime | None) -> str:
    """A time in the zone of whoever reads it, ``2026-03-01 21:30:05 KST``; "" for none."""
    if at is None:
        return ""
    here = timezone.localtime(at)
    name = here.tzname() or ""
    # Zones without a name of letters say how far they are from UTC: "-03".
    return f"{here:%Y-%m-%d %H:%M:%S} {name if name.isalpha() else f'UTC{name}'}"


def render_time(at: datetime | None) -> SafeString | str:
    """The same as HTML, with the time in UTC on hover."""
    if at is None:
        return ""
    exact = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S} UTC", format_time(at)
    )


def format_duration(span: timedelta | float | None) -> str:
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


def format_near_time(at: datetime) -> str:
    """A time near now: ``12:05:10 UTC`` if it is today, else with its date; in the reader's zone."""
    return format_time(at)[11 if timezone.localdate(at) == timezone.localdate() else 0 :]


def _counted(counts: Mapping[str, int], statuses: Sequence[models.SyncResultStatus]) -> list[str]:
    return [f"{counts[status]:,} {STATUS_WORDS[status]}" for status in statuses if counts.get(status)]


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _describe_records(kinds: Sequence[str], ids: object, which: str) -> str:
    if isinstance(ids, list | tuple):
        names = KIND_WORDS.get(kinds[0] if kinds else "", ("record", "records"))
        return f"{len(ids):,} selected {names[len(ids) != 1]}"
    return f"All {which}{', '.join(KIND_WORDS[kind][1] for kind in kinds if kind in KIND_WORDS) or 'records'}"


def _filters(kept: Mapping[str, object]) -> list[str]:
    since = kept.get("updated_since")
    return [
        *([f" with the name “{kept['name']}”"] if kept.get("name") else []),
        *([f", in the workspace “{kept['workspace']}”"] if kept.get("workspace") else []),
        *([f", with the tag {kept['tag_type']} = {kept['tag_value']}"] if kept.get("tag_type") else []),
        *([f", updated since {format_time(datetime.fromisoformat(str(since)))}"] if since else []),
        *([", archived ones too"] if kept.get("archived") else []),
    ]


def _nobody(worker_alive: bool | None) -> str:
    return " No worker is running, so it will wait until one is started." if worker_alive is False else ""


def _progress(job: models.SyncJob) -> str:
    """How far a job has come; "" if that is not known."""
    if job.action == models.SyncJobAction.DESCRIBE:
        return f"{job.progress.get('done', 0)} of {DESCRIBED} lists read"
    if job.action in COUNTED_ACTIONS:
        return f"{format_count(job.result_count, 'record')} {DONE_WORDS[job.action]} so far"
    if job.action == models.SyncJobAction.DELETE and not job.planned:
        return f"{format_count(count_done(job), 'record')} done so far"
    return f"{count_done(job):,} of {format_count(count_records(job), 'record')} done"


def _so_far(job: models.SyncJob) -> str:
    return f": {_progress(job)}" if job.started_at else " before it began"


def _running(job: models.SyncJob, worker_alive: bool | None, seconds_left: float | None) -> str:
    said = [f"Running: {_progress(job)}."]
    if job.requested_action == models.RequestedAction.PAUSE:
        said.append("It pauses after what is under way.")
    elif job.requested_action == models.RequestedAction.CANCEL:
        said.append("It is cancelled after what is under way.")
    elif seconds_left is not None:
        said.append(f"About {format_duration(max(seconds_left, 1))} left.")
    if worker_alive is False:
        said.append("But no worker is running; it goes on once one is started.")
    return " ".join(said)


def _waiting(job: models.SyncJob, worker_alive: bool | None) -> str:
    done = f" {_progress(job)}." if job.result_count else ""
    if job.waits_until is None:
        return f"Waiting for a person: {job.waits_for}{done}"
    if job.waits_until <= timezone.now():
        return f"Waiting for a worker.{done}{_nobody(worker_alive)}"
    why = f": {job.waits_for}" if job.waits_for else "."
    return f"Waiting until {format_near_time(job.waits_until)}{why}{done}{_nobody(worker_alive)}"


def _finished(job: models.SyncJob) -> str:
    if job.action == models.SyncJobAction.DESCRIBE:
        return "Finished: fields, tags and channels were read."
    count = count_records(job)
    if not count:
        return f"Finished: {NOTHING_WORDS[job.action]}."
    if job.action in COUNTED_ACTIONS:
        counted = ", ".join(_counted(job.counts, STATUS_ORDER))
        return f"Finished: {format_count(count, 'record')} {DONE_WORDS[job.action]}; {counted}."
    if job.action == models.SyncJobAction.DRY_RUN:
        return follow_up_text.describe_dry_run(job, count)
    done = DONE_WORDS.get(job.action, "accepted")
    problems = _counted(job.counts, models.SyncResult.PROBLEM_STATUSES)
    if not problems:
        return f"Finished: {'the record was' if count == 1 else f'all {count:,} records were'} {done}."
    return f"Finished: {count_accepted(job.counts):,} of {count:,} {done}; {', '.join(problems)}."


def _stopped(job: models.SyncJob, unaccepted: Sequence[models.SyncBatch]) -> list[str]:
    said = [_why_stopped(job)]
    if job.action in COUNTED_ACTIONS:
        return [*said, f"What was {DONE_WORDS[job.action]} before is kept."] if job.result_count else said
    unknown = [batch for batch in unaccepted if batch.state == models.SyncBatchState.UNKNOWN]
    if unknown:
        said.append(f"{_batches(unknown)} may or may not have been applied.")
    elif unaccepted:
        words = _batches(unaccepted)
        said.append(f"Nothing of {words[0].lower()}{words[1:]} was applied.")
    doubtful = job.counts.get(models.SyncResultStatus.UNKNOWN, 0)
    left = count_records(job) - count_accepted(job.counts) - doubtful
    if doubtful:
        said.append(f"What became of {format_count(doubtful, 'record')} is not known.")
    if left > 0:
        to_do = "deleted" if job.action == models.SyncJobAction.DELETE else "sent"
        said.append(f"{format_count(left, 'record')} {'stays' if left == 1 else 'stay'} to be {to_do}.")
    return said


def _why_stopped(job: models.SyncJob) -> str:
    if job.state != models.SyncJobState.CANCELLED:
        return f"{job.get_state_display()}: {(job.problem_text or 'no reason is known').rstrip('.')}."
    if not job.started_at or job.action not in (models.SyncJobAction.SEND, models.SyncJobAction.DELETE):
        return f"Cancelled{_so_far(job)}."
    return (
        f"Cancelled: {count_accepted(job.counts):,} of {count_records(job):,} {DONE_WORDS.get(job.action, 'accepted')}."
    )


def _batches(batches: Sequence[models.SyncBatch]) -> str:
    if len(batches) == 1:
        return f"Batch {batches[0].sequence}"
    if len(batches) > 5:
        return f"{len(batches):,} batches"
    numbers = [str(batch.sequence) for batch in batches]
    return f"Batches {', '.join(numbers[:-1])} and {numbers[-1]}"
