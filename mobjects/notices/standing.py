"""What may last: halts, schedules, quota, processes, imports. Looked at again and again; noticed when it changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models.functions import Coalesce

from mobjects import clock
from mobjects.figures.attention import WAITING_IMPORT_STATES, silent_work
from mobjects.jobs.schedules import timetable
from mobjects.models import Circuit, Import, NoticeEvent, Schedule
from mobjects.notices import notice_settings
from mobjects.notices.conditions import compare_conditions, read_conditions
from mobjects.notices.deliveries import NOTICE_WORK, deliver_due
from mobjects.processes import status as queue_status
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import target

TROUBLES = ("redis", "worker", "clock", "silent")
"""What can be wrong with processes; what comes first hides the rest."""


def look_around(sender: Any, **_kwargs: Any) -> None:
    """Look at everything, and have deliveries that are due go on; done by a worker at each tick."""
    look_at_halts()
    look_at_schedules()
    look_at_imports()
    look_at_quota()
    look_at_processes()
    NOTICE_WORK.sweep()


def watch_processes(sender: Any, **_kwargs: Any) -> None:
    """Look whether the others live; done by clocks and workers by themselves. Without a worker, deliver from here."""
    if look_at_processes() in ("redis", "worker"):
        deliver_due()


def look_at_halts() -> None:
    """Compare with the halts that are open."""
    known = read_conditions(NoticeEvent.HALTED)
    halted = {
        f"circuit:{circuit.pk}": {
            "kind": circuit.kind,
            "why": circuit.reason,
            "since": circuit.opened_at.isoformat(),
        }
        for circuit in Circuit.objects.filter(reset_at=None)
    }
    compare_conditions(NoticeEvent.HALTED, known, halted)


def look_at_schedules() -> None:
    """Compare with the schedules whose last run is overdue."""
    known = read_conditions(NoticeEvent.SCHEDULE_LATE)
    now = clock.now()
    late = {
        f"schedule:{schedule.pk}": {
            "schedule": schedule.pk,
            "name": schedule.name,
            "last": schedule.last_at.isoformat() if schedule.last_at else "",
            "why": schedule.missed_text,
        }
        for schedule in Schedule.objects.filter(enabled=True)
        if is_late(schedule, now)
    }
    compare_conditions(NoticeEvent.SCHEDULE_LATE, known, late)


def is_late(schedule: Schedule, now: datetime) -> bool:
    """Whether a schedule should have run by now, its hours of grace included, and did not.

    It is late if nobody starts what is due; or if the first run after its last one was missed.
    """
    latest = now - notice_settings.schedule_grace()
    if schedule.next_at is not None and schedule.next_at < latest:
        return True
    if not schedule.missed_text:  # Since somebody saved it, no run was missed.
        return False
    try:
        return schedule.last_at is None or timetable(schedule).next(schedule.last_at) < latest
    except ValueError:  # The clock switches it off and says why.
        return False


def look_at_imports() -> None:
    """Compare with the imports that have waited for a person for too long."""
    known = read_conditions(NoticeEvent.IMPORT_WAITS)
    since = Coalesce("checked_at", "step_at", "created_at")
    found = Import.objects.filter(state__in=WAITING_IMPORT_STATES).alias(since=since)
    found = found.filter(since__lt=clock.now() - notice_settings.import_grace())
    waiting = {
        f"import:{pk}": {"import": pk, "name": name, "rows": rows, "state": state}
        for pk, name, rows, state in found.order_by("pk").values_list("pk", "file_name", "rows", "state")
    }
    compare_conditions(NoticeEvent.IMPORT_WAITS, known, waiting)


def look_at_quota() -> None:
    """Compare with how much of today's calls is used; nothing where nobody knows."""
    known = read_conditions(NoticeEvent.QUOTA_LOW)
    usage = RedisRateLimiter.from_settings(target()).read_usage()
    if not usage:
        return
    share = min(usage.share, usage.quota)
    used = share - usage.calls_left
    facts = {"used": used, "share": share, "resets_at": usage.resets_at.isoformat()}
    low = share and used * 100 >= share * notice_settings.quota_percent()
    compare_conditions(NoticeEvent.QUOTA_LOW, known, {"quota": facts} if low else {})


def look_at_processes() -> str:
    """Compare with which processes give signs of life.

    Returns:
        What is wrong: one of :data:`TROUBLES`, or "".
    """
    known = read_conditions(NoticeEvent.PROCESSES)
    now = queue_status.read()
    trouble = now.trouble
    silent = 0
    if not trouble:
        silent = sum(work.count() for work in silent_work())
        trouble = "silent" if silent else ""
    facts = {"why": now.problem, "count": silent}
    seen = TROUBLES[: TROUBLES.index(trouble) + 1] if trouble else TROUBLES
    found = {trouble: facts} if trouble else {}
    compare_conditions(NoticeEvent.PROCESSES, known, found, grace=notice_settings.process_grace(), among=seen)
    return trouble
