"""Two at once, and the moments between two steps: nothing is lost, nothing is sent twice, no job is forgotten."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.job_lease import acquire_job, expire_job
from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.errors import Unavailable
from mobjects.marketo.types import BatchResponse, Exchange, Kind, Operation, OutcomeStatus, RecordOutcome
from mobjects.models import (
    Conflict,
    Opportunity,
    SyncBatch,
    SyncBatchState,
    SyncJob,
    SyncJobAction,
    SyncJobState,
    WorkerLease,
)
from mobjects.sync import retry_policy
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.job_results import add_counts
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.send import claims, results
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.send.task import SendTask
from mobjects.sync.task import JobContext
from mobjects.sync.transport_factory import open_transport
from tests import factories
from tests.support.concurrent import Concurrently, concurrently

pytestmark = pytest.mark.django_db


def pull(kind: Kind) -> SyncJob:
    job = create_job(SyncJobAction.PULL, kind.value, PullSelection(kind).to_json())
    run_job(job)
    job.refresh_from_db()
    return job


# --- jobs that nobody would call --------------------------------------------------------------


# --- a database that is away ------------------------------------------------------------------


def test_saving_within_a_saving_is_tried_again_as_a_whole():
    pauses, calls = [], []

    def inner() -> None:
        calls.append("inner")
        if len(calls) < 3:
            raise OperationalError("deadlock detected")

    within = retry_on_database_error(inner, pause=pauses.append)

    def outer() -> None:
        calls.append("outer")
        with transaction.atomic():
            within()

    retry_on_database_error(outer, pause=pauses.append)()
    assert calls == ["outer", "inner", "outer", "inner"]
    assert len(pauses) == 1


# --- doubled objects --------------------------------------------------------------------------


def test_a_new_key_after_a_lost_sending_does_not_double(sandbox, marketo_settings, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}
    record = factories.opportunity(external_id="E-old")
    sandbox.faults.add("cut_after")
    job = factories.sync(record)
    Opportunity.objects.filter(pk=record.pk).update(external_id="E-new")
    factories.later(job)
    assert len(sandbox.store.opportunities) == 1


def test_a_renamed_record_after_a_lost_sending_is_not_pulled_as_a_new_one(sandbox, marketo_settings):
    record = factories.opportunity(name="Before")
    sandbox.faults.add("cut_after")
    job = factories.sync(record)
    Opportunity.objects.filter(pk=record.pk).update(name="After")
    pull(Kind.OPPORTUNITY)
    factories.later(job)
    assert len(sandbox.store.opportunities) == 1
    assert Opportunity.objects.count() == 1


def test_a_look_up_that_takes_more_than_a_turn_comes_to_an_end(sandbox, marketo_settings):
    lost = [factories.opportunity(name=f"Lost {number}") for number in range(3)]
    sandbox.faults.add("cut_after")
    job = factories.sync(*lost)
    # More than one page of Marketo's has come into being since.
    factories.sync(*(factories.opportunity() for _ in range(120)))
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        for _ in range(20):
            lease = acquire_job(job)
            if lease is None:
                break
            here = JobContext(job, lease, open_transport(), KeyFields(), factories.Unlimited())
            StepLoop(here, SendTask(here), turn_seconds=0).run()
    job.refresh_from_db()
    assert job.state == SyncJobState.SUCCEEDED
    assert {factories.fresh(record).last_status for record in lost} == {"CREATED"}


def test_a_lost_record_that_was_imported_meanwhile_is_not_sent_again(sandbox, marketo_settings):
    record = factories.opportunity()
    sandbox.faults.add("cut_after")
    job = factories.sync(record)
    (arrived,) = sandbox.store.opportunities
    factories.opportunity(marketo_id=arrived)
    factories.later(job)
    assert len(sandbox.store.opportunities) == 1
    assert Conflict.objects.get().record_id == record.pk


def test_without_a_record_of_what_was_sent_nothing_is_taken_for_it(sandbox, marketo_settings):
    factories.sync(somebody := factories.opportunity())
    somebody.delete()
    record = factories.opportunity()
    since = timezone.now() - timedelta(hours=1)
    Opportunity.objects.filter(pk=record.pk).update(last_status="UNKNOWN", unknown_since=since)
    factories.sync(record)
    assert factories.fresh(record).marketo_id is None
    assert Conflict.objects.get().record_id == record.pk


def test_an_error_that_comes_after_its_lease_expired_changes_nothing(sandbox, marketo_settings):
    factories.opportunity()
    job = factories.job_in(SyncJobState.QUEUED)
    claim = factories.claim_next(job, Kind.OPPORTUNITY)
    expire_job(WorkerLease.objects.get(job=job), Q())
    for save in (results.record_halves, lambda *args: results.record_unsent(*args, again=True)):
        save(job, claim.batch, Unavailable("busy"))
        assert [batch.state for batch in SyncBatch.objects.all()] == ["unknown"]


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        ("2026-07-01T04:59:59+00:00", 1),
        ("2026-07-01T05:00:01+00:00", 600),
        # Midnight in standard time, if Marketo's day should not move in summer.
        ("2026-07-01T05:59:59+00:00", 600),
        ("2026-07-01T06:30:00+00:00", 22.5 * 3600),
        ("2026-01-15T05:59:00+00:00", 60),
        ("2026-01-15T06:00:30+00:00", 600),
    ],
)
def test_a_quota_that_is_not_yet_reset_at_midnight_does_not_cost_another_day(now, seconds):
    assert retry_policy.wait_seconds(retry_policy.RetryAction.PARK, 1, datetime.fromisoformat(now)) == seconds


# --- two connections --------------------------------------------------------------------------


def claim_in(job: SyncJob, limit: int = 100) -> tuple[SyncBatch, int] | None:
    here = JobContext(job, job.leases.get(), open_transport(), KeyFields(), factories.Unlimited())
    selection = SyncSelection.from_json(job.selection)
    return claims.claim_batch(here, Kind.OPPORTUNITY, Operation.INSERT, selection, after=0, limit=limit)


@pytest.mark.django_db(transaction=True)
def test_a_record_that_another_job_is_about_to_claim_is_not_claimed(marketo_settings):
    factories.opportunity()
    first, second = factories.job_in(SyncJobState.QUEUED), factories.job_in(SyncJobState.QUEUED)
    for job in (first, second):
        factories.context(job)
    with transaction.atomic():
        claimed = claim_in(first)
        beside = Concurrently(lambda: claim_in(second))
    assert claimed is not None
    assert beside.result() is None
    assert SyncBatch.objects.get().job == first


@pytest.mark.django_db(transaction=True)
def test_records_that_another_job_is_about_to_claim_are_passed_over_and_not_waited_for(marketo_settings):
    records = [factories.opportunity() for _ in range(2)]
    first, second = factories.job_in(SyncJobState.QUEUED), factories.job_in(SyncJobState.QUEUED)
    for job in (first, second):
        factories.context(job)
    with transaction.atomic():
        claim_in(first, limit=1)
        other = Concurrently(lambda: claim_in(second, limit=1))
        # SQLite has one writer, who is waited for.
        assert other.is_alive() != connection.features.has_select_for_update_skip_locked
    assert other.result() == (SyncBatch.objects.get(job=second), records[1].pk)


@pytest.mark.django_db(transaction=True)
def test_what_is_given_up_cannot_be_begun_meanwhile(marketo_settings):
    record = factories.opportunity()
    job = factories.job_in(SyncJobState.QUEUED)
    here = factories.context(job)
    batch, _ = claim_in(job)
    with concurrently(
        lambda: claims.start_batch(here, batch, SyncSelection.from_json(job.selection)),
        before='UPDATE "mobjects_opportunity"',
    ) as taken:
        results.cancel_waiting_batches(job, "Not wanted any more.")
    batch.refresh_from_db()
    assert (taken, batch.state, factories.fresh(record).claimed_by) == ([None], SyncBatchState.NOT_SENT, None)


@pytest.mark.django_db(transaction=True)
def test_counts_of_two_lanes_add_up():
    job = factories.job_in(SyncJobState.RUNNING)
    stale = SyncJob.objects.get(pk=job.pk)
    with transaction.atomic():
        add_counts(job, {"CREATED": 1})
        beside = Concurrently(lambda: add_counts(stale, {"CREATED": 2}))
    beside.result()
    job.refresh_from_db()
    assert job.counts == {"CREATED": 3}


def test_counts_are_added_to_those_in_the_database():
    job = factories.job_in(SyncJobState.RUNNING)
    stale = SyncJob.objects.get(pk=job.pk)
    add_counts(job, {"CREATED": 1})
    add_counts(stale, {"CREATED": 1})
    job.refresh_from_db()
    assert job.counts == {"CREATED": 2}


@pytest.mark.django_db(transaction=True)
def test_an_answer_while_its_lease_expires_is_kept(marketo_settings):
    record = factories.opportunity()
    job = factories.job_in(SyncJobState.QUEUED)
    claim = factories.claim_next(job, Kind.OPPORTUNITY)
    lease, beside = job.leases.get(), []

    def expire_meanwhile(execute, sql, params, many, context):
        # The answer holds the record by now, and wants the job; who ends the lease holds the job, and wants the record.
        if sql.startswith('UPDATE "mobjects_syncbatch"') and not beside:
            beside.append(Concurrently(lambda: expire_job(lease, Q())))
        return execute(sql, params, many, context)

    began = time.monotonic()
    with connection.execute_wrapper(expire_meanwhile):
        results.record_answer(
            job, claim.batch, claim.items, BatchResponse([RecordOutcome(OutcomeStatus.CREATED, 7)], Exchange(""))
        )
    beside[0].result()
    job.refresh_from_db()
    record = factories.fresh(record)
    assert (record.last_status, record.marketo_id, record.claimed_by) == ("CREATED", 7, None)
    assert (job.counts, job.state) == ({"CREATED": 1}, SyncJobState.WAITING)
    assert time.monotonic() - began < 10
