"""Lanes of one job: they come where there is work, and one that finds none goes and is not called again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from mobjects.jobs.job_lease import acquire_job
from mobjects.jobs.queue import enqueue_worker
from mobjects.jobs.requests import create_sync_job, request_sync, selection_of_repeat
from mobjects.jobs.runner import _enqueue_more_workers
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.types import BatchResponse, Exchange, Kind, OutcomeStatus, OutgoingBatch, RecordOutcome
from mobjects.models import SyncJob, SyncJobState
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.send.task import SendTask
from mobjects.sync.task import JobContext
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]

RECORDS, BATCH = 40, 4
MOST_TURNS = 60
LANES = 10
"""So many may work on one job: MARKETO_CALLS_AT_ONCE."""


class Lanes:
    """So many workers at the queue, in one thread: while one of them waits for Marketo the others work.

    It is Marketo for them, too: it accepts everything, or refuses each record.
    """

    name, endpoint, caller, delete_limit = "memory", "", "", 100

    def __init__(self, queue: Any, workers: int) -> None:
        self.queue, self.workers = queue, workers
        self.working = self.turns = self.empty = self.late = self.calls = 0
        self.status = OutcomeStatus.UPDATED

    def work(self, job: SyncJob) -> None:
        """Work until the queue is empty, or for longer than any job may take."""
        enqueue_worker(job)
        self.work_meanwhile(job)
        for _ in range(10):
            job.refresh_from_db()
            if job.state in SyncJob.FINAL_STATES:
                break
            # What was put off by some seconds is due.
            with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=True):
                self.turn(job)
                self.work_meanwhile(job)

    def work_meanwhile(self, job: SyncJob) -> None:
        while self.working < self.workers and self.turns < MOST_TURNS and self.queue.count:
            self.queue.pop_job_id()
            self.turn(job)

    def turn(self, job: SyncJob) -> None:
        mine = SyncJob.objects.get(pk=job.pk)
        lease = acquire_job(mine)
        self.turns += 1
        if lease is None:
            self.late += 1
            return
        self.working += 1
        calls = self.calls
        here: Any = JobContext(mine, lease, self, KeyFields(), factories.Unlimited())  # type: ignore[arg-type]
        task = SendTask(here)
        _enqueue_more_workers(mine, task, top_up=True)
        release = StepLoop(here, task).run()
        self.working -= 1
        self.empty += self.calls == calls
        if release.again_at is not None:
            enqueue_worker(mine, release.again_at)

    # --- Marketo ---

    def limit(self, kind: Any, operation: Any) -> int:
        return BATCH

    def problem(self, record: Any, operation: Any) -> str:
        return ""

    def send(self, batch: OutgoingBatch) -> BatchResponse:
        self.calls += 1
        self.work_meanwhile(SyncJob.objects.get(state=SyncJobState.RUNNING))
        rows = [
            RecordOutcome(self.status, record.marketo_id, "no" * (self.status == "FAILED")) for record in batch.records
        ]
        return BatchResponse(rows, Exchange(request=""))


@pytest.fixture
def records():
    return [factories.opportunity(name=f"Deal {number}", marketo_id=number) for number in range(1, RECORDS + 1)]


@pytest.mark.parametrize("workers", range(1, 9))
@pytest.mark.parametrize("failed", [False, True], ids=["sent again", "failed"])
def test_lanes_without_work_do_not_come_back(queue, records, workers, failed):
    lanes = Lanes(queue, workers)
    if failed:
        lanes.status = OutcomeStatus.FAILED
        lanes.work(first := create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,))))
        lanes.turns = lanes.empty = lanes.late = lanes.calls = 0
        job = request_sync(selection_of_repeat(first, ("FAILED",)), origin=first)
    else:
        job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,), resend=True))
    lanes.work(job)
    job.refresh_from_db()
    assert job.counts == {"FAILED" if failed else "UPDATED": RECORDS}
    assert (job.state in SyncJob.FINAL_STATES, lanes.calls) == (True, RECORDS // BATCH)
    # Each lane was called where there was work for it, and finds at most once that others have done that.
    assert lanes.empty + lanes.late < LANES
