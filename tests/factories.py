"""The smallest valid objects, with fixed values; a test spells out only what it depends on."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar, cast

import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from mobjects.audit.door import history_opened
from mobjects.jobs.requests import create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.types import BatchResponse, Exchange, Kind, Operation, OutcomeStatus, RecordOutcome
from mobjects.models import (
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    SyncBatch,
    SyncedRecord,
    SyncJob,
    SyncJobState,
    WorkerLease,
)
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send import claims, results
from mobjects.sync.send.claims import StartedBatch
from mobjects.sync.send.selection import OperationChoice, SyncSelection
from mobjects.sync.send.task import SendTask
from mobjects.sync.task import JobContext
from mobjects.sync.transport_factory import open_transport

Record = TypeVar("Record", bound=SyncedRecord)

_numbers = count(1)


def program(**values: Any) -> Program:
    """A program that exists in the sandbox's seed (1001 to 1040)."""
    return Program.objects.create(**{"marketo_id": 1001, "name": "Webinar", **values})


def cost(of: Program, **values: Any) -> ProgramCost:
    return ProgramCost.objects.create(
        **{"program": of, "month": date(2026, 6, 1), "amount": Decimal("2000.00"), **values}
    )


def tag(of: Program, **values: Any) -> ProgramTag:
    return ProgramTag.objects.create(**{"program": of, "type": "Region", "value": "EMEA", **values})


def opportunity(**values: Any) -> Opportunity:
    return Opportunity.objects.create(**{"external_id": f"E-{next(_numbers)}", "name": "Q1 2014", **values})


def role(of: Opportunity, **values: Any) -> OpportunityPersonRole:
    person = {} if "person_key" in values else {"person_id": 19}
    return OpportunityPersonRole.objects.create(**{"opportunity": of, "role": "Influencer", **person, **values})


def user(name: str = "alice", *, group: str = "") -> User:
    """A staff user, in one of the groups that come with the app if one is named."""
    person = User.objects.create_user(name, password="secret", is_staff=True)
    if group:
        person.groups.add(Group.objects.get(name=group))
    return person


def permission(codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label="mobjects", codename=codename)


def fresh(record: Record) -> Record:
    """The record as the database has it now."""
    return cast(Record, type(record)._default_manager.get(pk=record.pk))


def sync(*records: SyncedRecord, operation: OperationChoice = OperationChoice.AUTO, **options: Any) -> SyncJob:
    """Run a job in this process, for the given records (of one kind) or for all that changed."""
    kinds = (records[0].KIND,) if records else options.pop("kinds", tuple(Kind))
    ids = tuple(record.pk for record in records) if records else None
    job = create_sync_job(SyncSelection(kinds=kinds, ids=ids, operation=operation, **options))
    run_job(job)
    job.refresh_from_db()
    return job


def job_in(state: SyncJobState, **values: Any) -> SyncJob:
    """A job about all opportunities, in a state."""
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    SyncJob.objects.filter(pk=job.pk).update(state=state, **values)
    job.refresh_from_db()
    return job


def later(job: SyncJob, seconds: float = 600, *, times: int = 10) -> SyncJob:
    """Let a job that waits go on as often as it waits, each time after as many seconds."""
    for number in range(1, times + 1):
        job.refresh_from_db()
        if job.state != SyncJobState.WAITING:
            return job
        with time_machine.travel(timezone.now() + timedelta(seconds=number * seconds), tick=True):
            run_job(job)
    job.refresh_from_db()
    return job


class Unlimited:
    """Permission for everything."""

    def permit_call(self) -> AbstractContextManager[None]:
        return nullcontext()

    def count_further(self, calls: int) -> None:
        """Nothing is counted."""

    def claim_reading(self) -> bool:
        return False

    def note_calls_of_all(self, count: int) -> None:
        """Nothing is counted."""

    def reduce_concurrency(self) -> None:
        """Nothing is counted."""


def context(job: SyncJob, **values: Any) -> JobContext:
    """What a worker of its own works with on a job."""
    lease = WorkerLease.objects.create(job=job, process="test", renewed_at=timezone.now())
    with history_opened("also where a test has a job that was over go on"):
        SyncJob.objects.filter(pk=job.pk).update(state=SyncJobState.RUNNING)
    return JobContext(
        **{
            "job": job,
            "lease": lease,
            "transport": open_transport(),
            "keys": KeyFields(),
            "rate_limiter": Unlimited(),
            **values,
        }
    )


def work(job: SyncJob, **values: Any) -> SyncJob:
    """Let one worker send what a job selected, with a transport of the test's own for example."""
    here = context(job, **values)
    StepLoop(here, SendTask(here)).run()
    job.refresh_from_db()
    return job


def claim_next(job: SyncJob, kind: Kind, *, limit: int = 100) -> StartedBatch:
    """Take the job's next batch of new or changed records, without sending it, with a lease of its own."""
    here, selection = context(job), SyncSelection.from_json(job.selection)
    claimed = (
        claims.claim_batch(here, kind, each, selection, after=0, limit=limit)
        for each in (Operation.UPDATE, Operation.INSERT)
    )
    batch, _ = next(each for each in claimed if each is not None)
    claim = claims.start_batch(here, batch, selection)
    assert claim is not None
    return claim


def answer(job: SyncJob, claim: StartedBatch) -> None:
    """Save that Marketo updated every record of a batch."""
    rows = [RecordOutcome(OutcomeStatus.UPDATED, item.marketo_id) for item in claim.items]
    assert claim.batch is not None
    results.record_answer(job, claim.batch, claim.items, BatchResponse(rows, Exchange(request="")))


def give_up(batch: SyncBatch | None) -> None:
    """End a batch as if its worker had died while it was sent."""
    assert batch is not None
    results.abandon_sending_batches(batch.job, "The worker was cut off.", batch.lease_id)
