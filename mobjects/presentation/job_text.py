"""What became of a job, in plain sentences. Reads job and batch rows that are already loaded; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mobjects import models
from mobjects.kept_text import translate_kept
from mobjects.presentation import follow_up_text
from mobjects.presentation.vocabulary import (
    DONE_WORDS,
    KIND_WORDS,
    SEPARATOR,
    STATUS_ORDER,
    STATUS_WORDS,
    done_words,
    format_duration,
    join_and,
    join_or,
    records_text,
    selected_text,
    status_count_text,
    status_counts,
)
from mobjects.zones import name_zone

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NOTHING_WORDS: dict[str, StrOrPromise] = {
    models.SyncJobAction.SEND: gettext_lazy("there was nothing to send"),
    models.SyncJobAction.PULL: gettext_lazy("Marketo has nothing that fits"),
    models.SyncJobAction.COMPARE: gettext_lazy("there was nothing to compare"),
    models.SyncJobAction.DELETE: gettext_lazy("there was nothing to delete"),
    models.SyncJobAction.IDENTIFY: gettext_lazy("there was nothing to look up"),
    **follow_up_text.NOTHING_WORDS,
}
COUNTED_ACTIONS = (models.SyncJobAction.PULL, models.SyncJobAction.COMPARE, models.SyncJobAction.IDENTIFY)
"""How many records they are about is not known before they end; what they did is kept if they end early."""
DESCRIBED = 4
"""Lists that are read: fields of opportunities, fields of roles, tags, channels."""


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts per status on one line, such as ``15 failed · 412 created``."""
    return SEPARATOR.join(status_counts(counts, STATUS_ORDER)) or _("nothing sent")


def outcome_text(job: models.SyncJob) -> str:
    """What a job has come to so far, on one line."""
    if job.counts or job.action == models.SyncJobAction.SEND:
        return counts_text(job.counts)
    if job.state != models.SyncJobState.SUCCEEDED:
        return _("nothing yet") if job.is_live else _("nothing")
    return _("read") if job.action == models.SyncJobAction.DESCRIBE else _("nothing found")


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
    """The records that a job is about, as far as is known; where it has sent all, those that it came in time for."""
    return job.result_count if _has_sent(job) else max(job.planned, job.result_count)


def _has_sent(job: models.SyncJob) -> bool:
    ended = (models.SyncJobState.SUCCEEDED, models.SyncJobState.PROBLEMS)
    return job.action in models.SyncJob.SENDING_ACTIONS and job.state in ended


def describe_job(
    job: models.SyncJob,
    unaccepted: Sequence[models.SyncBatch] = (),
    *,
    worker_alive: bool | None = None,
    seconds_left: float | None = None,
    failed_for: int = 0,
) -> str:
    """What became of a job.

    Args:
        job: any state.
        unaccepted: its batches that were not applied, or may not have been, in order.
        worker_alive: whether a worker could run it; ``None`` where that is not known.
        seconds_left: how long it still takes; ``None`` where that is not known.
        failed_for: reasons for which records failed; 0 where they were not counted, and one reason is not said.
    """
    if job.state == models.SyncJobState.NOT_QUEUED:
        return _("Not queued. %(reason)s") % {"reason": translate_kept(job.problem_text) or _("Nothing was sent.")}
    if job.state == models.SyncJobState.HELD:
        return _("Nothing is done before another person approves it.")
    if job.state == models.SyncJobState.QUEUED:
        return _("Waiting for a worker.") + _nobody(worker_alive)
    if job.state == models.SyncJobState.RUNNING:
        return _running(job, worker_alive, seconds_left)
    if job.state == models.SyncJobState.WAITING:
        return _waiting(job, worker_alive)
    if job.state == models.SyncJobState.PAUSED:
        resumes = _("It goes on when somebody presses “Resume”.")
        return f"{_left_off(job, _('Paused'))} {resumes}"
    if job.state in (models.SyncJobState.STOPPED, models.SyncJobState.CRASHED, models.SyncJobState.CANCELLED):
        return " ".join(_stopped(job, unaccepted))
    return _finished(job, failed_for) + (follow_up_text.describe_gone(job) if _has_sent(job) else "")


