"""The clock: one process that has the queue look after lost jobs and due schedules, every few seconds.

It is RQ's own cron process (its loop, signals, registration and sign of life) with two differences. It writes its
work as JSON, which our workers read (RQ's would pickle it). And it queues no second tick while one waits, so that
nothing piles up while no worker is there, and a second clock does no harm.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from typing import cast

import django_rq
from django.db import Error, close_old_connections
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue
from rq.cron import CronJob, CronScheduler
from rq.cron_scheduler_registry import get_registry_key
from rq.exceptions import DuplicateJobError
from rq.utils import now

from mobjects.audit.anchors import write_anchor_if_due
from mobjects.audit.sealing import seal_for_a_while
from mobjects.bulk_edits.service import EDIT_WORK
from mobjects.decisions.service import DECISION_WORK
from mobjects.figures.daily import count_records_if_due
from mobjects.imports.runner import sweep_imports
from mobjects.jobs.recovery import sweep_jobs
from mobjects.jobs.restored import check_installation
from mobjects.jobs.schedules import run_due
from mobjects.processes import signals
from mobjects.queue_redis import QUEUE, describe_redis_error
from mobjects.removals.service import DELETION_WORK
from mobjects.retention.erasure.service import ERASURE_WORK
from mobjects.retention.service import PURGE_WORK, purge_if_due
from mobjects.sync.installation.identity import name_outside

INTERVAL_SECONDS = 15
ALIVE_SECONDS = 60
"""A clock that has given no sign of life for so long is taken for dead."""

TICK_SECONDS = 60
"""Longest time for one tick."""

KEPT_SECONDS = 3600
"""How long the queue keeps a tick that failed, with its traceback."""

NAME = "marketo-clock"
TICK = "tick"

logger = logging.getLogger(__name__)


def tick() -> None:
    """One turn of the clock, done by a worker.

    Give a sign of life, see to jobs and imports that were lost, then start what is due; once an hour count records,
    once a day have go what is older than its period; seal what of the history is finished, and write that out.
    """
    check_installation()
    sweep_jobs()
    sweep_imports()
    for work in (DELETION_WORK, EDIT_WORK, DECISION_WORK, PURGE_WORK, ERASURE_WORK):
        work.sweep()
    run_due()
    count_records_if_due()
    purge_if_due()
    seal_for_a_while()
    write_anchor_if_due()
    signals.ticked.send_robust(tick)


def queue_tick(interval: int = INTERVAL_SECONDS) -> bool:
    """Put a tick at the front of the queue, unless one waits there or another clock has just done so.

    Raises:
        RedisError: the queue cannot be reached.
    """
    queue: Queue = django_rq.get_queue(QUEUE)
    if any(name.startswith(TICK) for name in queue.job_ids):
        return False
    try:
        queue.enqueue_call(
            tick,
            # One name for all clocks in the same span of time.
            job_id=f"{name_outside(TICK)}-{int(time.time()) // interval}",
            unique=True,
            at_front=True,
            timeout=TICK_SECONDS,
            result_ttl=2 * interval,
            failure_ttl=KEPT_SECONDS,
        )
    except DuplicateJobError:
        return False
    return True


def count_schedulers(queue: Queue) -> int:
    """How many schedulers of this installation are running.

    Args:
        queue: ours; its name says which installation this is.

    Raises:
        RedisError: Redis cannot be asked.
    """
    # The stubs know neither our arguments nor that names come as bytes.
    names = cast(list[bytes], queue.connection.zrangebyscore(get_registry_key(), time.time() - ALIVE_SECONDS, "+inf"))
    ours = f"{NAME}{queue.name.removeprefix(QUEUE)}:".encode()
    return sum(name.startswith(ours) for name in names)


class TickScheduler(CronScheduler):
    """RQ's cron process, for ticks. Outlives a restart of Redis.

    Args:
        interval: seconds between two ticks.
    """

    def __init__(self, interval: int = INTERVAL_SECONDS) -> None:
        name = f"{name_outside(NAME)}:{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        super().__init__(connection=django_rq.get_connection(QUEUE), name=name)
        self.interval = interval
        self.register(tick, QUEUE, interval=interval)

    def enqueue_jobs(self) -> list[CronJob]:
        due = [job for job in self.get_jobs() if job.should_run()]
        for job in due:
            job.set_enqueue_time(now())
            try:
                close_old_connections()
                queue_tick(self.interval)
            except (RedisError, Error) as error:
                asked = "database" if isinstance(error, Error) else "queue (Redis)"
                said = "cannot be reached" if isinstance(error, Error) else describe_redis_error(error)
                logger.warning("No tick: the %s %s.", asked, said)
                return []
            finally:
                signals.watched.send_robust(type(self))
        return due

    def heartbeat(self) -> None:
        try:
            super().heartbeat()
        except RedisError as error:
            logger.warning("No sign of life: the queue (Redis) %s.", describe_redis_error(error))

    def save(self, pipeline: Pipeline | None = None) -> None:
        """Keep the times of the ticks. Where one waits already, nothing was written before that Redis could refuse."""
        try:
            super().save(pipeline)
        except RedisError as error:
            logger.warning("No times of ticks kept: the queue (Redis) %s.", describe_redis_error(error))
