"""One job of many full batches, sent by real workers. Started by bench/limits.py."""

from __future__ import annotations

import sys
import time

from redis import Redis
from rq import Worker

from bench.records import BATCH
from bench.surroundings import Surroundings
from mobjects.jobs.requests import request_sync
from mobjects.models import Opportunity, SyncJob
from mobjects.sync.send.selection import SyncSelection

PATIENCE_SECONDS = 1800
_WORKER = [sys.executable, "manage.py", "rqworker", "sync", "--with-scheduler"]


def send(around: Surroundings, batches: int, workers: int) -> str:
    """Send so many batches; returns how the job ended, as words."""
    for start in range(0, batches * BATCH, 2000):
        rows = range(start, min(start + 2000, batches * BATCH))
        Opportunity.objects.bulk_create(Opportunity(external_id=f"E-{row:06}", name=f"Deal {row}") for row in rows)
    for number in range(workers):
        command = [*_WORKER, "--serializer", "rq.serializers.JSONSerializer", "--name", f"limits-{number}"]
        around.start(f"limits-{number}", command, lambda number=number: _workers(around) > number)  # type: ignore[misc]  # mypy cannot infer it
    job = request_sync(SyncSelection())
    give_up = time.monotonic() + PATIENCE_SECONDS
    while job.state not in SyncJob.FINAL_STATES:
        if time.monotonic() > give_up:
            raise RuntimeError(f"the job is {job.state} after {PATIENCE_SECONDS} s: {job.waits_for}")
        time.sleep(0.5)
        job.refresh_from_db()
    batches = job.batches.count()
    return f"{batches:,} batches, {job.get_state_display().lower()} after {job.duration}: {job.counts}"


def _workers(around: Surroundings) -> int:
    with Redis.from_url(around.redis_url) as client:
        return Worker.count(connection=client)
