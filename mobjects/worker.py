"""The queue's worker, which notices when the process that did a job is killed."""

from __future__ import annotations

from typing import Any

from django.db import connections
from rq import Worker
from rq.job import Job

from mobjects import jobs


class SyncWorker(Worker):
    """RQ's forking worker. It forks a process for each job and outlives it.

    A process that is killed (-9, or for want of memory) can save nothing itself, and RQ calls no failure
    callback for it. So the worker ends its job: what was being sent has an unknown outcome, nothing stays claimed.
    """

    def handle_work_horse_killed(self, job: Job, retpid: Any, ret_val: Any, rusage: Any) -> None:
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]  # RQ has none here
        jobs.settle_lost(job.id)
        # The next process is forked from this one and must not share its connection.
        connections.close_all()
