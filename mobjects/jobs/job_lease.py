"""How a worker begins with a job, leaves it, and is given up for dead.

A worker leaves when it has to wait, when its turn is over (so that other jobs, and a worker that is asked to stop, get
theirs), when a person pauses or cancels the job, or when there is nothing left to do; the last one to leave finishes
the job. Nothing sleeps here. All state is in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.lease import (
    MOST_EXPIRIES,
    acquire_lease,
    count_expiry,
    holds_lease,
    lock_dead_lease,
    release_lease,
)
from mobjects.jobs.lifecycle import JOB_STATES, end_cancelled_job, end_job
from mobjects.models import Circuit, RequestedAction, SyncJob, SyncJobState, WorkerLease
from mobjects.sync.send import results

IDLE_DELAY = timedelta(seconds=5)
WAITS_FOR_RESET = _("Sending is halted until a person resets the connection.")
CUT_OFF = _("The worker was cut off while this batch was being sent.")


@dataclass(frozen=True, slots=True)
class JobRelease:
    """How a worker left a job: ``again_at`` is when it is to be queued again, ``None`` if it is not."""

    again_at: datetime | None = None


def acquire_job(job: SyncJob, *, queue_id: str = "", alone: bool = False) -> WorkerLease | None:
    """Begin to work on a job, or find that it is not the time to.

    Args:
        job: its row is read anew.
        queue_id: RQ's id of the work, if it has one.
        alone: whether such a job is for one worker at a time.
    """
    with transaction.atomic():
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        now = clock.now()
        # While it runs too: a worker was told to wait, and that is meant for all.
        waits = job.waits_until is not None and job.waits_until > now
        stands = (*SyncJob.FINAL_STATES, SyncJobState.PAUSED, SyncJobState.HELD)
        if job.state in stands or waits or (alone and job.leases.exists()):
            return None
        if Circuit.halting(job.action).exists():
            if not job.leases.exists():
                JOB_STATES.change(job, SyncJobState.WAITING, waits_until=None, waits_for=WAITS_FOR_RESET)
            return None
        JOB_STATES.change(
            job,
            SyncJobState.RUNNING,
            started_at=job.started_at or now,
            waits_until=None,
            waits_for="",
            problem="",
            problem_text="",
        )
        return acquire_lease(job, queue_id)


@retry_on_database_error
def release_job(
    job: SyncJob,
    lease: WorkerLease,
    *,
    until: datetime | None = None,
    words: str = "",
    idle: bool = False,
) -> JobRelease:
    """Leave a job; the last worker turns off the light.

    Args:
        until: when the worker would go on; ``None`` if it found nothing more to do.
        words: what it waits for, as a sentence.
        idle: whether the worker took no step. The job is not queued again at once then: the next worker would leave
            as this one did, and so on without end.
    """
    with transaction.atomic():
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        if not release_lease(lease):
            return JobRelease()  # It expired; whoever ended it has seen to the job.
        alone = not job.leases.exists()
        if job.state in SyncJob.FINAL_STATES:
            if alone:
                results.cancel_waiting_batches(
                    job, _("Not sent: %(reason)s") % {"reason": job.problem_text or "the job ended."}
                )
            return JobRelease()
        if alone and job.requested_action == RequestedAction.CANCEL:
            end_cancelled_job(job)
            return JobRelease()
        if alone and job.requested_action == RequestedAction.PAUSE:
            JOB_STATES.change(job, SyncJobState.PAUSED, waits_until=None, waits_for="")
            return JobRelease()
        now = clock.now()
        again = max((at for at in (until, job.waits_until) if at is not None), default=now if alone else None)
        words = job.waits_for if job.waits_until is not None and again == job.waits_until else words
        if idle and again is not None:
            again = again if again > now else now + IDLE_DELAY
        if alone:
            JOB_STATES.change(job, SyncJobState.WAITING, waits_until=again, waits_for=words)
    return JobRelease(again)


@retry_on_database_error
def crash_job(job: SyncJob, lease: WorkerLease, error: BaseException) -> None:
    """After a fault of ours: what this worker was sending is unknown, and the job ends."""
    with transaction.atomic():
        if not lock_job(job, lease):
            return  # It expired; whoever ended it has seen to the job, and others may be at work on it.
        name = type(error).__name__
        words = _("The job crashed (%(name)s) while this batch was being sent.") % {"name": name}
        results.abandon_sending_batches(job, words, lease.pk)
        end_job(job, SyncJobState.CRASHED, "crash", _("%(name)s: the log has the details.") % {"name": name})
        release_job(job, lease)


def lock_job(job: SyncJob, lease: WorkerLease) -> bool:
    """Hold a job until the transaction ends, so that the lease cannot expire; ``False`` if it did already."""
    job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
    return holds_lease(lease)


@retry_on_database_error
def expire_job(lease: WorkerLease, dead: Q) -> SyncJob | None:
    """End a lease, if ``dead`` is true of it still: what it was sending is unknown. The job may go on.

    Returns:
        The job if it has to be queued anew, because no other worker is at it.
    """
    with transaction.atomic():
        job = cast(SyncJob, lease.job)
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        if not lock_dead_lease(lease, dead):
            return None
        results.abandon_sending_batches(job, CUT_OFF, lease.pk)
        if count_expiry(job):
            words = _("Its worker was cut off %(count)s times in a row. What was not sent is still changed.") % {
                "count": MOST_EXPIRIES
            }
            end_job(job, SyncJobState.CRASHED, "crash", words)
        release = release_job(job, lease, until=clock.now(), words=_("Its worker was cut off; it goes on by itself."))
    return job if release.again_at is not None and job.state == SyncJobState.WAITING else None
