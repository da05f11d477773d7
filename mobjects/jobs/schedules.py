"""Starting jobs by the clock. Safe to be asked by several clocks at once: each run is started by one of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.jobs.requests import request_job
from mobjects.jobs.timetables.cron import Timetable
from mobjects.marketo.types import Kind
from mobjects.models import LateRuns, Schedule, SyncJob, SyncJobAction, SyncJobSource
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.pull.identify.task import IdentifySelection
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.send.selection import OperationChoice, SyncSelection

PERMISSIONS: dict[str, tuple[str, str]] = {
    SyncJobAction.SEND: ("mobjects.sync_records", _("send records to Marketo")),
    SyncJobAction.PULL: ("mobjects.pull_records", _("read records from Marketo")),
    SyncJobAction.COMPARE: ("mobjects.pull_records", _("read records from Marketo")),
    SyncJobAction.IDENTIFY: ("mobjects.pull_records", _("read records from Marketo")),
}
"""What a schedule's owner must be allowed to do, by action: permission, and words for it."""

MOST_COUNTED = 1000
"""Missed runs are counted one by one, and after a long absence not all of them."""

LATE = _("neither the clock nor a worker was there to start it")

LATE_AFTER = timedelta(minutes=5)
"""A run that starts by then is on time: the clock looks every few seconds, and a worker may be at work."""

logger = logging.getLogger(__name__)


def timetable(schedule: Schedule) -> Timetable:
    """When a schedule runs.

    Raises:
        ValueError: its expression, its zone or its quiet hours are wrong.
    """
    return Timetable(schedule.cron, schedule.time_zone, schedule.quiet_from, schedule.quiet_until)


def plan_schedule(schedule: Schedule, now: datetime | None = None) -> None:
    """Set when a schedule is due next, from its times; does not save it. One that is switched off is never due.

    Raises:
        ValueError: as :func:`timetable`.
    """
    schedule.next_at = timetable(schedule).next(now or clock.now()) if schedule.enabled else None


def run_due(now: datetime | None = None) -> list[SyncJob]:
    """Start what is due, at most one run of each schedule, and write down what was missed.

    Returns:
        The jobs that were started.
    """
    now = now or clock.now()
    due = Schedule.objects.filter(Q(next_at__lte=now) | Q(next_at=None), enabled=True)
    return [job for schedule in due.select_related("owner") for job in start_if_due(schedule, now)]


def start_schedule(schedule: Schedule, *, user: User, source: SyncJobSource) -> list[SyncJob]:
    """Ask for a schedule's jobs now, whether it is due or not.

    Returns:
        One job; when pulling, one for each kind.
    """
    action = SyncJobAction(schedule.action)
    kinds = [kind for kind in Kind if kind in schedule.kinds]
    made = [
        request_job(
            action=action,
            kind=kind,
            operation=schedule.operation if action == SyncJobAction.SEND else OperationChoice.AUTO.value,
            selection=selection,
            user=user,
            reason=_("Schedule “%(name)s”") % {"name": schedule.name},
            source=source,
            schedule=schedule,
        )
        for kind, selection in _selections(action, kinds, OperationChoice(schedule.operation))
    ]
    Schedule.objects.filter(pk=schedule.pk).update(last_at=clock.now(), last_job=made[-1])
    return made


def start_by_hand(pk: int, user: User) -> tuple[list[SyncJob], str]:
    """Start a schedule's jobs because somebody pressed a button.

    Returns:
        The jobs; or none, and as a sentence why not.
    """
    with transaction.atomic():
        schedule = Schedule.objects.select_for_update().get(pk=pk)
        refused = _not_allowed(schedule, user, "you") or _unfinished(schedule)
        return ([], refused) if refused else (start_schedule(schedule, user=user, source=SyncJobSource.ADMIN), "")


def _selections(
    action: SyncJobAction, kinds: Sequence[Kind], operation: OperationChoice
) -> list[tuple[str, dict[str, object]]]:
    """What each job is about, as its kind and its parameters."""
    if action == SyncJobAction.PULL:
        return [(kind.value, PullSelection(kind).to_json()) for kind in kinds]
    selection: CompareSelection | IdentifySelection | SyncSelection = SyncSelection(tuple(kinds), operation=operation)
    if action == SyncJobAction.COMPARE:
        selection = CompareSelection(tuple(kinds))
    elif action == SyncJobAction.IDENTIFY:
        selection = IdentifySelection(tuple(kinds))
    return [(selection.kind_of_job, selection.to_json())]


