"""Working on a job for a while: what the queue does, and a process of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from rq import get_current_job

from mobjects.jobs import lease, lifecycle
from mobjects.jobs.queue import count_enqueued, enqueue_worker
from mobjects.jobs.recovery import bury, sweep_is_due, sweep_jobs
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.transport import Transport
from mobjects.models import SyncJob, SyncLane
from mobjects.sync import config
from mobjects.sync.engine import SendTask
from mobjects.sync.limits import Limits
from mobjects.sync.tasks import TASKS
from mobjects.sync.transports import key_fields, open_transport
from mobjects.sync.work import Context, Task

State = SyncJob.State

logger = logging.getLogger(__name__)


def run_queued_job(job_id: str) -> None:
    """The queue's entry point: work on a job for a while. Safe to call at any time, any number of times."""
    current = get_current_job()
    if sweep_is_due():
        sweep_jobs()
    job = SyncJob.objects.filter(pk=job_id).first()
    if job is None:
        return
    left = _lane(job, queue_id=current.id if current else "", beat=True)
    if left is not None and left.again_at is not None:
        enqueue_worker(job, left.again_at)


def run_job(job: SyncJob, *, pause: Callable[[float], None] | None = None, beat: bool = False) -> None:
    """Work on a job in this process, without the queue, until it is over or waits.

    Args:
        pause: waits so many seconds; without it a job that has to wait is left waiting.
        beat: whether to sign a sign of life from a thread of its own; a process that may die wants that.
    """
    while True:
        left = _lane(job, queue_id="", beat=beat)
        job.refresh_from_db()
        if left is None or left.again_at is None or job.state != State.WAITING:
            return
        seconds = (left.again_at - timezone.now()).total_seconds()
        if seconds > 0:
            if pause is None:
                return
            pause(seconds)


def _lane(job: SyncJob, *, queue_id: str, beat: bool) -> lifecycle.Left | None:
    lane = lifecycle.enter(job, queue_id=queue_id, alone=TASKS[job.action].single)
    if lane is None:
        return None
    heart: AbstractContextManager[None] = lease.beating(lane) if beat else nullcontext()
    try:
        with heart:
            return _work(job, lane, top_up=bool(queue_id))
    except (OperationalError, InterfaceError):
        # The database was away for longer than saving insists. As if this process had died: the job goes on.
        logger.exception("Job %s lost the database", job.pk)
        bury(lane)
        return None
    except BaseException as error:
        # The one wide catch: whatever broke, Ctrl-C included, nobody may be left guessing what was sent.
        logger.exception("Job %s crashed", job.pk)
        lifecycle.crash(job, lane, error)
        if not isinstance(error, Exception):
            raise
        return None


def _work(job: SyncJob, lane: SyncLane, *, top_up: bool) -> lifecycle.Left:
    try:
        transport = open_transport()
    except MarketoError as error:
        lifecycle.stop(job, State.STOPPED, lifecycle.problem_word(error), error.message)
        return lifecycle.leave(job, lane)
    try:
        _note_transport(job, transport)
        context = Context(job, lane, transport, key_fields(), Limits.from_settings(transport.endpoint))
        task = TASKS[job.action](context)
        _call_others(job, task, top_up=top_up)
        return StepLoop(context, task).run()
    finally:
        transport.close()


def _note_transport(job: SyncJob, transport: Transport) -> None:
    if (job.transport, job.endpoint) != (transport.name, transport.endpoint):
        job.transport, job.endpoint = transport.name, transport.endpoint
        job.save(update_fields=["transport", "endpoint"])


def _call_others(job: SyncJob, task: Task, *, top_up: bool) -> None:
    """Call as many more lanes as there is work for, unless they are at work or on their way."""
    if not isinstance(task, SendTask):
        return
    wanted = min(task.wanted_lanes(), config.lanes())
    if not top_up or wanted <= 1:
        return
    missing = wanted - job.lanes.count() - count_enqueued(job)
    for _ in range(missing):
        enqueue_worker(job)
