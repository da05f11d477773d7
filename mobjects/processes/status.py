"""Whether the queue and its workers are there. Reads Redis, and never waits long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import django_rq
from django.utils.translation import gettext_lazy as _
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.worker import BaseWorker

from mobjects.processes import scheduler
from mobjects.processes.behind import HostBehind, list_hosts_behind
from mobjects.processes.worker import KEPT_SECONDS
from mobjects.queue_redis import QUEUE, connect_queue, describe_redis_error

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PROBE = "marketo-probe"
"""A key that is set for a second, to see whether Redis takes writes."""

SILENCE_SECONDS = 25
"""A worker that has been silent for so long is gone or frozen: it gives a sign of life every 10 s, idle or busy."""


LISTS: Mapping[str, StrOrPromise] = {
    "waiting": _("What waits"),
    "running": _("What runs"),
    "failed": _("What failed in the queue"),
}
"""The lists of the queue, each named as its count in :class:`QueueStatus`, and their titles."""


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """A piece of work in the queue. ``queue_id`` is the queue's own id, which begins with what the work is about."""

    queue_id: str

    @property
    def sync_job(self) -> str | None:
        """The id of the sync job that it works on."""
        try:
            return str(UUID(self.queue_id[:36]))
        except ValueError:
            return None

    @property
    def imported(self) -> int | None:
        """The number of the import that it works on."""
        return self._number("import")

    @property
    def deletion(self) -> int | None:
        """The number of the deletion of many records that it works on."""
        return self._number("deletion")

    @property
    def bulk_edit(self) -> int | None:
        """The number of the bulk edit that it works on."""
        return self._number("edit")

    def _number(self, name: str) -> int | None:
        found = re.match(rf"{name}-([0-9]+)-", self.queue_id)
        return int(found[1]) if found else None


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
        return self.heartbeat_seconds <= SILENCE_SECONDS

    @property
    def work(self) -> QueuedWork | None:
        """What it works on."""
        return QueuedWork(self.job_id) if self.job_id else None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What Redis tells about the queue; without ``reachable`` all else is empty.

    ``problem`` is what is wrong with Redis, as the end of a sentence that begins with "Redis".
    """

    reachable: bool
    name: str = ""
    problem: str = ""
    waiting: int = 0
    running: int = 0
    failed: int = 0
    workers: tuple[WorkerStatus, ...] = ()
    clocks: int = 0
    behind: tuple[HostBehind, ...] = ()

    @property
    def has_worker(self) -> bool:
        """Whether somebody is there to do the work."""
        return any(worker.is_alive for worker in self.workers)

    @property
    def trouble(self) -> str:
        """What is wrong: "redis", else "worker" (none lives), else "clock" (none runs); "" if nothing is."""
        if self.problem or not self.reachable:
            return "redis"
        if not self.has_worker:
            return "worker"
        return "" if self.clocks else "clock"


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
            problem=_write_problem(queue.connection),
            waiting=queue.count,
            running=queue.started_job_registry.get_job_count(cleanup=False),
            failed=queue.failed_job_registry.get_job_count(cleanup=False),
            workers=_workers(queue),
            clocks=scheduler.count_schedulers(queue),
            behind=list_hosts_behind(queue.connection, queue.name.removeprefix(f"{QUEUE}-")),
        )
    except RedisError as error:
        return QueueStatus(reachable=False, problem=describe_redis_error(error))


def list_work(which: str) -> list[QueuedWork]:
    """What a count of the queue counts, in the queue's order; nothing where Redis cannot be asked.

    Args:
        which: one of :data:`LISTS`.
    """
    try:
        queue = _queue()
        if which == "waiting":
            return [QueuedWork(queue_id) for queue_id in queue.get_job_ids()]
        registry = queue.started_job_registry if which == "running" else queue.failed_job_registry
        return [QueuedWork(queue_id) for queue_id in registry.get_job_ids(cleanup=False)]
    except RedisError:
        return []


def worker_alive() -> bool | None:
    """Whether a worker is there; ``None`` if Redis cannot be asked."""
    try:
        return any(worker.is_alive for worker in _workers(_queue()))
    except RedisError:
        return None


def _queue() -> Queue:
    return django_rq.get_queue(QUEUE, connection=connect_queue())


def _write_problem(redis: Redis) -> str:
    """What keeps Redis from taking work although it answers: it may be full, or a replica."""
    try:
        redis.set(PROBE, 1, ex=1)
    except RedisError as error:
        return describe_redis_error(error)
    return ""


def _workers(queue: Queue) -> tuple[WorkerStatus, ...]:
    workers = sorted(Worker.all(queue=queue, serializer=queue.serializer), key=lambda worker: worker.name)
    pipe: Any = queue.connection.pipeline(transaction=False)
    for worker in workers:
        pipe.ttl(worker.key)
    return tuple(_status(worker, kept) for worker, kept in zip(workers, pipe.execute(), strict=True))


def _status(worker: BaseWorker, kept_seconds: int) -> WorkerStatus:
    # With each sign of life Redis begins anew to forget it: an age on one clock, whatever those of the hosts say.
    age = KEPT_SECONDS - max(0, kept_seconds)
    return WorkerStatus(worker.name, str(worker.get_state()), max(0, age), worker.get_current_job_id())
