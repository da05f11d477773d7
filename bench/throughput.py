"""How long 10,000 changed records take with several workers, where Marketo needs 200 ms for an answer."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from django.conf import settings
from redis import Redis
from rq import Worker

from bench import peer
from bench.apis import Api
from bench.records import opportunities
from bench.surroundings import ROOT, Surroundings
from mobjects.jobs.requests import request_sync
from mobjects.local.supervisor import Supervisor
from mobjects.models import SyncJob
from mobjects.sync.send.selection import SyncSelection

ANSWER_SECONDS = 0.2
PATIENCE_SECONDS = 180
CALLS_PER_WINDOW = 100
_WORKER = [sys.executable, "manage.py", "rqworker", "sync", "--with-scheduler"]
_WORKER += ["--serializer", "rq.serializers.JSONSerializer"]


def measure(
    around: Surroundings, say: Callable[[str], None], apis: Sequence[Api], *, records: int = 10_000, runs: int = 3
) -> None:
    """Print seconds from queueing a job to its end, with as many real workers as calls may run at once."""
    workers = settings.MARKETO["CALLS_AT_ONCE"]
    for api in apis:
        size, name = api.select(), api.name.upper()
        say(f"{name}: {records:,} changed records, {workers} workers, answers after {ANSWER_SECONDS * 1000:.0f} ms:")
        for _ in range(runs):
            seconds = _run(around, say, records, size, ANSWER_SECONDS)
            if api.name == peer.SPEAKS:
                peer.measure(around, say, records, size, ANSWER_SECONDS, ours=seconds)
        window = CALLS_PER_WINDOW * size
        say(f"{name}: {window:,} changed records, all that Marketo takes in 20 s, answers at once:")
        _run(around, say, window, size, 0)


def _run(around: Surroundings, say: Callable[[str], None], records: int, size: int, answer_seconds: float) -> float:
    """Send new records by a job; seconds."""
    around.reset()
    opportunities(records)
    batches = -(-records // size)
    base = batches * answer_seconds / settings.MARKETO["CALLS_AT_ONCE"]
    if answer_seconds:
        around.control("faults", {"kind": "slow", "seconds": answer_seconds, "times": 10 * batches})
    with _workers_running(around):
        job = _finished(request_sync(SyncSelection()))
    seconds = _seconds(job)
    load = around.control("state")["load"]
    proportion = f"{seconds / base:.1f} × the floor of {base:.1f} s; " if base else ""
    say(
        f"  {seconds:.1f} s, {records / seconds:,.0f} records/s, {proportion}"
        f"{load['calls']} calls, at most {load['most_at_once']} at once and {load['busiest_window']} in 20 s; "
        f"{job.get_state_display().lower()}, {job.counts}"
    )
    return seconds


@contextmanager
def _workers_running(around: Surroundings) -> Iterator[None]:
    """Idle workers, as many as calls may run at once. Anew for each run: a reset gives the queue another name."""
    with Supervisor(around.folder / "log-workers", os.environ, signals=False) as supervisor:
        for number in range(settings.MARKETO["CALLS_AT_ONCE"]):
            command = ["env", f"--chdir={ROOT}", *_WORKER, "--name", f"bench-{secrets.token_hex(4)}"]
            ready = partial(_is_running, around.redis_url, number + 1)
            supervisor.start_child(f"worker-{number}", command, ready)
        yield


def _is_running(redis_url: str, workers: int) -> bool:
    with Redis.from_url(redis_url) as client:
        return Worker.count(connection=client) >= workers


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
