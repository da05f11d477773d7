"""What people may do to a job: pause it, let it go on, cancel it, let sending go on after it was halted."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.contrib.auth.models import User
from django.db import transaction

from mobjects import clock
from mobjects.audit.events import record_event
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.lifecycle import JOB_STATES, end_cancelled_job
from mobjects.jobs.queue import enqueue_job, enqueue_worker
from mobjects.models import Circuit, EventKind, RequestedAction, SyncJob, SyncJobState
from mobjects.sync import marketo_settings


def pause_job(job: SyncJob) -> bool:
    """Stop a job after the batches that are under way; it can be resumed. ``False`` if it is over or cancelled."""
    with transaction.atomic():
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        if job.state == SyncJobState.RUNNING and job.requested_action != RequestedAction.CANCEL:
            return _request(job, RequestedAction.PAUSE, EventKind.PAUSED)
        idle = (SyncJobState.QUEUED, SyncJobState.WAITING, SyncJobState.NOT_QUEUED)
        paused = JOB_STATES.change(job, SyncJobState.PAUSED, only_from=idle, waits_until=None, waits_for="")
        return paused and _record(job, EventKind.PAUSED)


def resume_job(job: SyncJob) -> bool:
    """Let a paused job go on. ``False`` if it is not paused."""
    with transaction.atomic():
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        if job.state == SyncJobState.RUNNING and job.requested_action == RequestedAction.PAUSE:
            return _request(job, RequestedAction.NONE, EventKind.RESUMED)
        resumed = JOB_STATES.change(
            job, SyncJobState.NOT_QUEUED, only_from=(SyncJobState.PAUSED,), requested_action=RequestedAction.NONE
        )
        if resumed:
            transaction.on_commit(partial(enqueue_job, job))
        return resumed and _record(job, EventKind.RESUMED)


@retry_on_database_error  # What waits for approval is locked the other way round by who decides about it.
def cancel_job(job: SyncJob) -> bool:
    """End a job after the batches that are under way; what was not sent stays changed. ``False`` if it is over."""
    with transaction.atomic():
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        if job.state in SyncJob.FINAL_STATES:
            return False
        if job.leases.exists():
            return _request(job, RequestedAction.CANCEL, EventKind.CANCELLED)
        end_cancelled_job(job)
        return _record(job, EventKind.CANCELLED)


def _request(job: SyncJob, action: RequestedAction, event: EventKind) -> bool:
    job.requested_action = action
    job.save(update_fields=["requested_action"])
    return _record(job, event)


def _record(job: SyncJob, event: EventKind) -> bool:
    record_event(event, on=job)
    return True


def find_earliest_reset() -> datetime | None:
    """Before when sending may not go on, because Marketo may still be at work on what a restored database forgot."""
    halted = Circuit.objects.filter(reset_at__isnull=True, code=Circuit.RESTORED).first()
    earliest = halted.opened_at + marketo_settings.unknown_outcome_delay() if halted is not None else None
    return earliest if earliest is not None and earliest > clock.now() else None


def reset_circuit(user: User, kind: str | None = None) -> bool:
    """Let sending go on after it was halted, and enqueue the jobs that wait for that.

    Args:
        user: who lets it go on.
        kind: of the records whose halt is reset, as in :class:`Circuit`; "" for the halt of everything. What else is
            halted stays so. ``None`` for all halts.

    Returns:
        ``False`` if it is not halted, or may not go on yet (:func:`find_earliest_reset`).
    """
    now = clock.now()
    if not kind and find_earliest_reset() is not None:
        return False
    halted = Circuit.objects.filter(reset_at__isnull=True)
    if kind is not None:
        halted = halted.filter(kind=kind)
    with transaction.atomic():
        if not halted.update(reset_at=now, user=user, username=user.get_username()):
            return False
        record_event(EventKind.SENDING_RESET, user=user, detail={} if kind is None else {"kind": kind or "all"})
    if kind:
        return True  # No job waits for a kind: each holds its records back and goes on.
    waiting = SyncJob.objects.filter(state=SyncJobState.WAITING, waits_until=None)
    waiting.update(waits_until=now)
    for job in SyncJob.objects.filter(state=SyncJobState.WAITING, waits_until=now):
        transaction.on_commit(partial(enqueue_worker, job))
    return True
