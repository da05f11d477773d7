"""What every kind of job has in common: its surroundings, the steps it is made of, and reading calls.

A job is worked on in *steps* by one or more workers (see :mod:`mobjects.jobs.step_loop`). A step makes at most
one call to Marketo and saves what came of it, so that between any two steps a job can be paused, moved to another
process, or lost without loss. Nothing here waits: a step that may not go on raises :class:`WaitRequired`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.prepared import SHARED, PreparedQueries, given, the_row
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.transport import MarketoTransport
from mobjects.marketo.types import Exchange, Kind
from mobjects.models import EarlierCall, SyncBatch, SyncBatchState, SyncJob, WorkerLease
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.transport_factory import masked

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KindSelection:
    """Records of some kinds that a job is about.

    Args:
        kinds: which kinds.
        ids: our own ids of the records (of the single kind in ``kinds``); ``None`` means all of the kinds.
    """

    kinds: Sequence[Kind] = tuple(Kind)
    ids: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.ids is not None and len(self.kinds) != 1:
            raise ValueError(_("ids can be given for one kind at a time"))

    @property
    def kind_of_job(self) -> str:
        """Marketo's name of the single kind, or ``several``."""
        return self.kinds[0].value if len(self.kinds) == 1 else "several"


class WaitRequired(Exception):
    """The job has to wait; nothing is lost and nothing was sent by the step that raises it.

    Args:
        until: when it may go on; aware.
        reason: what it waits for, as a sentence for the user.
    """

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(reason)
        self.until = until
        self.reason = reason


