"""What people may do to a job: pause it, let it go on, cancel it, let sending go on after it was halted."""

from __future__ import annotations

from functools import partial

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from mobjects.jobs.lifecycle import end_cancelled_job
from mobjects.jobs.queue import enqueue_job, enqueue_worker
from mobjects.models import Circuit, SyncJob

State = SyncJob.State


def pause_job(job: SyncJob) -> bool:
    """Stop a job after the batches that are under way; it can be resumed. ``False`` if it is over or cancelled."""
    with transaction.atomic():
        found = SyncJob.objects.select_for_update().get(pk=job.pk)
        if found.state == State.RUNNING and found.requested_action != SyncJob.RequestedAction.CANCEL:
            found.requested_action = SyncJob.RequestedAction.PAUSE
        elif found.state in (State.QUEUED, State.WAITING, State.NOT_QUEUED):
            found.state, found.waits_until, found.waits_for = State.PAUSED, None, ""
        else:
            return False
        found.save(update_fields=["state", "requested_action", "waits_until", "waits_for"])
    return True


def resume_job(job: SyncJob) -> bool:
    """Let a paused job go on. ``False`` if it is not paused."""
    paused = Q(state=State.PAUSED) | Q(state=State.RUNNING, requested_action=SyncJob.RequestedAction.PAUSE)
    found = SyncJob.objects.filter(paused, pk=job.pk)
    if not found.update(requested_action=SyncJob.RequestedAction.NONE):
        return False
    SyncJob.objects.filter(pk=job.pk, state=State.PAUSED).update(state=State.NOT_QUEUED)
    transaction.on_commit(partial(enqueue_job, job))
    return True


def cancel_job(job: SyncJob) -> bool:
    """End a job after the batches that are under way; what was not sent stays changed. ``False`` if it is over."""
    with transaction.atomic():
        found = SyncJob.objects.select_for_update().get(pk=job.pk)
        if found.state in SyncJob.FINAL:
            return False
        if found.leases.exists():
            found.requested_action = SyncJob.RequestedAction.CANCEL
            found.save(update_fields=["requested_action"])
        else:
            end_cancelled_job(found)
    return True


def reset_circuit(user: User) -> bool:
    """Let sending go on after it was halted, and call the jobs that wait for that. ``False`` if it is not halted."""
    now = timezone.now()
    halted = Circuit.objects.filter(reset_at__isnull=True)
    if not halted.update(reset_at=now, user=user, username=user.get_username()):
        return False
    waiting = SyncJob.objects.filter(state=State.WAITING, waits_until=None)
    waiting.update(waits_until=now)
    for job in SyncJob.objects.filter(state=State.WAITING, waits_until=now):
        transaction.on_commit(partial(enqueue_worker, job))
    return True
