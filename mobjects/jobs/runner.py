"""Working on a job for a while: what the queue does, and a process of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.db import InterfaceError, OperationalError
from django.db.models import Q
from rq import get_current_job

from mobjects import clock
from mobjects.audit.trace import traced
from mobjects.db.schema_version import broke_on_newer_schema, check_schema
from mobjects.jobs.approvals.gate import may_begin
from mobjects.jobs.host_clock import HostClockOff, check_host_clock
from mobjects.jobs.job_lease import IDLE_DELAY, JobRelease, acquire_job, crash_job, release_job
from mobjects.jobs.lease import heartbeat
from mobjects.jobs.lifecycle import stop_job
from mobjects.jobs.queue import count_enqueued, enqueue_worker, queue_prefix
from mobjects.jobs.recovery import give_up_worker, sweep_if_due
from mobjects.jobs.restored import check_installation
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.transport import MarketoTransport
from mobjects.models import SyncJob, SyncJobState, WorkerLease
from mobjects.sync.rate_limits.calls_of_others import learn_calls_of_others
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.send.task import SendTask
from mobjects.sync.task import JobContext, JobTask
from mobjects.sync.task_registry import TASKS
from mobjects.sync.transport_factory import key_fields, open_transport

logger = logging.getLogger(__name__)


def run_queued_job(job_id: str) -> None:
    """The queue's entry point: work on a job for a while. Safe to call at any time, any number of times."""
    current = get_current_job()
    sweep_if_due()
    check_installation()
    job = SyncJob.objects.filter(pk=job_id).first()
    if job is None:
        logger.warning("The queue asks for the job %s, which is not in this database", job_id)
        return
    try:
        check_host_clock()
    except HostClockOff:
        # For another host. It is called again for as long as there is none.
        if job.state not in SyncJob.FINAL_STATES:
            enqueue_worker(job, clock.now() + IDLE_DELAY)
        return
    release = _run_turn(job, queue_id=current.id if current else "", beat=True)
    if release.again_at is not None:
        enqueue_worker(job, release.again_at)


def run_job(job: SyncJob, *, pause: Callable[[float], None] | None = None, beat: bool = False) -> None:
    """Work on a job in this process, without the queue, until it is over or waits.

    Args:
        pause: waits so many seconds; without it a job that has to wait is left waiting.
        beat: whether to renew the lease from a thread of its own; a process that may die wants that.

    Raises:
        HostClockOff: this host may send nothing; the job is as it was.
        SchemaNewer: the database is newer than this program; a worker of the newer one goes on.
    """
    check_schema()
    check_host_clock()
    check_installation()
    while True:
        release = _run_turn(job, queue_id="", beat=beat)
        job.refresh_from_db()
        if release.again_at is None or job.state != SyncJobState.WAITING:
            return
        seconds = (release.again_at - clock.now()).total_seconds()
        if seconds > 0:
            if pause is None:
                return
            pause(seconds)
        check_schema()


def _run_turn(job: SyncJob, *, queue_id: str, beat: bool) -> JobRelease:
    with traced(request_id=job.request_id, job=str(job.pk)):
        return _run_leased(job, queue_id=queue_id, beat=beat)


def _run_leased(job: SyncJob, *, queue_id: str, beat: bool) -> JobRelease:
    if not may_begin(job):
        return JobRelease()
    lease = acquire_job(job, queue_id=queue_id, alone=TASKS[job.action].single_worker)
    if lease is None:
        return JobRelease()
    beating: AbstractContextManager[None] = heartbeat(lease) if beat else nullcontext()
    try:
        with beating:
            return _run_steps(job, lease, top_up=bool(queue_id))
    except (OperationalError, InterfaceError):
        # The database was away for longer than saving insists. As if this process had died: the job goes on.
        logger.exception("Job %s lost the database", job.pk)
        give_up_worker(lease, Q())
    except BaseException as error:
        if isinstance(error, Exception) and broke_on_newer_schema():
            # No fault of the job's: a newer worker goes on, and what was being sent is looked up.
            logger.warning("Job %s broke on a database newer than this program: %r", job.pk, error)
            give_up_worker(lease, Q())
            return JobRelease()
        # The one wide catch: whatever broke, Ctrl-C included, nobody may be left guessing what was sent.
        logger.exception("Job %s crashed", job.pk)
        crash_job(job, lease, error)
        if not isinstance(error, Exception):
            raise
    return JobRelease()


def _run_steps(job: SyncJob, lease: WorkerLease, *, top_up: bool) -> JobRelease:
    try:
        transport = open_transport()
    except MarketoError as error:
        stop_job(job, error)
        return release_job(job, lease)
    try:
        _note_transport(job, transport)
        context = JobContext(job, lease, transport, key_fields(), RedisRateLimiter.from_settings(transport.endpoint))
        task = TASKS[job.action](context)
        _enqueue_more_workers(job, task, top_up=top_up)
        learn_calls_of_others(context)
        return StepLoop(context, task).run()
    finally:
        transport.close()


def _note_transport(job: SyncJob, transport: MarketoTransport) -> None:
    if (job.transport, job.endpoint) != (transport.name, transport.endpoint):
        job.transport, job.endpoint = transport.name, transport.endpoint
        job.save(update_fields=["transport", "endpoint"])


def _enqueue_more_workers(job: SyncJob, task: JobTask, *, top_up: bool) -> None:
    """Have as many more workers as there is work for, unless they are at work or on their way."""
    wanted = task.wanted_workers() if isinstance(task, SendTask) else 1
    if not top_up or wanted <= 1:
        return
    for _ in range(wanted - job.leases.count() - count_enqueued(queue_prefix(job))):
        enqueue_worker(job)
