"""The queue (RQ on Redis): it carries nothing but ids. Losing it loses no work.

What works on a job is enqueued by its dotted name, so that whoever asks for a job need not load it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import django_rq
from django.db import transaction
from django.db.models import DateTimeField, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_noop as _
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from mobjects import clock
from mobjects.entry_points import EntryPointJob, forbid_pickle
from mobjects.jobs.lifecycle import JOB_STATES
from mobjects.models import SyncJob, SyncJobState
from mobjects.queue_redis import QUEUE, connect_queue, describe_redis_error, redis_sentence
from mobjects.sync.installation.identity import name_outside

RUNNER = "mobjects.jobs.runner.run_queued_job"
OVERDUE = timedelta(seconds=10)
"""How long after its time work counts as forgotten by the queue."""
_KEPT = {"result_ttl": 60, "failure_ttl": 24 * 3600}
"""How long Redis remembers work, in seconds; what became of it is in the database."""
_ASKED_AGAIN = 2
"""How often Redis is asked again where an answer was lost: work has a name of its own, and is queued once."""

QUEUED_LATER = _("Nothing was sent; the job is queued by itself when that is over, or queue it again.")

Row = TypeVar("Row")

logger = logging.getLogger(__name__)

# Each process that has to do with the queue loads this module, whatever flags it was started with.
forbid_pickle()


class InstallationQueue(Queue):
    """RQ's queue under a name of this installation's own, with its registries, workers and locks.

    Several installations may share a Redis: none takes another's work. RQ makes queues by their full names as well,
    which are left as they are. Work is queued at once: :mod:`mobjects.jobs.requests` itself waits for the commit.

    What is found in it is JSON and of :class:`~mobjects.entry_points.EntryPointJob`, whatever is asked for.
    """

    job_class = EntryPointJob

    def __init__(self, name: str = QUEUE, *args: Any, **options: Any) -> None:
        given = {**options, "job_class": EntryPointJob, "serializer": JSONSerializer}
        super().__init__(name_outside(QUEUE) if name == QUEUE else name, *args, **given)

    @classmethod
    def dequeue_any(
        cls,
        queues: Iterable[Queue],
        timeout: int | None,
        connection: Redis,
        job_class: type[Job] | None = None,
        serializer: Any = None,
        death_penalty_class: Any = None,
    ) -> tuple[Job, Queue] | None:
        """The next piece of work, as RQ gives it; of our own class even to a worker of another class."""
        return super().dequeue_any(queues, timeout, connection, EntryPointJob, JSONSerializer, death_penalty_class)


def enqueue_job(job: SyncJob) -> bool:
    """Put a job that is not queued into the queue; safe to call twice.

    Returns:
        Whether the queue took it. If not, the job's problem text says why.
    """
    if not JOB_STATES.change(job, SyncJobState.QUEUED, queued_at=clock.now(), problem="", problem_text=""):
        return False
    try:
        _enqueue(RUNNER, str(job.pk), queue_prefix(job), None)
    except RedisError as error:
        logger.warning("Job %s could not be queued: Redis %s.", job.pk, describe_redis_error(error))
        words = f"{redis_sentence(error)} {QUEUED_LATER}"
        JOB_STATES.change(
            job, SyncJobState.NOT_QUEUED, only_from=(SyncJobState.QUEUED,), problem="queue", problem_text=words
        )
        return False
    return True


def enqueue_worker(job: SyncJob, at: datetime | None = None) -> bool:
    """Have a worker work on a job, now or later; ``False`` if the queue does not take it."""
    return enqueue_work(RUNNER, str(job.pk), queue_prefix(job), at)


def queue_prefix(job: SyncJob) -> str:
    """With which the queue's ids of work on a job begin."""
    return f"{job.pk}-"


