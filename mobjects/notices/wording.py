"""What a notice says, in the language in use: what happened, how much, what to do next, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mobjects.kept_text import translate_kept
from mobjects.models import (
    ApprovalState,
    ApprovedWork,
    Circuit,
    Import,
    ImportState,
    Notice,
    NoticeDelivery,
    NoticeEvent,
    SyncJob,
)
from mobjects.notices import notice_settings
from mobjects.presentation.import_text import describe_import
from mobjects.presentation.job_text import counts_text, format_time
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.vocabulary import records_text

Facts = Mapping[str, Any]

IMPORT_FIELDS = (
    *("kind", "state", "file_name", "rows", "counts", "blanks", "overwrite"),
    *("committed_to", "written", "undone", "problem"),
)
"""What a sentence about an import is made from."""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice in words.

    Args:
        title: what happened, on one line.
        detail: why, and counts; may be "".
        advice: what to do next; "" if nothing is.
        path: of the page where that is done.
    """

    title: str
    detail: str
    advice: str
    path: str

    @property
    def url(self) -> str:
        """The page's address as others see it."""
        return notice_settings.absolute_url(self.path)


def describe_notice(notice: Notice) -> NoticeText:
    """What a notice says."""
    event, facts = NoticeEvent(notice.event), notice.facts
    if notice.is_recovery:
        title, detail = _over(event, facts, notice.about)
        return NoticeText(title, detail, "", _path(event, facts))
    title, detail, advice = _WORDS[event](facts, notice.about)
    return NoticeText(title, detail, advice, _path(event, facts))


def describe_delivery(delivery: NoticeDelivery) -> NoticeText:
    """What a delivery says: its notice, or that it is a test."""
    if delivery.notice is not None:
        return describe_notice(delivery.notice)
    return NoticeText(
        _("A test of Marketo Admin"), _("Somebody pressed “Send a test”."), "", reverse("mobjects:notice-settings")
    )


def _title_of_job(facts: Facts) -> str:
    created_at = datetime.fromisoformat(facts["created_at"])
    job = SyncJob(action=facts["action"], kind=facts["kind"], planned=facts["planned"], created_at=created_at)
    # Read in mails and chats, too, where nothing else says in which zone its time is.
    return job_title(job, names_zone=True)


def _of_job(title: str, facts: Facts, advice: str) -> tuple[str, str, str]:
    why = translate_kept(facts["why"])
    counts = counts_text(facts["counts"]) if facts["counts"] else ""
    return title % {"job": _title_of_job(facts)}, " ".join(part for part in (why, counts) if part), advice


def _failed(facts: Facts, about: str) -> tuple[str, str, str]:
    return _of_job(_("Failed: %(job)s"), facts, _("Open the job: it says what was sent and what can be done."))


def _unknown(facts: Facts, about: str) -> tuple[str, str, str]:
    return _of_job(
        _("Unknown outcomes: %(job)s"), facts, _("Sync those records again: they are looked up in Marketo first.")
    )


def _share(facts: Facts, about: str) -> tuple[str, str, str]:
    return _of_job(_("Many records failed: %(job)s"), facts, _("Open the job: it groups the reasons."))


def _empty(facts: Facts, about: str) -> tuple[str, str, str]:
    return _of_job(
        _("No records: %(job)s"), facts, _("If there should have been some, look at what the schedule selects.")
    )


def _halted(facts: Facts, about: str) -> tuple[str, str, str]:
    return (
        Circuit(kind=facts["kind"]).headline,
        translate_kept(facts["why"]),
        _("Put it right, then let sending go on from the Connection page."),
    )


def _late(facts: Facts, about: str) -> tuple[str, str, str]:
    last = facts["last"]
    detail = _("It ran last at %(time)s.") % {"time": _time(last)} if last else _("It never ran.")
    return (
        _("The schedule “%(name)s” did not run") % {"name": facts["name"]},
        " ".join(part for part in (detail, translate_kept(facts["why"])) if part),
        _("Open the schedule: it says why runs were missed. Without a clock or a worker none starts."),
    )


def _quota(facts: Facts, about: str) -> tuple[str, str, str]:
    share, left = (
        number_format(count, force_grouping=True) for count in (facts["share"], facts["share"] - facts["used"])
    )
    return (
        _("%(left)s of our %(share)s calls to Marketo today are left") % {"left": left, "share": share},
        _("Counting begins anew at %(time)s. Jobs wait until then and go on by themselves.")
        % {"time": _time(facts["resets_at"])},
        _("Put off what can wait. If Marketo allows more calls a day than MARKETO_DAILY_QUOTA says, raise it."),
    )


