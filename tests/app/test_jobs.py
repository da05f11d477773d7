"""Jobs: written first, queued after the commit, run once, ended in a state that says what happened."""

from __future__ import annotations

import pytest
from django.db import transaction

from mobjects import jobs
from mobjects.marketo.contract import Kind
from mobjects.models import Opportunity, SyncBatch, SyncJob
from mobjects.sync.selection import Selection
from tests import factories

EVERYTHING = Selection()


@pytest.mark.django_db(transaction=True)
def test_a_job_is_queued_with_its_own_id_once_the_transaction_commits(queue):
    with transaction.atomic():
        job = jobs.request_sync(EVERYTHING)
        assert queue.job_ids == []
    assert queue.job_ids == [str(job.pk)]
    job.refresh_from_db()
    assert job.state == SyncJob.State.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_job_is_not_queued(queue):
    with transaction.atomic():
        jobs.request_sync(EVERYTHING)
        transaction.set_rollback(True)
    assert queue.job_ids == []


@pytest.mark.django_db(transaction=True)
def test_a_worker_runs_the_queued_job(queue, work, sandbox, marketo_settings):
    record = factories.opportunity()
    job = jobs.request_sync(EVERYTHING, user=factories.user(), reason="month end")
    work()
    job.refresh_from_db()
    assert (job.state, job.username, job.reason) == (SyncJob.State.SUCCEEDED, "alice", "month end")
    assert factories.fresh(record).marketo_id in sandbox.store.opportunities


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_job_waits_and_can_be_queued_again(settings, queue):
    reachable = settings.RQ_QUEUES
    settings.RQ_QUEUES = {"sync": {**reachable["sync"], "URL": "redis://127.0.0.1:9/0"}}
    job = jobs.request_sync(EVERYTHING)
    job.refresh_from_db()
    assert (job.state, job.problem) == (SyncJob.State.NOT_QUEUED, "queue")
    settings.RQ_QUEUES = reachable
    assert jobs.enqueue(job)
    assert queue.job_ids == [str(job.pk)]
    assert not jobs.enqueue(job)


@pytest.mark.django_db
def test_a_finished_job_is_not_run_again(sandbox, marketo_settings):
    factories.opportunity()
    job = factories.sync()
    factories.opportunity()
    jobs.run_sync(str(job.pk))
    job.refresh_from_db()
    assert job.counts == {"CREATED": 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "problem", "words"),
    [
        ({"ENCRYPTION_KEY": "wrong"}, "authentication", "signature"),
        ({"ENCRYPTION_KEY": ""}, "configuration", "MARKETO_ENCRYPTION_KEY"),
        ({"SOAP_ENDPOINT": "http://127.0.0.1:9/soap"}, "unavailable", "127.0.0.1"),
        ({"TRANSPORT": "pigeon"}, "configuration", "MARKETO_TRANSPORT"),
    ],
)
def test_a_job_that_cannot_run_says_why(settings, marketo_settings, change, problem, words):
    settings.MARKETO = {**settings.MARKETO, **change}
    record = factories.opportunity()
    job = factories.sync()
    assert (job.state, job.problem) == (SyncJob.State.STOPPED, problem)
    assert words in job.problem_text
    record = factories.fresh(record)
    assert (record.is_dirty, record.claimed_by, record.last_status) == (True, None, "")


@pytest.mark.django_db
def test_a_crash_leaves_no_record_claimed(marketo_settings):
    record = factories.opportunity()
    Opportunity.objects.filter(pk=record.pk).update(custom_attributes=["not", "a", "mapping"])
    job = factories.sync()
    assert (job.state, job.problem) == (SyncJob.State.CRASHED, "crash")
    assert factories.fresh(record).claimed_by is None


@pytest.mark.django_db
def test_after_a_crash_the_batch_in_hand_is_unknown(marketo_settings):
    record = factories.opportunity()
    job = jobs.create_job(Selection(kinds=(Kind.OPPORTUNITY,)))
    claim = factories.claim_next(job, Kind.OPPORTUNITY)
    factories.outcomes.abandon(job, "The worker died.")
    claim.batch.refresh_from_db()
    record = factories.fresh(record)
    assert claim.batch.state == SyncBatch.State.UNKNOWN
    assert (record.last_status, record.last_error, record.claimed_by) == ("UNKNOWN", "The worker died.", None)


@pytest.mark.django_db
def test_the_user_name_outlives_the_user(marketo_settings):
    alice = factories.user()
    job = jobs.create_job(EVERYTHING, user=alice)
    alice.delete()
    job.refresh_from_db()
    assert (job.user, job.username) == (None, "alice")
