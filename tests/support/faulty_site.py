"""A site whose Marketo goes wrong on command, and what is seen of it, in words."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from mobjects.audit.door import history_opened
from mobjects.jobs.control import reset_circuit
from mobjects.jobs.recovery import sweep_jobs
from mobjects.jobs.requests import create_sync_job, request_sync
from mobjects.jobs.runner import run_job
from mobjects.models import (
    Circuit,
    Conflict,
    Installation,
    Opportunity,
    Program,
    RecordState,
    SyncedRecord,
    SyncJob,
    SyncJobState,
)
from mobjects.sync.send.selection import OperationChoice, SyncSelection
from tests import factories
from tests.support import invariants


class _Worker(SimpleWorker):
    """Takes no commands while it works: leaving the channel for them takes longer than all the rest."""

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass


class Faulty:
    """A sandbox, a database and a queue in which one sending after the other can go wrong."""

    def __init__(self, sandbox, queue: Queue, settings) -> None:
        self.sandbox, self.queue, self.settings = sandbox, queue, settings
        self._usual = settings.MARKETO

    def begin(self, **marketo: Any) -> None:
        """Empty all three, and set what differs from the usual settings."""
        self.settings.MARKETO = {**self._usual, **marketo}
        random.seed(1)  # The same waits in every run, so that the document can be compared.
        with history_opened("so that each case begins with none"):
            for model in (SyncJob, Opportunity, Program, Conflict, Circuit):
                model.objects.all().delete()
        # That the history is deleted here is no restored backup.
        Installation.objects.update(is_marked=False)
        Path(self.settings.INSTALLATION_FILE).unlink(missing_ok=True)
        self.sandbox.reset()
        self.queue.connection.flushdb()

    def request(self, records: Sequence[SyncedRecord]) -> SyncJob:
        selection = SyncSelection(kinds=(records[0].KIND,), ids=tuple(record.pk for record in records))
        job = request_sync(selection)
        self.work()
        job.refresh_from_db()
        return job

    def work(self) -> None:
        """Let a worker call what is due and work until the queue is empty."""
        worker = _Worker([self.queue], connection=self.queue.connection, serializer=JSONSerializer)
        worker.work(burst=True, with_scheduler=True, logging_level="WARNING")

    def let_wait(self, job: SyncJob) -> None:
        """Each time the job waits, come back when it said; then the queue has to call it by itself."""
        for _ in range(20):
            job.refresh_from_db()
            if job.state != SyncJobState.WAITING or job.waits_until is None:
                return
            with time_machine.travel(job.waits_until + timedelta(seconds=1), tick=True):
                sweep_jobs()
                self.work()
        pytest.fail(f"{job} waits for ever: {job.waits_for}")

    def sends(self) -> int:
        return sum(call.operation == "syncMObjects" for call in self.sandbox.calls)


class FaultyRest(Faulty):
    """The same over REST. A job is worked on in this process, without the queue, which takes most of the time."""

    def request(self, records: Sequence[SyncedRecord], operation: OperationChoice = OperationChoice.AUTO) -> SyncJob:
        ids = tuple(record.pk for record in records)
        job = create_sync_job(SyncSelection(kinds=(records[0].KIND,), ids=ids, operation=operation))
        run_job(job)
        job.refresh_from_db()
        return job

    def work(self) -> None:
        """Work on what the queue would call now."""
        for job in SyncJob.objects.exclude(state__in=SyncJob.FINAL_STATES).order_by("created_at"):
            run_job(job)

    def sends(self) -> int:
        """Calls that write, apart from those for a token."""
        return sum(call.operation.startswith("POST /rest/") for call in self.sandbox.calls)


def help_out(faulty: Faulty, records: Sequence[SyncedRecord]) -> None:
    """Do what is left for a person; both sides are equal then."""
    if Circuit.objects.filter(reset_at=None).exists():
        reset_circuit(factories.user("admin-" + os.urandom(4).hex()))
    if any(factories.fresh(record).is_dirty for record in records):
        faulty.let_wait(faulty.request(records))
        invariants.check(faulty.sandbox)
    invariants.both_sides_are_equal(faulty.sandbox)


# --- in words -------------------------------------------------------------------------------


def states(job: SyncJob, records: Sequence[SyncedRecord]) -> str:
    now = [str(RecordState(factories.fresh(record).current_state).label) for record in records]
    return f"{job.get_state_display()} ({', '.join(dict.fromkeys(sorted(now)))})"


def by_itself(job: SyncJob, again: int) -> str:
    look_ups = job.batches.filter(operation="GET", cause__contains="not answered").count()
    parts = [f"looked up ({look_ups})"] if look_ups else []
    if again:
        parts.append(f"sent again ({again})")
    return ", ".join(parts) or "nothing"


def for_a_person(records: Sequence[SyncedRecord]) -> str:
    if Circuit.objects.filter(reset_at=None).exists():
        return "reset the connection"
    if Conflict.objects.filter(decided_at=None).exists():
        return "decide"
    left = [now for record in records if (now := factories.fresh(record)).is_dirty]
    if any(now.last_error for now in left):
        return "see the error, sync again"
    return "sync again" if left else "nothing"


def said_of(job: SyncJob) -> str:
    """What the history says of the spoilt call, without Marketo's own text and our own address."""
    batch = job.batches.exclude(fault_text="").first()
    if batch is not None:
        return re.sub(r"127\.0\.0\.1(:\d+)?", "(host)", re.sub(r" \(Marketo: .*\)", "", batch.fault_text))
    return job.results.exclude(error="").values_list("error", flat=True).first() or "nothing"
