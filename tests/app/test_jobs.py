"""Jobs: written first, queued after the commit, run once, ended in a state that says what happened."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from mobjects import jobs
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, SyncBatch, SyncJob
from mobjects.sync.selection import Selection
from tests import factories

EVERYTHING = Selection()


@pytest.mark.django_db(transaction=True)
def test_a_job_is_queued_with_its_own_id_once_the_transaction_commits(queue):
    with transaction.atomic():
        job = jobs.request_sync(EVERYTHING)
        assert queue.job_ids == []
    assert [queue_id.startswith(str(job.pk)) for queue_id in queue.job_ids] == [True]
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
def test_without_redis_the_job_waits_and_is_queued_once_it_is_back(settings, queue):
    reachable = settings.RQ_QUEUES
    settings.RQ_QUEUES = {"sync": {**reachable["sync"], "URL": "redis://127.0.0.1:9/0"}}
    job = jobs.request_sync(EVERYTHING)
    job.refresh_from_db()
    assert (job.state, job.problem) == (SyncJob.State.NOT_QUEUED, "queue")
    settings.RQ_QUEUES = reachable
    with time_machine.travel(timezone.now() + timedelta(seconds=15), tick=False):
        jobs.sweep()
    assert [queue_id.startswith(str(job.pk)) for queue_id in queue.job_ids] == [True]
    assert not jobs.enqueue(job)


@pytest.mark.django_db
def test_a_finished_job_is_not_run_again(sandbox, marketo_settings):
    factories.opportunity()
    job = factories.sync()
    factories.opportunity()
    jobs.run_lane(str(job.pk))
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
    job = factories.later(factories.sync())
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


@pytest.mark.django_db
def test_a_change_made_in_marketo_meanwhile_is_not_overwritten_where_it_is_read_first(sandbox, marketo_settings):
    disputed, free = (factories.opportunity(name=name, stage="Open") for name in ("disputed", "free"))
    factories.sync()
    Opportunity.objects.update(stage="Won")
    sandbox.store.opportunities[factories.fresh(disputed).marketo_id].values["Stage"] = "Lost"
    job = factories.sync(disputed, free, read_first=True)
    assert job.counts == {"UPDATED": 1, "HELD": 1}
    assert "person has to decide" in job.results.get(status="HELD").error
    assert sandbox.store.opportunities[factories.fresh(disputed).marketo_id].values["Stage"] == "Lost"
    assert sandbox.store.opportunities[factories.fresh(free).marketo_id].values["Stage"] == "Won"


@pytest.mark.django_db(transaction=True)
def test_the_same_work_is_not_queued_twice(queue):
    first, second = jobs.request_sync(EVERYTHING), jobs.request_sync(EVERYTHING)
    assert first == second
    assert len(queue.job_ids) == 1
    assert jobs.request_sync(Selection(kinds=(Kind.ROLE,))) != first


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_job_lets_go_what_waits_and_leaves_it_changed(queue, work, sandbox, marketo_settings):
    record = factories.opportunity()
    sandbox.faults.add("soap", code="20023")
    job = jobs.request_sync(EVERYTHING)
    work()
    assert factories.fresh(record).claimed_by.state == SyncBatch.State.WAITING
    assert jobs.cancel(job)
    job.refresh_from_db()
    assert (job.state, job.counts) == (SyncJob.State.CANCELLED, {"NOT_SENT": 1})
    record = factories.fresh(record)
    assert (record.claimed_by, record.is_dirty) == (None, True)
    assert not jobs.cancel(job)


@pytest.mark.django_db(transaction=True)
def test_a_paused_job_sends_nothing_until_it_is_resumed(queue, work, sandbox, marketo_settings):
    factories.opportunity()
    job = jobs.request_sync(EVERYTHING)
    assert jobs.pause(job)
    work()
    job.refresh_from_db()
    assert job.state == SyncJob.State.PAUSED
    assert not sandbox.calls
    assert jobs.resume(job)
    work()
    job.refresh_from_db()
    assert job.state == SyncJob.State.SUCCEEDED


@pytest.mark.django_db(transaction=True)
def test_a_halted_connection_stops_the_job_and_keeps_the_next_until_a_person_resets_it(
    queue, work, sandbox, marketo_settings
):
    factories.opportunity()
    sandbox.faults.add("soap", code="20014")
    stopped = jobs.request_sync(EVERYTHING)
    work()
    waiting = jobs.request_sync(EVERYTHING)
    work()
    for job in (stopped, waiting):
        job.refresh_from_db()
    assert (stopped.state, waiting.state) == (SyncJob.State.STOPPED, SyncJob.State.WAITING)
    assert "resets the connection" in waiting.waits_for
    assert len(sandbox.calls) == 1
    jobs.sweep()
    assert jobs.reset_circuit(factories.user())
    work()
    waiting.refresh_from_db()
    assert waiting.state == SyncJob.State.SUCCEEDED


@pytest.mark.django_db
def test_what_failed_can_be_sent_again_by_a_job_that_is_linked(sandbox, marketo_settings):
    records = [factories.opportunity(name=f"Deal {number}") for number in range(3)]
    sandbox.faults.add("bad_row", row=1, text="no")
    first = factories.sync(*records)
    factories.opportunity(name="Another")
    again = jobs.repeat(first, ("FAILED",))
    jobs.run(again)
    again.refresh_from_db()
    assert (again.origin, again.counts) == (first, {"CREATED": 1})
    assert again.results.get().label == "Deal 1"