def _processes(facts: Facts, about: str) -> tuple[str, str, str]:
    if about == "redis":
        detail = _("The queue (Redis) %(problem)s.") % {"problem": translate_kept(facts["why"])}
        return _("The queue cannot be used"), detail, _("Look at the Redis server and its log.")
    if about == "worker":
        detail = _("What is asked for waits; nothing is lost.")
        return _("No worker gives signs of life"), detail, _("Start one: manage.py rqworker sync")
    if about == "clock":
        detail = _("Schedules do not start, and lost jobs are not found again.")
        return _("No clock is running"), detail, _("Start one: manage.py clock")
    count = facts["count"]
    said = ngettext(
        "A process at work on %(count)s job or import is frozen or was killed",
        "Processes at work on %(count)s jobs or imports are frozen or were killed",
        count,
    )
    return (
        said % {"count": count},
        _("Another takes the work over; nothing is sent twice."),
        _("See the Queue page and the workers’ log."),
    )


def _waits(facts: Facts, about: str) -> tuple[str, str, str]:
    asks = (
        _("It waits for the columns to be chosen.")
        if facts["state"] == ImportState.MAPPING
        else _("It was checked and waits for a review.")
    )
    return (
        _("The import of “%(name)s” waits for a person") % {"name": facts["name"]},
        asks + " " + _("Nothing of it is written until then."),
        _("Go on with it, or discard it."),
    )


def _asked(facts: Facts, about: str) -> tuple[str, str, str]:
    said = {"name": facts["asker"] or "-", "rule": facts["rule"], "until": _time(facts["until"])}
    return (
        _("Waits for approval: %(what)s") % {"what": _held_work(facts)},
        _("%(name)s asked for it; the rule “%(rule)s” holds it, until %(until)s.") % said,
        _("Look at what would be done, and approve or refuse it."),
    )


def _decided(facts: Facts) -> tuple[str, str]:
    by = _("By %(name)s.") % {"name": facts["by"]} if facts["by"] else ""
    detail = " ".join(part for part in (by, translate_kept(facts["reason"])) if part)
    return f"{ApprovalState(facts['state']).label}: {_held_work(facts)}", detail


def _held_work(facts: Facts) -> str:
    if "action" in facts:
        return _title_of_job(facts)
    what = f"{ApprovedWork(facts['work']).label}, {records_text(facts['planned'])}"
    return _("Undo: %(what)s") % {"what": what} if facts["undoes"] else what


def _done(facts: Facts, about: str) -> tuple[str, str, str]:
    if "import" not in facts:
        return _of_job(_("Done: %(job)s"), facts, "")
    shown = Import(**{name: facts[name] for name in IMPORT_FIELDS})
    if shown.problem and shown.state != ImportState.REFUSED:
        return _("Not finished: import of “%(name)s”") % {"name": shown.file_name}, translate_kept(shown.problem), ""
    said = {"state": shown.get_state_display(), "name": shown.file_name}
    return _("%(state)s: import of “%(name)s”") % said, describe_import(shown), ""


_WORDS: Mapping[NoticeEvent, Callable[[Facts, str], tuple[str, str, str]]] = {
    NoticeEvent.JOB_FAILED: _failed,
    NoticeEvent.JOB_UNKNOWN: _unknown,
    NoticeEvent.FAILED_SHARE: _share,
    NoticeEvent.NO_RECORDS: _empty,
    NoticeEvent.HALTED: _halted,
    NoticeEvent.SCHEDULE_LATE: _late,
    NoticeEvent.QUOTA_LOW: _quota,
    NoticeEvent.PROCESSES: _processes,
    NoticeEvent.IMPORT_WAITS: _waits,
    NoticeEvent.APPROVAL_WAITS: _asked,
    NoticeEvent.LONG_WORK: _done,
}


def _over(event: NoticeEvent, facts: Facts, about: str) -> tuple[str, str]:
    """Title and detail of what is over."""
    if event == NoticeEvent.HALTED:
        return _("Over: %(what)s") % {"what": Circuit(kind=facts["kind"]).headline}, _("Somebody let sending go on.")
    if event == NoticeEvent.APPROVAL_WAITS:
        return _decided(facts)
    title, *_rest = _WORDS[event](facts, about)
    return _("Over: %(what)s") % {"what": title}, ""


def _path(event: NoticeEvent, facts: Facts) -> str:
    if "job" in facts:
        return reverse("admin:mobjects_syncjob_change", args=[UUID(facts["job"])])
    if event == NoticeEvent.SCHEDULE_LATE:
        return reverse("admin:mobjects_schedule_change", args=[facts["schedule"]])
    if "import" in facts:
        return reverse("mobjects:import", args=[facts["import"]])
    if event == NoticeEvent.APPROVAL_WAITS:
        return reverse("mobjects:approval", args=[facts["approval"]])
    return reverse("mobjects:queue" if event == NoticeEvent.PROCESSES else "mobjects:connection")


def _time(text: str) -> str:
    return format_time(datetime.fromisoformat(text))
