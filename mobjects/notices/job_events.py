"""Notices of jobs: from the one place where jobs change their state, in the same transaction.

Not from the queue's own callbacks: a process that is killed calls none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from mobjects import clock
from mobjects.models import NoticeEvent, OpenCondition, SyncJob, SyncJobAction, SyncJobState, SyncResultStatus
from mobjects.notices import notice_settings
from mobjects.notices.conditions import close_about, close_condition, open_condition
from mobjects.notices.making import make_notice
from mobjects.notices.standing import look_at_halts

TROUBLE = (NoticeEvent.JOB_FAILED, NoticeEvent.JOB_UNKNOWN, NoticeEvent.FAILED_SHARE)
BROKEN = (SyncJobState.STOPPED, SyncJobState.CRASHED)


def notice_job(sender: Any, *, work: SyncJob, **_kwargs: Any) -> None:
    """Make the notices of a job that came to rest; for ``job_came_to_rest``."""
    look_at_halts()
    if work.state not in SyncJob.FINAL_STATES:
        return
    event = find_trouble(work)
    if event is not None:
        about, facts = _subject(work), job_facts(work)
        with transaction.atomic():
            make_notice(event, f"job:{work.pk}", facts)
            OpenCondition.objects.update_or_create(
                event=event, about=about, defaults={"facts": facts, "noticed_at": clock.now()}
            )
    elif work.state in (SyncJobState.SUCCEEDED, SyncJobState.PROBLEMS):
        close_about(TROUBLE, [_subject(work)])
        _close_followed(work)
    if work.schedule_id and work.state == SyncJobState.SUCCEEDED:
        _notice_emptiness(work)


def notice_late_ends(sender: Any, *, work: SyncJob, **_kwargs: Any) -> None:
    """Notice that what was unknown at the end of a job is known now; for ``results_ended_late``."""
    if not work.counts.get(SyncResultStatus.UNKNOWN):
        _close_own(work, [NoticeEvent.JOB_UNKNOWN])


def find_trouble(job: SyncJob) -> NoticeEvent | None:
    """The gravest that can be said of a job that has ended; ``None`` if nothing has to be."""
    if job.state in BROKEN:
        return NoticeEvent.JOB_FAILED
    if job.counts.get(SyncResultStatus.UNKNOWN):
        return NoticeEvent.JOB_UNKNOWN
    failed = sum(job.counts.get(status, 0) for status in (SyncResultStatus.FAILED, SyncResultStatus.NOT_SENT))
    if failed and failed * 100 >= notice_settings.failed_percent() * job.result_count:
        return NoticeEvent.FAILED_SHARE
    return None


def job_facts(job: SyncJob) -> dict[str, Any]:
    """What the words about a job are made from."""
    return {
        "job": str(job.pk),
        "action": job.action,
        "kind": job.kind,
        "planned": max(job.planned, job.result_count),
        "counts": job.counts,
        "created_at": job.created_at.isoformat(),
        "why": job.problem_text,
    }


def _subject(job: SyncJob) -> str:
    """What a later job can put right: the schedule's next, or one that follows this."""
    return f"schedule:{job.schedule_id}" if job.schedule_id else f"job:{job.pk}"


def _close_followed(job: SyncJob) -> None:
    """End what lasts of the jobs that this one follows; of a schedule only what that run of it began."""
    while job.origin is not None and job.action != SyncJobAction.DRY_RUN:
        job = job.origin
        _close_own(job, TROUBLE)


def _close_own(job: SyncJob, events: Collection[NoticeEvent]) -> None:
    for condition in OpenCondition.objects.filter(event__in=events, about=_subject(job)):
        if condition.facts["job"] == str(job.pk):
            close_condition(condition)


def _notice_emptiness(job: SyncJob) -> None:
    about = f"schedule:{job.schedule_id}"
    if max(job.planned, job.result_count):
        close_about([NoticeEvent.NO_RECORDS], [about])
    else:
        open_condition(NoticeEvent.NO_RECORDS, about, job_facts(job))
