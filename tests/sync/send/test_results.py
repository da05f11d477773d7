"""What is written down of a batch where something happened while it was under way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mobjects.jobs import requests
from mobjects.marketo.errors import MarketoError, OutcomeUnknown
from mobjects.marketo.types import BatchResponse, Exchange, Kind, OutcomeStatus, RecordOutcome
from mobjects.models import Opportunity, RecordStatus, SyncBatch, SyncBatchState, SyncResultStatus
from mobjects.sync.job_results import supersede_unknown
from mobjects.sync.send import results
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.factories import fresh
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]

CREATED = RecordOutcome(OutcomeStatus.CREATED, 7)
FAILED = RecordOutcome(OutcomeStatus.FAILED, message="no")
WITHOUT_ANSWER = {
    "to be sent again": lambda *args: results.record_unsent(*args, again=True),
    "halved": results.record_halves,
    "refused": results.record_refused,
    "unknown": results.record_unknown,
}
without_answer = pytest.mark.parametrize("save", WITHOUT_ANSWER.values(), ids=list(WITHOUT_ANSWER))


@pytest.fixture
def record():
    return factories.opportunity()


@pytest.fixture
def job(record):
    return requests.create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))


@pytest.fixture
def claim(job):
    """A batch under way with all records there are."""
    return factories.claim_next(job, Kind.OPPORTUNITY)


def answered(job, claim, *told):
    results.record_answer(job, claim.batch, claim.items, BatchResponse(told, Exchange(request="")))


def state(claim):
    return SyncBatch.objects.get(pk=claim.batch.pk).state


# --- answers ---


def test_an_id_that_an_import_brought_meanwhile_stays(job, record, claim):
    Opportunity.objects.update(marketo_id=64)
    answered(job, claim, CREATED)
    assert fresh(record).marketo_id == 64


def test_an_id_that_came_to_be_known_for_the_same_record_is_no_other_records(job, record, claim):
    Opportunity.objects.update(marketo_id=7)
    answered(job, claim, CREATED)
    assert (fresh(record).last_status, fresh(record).is_dirty) == (RecordStatus.CREATED, False)


def test_an_id_that_an_answer_gives_twice_is_given_to_neither(job, record):
    factories.opportunity()
    answered(job, factories.claim_next(job, Kind.OPPORTUNITY), CREATED, CREATED)
    assert set(Opportunity.objects.values_list("marketo_id", "last_status")) == {(None, RecordStatus.FAILED)}


def test_an_answer_that_comes_after_its_record_was_settled_changes_nothing(job, record, claim):
    results.record_unknown(job, claim.batch, OutcomeUnknown("cut off"))
    supersede_unknown(job, Kind.OPPORTUNITY, [record.pk])
    Opportunity.objects.update(last_status=RecordStatus.CREATED, marketo_id=64)
    answered(job, claim, FAILED)
    assert (fresh(record).last_status, job.results.get().status) == (RecordStatus.CREATED, SyncResultStatus.RETRIED)


def test_an_answer_that_comes_after_all_is_counted_instead_of_unknown(job, claim):
    results.record_unknown(job, claim.batch, OutcomeUnknown("cut off"))
    answered(job, claim, CREATED)
    job.refresh_from_db()
    assert job.counts == {"CREATED": 1}


def test_a_failure_does_not_make_a_record_more_in_step_than_it_was(job, record):
    Opportunity.objects.update(stage="Won")
    answered(job, factories.claim_next(job, Kind.OPPORTUNITY), FAILED)
    assert (fresh(record).synced_revision, fresh(record).revision) == (0, 2)


# --- without an answer ---


@without_answer
def test_an_error_that_comes_after_the_answer_changes_nothing(save, job, record, claim):
    answered(job, claim, CREATED)
    save(job, claim.batch, MarketoError("late"))
    assert (state(claim), job.batches.count()) == (SyncBatchState.ANSWERED, 1)
    assert fresh(record).last_status == RecordStatus.CREATED


@without_answer
def test_a_record_that_is_in_another_batch_by_now_stays_there(save, job, record, claim):
    other = pages.batch(pages.job())
    Opportunity.objects.update(claimed_by=other)
    save(job, claim.batch, MarketoError("no"))
    assert (fresh(record).claimed_by, fresh(record).last_status) == (other, "")


@without_answer
def test_a_result_that_was_settled_since_stays_as_it_is(save, job, claim):
    job.results.update(status=SyncResultStatus.CREATED)
    save(job, claim.batch, MarketoError("no"))
    assert job.results.get().status == SyncResultStatus.CREATED


def test_marketo_may_be_at_what_was_lost_since_it_was_sent(job, record, claim):
    sent_at = timezone.now() - timedelta(minutes=5)
    claim.batch.sent_at = sent_at
    results.record_unknown(job, claim.batch, OutcomeUnknown("timed out"))
    assert fresh(record).unknown_since == sent_at


def test_of_a_crash_only_what_its_own_lane_sent_is_unknown(job, record, claim):
    factories.opportunity()
    other = factories.claim_next(job, Kind.OPPORTUNITY)
    results.abandon_sending_batches(job, "cut off", claim.batch.lease_id)
    assert (state(claim), state(other)) == (SyncBatchState.UNKNOWN, SyncBatchState.SENDING)


def test_of_a_crash_what_was_answered_and_what_waits_stays_as_it_is(job, claim):
    answered(job, claim, CREATED)
    waiting = pages.batch(job, sequence=9, state=SyncBatchState.WAITING)
    results.abandon_sending_batches(job, "cut off")
    waiting.refresh_from_db()
    assert (state(claim), waiting.state) == (SyncBatchState.ANSWERED, SyncBatchState.WAITING)


def test_what_is_being_sent_is_not_given_up_with_what_waits(job, record, claim):
    results.cancel_waiting_batches(job, "Not wanted any more.")
    assert (state(claim), fresh(record).claimed_by) == (SyncBatchState.SENDING, claim.batch)
