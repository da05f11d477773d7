"""Whether the queue and its workers are there. Reads Redis, changes nothing in it, and never waits long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import django_rq
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.worker import BaseWorker

from mobjects.jobs.queue import QUEUE
from mobjects.processes import scheduler

WAIT_SECONDS = 1.0
"""Longest wait for Redis: a page that says it is down must not hang itself."""

IDLE_SILENCE_SECONDS = 480
"""RQ's workers renew themselves within 420 s when they are idle…"""

BUSY_SILENCE_SECONDS = 120
"""…and every 30 s while they work."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """A worker that is registered in Redis. ``heartbeat_seconds`` is the age of its last sign of life."""

    name: str
    state: str
    heartbeat_seconds: int
    job_id: str | None

    @property
    def is_alive(self) -> bool:
        """Whether its last sign of life is recent enough."""
        limit = BUSY_SILENCE_SECONDS if self.state == "busy" else IDLE_SILENCE_SECONDS
        return self.heartbeat_seconds <= limit

    @property
    def sync_job(self) -> str | None:
        """The id of the sync job it works on, with which the queue's own id of the work begins."""
        try:
            return str(UUID((self.job_id or "")[:36]))
        except ValueError:
            return None

    @property
    def imported(self) -> int | None:
        """The number of the import it works on."""
        found = re.match(r"import-([0-9]+)-", self.job_id or "")
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What Redis tells about the queue; without ``reachable`` all else is empty."""

    reachable: bool
    name: str = ""
    waiting: int = 0
    running: int = 0
    failed: int = 0
    workers: tuple[WorkerStatus, ...] = ()
    clocks: int = 0

    @property
    def has_worker(self) -> bool:
        """Whether somebody is there to do the work."""
        return any(worker.is_alive for worker in self.workers)


@dataclass(frozen=True, slots=True)
class ForeignQueue:
    """A queue in our Redis that is not ours: of another installation, or of a version whose queues had no identity."""

    name: str
    waiting: int
    workers: int


def list_foreign_queues() -> list[ForeignQueue]:
    """The queues of others on which something waits or somebody works; nobody here touches them."""
    try:
        ours = _queue()
        found = Queue.all(connection=ours.connection, serializer=ours.serializer)
        named = [queue for queue in found if queue.name == QUEUE or queue.name.startswith(f"{QUEUE}-")]
        foreign = [
            ForeignQueue(queue.name, queue.count + queue.scheduled_job_registry.count, Worker.count(queue=queue))
            for queue in sorted(named, key=lambda queue: queue.name)
            if queue.name != ours.name
        ]
    except RedisError:
        return []
    return [queue for queue in foreign if queue.waiting or queue.workers]


def read() -> QueueStatus:
    """The state of the queue now."""
    try:
        queue = _queue()
        return QueueStatus(
            reachable=True,
            name=queue.name,
            waiting=queue.count,
            running=queue.started_job_registry.get_job_count(cleanup=False),
            failed=queue.failed_job_registry.get_job_count(cleanup=False),
            workers=_workers(queue),
            clocks=scheduler.count_schedulers(queue.connection),
        )
    except RedisError:
        return QueueStatus(reachable=False)


def worker_alive() -> bool | None:
    """Whether a worker is there; ``None`` if Redis cannot be asked."""
    try:
        return any(worker.is_alive for worker in _workers(_queue()))
    except RedisError:
        return None


def _queue() -> Queue:
    connection: Redis = django_rq.get_connection(QUEUE)
    # A client of its own, not connected yet: only this page gives up so soon.
    connection.connection_pool.connection_kwargs.update(
        socket_timeout=WAIT_SECONDS, socket_connect_timeout=WAIT_SECONDS, retry=Retry(NoBackoff(), 0)
    )
    return django_rq.get_queue(QUEUE, connection=connection)


def _workers(queue: Queue) -> tuple[WorkerStatus, ...]:
    workers = Worker.all(queue=queue, serializer=queue.serializer)
    return tuple(sorted((_status(worker) for worker in workers), key=lambda worker: worker.name))


def _status(worker: BaseWorker) -> WorkerStatus:
    seen = worker.last_heartbeat
    age = (datetime.now(UTC) - seen).total_seconds() if seen else float(IDLE_SILENCE_SECONDS + 1)
    return WorkerStatus(worker.name, str(worker.get_state()), max(0, round(age)), worker.get_current_job_id())
