"""The smallest valid objects, with fixed values; a test spells out only what it depends on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar, cast

from django.contrib.auth.models import Group, Permission, User

from mobjects import jobs
from mobjects.marketo.contract import Answer, Exchange, Kind, Operation, Outcome, Status
from mobjects.marketo.contract import Record as WireRecord
from mobjects.models import Opportunity, OpportunityPersonRole, Program, ProgramCost, ProgramTag, SyncedRecord, SyncJob
from mobjects.sync import outcomes
from mobjects.sync.payloads import KeyFields
from mobjects.sync.selection import Choice, Selection

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


def sync(*records: SyncedRecord, operation: Choice = Choice.AUTO, **options: Any) -> SyncJob:
    """Run a job in this process, for the given records (of one kind) or for all that changed."""
    kinds = (records[0].KIND,) if records else options.pop("kinds", tuple(Kind))
    ids = tuple(record.pk for record in records) if records else None
    job = jobs.create_job(Selection(kinds=kinds, ids=ids, operation=operation, **options))
    jobs.run(job)
    job.refresh_from_db()
    return job


def nothing(record: WireRecord, operation: Operation) -> str:
    """No objection to any record."""
    return ""


def claim_next(job: SyncJob, kind: Kind) -> outcomes.Claim:
    """Take the job's next batch of new or changed records, without sending it."""
    operations = (Operation.UPDATE, Operation.INSERT)
    selection = Selection.from_json(job.selection)
    claims = (
        outcomes.claim(job, kind, each, selection, KeyFields(), refuse=nothing, after=0, limit=100)
        for each in operations
    )
    return next(claim for claim in claims if claim is not None)


def answer(job: SyncJob, claim: outcomes.Claim) -> None:
    """Save that Marketo updated every record of a batch."""
    rows = [Outcome(Status.UPDATED, item.marketo_id) for item in claim.items]
    assert claim.batch is not None
    outcomes.record_answer(job, claim.batch, claim.items, Answer(rows, Exchange(request="")))
