"""What a job of many changed records costs before anything is sent: pages, planning, the first batches."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from django.urls import reverse

from bench.apis import Api
from bench.records import many_opportunities
from bench.surroundings import Surroundings, lift_limits, served_from_source
from mobjects.jobs.control import cancel_job
from mobjects.jobs.job_lease import acquire_job, release_job
from mobjects.models import SyncJob
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.send.task import SendTask
from mobjects.sync.task import JobContext
from mobjects.sync.transport_factory import key_fields, open_transport

STEPS = 20
MOST_SECONDS = 1.0
"""From the job's start until its first batch is answered."""


def measure(around: Surroundings, say: Callable[[str], None], apis: Sequence[Api], *, records: int = 100_000) -> None:
    """Print seconds of the two requests, of planning, of the first batches, and of the longest transaction."""
    for api in apis:
        _measure(around, say, records, api)


def _measure(around: Surroundings, say: Callable[[str], None], records: int, api: Api) -> None:
    size = api.select()
    around.reset()
    lift_limits()
    many_opportunities(records)
    say(f"{api.name.upper()}: {records:,} changed records:")
    with served_from_source(), _transactions() as seen:
        client = Client()
        client.force_login(get_user_model().objects.create_superuser(f"bench-{api.name}"))
        client.get(reverse("admin:index"))  # The first page loads the templates.
        seen.longest = 0.0
        _timed(say, "the page that asks, with its forecast", lambda: client.get(reverse("mobjects:sync")))
        answer = _timed(say, "“Send”: the job is made and queued", lambda: _post(client))
        job = SyncJob.objects.get()
        _timed(say, "the job's page", lambda: client.get(urlsplit(answer.url).path))
        say(f"  {seen.longest:6.3f} s  longest transaction of these requests")
    with _transactions() as seen:
        _steps(job, say, size)
        say(f"  {seen.longest:6.3f} s  longest transaction while planning and sending")


def _steps(job: SyncJob, say: Callable[[str], None], size: int) -> None:
    lease = acquire_job(job)
    assert lease is not None  # noqa: S101 -- nobody else works on it
    transport = open_transport()
    task = SendTask(JobContext(job, lease, transport, key_fields(), RedisRateLimiter.from_settings(transport.endpoint)))
    began = time.perf_counter()
    _timed(say, "planning: how many workers the work is for", task.wanted_workers)
    _timed(say, f"first batch of {size}, with its call", task.step)
    seconds = time.perf_counter() - began
    reached = "reached" if seconds <= MOST_SECONDS else "MISSED"
    say(
        f"  {seconds:6.3f} s  from the job's start until its first batch is answered (goal {MOST_SECONDS:g}: {reached})"
    )
    further = [_seconds(task.step)[0] for _ in range(STEPS)]
    say(f"  {median(further):6.3f} s  each further batch (median of {STEPS}; longest {max(further):.3f} s)")
    release_job(job, lease)
    cancel_job(job)
    transport.close()


def _post(client: Client) -> Any:
    fields = {"kind": "all", "token": uuid.uuid4(), "operation": "AUTO", "send": "1"}
    answer = client.post(reverse("mobjects:sync"), fields)
    if answer.status_code != 302:
        raise RuntimeError("“Send” made no job")
    return answer


def _seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _timed(say: Callable[[str], None], words: str, work: Callable[[], Any]) -> Any:
    seconds, result = _seconds(work)
    say(f"  {seconds:6.3f} s  {words}")
    return result


@dataclass
class _Seen:
    """Transactions of this process; ``began`` is when the one that is open was opened."""

    longest: float = 0.0
    began: list[float] = field(default_factory=list)


@contextmanager
def _transactions() -> Iterator[_Seen]:
    """Time every outermost ``atomic`` block."""
    seen, enter, leave = _Seen(), transaction.Atomic.__enter__, transaction.Atomic.__exit__

    def timed_enter(self: transaction.Atomic) -> None:
        seen.began.append(time.perf_counter())
        enter(self)

    def timed_leave(self: transaction.Atomic, *error: Any) -> None:
        leave(self, *error)
        seen.longest = max(seen.longest, time.perf_counter() - seen.began.pop())

    transaction.Atomic.__enter__, transaction.Atomic.__exit__ = timed_enter, timed_leave  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        transaction.Atomic.__enter__, transaction.Atomic.__exit__ = enter, leave  # type: ignore[method-assign]
