"""The queue (RQ on Redis): it carries nothing but ids. Losing it loses no work.

What is to be done is enqueued by its dotted name, so that whoever asks for a job need not load what does it.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta

import django_rq
from django.utils import timezone
from redis.exceptions import RedisError

from mobjects.models import SyncJob

QUEUE = "sync"
RUNNER = "mobjects.jobs.runner.run_queued_job"
_KEPT = {"result_ttl": 60, "failure_ttl": 24 * 3600}
"""How long Redis remembers a call, in seconds; what became of the job is in the database."""
LATE = timedelta(seconds=10)
"""How long after a job should have been called it counts as forgotten by the queue."""

State = SyncJob.State

logger = logging.getLogger(__name__)


def enqueue_job(job: SyncJob) -> bool:
    """Put a job that is not queued into the queue; safe to call twice.

    Returns:
        Whether the queue took it. If not, the job's problem text says why.
    """
    waiting = SyncJob.objects.filter(pk=job.pk, state=State.NOT_QUEUED)
    if not waiting.update(state=State.QUEUED, queued_at=timezone.now(), problem="", problem_text=""):
        return False
    if enqueue_worker(job):
        return True
    SyncJob.objects.filter(pk=job.pk, state=State.QUEUED).update(
        state=State.NOT_QUEUED,
        problem="queue",
        problem_text="The queue (Redis) cannot be reached. Nothing was sent; the job is queued by itself when it is "
        "back, or queue it again.",
    )
    return False


def enqueue_worker(job: SyncJob, at: datetime | None = None) -> bool:
    """Call a lane for a job, now or later; ``False`` if the queue cannot be reached."""
    queue_id = f"{job.pk}-{secrets.token_hex(4)}"
    try:
        queue = django_rq.get_queue(QUEUE)
        if at is not None and at > timezone.now():
            # RQ cuts off what is beyond the second: called too early, a lane would find that the job still waits.
            at += timedelta(microseconds=-at.microsecond % 1_000_000)
            queue.enqueue_at(at, RUNNER, str(job.pk), job_id=queue_id, **_KEPT)
        else:
            queue.enqueue(RUNNER, str(job.pk), job_id=queue_id, **_KEPT)
    except RedisError as error:
        logger.warning("Job %s could not be queued: %s", job.pk, type(error).__name__)
        return False
    return True


def count_enqueued(job: SyncJob) -> int:
    """How many lanes are on their way for a job."""
    queue = django_rq.get_queue(QUEUE)
    later = queue.scheduled_job_registry
    # What should have been moved into the queue and was not is on nobody's list: RQ's scheduler died, or never was.
    lost = set(later.get_jobs_to_schedule(int((timezone.now() - LATE).timestamp())))
    ids = [*queue.get_job_ids(), *(set(later.get_job_ids(cleanup=False)) - lost)]
    return sum(queue_id.startswith(str(job.pk)) for queue_id in ids)