def enqueue_work(function: str, argument: str | int, prefix: str, at: datetime | None) -> bool:
    """Have a function run by a worker, now or later; ``False`` if the queue does not take it.

    Args:
        function: its dotted name.
        argument: its only one.
        prefix: with which the queue's id of the work begins; see :func:`count_enqueued`.
    """
    try:
        _enqueue(function, argument, prefix, at)
    except RedisError as error:
        logger.warning("Work (%s…) could not be queued: Redis %s.", prefix, describe_redis_error(error))
        return False
    return True


def _enqueue(function: str, argument: str | int, prefix: str, at: datetime | None) -> None:
    options = {"job_id": f"{prefix}{secrets.token_hex(8)}", "unique": True, **_KEPT}
    queue = _queue()
    try:
        if at is not None and at > clock.now():
            # RQ cuts off what is beyond the second: begun too early, a worker would find that the job still waits.
            at += timedelta(microseconds=-at.microsecond % 1_000_000)
            queue.enqueue_at(at, function, argument, **options)
        else:
            queue.enqueue(function, argument, **options)
    except DuplicateJobError:
        # Nobody else makes this name: it was queued, the answer was lost, and we asked again.
        return


def _queue() -> Queue:
    return django_rq.get_queue(QUEUE, connection=connect_queue(again=_ASKED_AGAIN))


def count_enqueued(prefix: str) -> int:
    """How many pieces of work with such an id are on their way.

    Raises:
        RedisError: the queue cannot be reached.
    """
    return sum(queue_id.startswith(prefix) for queue_id in _enqueued_ids())


def find_forgotten(rows: Iterable[Row], prefix_of: Callable[[Row], str]) -> list[Row]:
    """Those of some rows of which no work is on its way. The queue is asked once, and not at all for no rows.

    Args:
        rows: are to be worked on.
        prefix_of: the whole prefix of the queue's ids of such work.

    Raises:
        RedisError: the queue cannot be reached.
    """
    asked = list(rows)
    if not asked:
        return []
    known = {f"{queue_id.rpartition('-')[0]}-" for queue_id in _enqueued_ids()}
    return [row for row in asked if prefix_of(row) not in known]


def _enqueued_ids() -> list[str]:
    queue = _queue()
    later = queue.scheduled_job_registry
    # What should have been moved into the queue and was not is on nobody's list: RQ's scheduler died, or never was.
    lost = set(later.get_jobs_to_schedule(int((clock.now() - OVERDUE).timestamp())))
    return [*queue.get_job_ids(), *(set(later.get_job_ids(cleanup=False)) - lost)]


@dataclass(frozen=True, slots=True)
class BackgroundWork:
    """A kind of rows that workers deal with chunk by chunk, whoever and how many they are.

    Args:
        runner: dotted name of the function that does all that is left of a row, given its id; safe to call at any time.
        prefix: with which the queue's ids of such work begin.
        unfinished: the rows that are to be worked on; they have ``created_at`` and, of the newest chunk, ``step_at``.
    """

    runner: str
    prefix: str
    unfinished: Callable[[], QuerySet[Any]]

    def enqueue(self, pk: int) -> bool:
        """Have a worker go on with a row; ``False`` if the queue cannot be reached, and the sweep does it later."""
        return enqueue_work(self.runner, pk, self._prefix_of(pk), None)

    def enqueue_after_commit(self, pk: int) -> None:
        """The same once what was written in this transaction can be seen."""
        transaction.on_commit(partial(self.enqueue, pk))

    def sweep(self) -> None:
        """Find rows whose worker died or that the queue forgot, and have others go on. Safe at any time."""
        seen = Coalesce("step_at", "created_at", output_field=DateTimeField())
        silent = self.unfinished().alias(seen=seen).filter(seen__lt=clock.now() - OVERDUE)
        try:
            for pk in find_forgotten(silent.order_by("pk").values_list("pk", flat=True), self._prefix_of):
                self.enqueue(pk)
        except RedisError:
            return

    def _prefix_of(self, pk: int) -> str:
        return f"{self.prefix}-{pk}-"