class RateLimiter(Protocol):
    """Marketo's limits, shared by all workers. The implementation is
    :class:`mobjects.sync.rate_limits.limiter.RedisRateLimiter`.
    """

    def permit_call(self) -> AbstractContextManager[None]:
        """Permission for one call; leave it when the call is over.

        Raises:
            WaitRequired: a limit is reached, or the limits cannot be read. Nothing was counted.
        """
        ...

    def count_further(self, calls: int) -> None:
        """Count calls that were made under one permission besides the one that it was for."""
        ...

    def claim_reading(self) -> bool:
        """Whether it is time to ask Marketo how many calls all have made, and nobody else does."""
        ...

    def note_calls_of_all(self, count: int) -> None:
        """Marketo says that all integrations, this one too, have made so many calls today."""
        ...

    def reduce_concurrency(self) -> None:
        """Marketo said that too many calls ran at once: allow fewer for a while."""
        ...


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job works with.

    Args:
        job: the job; its row may be newer.
        lease: of the process that works.
        transport: open; closed by who opened it.
        keys: names of the external key fields.
        rate_limiter: ask before each call.
        queries: that are the same for each of its batches.
    """

    job: SyncJob
    lease: WorkerLease
    transport: MarketoTransport
    keys: KeyFields
    rate_limiter: RateLimiter
    queries: PreparedQueries = field(default_factory=PreparedQueries)


class JobTask(Protocol):
    """How a job of one action is worked on. Made anew by each worker; all that must last is in the database."""

    single_worker: bool
    """Whether only one worker at a time may work on such a job, because its steps depend on each other."""

    def step(self) -> bool:
        """Do the next piece of work, with at most one call.

        Returns:
            Whether there was something to do. ``False`` means: nothing now (see :meth:`due_at`).

        Raises:
            WaitRequired: it may not go on yet.
            MarketoError: the call failed, and is to be made again where :mod:`mobjects.sync.retry_policy` says so.
        """
        ...

    def due_at(self) -> datetime | None:
        """When there will be something to do that is not to be done yet; ``None`` if nothing is left."""
        return None

    def finish(self) -> None:
        """Called once, when no worker has anything left to do: write down what was held back."""
        return


class HasExchange(Protocol):
    """Anything a reading call of a transport returns."""

    @property
    def exchange(self) -> Exchange: ...


Answer = TypeVar("Answer", bound=HasExchange)


def read_from_marketo(
    context: JobContext, kind: Kind, call: Callable[[], Answer], *, operation: str = "GET", cause: str = ""
) -> tuple[SyncBatch, Answer]:
    """Make one call that changes nothing in Marketo, with permission, and keep it in the history as a batch.

    Args:
        kind: what is read.
        call: makes the call, such as ``lambda: transport.find(query, position)``.
        operation: ``GET`` or ``DESCRIBE``.
        cause: why, for the history, as a sentence.

    Returns:
        The batch, in state answered and without results, and the answer. The caller adds results (and sets
        ``batch.size``) where the answer is about single records.

    Raises:
        WaitRequired: a limit is reached; nothing was called and no batch made.
        MarketoError: the call failed; the batch says so.
    """
    with context.rate_limiter.permit_call():
        batch = begin_batch(context, kind, operation, cause=cause)
        try:
            answer = count_calls(context.rate_limiter, call)
        except MarketoError as error:
            batch.fault_code, batch.fault_text = error.code, error.message
            close_batch(batch, SyncBatchState.NOT_SENT, error.exchange)
            raise
    close_batch(batch, SyncBatchState.ANSWERED, answer.exchange)
    return batch, answer


def count_calls(limiter: RateLimiter, call: Callable[[], Answer]) -> Answer:
    """Make a call for which there is permission; where it took several, count the others too.

    Args:
        limiter: that gave the permission.
        call: makes the call, and tells of each of them in its exchange.
    """
    exchange: Exchange | None = None
    try:
        answer = call()
        exchange = answer.exchange
    except MarketoError as error:
        exchange = error.exchange
        raise
    finally:
        if exchange is not None and exchange.earlier:
            limiter.count_further(len(exchange.earlier))
    return answer


@retry_on_database_error
def begin_batch(context: JobContext, kind: Kind, operation: str, *, cause: str = "", size: int = 0) -> SyncBatch:
    """Write down a call that is about to be made."""
    with transaction.atomic():
        return SyncBatch.objects.create(
            job=context.job,
            lease=context.lease,
            sequence=next_sequence(context.job),
            kind=kind.value,
            operation=operation,
            cause=cause,
            size=size,
            sent_at=clock.now(),
        )


def next_sequence(job: SyncJob) -> int:
    """The number of the job's next batch. Holds the job's row until the surrounding transaction ends."""
    SHARED.update("next sequence", lambda: (the_row(SyncJob), {"last_sequence": F("last_sequence") + 1}), job.pk)
    ((number,),) = SHARED.ask("last sequence", lambda: the_row(SyncJob).values_list("last_sequence"), job.pk)
    return int(number)


@retry_on_database_error
def close_batch(
    batch: SyncBatch, state: SyncBatchState, exchange: Exchange | None, *, at: datetime | None = None
) -> None:
    """Write down how a call ended, and the calls that were made before it for the same batch.

    Args:
        at: when, by the database's clock; now if nobody has asked it yet.
    """
    batch.state = state
    batch.answered_at = at or clock.now()
    with transaction.atomic(savepoint=False):
        if exchange is not None:
            for name, value in _stated(exchange).items():
                setattr(batch, name, value)
            batch.seconds = exchange.seconds + sum(each.seconds for each in exchange.earlier)
            _keep_earlier(batch, exchange.earlier)
        values = [getattr(batch, name) for name in _CLOSED_WITH]
        SHARED.update("closed batch", _close_statement, *values, batch.pk)
    said = {"batch": batch.sequence, "attempt": batch.attempt, "state": str(state), "http_status": batch.http_status}
    words = "Batch %(batch)s, attempt %(attempt)s: %(state)s, HTTP %(http_status)s"
    logger.info(words, said, extra={**said, "kind": batch.kind, "operation": batch.operation, "seconds": batch.seconds})


_CLOSED_WITH = (
    "state",
    "answered_at",
    "fault_code",
    "fault_text",
    "request",
    "response",
    "identity",
    "headers",
    "signature_digest",
    "http_status",
    "seconds",
)


def _close_statement() -> tuple[QuerySet[Any], dict[str, Any]]:
    the_batch = SyncBatch.objects.filter(pk=given(len(_CLOSED_WITH)))
    # A lease that ends empties this column in all batches that name it, and so writes their requests and answers anew.
    closed = {name: given(at, SyncBatch._meta.get_field(name)) for at, name in enumerate(_CLOSED_WITH)}
    return the_batch, {"lease": None, **closed}


def _stated(exchange: Exchange) -> dict[str, Any]:
    """What is kept of a call. A transport masks what it tells; masked once more, so that none can leave a secret."""
    return {
        "request": masked(exchange.request),
        "response": masked(exchange.response),
        "identity": {label: masked(text) for label, text in exchange.identity.items()},
        "headers": {
            part: {name: masked(text) for name, text in headers.items()}
            for part, headers in (("request", exchange.request_headers), ("response", exchange.response_headers))
            if headers
        },
        "signature_digest": exchange.signature_digest,
        "http_status": exchange.http_status,
        "seconds": exchange.seconds,
    }


def _keep_earlier(batch: SyncBatch, calls: Sequence[Exchange]) -> None:
    rows = [EarlierCall(batch=batch, position=number, **_stated(each)) for number, each in enumerate(calls, start=1)]
    EarlierCall.objects.bulk_create(rows, ignore_conflicts=True)
