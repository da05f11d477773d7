"""A process that calls the local Marketo as often as the shared limits let it. Started by bench/limits.py."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.transport import ConnectionVerdict
from mobjects.models import SyncBatch, SyncJob
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.task import WaitRequired
from mobjects.sync.transport_factory import open_transport, target


def main() -> None:
    """Make so many calls with so many threads, both as arguments; print how many failed, and how often to wait."""
    calls, threads = (int(word) for word in sys.argv[1:])
    job = SyncJob.objects.create(kind="Opportunity", endpoint=target())
    with ThreadPoolExecutor(threads) as pool:
        parts = [range(calls)[place::threads] for place in range(threads)]
        done = list(pool.map(lambda part: _call(job.pk, part), parts))
    sys.stdout.write(f"{sum(failed for failed, _ in done)} {sum(waits for _, waits in done)}\n")


def _call(job: UUID, numbers: range) -> tuple[int, int]:
    """Each call with permission, and with its row in the database as in a job."""
    transport, limits, note = (
        open_transport(),
        RedisRateLimiter.from_settings(target()),
        retry_on_database_error(SyncBatch.objects.create),
    )
    failed = waits = 0
    for number in numbers:
        while True:
            try:
                with limits.permit_call():
                    note(job_id=job, sequence=number, kind="Opportunity", operation="GET", sent_at=timezone.now())
                    failed += transport.ping().verdict is not ConnectionVerdict.OK
                break
            except WaitRequired as wait:
                waits += 1
                time.sleep(max(timedelta(), wait.until - timezone.now()).total_seconds())
    transport.close()
    connection.close()
    return failed, waits
