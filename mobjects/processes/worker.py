"""The queue's worker, which notices when the process that did a job is killed, and outlives what happens to Redis."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django_rq
from django.db import Error, connections
from django.db.models import Q
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from mobjects.entry_points import NOT_OURS, EntryPointJob
from mobjects.imports.runner import expire_imports
from mobjects.jobs.host_clock import HostClockOff, check_host_clock
from mobjects.jobs.queue import InstallationQueue
from mobjects.jobs.recovery import expire_jobs
from mobjects.jobs.restored import check_installation
from mobjects.processes import signals
from mobjects.processes.behind import find_schema_ahead, forget_host_behind
from mobjects.processes.refused_work import note_refused_work
from mobjects.queue_redis import QUEUE, describe_redis_error
from mobjects.sync.installation.identity import name_outside

MAINTENANCE_SECONDS = 30
"""How often a worker looks whether somebody calls back the jobs that wait, and does so itself where nobody does."""

SIGN_OF_LIFE_SECONDS = 10
"""How often a worker gives a sign of life, idle or busy. RQ's own seven minutes hide for so long that it was killed."""

KEPT_SECONDS = 480
"""How long Redis keeps what it knows of a worker after its last sign of life, as RQ does for idle ones."""

PAUSE_SECONDS = 1.0
"""Before a worker asks a Redis again that refused it."""

BEHIND = "The database has migration {later}, which this program does not know. Update it, then start the worker again."

logger = logging.getLogger(__name__)


class SyncWorker(Worker):
    """RQ's forking worker. It forks a process for each job and outlives it.

    A process that is killed (-9, or for want of memory) can save nothing itself, and RQ calls no failure
    callback for it. So the worker says so: what was being sent has an unknown outcome, and the job (or the
    import) goes on.

    RQ's own worker ends where Redis refuses a command: full, or read-only while another server takes over.
    This one asks again.

    It runs what :data:`mobjects.entry_points.ENTRY_POINTS` names, from JSON, whatever flags it is started with.

    It steps aside where the database is newer than its program: it begins nothing and ends, to be started anew.

    Raises:
        SystemExit: the database is newer than this program.
    """

    def __init__(self, queues: Any, *args: Any, **kwargs: Any) -> None:
        later = find_schema_ahead()
        if later:
            raise SystemExit(BEHIND.format(later=later))
        forget_host_behind()
        # Before it listens: a copy of a database must not take the work of its original.
        check_installation()
        ours = name_outside(QUEUE)
        if [queue.name for queue in queues if isinstance(queue, InstallationQueue)] != [ours]:
            queues = [django_rq.get_queue(QUEUE)]
        # RQ's own ten minutes are long where the worker that had this duty died with its host.
        given = {"maintenance_interval": MAINTENANCE_SECONDS, "job_monitoring_interval": SIGN_OF_LIFE_SECONDS, **kwargs}
        given |= {"job_class": EntryPointJob, "queue_class": InstallationQueue, "serializer": JSONSerializer}
        super().__init__(queues, *args, **given)

    @property
    def dequeue_timeout(self) -> int:
        """How long it waits for work before it gives a sign of life, in seconds."""
        return SIGN_OF_LIFE_SECONDS

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        while True:
            try:
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except RedisError as error:
                self._outlive(error)
                time.sleep(PAUSE_SECONDS)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Give a sign of life. Its age is read from how long Redis still keeps it, on the one clock of Redis."""
        with self._outlives_redis():
            super().heartbeat(KEPT_SECONDS, pipeline)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        with self._outlives_redis():
            super().maintain_heartbeats(job, execution)

    def check_for_suspension(self, burst: bool) -> None:
        with self._outlives_redis():
            super().check_for_suspension(burst)

    def run_maintenance_tasks(self) -> None:
        with self._outlives_redis():
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        try:
            self._step_aside_if_behind()
            check_installation()
            if self.queues[0].name != name_outside(QUEUE):
                logger.warning("This installation has a new identity; the worker ends, to be started anew.")
                self._stop_requested = True
            signals.watched.send_robust(type(self))
            check_host_clock()
        except (HostClockOff, Error):
            pass  # Written down; the jobs are refused where they begin.
        # The next process is forked from this one and must not share its connection.
        connections.close_all()

    def execute_job(self, job: Job, queue: Queue) -> None:
        with self._outlives_redis():
            reason = job.why_refused() if isinstance(job, EntryPointJob) else NOT_OURS
            if reason:
                self._refuse(job, queue, reason)
                return
            self._step_aside_if_behind(job, queue)
            super().execute_job(job, queue)

    def _step_aside_if_behind(self, job: Job | None = None, queue: Queue | None = None) -> None:
        """End, and give back what was to be done, if the database is newer than this program.

        Raises:
            StopRequested: it is.
        """
        try:
            later = find_schema_ahead()
        except Error:
            return  # Whoever does the work will find out.
        finally:
            # The next process is forked from this one and must not share its connection.
            connections.close_all()
        if not later:
            return
        if job is not None and queue is not None:
            queue.push_job_id(job.id, at_front=True)
            queue.intermediate_queue.remove(job.id)
        raise StopRequested

    def _refuse(self, job: Job, queue: Queue, reason: str) -> None:
        """Leave a piece of work undone that is none of ours; it stands in the queue's list of what failed."""
        logger.warning("Work in the queue (%.100r) was refused and not run: %s.", job.id, reason)
        # It must not come back by itself.
        job.retries_left = job.repeats_left = None
        queue.intermediate_queue.remove(job.id)
        self.handle_job_failure(job, queue, exc_string=f"Refused: {reason}.")
        note_refused_work(job, reason)

    def handle_work_horse_killed(self, job: Job, retpid: Any, ret_val: Any, rusage: Any) -> None:
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]
        expire_jobs(Q(queue_id=job.id))
        expire_imports(Q(queue_id=job.id))
        # The next process is forked from this one and must not share its connection.
        connections.close_all()

    @contextmanager
    def _outlives_redis(self) -> Iterator[None]:
        """Go on behind the block where Redis refuses or is away; the state of every job is in the database."""
        try:
            yield
        except RedisError as error:
            self._outlive(error)

    def _outlive(self, error: RedisError) -> None:
        logger.warning("The worker goes on: the queue (Redis) %s.", describe_redis_error(error))
        # By its name another server may be reached now.
        self.connection.connection_pool.disconnect(inuse_connections=False)
