"""Finding the jobs whose worker died and those that the queue forgot."""

from __future__ import annotations

import logging

import django_rq
from django.db.models import Q
from redis.exceptions import RedisError

from mobjects import clock
from mobjects.jobs.approvals.service import sweep_approvals
from mobjects.jobs.job_lease import expire_job
from mobjects.jobs.lease import expired
from mobjects.jobs.queue import OVERDUE, enqueue_job, enqueue_worker, find_forgotten, queue_prefix
from mobjects.models import Circuit, SyncJob, SyncJobState, WorkerLease
from mobjects.queue_redis import QUEUE
from mobjects.sync.installation.identity import name_outside

SWEEP_SECONDS = 15

logger = logging.getLogger(__name__)


def expire_jobs(dead: Q) -> None:
    """End the leases of dead processes, of which ``dead`` is true, that worked on jobs, and let their jobs go on."""
    for lease in WorkerLease.objects.filter(dead).exclude(job=None):
        logger.warning("The worker %s of job %s is dead", lease, lease.job_id)
        give_up_worker(lease, dead)


def give_up_worker(lease: WorkerLease, dead: Q) -> None:
    """End a worker's lease on a job as if its process had died, if ``dead`` is true of it still; the job goes on."""
    job = expire_job(lease, dead)
    if job is not None:
        enqueue_worker(job, job.waits_until)


def sweep_jobs() -> None:
    """Find workers that died and jobs that the queue forgot, and let them go on. Safe at any time, from anywhere."""
    expire_jobs(expired())
    sweep_approvals()
    overdue = clock.now() - OVERDUE
    without_worker = SyncJob.objects.filter(leases=None)
    late = Q(state=SyncJobState.WAITING, waits_until__lt=overdue) | Q(state=SyncJobState.QUEUED, queued_at__lt=overdue)
    if not Circuit.objects.filter(reset_at__isnull=True, kind="").exists():
        # It found the connection halted in the moment in which that was reset.
        late |= Q(state=SyncJobState.WAITING, waits_until=None)
    try:
        for job in find_forgotten(without_worker.filter(late | Q(state=SyncJobState.RUNNING)), queue_prefix):
            enqueue_worker(job)
    except RedisError:
        return
    # Not what was made a moment ago: it is about to be queued, or is begun in a process of its own.
    for job in without_worker.filter(state=SyncJobState.NOT_QUEUED, created_at__lt=overdue):
        enqueue_job(job)


def sweep_if_due() -> None:
    """Sweep, unless somebody has just done so.

    Each worker that begins looks too: where all workers are busy, the scheduler's own turn waits behind them.
    """
    if django_rq.get_connection(QUEUE).set(name_outside("marketo-swept"), 1, nx=True, ex=SWEEP_SECONDS):
        sweep_jobs()
