"""Sync jobs and the queue: ask for one, queue it, run it.

The job's row in the database is the truth; the queue carries nothing but its id.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TypedDict, Unpack

import django_rq
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError
from rq.callbacks import Callback
from rq.exceptions import AbandonedJobError
from rq.job import Job

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, OutcomeUnknown, Unavailable
from mobjects.models import SyncJob, SyncResult
from mobjects.sync import engine, outcomes
from mobjects.sync.saving import insisting
from mobjects.sync.selection import Selection
from mobjects.sync.transports import key_fields, open_transport

QUEUE = "sync"

PROBLEMS: dict[type[MarketoError], str] = {
    ConfigError: "configuration",
    AuthError: "authentication",
    Unavailable: "unavailable",
    OutcomeUnknown: "outcome unknown",
}
"""Why a job stopped, in a word, by error class."""

logger = logging.getLogger(__name__)


class Asked(TypedDict, total=False):
    """Who asks for a job, and why.

    ``user`` is one of ours, whose name is kept even if the user is deleted later; ``username`` is anybody else.
    ``reason`` is free text for the history, ``source`` is where it was asked (the admin, if nothing is said).
    """

    user: User | None
    username: str
    reason: str
    source: SyncJob.Source


def create_job(selection: Selection, **asked: Unpack[Asked]) -> SyncJob:
    """Write down a job that is not queued yet: what to sync, and who asks and why."""
    user = asked.get("user")
    if user is not None:
        asked["username"] = user.get_username()
    return SyncJob.objects.create(
        kind=selection.kinds[0].value if len(selection.kinds) == 1 else "several",
        operation=selection.operation.value,
        selection=selection.to_json(),
        **asked,
    )


def request_sync(selection: Selection, **asked: Unpack[Asked]) -> SyncJob:
    """Create a job and queue it once the surrounding transaction commits.

    If the queue cannot be reached the job stays "not queued" and can be queued again.
    Arguments as in :func:`create_job`.
    """
    job = create_job(selection, **asked)
    transaction.on_commit(partial(enqueue, job))
    return job


def enqueue(job: SyncJob) -> bool:
    """Put a job that is not queued into the queue; its id is the queue's job id too.

    Returns:
        Whether the queue took it. If not, the job's problem text says why.
    """
    waiting = SyncJob.objects.filter(pk=job.pk, state=SyncJob.State.NOT_QUEUED)
    if not waiting.update(state=SyncJob.State.QUEUED, problem="", problem_text=""):
        return False
    try:
        django_rq.get_queue(QUEUE).enqueue(
            run_sync, str(job.pk), job_id=str(job.pk), on_failure=Callback(when_abandoned)
        )
    except RedisError as error:
        logger.warning("Job %s could not be queued: %s", job.pk, type(error).__name__)
        SyncJob.objects.filter(pk=job.pk, state=SyncJob.State.QUEUED).update(
            state=SyncJob.State.NOT_QUEUED,
            problem="queue",
            problem_text="The queue (Redis) cannot be reached. Nothing was sent; queue the job again when it is back.",
        )
        return False
    return True


def when_abandoned(rq_job: Job, connection: Redis, error: type[BaseException], *details: object) -> None:
    """RQ's failure callback: a worker finds a job whose own worker is gone, host and all."""
    if issubclass(error, AbandonedJobError):
        settle_lost(rq_job.id)
        # This is the worker's own process, and the next one is forked from it.
        connections.close_all()


def settle_lost(job_id: str) -> None:
    """End a job whose process is known to be gone: what it was sending has an unknown outcome.

    A job that had not begun can be queued again. Anything else is left alone.
    """
    job = SyncJob.objects.filter(pk=job_id, state__in=SyncJob.LIVE).first()
    if job is None:
        return
    if job.state == SyncJob.State.QUEUED:
        job.state, job.problem = SyncJob.State.NOT_QUEUED, "queue"
        job.problem_text = "The worker was killed before the job began. Nothing was sent; queue the job again."
        job.save(update_fields=["state", "problem", "problem_text"])
        return
    outcomes.abandon(job, "The worker was killed while this batch was being sent.")
    _finish(job, SyncJob.State.CRASHED, "crash", "The worker was killed. What was not sent is still changed.")


def run_sync(job_id: str) -> None:
    """The queue's entry point. Safe to run twice: only a job that waits is started."""
    run(SyncJob.objects.get(pk=job_id))


def run(job: SyncJob) -> None:
    """Run a waiting job in this process and leave it in a final state.

    A problem that Marketo or the connection causes ends it as stopped; a fault of ours as crashed.
    """
    waiting = SyncJob.objects.filter(pk=job.pk, state__in=(SyncJob.State.NOT_QUEUED, SyncJob.State.QUEUED))
    if not waiting.update(state=SyncJob.State.RUNNING, started_at=timezone.now(), problem="", problem_text=""):
        return
    job.refresh_from_db()
    try:
        _run_with_transport(job)
    except MarketoError as error:
        _finish(job, SyncJob.State.STOPPED, PROBLEMS.get(type(error), "refused"), error.message)
    except BaseException as error:
        # The one wide catch: whatever broke, Ctrl-C included, nobody may be left guessing what was sent.
        logger.exception("Job %s crashed", job.pk)
        message = f"The job crashed ({type(error).__name__}) while this batch was being sent."
        outcomes.abandon(job, message)
        _finish(job, SyncJob.State.CRASHED, "crash", f"{type(error).__name__}: the log has the details.")
        if not isinstance(error, Exception):
            raise
    else:
        clean = set(job.counts) <= {status.value for status in SyncResult.ACCEPTED}
        _finish(job, SyncJob.State.SUCCEEDED if clean else SyncJob.State.PROBLEMS)


def _run_with_transport(job: SyncJob) -> None:
    transport = open_transport()
    try:
        job.transport, job.endpoint = transport.name, transport.endpoint
        job.save(update_fields=["transport", "endpoint"])
        engine.run(job, transport, key_fields())
    finally:
        transport.close()


@insisting
def _finish(job: SyncJob, state: SyncJob.State, problem: str = "", text: str = "") -> None:
    # Not if it was taken for lost meanwhile: that somebody thought so is worth knowing.
    unfinished = SyncJob.objects.filter(pk=job.pk).exclude(state__in=SyncJob.FINAL)
    unfinished.update(state=state, problem=problem, problem_text=text, finished_at=timezone.now())
    job.refresh_from_db(fields=["state", "problem", "problem_text", "finished_at"])
