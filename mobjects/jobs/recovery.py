"""Finding the jobs whose worker died and those that the queue forgot."""

from __future__ import annotations

import logging

import django_rq
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError

from mobjects.jobs import lease, lifecycle
from mobjects.jobs.queue import LATE, QUEUE, count_enqueued, enqueue_job, enqueue_worker
from mobjects.models import Circuit, SyncJob, SyncLane

SWEEP_SECONDS = 15

State = SyncJob.State

logger = logging.getLogger(__name__)


def worker_died(queue_id: str) -> None:
    """End the lanes of a process that is known to be dead, and let their jobs go on."""
    for lane in SyncLane.objects.filter(queue_id=queue_id).select_related("job"):
        bury(lane)


def sweep_jobs() -> None:
    """Find lanes that died and jobs that the queue forgot, and call them back. Safe at any time, from anywhere."""
    now = timezone.now()
    for lane in lease.dead_lanes(now):
        logger.warning("The lane %s of job %s is dead", lane, lane.job_id)
        bury(lane)
    without_lane = SyncJob.objects.filter(lanes=None)
    late = Q(state=State.WAITING, waits_until__lt=now - LATE) | Q(state=State.QUEUED, queued_at__lt=now - LATE)
    if not Circuit.objects.filter(reset_at__isnull=True).exists():
        # It found the connection halted in the moment in which that was reset.
        late |= Q(state=State.WAITING, waits_until=None)
    try:
        for job in without_lane.filter(late | Q(state=State.RUNNING)):
            if not count_enqueued(job):
                enqueue_worker(job)
    except RedisError:
        return
    # Not what was made a moment ago: it is about to be queued, or is begun in a process of its own.
    for job in without_lane.filter(state=State.NOT_QUEUED, created_at__lt=now - LATE):
        enqueue_job(job)


def sweep_is_due() -> bool:
    # Each lane that begins looks too: where all workers are busy, the clock's own call waits behind them.
    return bool(django_rq.get_connection(QUEUE).set("mobjects:swept", 1, nx=True, ex=SWEEP_SECONDS))


def bury(lane: SyncLane) -> None:
    job = lifecycle.bury(lane)
    if job is not None:
        enqueue_worker(job, job.waits_until)
