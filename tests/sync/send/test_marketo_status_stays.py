"""A record keeps what Marketo last answered about it, until Marketo answers something else."""

from __future__ import annotations

import pytest

from mobjects.jobs.requests import create_job, create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import BatchResponse, Exchange, Kind, OutcomeStatus, RecordOutcome
from mobjects.models import Conflict, ConflictReason, Opportunity, RecordState, SyncJobAction
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.send import results
from mobjects.sync.send.selection import SyncSelection
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


@pytest.fixture
def record():
    factories.sync(record := factories.opportunity(stage="Open"))
    return factories.fresh(record)


def status(record) -> tuple[str, str]:
    now = factories.fresh(record)
    listed = Opportunity.objects.get(pk=record.pk).state
    assert listed == now.current_state
    return now.last_status, now.current_state


def test_nothing_to_send_keeps_the_status(record):
    Opportunity.objects.update(stage="Won")
    Opportunity.objects.update(stage="Open")
    assert factories.sync(record).counts == {"EQUAL": 1}
    assert status(record) == ("CREATED", RecordState.SYNCED)


def test_a_failure_that_was_taken_back_is_still_what_marketo_answered(sandbox, record):
    Opportunity.objects.update(stage="Won")
    sandbox.faults.add("bad_row", text="no such stage")
    factories.sync(record)
    assert status(record) == ("FAILED", RecordState.FAILED)
    Opportunity.objects.update(stage="Open")
    factories.sync(record)
    assert status(record) == ("FAILED", RecordState.SYNCED)


@pytest.mark.parametrize(
    ("action", "selection"),
    [
        (SyncJobAction.PULL, PullSelection(Kind.OPPORTUNITY).to_json()),
        (SyncJobAction.COMPARE, CompareSelection((Kind.OPPORTUNITY,)).to_json()),
    ],
)
def test_a_pull_and_a_comparison_keep_the_status(sandbox, record, action, selection):
    sandbox.store.opportunities[record.marketo_id].values["Stage"] = "Won"
    job = create_job(action, Kind.OPPORTUNITY.value, selection)
    run_job(job)
    job.refresh_from_db()
    assert job.counts == {"TAKEN" if action == SyncJobAction.PULL else "DIFFERS": 1}
    assert status(record) == ("CREATED", RecordState.SYNCED)


def answered_as(number: int, meanwhile=lambda record: None):
    """A new record that Marketo says it has created under this ID."""
    record = factories.opportunity(name="New")
    claim = factories.claim_next(create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,))), Kind.OPPORTUNITY)
    meanwhile(record)
    row = RecordOutcome(OutcomeStatus.CREATED, number)
    assert claim.batch is not None
    results.record_answer(claim.batch.job, claim.batch, claim.items, BatchResponse([row], Exchange(request="")))
    return record, claim.batch.job


def to_decide(record, job, number: int) -> str:
    """That a person has to decide, and nobody sends it until then; returns the words."""
    conflict = Conflict.objects.get(decided_at=None)
    assert (conflict.record_id, conflict.reason) == (record.pk, ConflictReason.AMBIGUOUS)
    assert [(each["id"], each["values"]["Name"]) for each in conflict.candidates] == [(number, "New")]
    result = job.results.get()
    assert (result.status, job.counts) == ("CONFLICT", {"CONFLICT": 1})
    again = factories.sync(factories.fresh(record))
    assert (again.counts, "a person has to decide" in again.results.get().error.lower()) == ({"HELD": 1}, True)
    return result.error


def test_created_under_the_id_of_another_record_is_for_a_person(sandbox, record):
    new, job = answered_as(record.marketo_id)
    assert "which another record here already has" in to_decide(new, job, record.marketo_id)
    assert factories.fresh(new).marketo_id is None


def test_created_under_another_id_than_an_import_brought_meanwhile_is_for_a_person(sandbox, record):
    new, job = answered_as(777, lambda new: Opportunity.objects.filter(pk=new.pk).update(marketo_id=555))
    assert "it got the ID 555 here meanwhile" in to_decide(new, job, 777)
    assert factories.fresh(new).marketo_id == 555