def start_if_due(schedule: Schedule, now: datetime) -> list[SyncJob]:
    """Start a schedule that is due, unless another clock has done so since it was read."""
    try:
        times = timetable(schedule)
        following = times.next(now)
    except ValueError as error:
        _switch_off(schedule, str(error))
        return []
    if schedule.next_at is None:
        _move(schedule, following)
        return []
    # The time that is due may be the end of quiet hours, and so not one of the expression's own.
    later = takewhile(lambda at: at <= now, times.runs(schedule.next_at))
    due = [schedule.next_at, *islice(later, MOST_COUNTED)]
    end = times.put_off(now)
    refused = _too_late(schedule, now - due[-1]) or (_refusal(schedule) if end <= now else "")
    put_off = end > now and not refused
    late = due if refused == LATE else due[:-1]
    texts = [_missed(late, LATE, times), _missed(due[len(late) :], refused, times) if refused else ""]
    missed = len(due) - 1 + bool(refused)
    with transaction.atomic():
        if not _move(schedule, end if put_off else following, missed, " ".join(filter(None, texts))):
            return []
        if refused or put_off:
            return []
        # For mypy: without an owner it is refused.
        return start_schedule(schedule, user=schedule.owner, source=SyncJobSource.SCHEDULE) if schedule.owner else []


def _move(schedule: Schedule, to: datetime, missed: int = 0, text: str = "") -> bool:
    """Set when it is due next, if nobody else has done so since it was read."""
    changes = {"missed": F("missed") + missed, "missed_text": text} if missed else {}
    mine = Schedule.objects.filter(pk=schedule.pk, enabled=True, next_at=schedule.next_at)
    if missed:
        logger.warning("Schedule %s: %s", schedule.pk, text)
    return bool(mine.update(next_at=to, **changes))


def _switch_off(schedule: Schedule, reason: str) -> None:
    """Switch a damaged schedule off, if nobody has saved or moved it since it was read."""
    as_read = Schedule.objects.filter(pk=schedule.pk, enabled=True, next_at=schedule.next_at)
    if as_read.update(enabled=False, next_at=None, missed_text=_("Switched off: %(reason)s") % {"reason": reason}):
        logger.error("Schedule %s is switched off: %s", schedule.pk, reason)


def _too_late(schedule: Schedule, late_by: timedelta) -> str:
    """Why a run of a schedule that leaves late ones out may not start any more; "" if it may."""
    return LATE if late_by > LATE_AFTER and schedule.late_runs == LateRuns.SKIP else ""


def _refusal(schedule: Schedule) -> str:
    """Why a run that is due may not start, to end a sentence with; "" if it may."""
    if schedule.owner is None:
        return _("the schedule has no owner any more; somebody who may start it has to save it")
    if not [kind for kind in Kind if kind in schedule.kinds]:
        return _("the schedule names no kind of record")
    owner = _("its owner %(name)s") % {"name": schedule.owner.get_username()}
    return _not_allowed(schedule, schedule.owner, owner) or _unfinished(schedule)


def _not_allowed(schedule: Schedule, user: User, who: str) -> str:
    permission, words = PERMISSIONS[schedule.action]
    if not user.is_active:
        return _("%(who)s may not sign in any more") % {"who": who}
    return "" if user.has_perm(permission) else _("%(who)s may not %(words)s") % {"who": who, "words": words}


def _unfinished(schedule: Schedule) -> str:
    job = SyncJob.objects.filter(schedule=schedule).exclude(state__in=SyncJob.FINAL_STATES).first()
    if job is None:
        return ""
    return _("its job of %(time)s is not finished (%(state)s)") % {
        "time": timetable(schedule).words(job.created_at),
        "state": job.get_state_display().lower(),
    }


def _missed(due: Sequence[datetime], reason: str, times: Timetable) -> str:
    if not due:
        return ""
    first, last, count = times.words(due[0]), times.words(due[-1]), f"{len(due):,}"
    if len(due) == 1:
        return _("1 run was missed at %(first)s: %(reason)s.") % {"first": first, "reason": reason}
    if len(due) >= MOST_COUNTED:
        return _("%(count)s runs and more were missed from %(first)s on: %(reason)s.") % {
            "count": count,
            "first": first,
            "reason": reason,
        }
    return _("%(count)s runs were missed between %(first)s and %(last)s: %(reason)s.") % {
        "count": count,
        "first": first,
        "last": last,
        "reason": reason,
    }