def asked_text(job: models.SyncJob) -> str:
    """What a job was asked to do, in words."""
    kept = job.selection
    if job.action in follow_up_text.SENDS_SELECTION:
        return selection_text(kept)
    if job.action == models.SyncJobAction.UNDO:
        return follow_up_text.describe_undo()
    if job.action == models.SyncJobAction.DESCRIBE:
        return _("The fields of opportunities and roles, tags and channels")
    kinds = kept.get("kinds") or ()
    if job.action == models.SyncJobAction.COMPARE:
        return _selected(kinds, kept) or _("All synced %(kinds)s") % {"kinds": _kinds(kinds)}
    if job.action == models.SyncJobAction.IDENTIFY:
        said = {"records": _selected(kinds, kept) or _all(kinds), "field": kept.get("key_field")}
        if kept.get("key_field"):
            return _("%(records)s without an ID, by the field %(field)s") % said
        return _("%(records)s without an ID") % said
    what = _selected([kept.get("kind", "")], kept) or _all([kept.get("kind", "")])
    if job.action == models.SyncJobAction.DELETE:
        return what + (_(", with their roles") if kept.get("kind") == "Opportunity" else "")
    return what + "".join(_filters(kept))


def selection_text(kept: Mapping[str, object], of: str = "") -> str:
    """What a job that sends was asked to send, in words; ``of`` is the title of the job that it repeats, if any."""
    what = _sent_records(kept, of)
    if kept.get("resend"):
        what += _(", unchanged ones too")
    if kept.get("include_unknown"):
        what += _(", unknown outcomes again")
    if kept.get("read_first"):
        what += _(", each read in Marketo first")
    return what + follow_up_text.describe_rest(kept)


def _sent_records(kept: Mapping[str, object], of: str) -> str:
    if kept.get("of_job"):
        return _repeated_records(kept, of)
    if kept.get("of_import"):
        words = (
            _("The records of import %(number)s")
            if kept.get("resend")
            else _("The changed records of import %(number)s")
        )
        return words % {"number": kept["of_import"]}
    kinds = [str(kind) for kind in kept.get("kinds") or ()]  # type: ignore[attr-defined]
    part = follow_up_text.describe_dry_run_part(kept) or _selected(kinds, kept)
    if part:
        return part
    return _all(kinds) if kept.get("resend") else _("All changed %(kinds)s") % {"kinds": _kinds(kinds)}


def _repeated_records(kept: Mapping[str, object], of: str) -> str:
    """Those of another job that had one of several statuses there."""
    if of:
        words = _("What “%(job)s” did not get accepted")
    elif kept.get("resend"):
        words = _("The records of the job that this one repeats that were %(statuses)s there")
    else:
        words = _("The changed records of the job that this one repeats that were %(statuses)s there")
    statuses = [str(status) for status in kept.get("of_statuses") or ()]  # type: ignore[attr-defined]
    named = join_or([STATUS_WORDS[status] for status in statuses if status in STATUS_WORDS])
    what = words % {"statuses": named, "job": of}
    if kept.get("of_error"):
        what += _(", with a reason like “%(reason)s”") % {"reason": translate_kept(str(kept["of_error"]))}
    return what


def _selected(kinds: Sequence[str], kept: Mapping[str, object]) -> str:
    """How many records were selected; "" if all were meant."""
    ids = kept.get("ids")
    return selected_text(kinds[0] if kinds else "", len(ids)) if isinstance(ids, list | tuple) else ""


def _all(kinds: Sequence[str]) -> str:
    return _("All %(kinds)s") % {"kinds": _kinds(kinds)}


def _kinds(kinds: Sequence[str]) -> str:
    return ", ".join(str(KIND_WORDS[kind]) for kind in kinds if kind in KIND_WORDS) or _("records")


def _filters(kept: Mapping[str, object]) -> list[str]:
    since = kept.get("updated_since")
    at = format_time(datetime.fromisoformat(str(since))) if since else ""
    tag = {"type": kept.get("tag_type"), "value": kept.get("tag_value")}
    return [
        *([_(" with the name “%(name)s”") % {"name": kept["name"]}] if kept.get("name") else []),
        *([_(", in the workspace “%(name)s”") % {"name": kept["workspace"]}] if kept.get("workspace") else []),
        *([_(", with the tag %(type)s = %(value)s") % tag] if kept.get("tag_type") else []),
        *([_(", updated since %(time)s") % {"time": at}] if since else []),
        *([_(", archived ones too")] if kept.get("archived") else []),
    ]


