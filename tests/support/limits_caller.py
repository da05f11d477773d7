"""A process that calls as fast as the shared limits let it. To be started with ``START``; says "ready",
then takes JSON on stdin.

Each call leaves a batch, as every call of a job does, and a line in the log: when it began and when it ended, on
the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

from django.utils import timezone
from redis import Redis

from mobjects.db.retry import retry_on_database_error
from mobjects.models import SyncBatch, SyncBatchState, SyncJob
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.task import WaitRequired

START = f"import django; django.setup(); from {__name__} import main; main()"
NEVER = Event()


def main() -> None:
    print("ready", flush=True)  # noqa: T201  # on a busy machine some start seconds after others
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    limits = RedisRateLimiter(asked["endpoint"], Redis.from_url(asked["redis"]), **asked["limits"])
    if asked["calls"] is None:
        with limits.permit_call():
            print("in", flush=True)  # noqa: T201
            sys.stdin.read()
        return
    call_all(limits, asked)


def call_all(limits: RedisRateLimiter, asked: dict[str, Any]) -> None:
    save = retry_on_database_error(lambda row: row.save())
    job = SyncJob(kind="Opportunity", endpoint=asked["endpoint"])
    save(job)
    made, log = 0, Path(asked["log"])
    while made < asked["calls"]:
        try:
            with limits.permit_call():
                began = time.monotonic()
                batch = SyncBatch(job=job, sequence=made, kind=job.kind, operation="GET", sent_at=timezone.now())
                save(batch)
                NEVER.wait(asked["seconds"])
                made += 1
                with log.open("a") as file:
                    file.write(f"{began} {time.monotonic()}\n")
            batch.state = SyncBatchState.ANSWERED
            save(batch)
        except WaitRequired as wait:
            NEVER.wait(max(timedelta(), wait.until - timezone.now()).total_seconds())
