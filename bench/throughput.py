"""How long 10,000 changed records take with several workers, where Marketo needs 200 ms for an answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from django.conf import settings
from redis import Redis
from rq import Worker

from bench.records import BATCH, opportunities
from bench.surroundings import Surroundings
from mobjects.jobs.requests import request_sync
from mobjects.models import SyncJob
from mobjects.sync.send.selection import SyncSelection

ANSWER_SECONDS = 0.2
PATIENCE_SECONDS = 180
_WORKER = [sys.executable, "manage.py", "rqworker", "sync", "--with-scheduler"]


def measure(around: Surroundings, say: Callable[[str], None], *, records: int = 10_000, runs: int = 3) -> None:
    """Print seconds from queueing a job to its end, with as many real workers as calls may run at once."""
    workers = settings.MARKETO["CALLS_AT_ONCE"]
    for number in range(workers):
        _start_worker(around, number)
    batches = -(-records // BATCH)
    base = batches * ANSWER_SECONDS / workers
    say(f"{records:,} changed records, {workers} workers, answers after {ANSWER_SECONDS * 1000:.0f} ms:")
    for _ in range(runs):
        around.reset()
        opportunities(records)
        around.control("faults", {"kind": "slow", "seconds": ANSWER_SECONDS, "times": 10 * batches})
        job = _finished(request_sync(SyncSelection()))
        seconds = _seconds(job)
        load = around.control("state")["load"]
        say(
            f"  {seconds:.1f} s, {records / seconds:,.0f} records/s, {seconds / base:.1f} × the floor of {base:.1f} s; "
            f"{load['calls']} calls, at most {load['most_at_once']} at once and {load['busiest_window']} in 20 s; "
            f"{job.get_state_display().lower()}, {job.counts}"
        )


def _start_worker(around: Surroundings, number: int) -> None:
    command = [*_WORKER, "--serializer", "rq.serializers.JSONSerializer", "--name", f"bench-{number}"]
    around.start(f"worker-{number}", command, lambda: _workers(around.redis_url) > number)


def _workers(redis_url: str) -> int:
    with Redis.from_url(redis_url) as client:
        return Worker.count(connection=client)


def _seconds(job: SyncJob) -> float:
    assert job.queued_at is not None  # noqa: S101
    assert job.finished_at is not None  # noqa: S101
    return (job.finished_at - job.queued_at).total_seconds()


def _finished(job: SyncJob) -> SyncJob:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while job.state not in SyncJob.FINAL_STATES:
        if time.monotonic() > give_up:
            raise RuntimeError(f"the job is {job.state} after {PATIENCE_SECONDS} s: {job.waits_for}")
        time.sleep(0.2)
        job.refresh_from_db()
    return job