def batch_sentence(batch: models.SyncBatch, counts: Mapping[str, int]) -> str:
    """What a call was about and what came of it.

    Args:
        counts: its results by status, steps on the way included.
    """
    kind = batch.get_kind_display().lower()
    said = {"operation": batch.operation, "records": records_text(batch.size), "kind": kind}
    if batch.state == models.SyncBatchState.WAITING:
        return _("%(operation)s of %(records)s (%(kind)s), still to be sent.") % said
    if batch.state == models.SyncBatchState.PLANNED:
        return follow_up_text.describe_planned_batch(batch)
    if batch.operation == "DESCRIBE":
        return _("Reading what Marketo knows about %(kind)s.") % {"kind": kind}
    statuses = (*STATUS_ORDER, models.SyncResultStatus.RETRIED, models.SyncResultStatus.LOOKED_UP)
    came = SEPARATOR.join(status_counts(counts, statuses))
    if batch.operation == "GET":
        return _("Reading of %(kind)s: %(outcome)s.") % {"kind": kind, "outcome": came or records_text(batch.size)}
    if came:
        return _("%(operation)s of %(records)s (%(kind)s): %(outcome)s.") % {**said, "outcome": came}
    return _("%(operation)s of %(records)s (%(kind)s).") % said


def format_time(at: datetime | None) -> str:
    """A time in the zone of whoever reads it, ``2026-03-01 21:30:05 KST``; "" for none."""
    if at is None:
        return ""
    here = timezone.localtime(at)
    return f"{here:%Y-%m-%d %H:%M:%S} {name_zone(here)}"


def render_time(at: datetime | None) -> SafeString | str:
    """The same as HTML, with the time in UTC on hover."""
    if at is None:
        return ""
    exact = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S} UTC", format_time(at)
    )


def format_near_time(at: datetime) -> str:
    """A time near now: ``12:05:10 UTC`` if it is today, else with its date; in the reader's zone."""
    return format_time(at)[11 if timezone.localdate(at) == timezone.localdate() else 0 :]


def _nobody(worker_alive: bool | None) -> str:
    if worker_alive is not False:
        return ""
    return " " + _("No worker is running, so it will wait until one is started.")


def _progress(job: models.SyncJob) -> str:
    """How far a job has come; "" if that is not known."""
    if job.action == models.SyncJobAction.DESCRIBE:
        done = job.progress.get("done", 0)
        return _("%(done)s of %(count)s lists read") % {"done": done, "count": DESCRIBED}
    if job.action in COUNTED_ACTIONS:
        said = {"records": records_text(job.result_count), "done": DONE_WORDS[job.action]}
        return _("%(records)s %(done)s so far") % said
    done = count_done(job)
    if job.action == models.SyncJobAction.DELETE and not job.planned:
        return _("%(records)s done so far") % {"records": records_text(done)}
    return _("%(done)s of %(records)s done") % {"done": f"{done:,}", "records": records_text(count_records(job))}


def _left_off(job: models.SyncJob, state: str) -> str:
    """Where a job stood when it was paused or cancelled."""
    if job.started_at:
        return _("%(state)s: %(progress)s.") % {"state": state, "progress": _progress(job)}
    return _("%(state)s before it began.") % {"state": state}


def _running(job: models.SyncJob, worker_alive: bool | None, seconds_left: float | None) -> str:
    said = [_("Running: %(progress)s.") % {"progress": _progress(job)}]
    if job.requested_action == models.RequestedAction.PAUSE:
        said.append(_("It pauses after what is under way."))
    elif job.requested_action == models.RequestedAction.CANCEL:
        said.append(_("It is cancelled after what is under way."))
    elif seconds_left is not None:
        said.append(_("About %(time)s left.") % {"time": format_duration(max(seconds_left, 1))})
    if worker_alive is False:
        said.append(_("But no worker is running; it goes on once one is started."))
    return " ".join(said)


def _waiting(job: models.SyncJob, worker_alive: bool | None) -> str:
    done = f" {_progress(job)}." if job.result_count else ""
    why = translate_kept(job.waits_for)
    if job.waits_until is None:
        return _("Waiting for a person: %(reason)s") % {"reason": why} + done
    if job.waits_until <= timezone.now():
        return f"{_('Waiting for a worker.')}{done}{_nobody(worker_alive)}"
    until = {"time": format_near_time(job.waits_until), "reason": why}
    said = _("Waiting until %(time)s: %(reason)s") % until if why else _("Waiting until %(time)s.") % until
    return f"{said}{done}{_nobody(worker_alive)}"


def _finished(job: models.SyncJob, failed_for: int) -> str:
    if job.action == models.SyncJobAction.DESCRIBE:
        return _("Finished: fields, tags and channels were read.")
    count = count_records(job)
    if not count:
        return _("Finished: %(outcome)s.") % {"outcome": NOTHING_WORDS[job.action]}
    if job.action in COUNTED_ACTIONS:
        counted = ", ".join(status_counts(job.counts, STATUS_ORDER))
        said = {"records": records_text(count), "done": DONE_WORDS[job.action], "counts": counted}
        return _("Finished: %(records)s %(done)s; %(counts)s.") % said
    if job.action == models.SyncJobAction.DRY_RUN:
        return follow_up_text.describe_dry_run(job, count)
    done = done_words(job.action)
    problems = _problems(job.counts, failed_for)
    if not problems:
        words = ngettext("Finished: the record was %(done)s.", "Finished: all %(count)s records were %(done)s.", count)
        return words % {"count": f"{count:,}", "done": done}
    return _("Finished: %(accepted)s of %(count)s %(done)s; %(problems)s.") % {
        "accepted": f"{count_accepted(job.counts):,}",
        "count": f"{count:,}",
        "done": done,
        "problems": ", ".join(problems),
    }


def _problems(counts: Mapping[str, int], failed_for: int) -> list[str]:
    """How many records need a person, by status, with the reasons where there are several."""
    said = status_counts(counts, models.SyncResult.PROBLEM_STATUSES)
    failed = counts.get(models.SyncResultStatus.FAILED, 0)
    if failed_for > 1 and failed:
        place = said.index(status_count_text(models.SyncResultStatus.FAILED, failed))
        words = ngettext("%(failed)s for %(count)s reason", "%(failed)s for %(count)s reasons", failed_for)
        said[place] = words % {"failed": said[place], "count": failed_for}
    return said


def _stopped(job: models.SyncJob, unaccepted: Sequence[models.SyncBatch]) -> list[str]:
    said = [_why_stopped(job)]
    if job.action in COUNTED_ACTIONS:
        kept = _("What was %(done)s before is kept.") % {"done": DONE_WORDS[job.action]}
        return [*said, kept] if job.result_count else said
    unknown = [batch for batch in unaccepted if batch.state == models.SyncBatchState.UNKNOWN]
    if unknown:
        said.append(_("%(batches)s may or may not have been applied.") % {"batches": _batches(unknown, first=True)})
    elif unaccepted:
        said.append(_("Nothing of %(batches)s was applied.") % {"batches": _batches(unaccepted, first=False)})
    doubtful = job.counts.get(models.SyncResultStatus.UNKNOWN, 0)
    left = count_records(job) - count_accepted(job.counts) - doubtful
    if doubtful:
        said.append(_("What became of %(records)s is not known.") % {"records": records_text(doubtful)})
    if left > 0:
        said.append(_left_to_do(job, left))
    return said


def _left_to_do(job: models.SyncJob, left: int) -> str:
    words = ngettext("%(count)s record was left to be sent.", "%(count)s records were left to be sent.", left)
    if job.action == models.SyncJobAction.DELETE:
        words = ngettext("%(count)s record was left to be deleted.", "%(count)s records were left to be deleted.", left)
    return words % {"count": f"{left:,}"}


def _why_stopped(job: models.SyncJob) -> str:
    if job.state != models.SyncJobState.CANCELLED or job.problem == "approval":
        reason = (translate_kept(job.problem_text) or _("no reason is known")).rstrip(".")
        return _("%(state)s: %(reason)s.") % {"state": job.get_state_display(), "reason": reason}
    if not job.started_at or job.action not in (models.SyncJobAction.SEND, models.SyncJobAction.DELETE):
        return _left_off(job, _("Cancelled"))
    return _("Cancelled: %(accepted)s of %(count)s %(done)s.") % {
        "accepted": f"{count_accepted(job.counts):,}",
        "count": f"{count_records(job):,}",
        "done": done_words(job.action),
    }


def _batches(batches: Sequence[models.SyncBatch], *, first: bool) -> str:
    """Their numbers; ``first`` where a sentence begins with them."""
    if len(batches) > 5:
        return _("%(count)s batches") % {"count": f"{len(batches):,}"}
    numbers = {"numbers": join_and([str(batch.sequence) for batch in batches])}
    if first:
        return ngettext("Batch %(numbers)s", "Batches %(numbers)s", len(batches)) % numbers
    return ngettext("batch %(numbers)s", "batches %(numbers)s", len(batches)) % numbers
