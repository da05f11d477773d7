"""A worker that dies loses nothing: what it was sending is unknown, nothing stays claimed, and the job goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from rq.job import Job

from mobjects import jobs
from mobjects.marketo.types import Kind
from mobjects.models import SyncBatch, SyncJob, SyncLane
from mobjects.sync import lanes
from mobjects.sync.selection import Selection
from mobjects.worker import SyncWorker
from tests import factories

# Real transactions: the worker closes its connections, and a test transaction would go with them.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings")]

KILLED = {"retpid": 1, "ret_val": 9, "rusage": None}
OPPORTUNITIES = Selection(kinds=(Kind.OPPORTUNITY,))


@pytest.fixture
def running(queue):
    """A job in the middle of its first batch, as the queue and the database see it."""
    record = factories.opportunity()
    job = jobs.request_sync(OPPORTUNITIES)
    claim = factories.claim_next(job, Kind.OPPORTUNITY)
    SyncLane.objects.update(queue_id=queue.job_ids[0])
    job.refresh_from_db()
    return job, record, claim


def rq_job(queue) -> Job:
    return queue.fetch_job(queue.job_ids[0])


def assert_goes_on(job, record, claim):
    job.refresh_from_db()
    batch = SyncBatch.objects.get(pk=claim.batch.pk)
    record = factories.fresh(record)
    assert (job.state, job.counts) == (SyncJob.State.WAITING, {"UNKNOWN": 1})
    assert "cut off" in job.waits_for
    assert batch.state == SyncBatch.State.UNKNOWN
    assert (record.claimed_by, record.last_status, record.is_dirty) == (None, "UNKNOWN", True)
    assert "cut off" in record.last_error
    assert not job.lanes.exists()


def test_a_killed_process_is_noticed_by_its_worker_and_its_job_called_again(queue, running):
    killed = rq_job(queue)
    queue.empty()
    SyncWorker([queue], connection=queue.connection).handle_work_horse_killed(killed, **KILLED)
    assert_goes_on(*running)
    assert [queue_id.startswith(str(running[0].pk)) for queue_id in queue.job_ids] == [True]


def test_a_lane_that_has_fallen_silent_is_found_within_a_minute(queue, running):
    with time_machine.travel(timezone.now() + timedelta(seconds=30), tick=False):
        jobs.sweep()
        assert SyncLane.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(seconds=45), tick=False):
        jobs.sweep()
    assert_goes_on(*running)


def test_a_heartbeat_keeps_a_lane_alive(queue, running):
    lane = SyncLane.objects.get()
    SyncLane.objects.update(beat_at=timezone.now() - timedelta(seconds=60))
    lanes.sign(lane.pk)
    jobs.sweep()
    assert SyncLane.objects.exists()


def test_a_job_whose_workers_keep_dying_is_given_up(queue, running, settings):
    job = running[0]
    for _ in range(settings.MARKETO["TRIES"]):
        SyncJob.objects.update(state=SyncJob.State.RUNNING)
        lane = SyncLane.objects.create(job=job, process="test", beat_at=timezone.now(), queue_id="doomed")
        jobs.worker_died("doomed")
        assert not SyncLane.objects.filter(pk=lane.pk).exists()
    job.refresh_from_db()
    assert job.state == SyncJob.State.CRASHED
    assert "cut off 5 times in a row" in job.problem_text


def test_a_job_that_the_queue_lost_before_it_began_is_called_again(queue):
    job = jobs.request_sync(OPPORTUNITIES)
    queue.connection.flushdb()
    jobs.sweep()
    assert queue.job_ids == []  # it may just have been taken by a worker
    with time_machine.travel(timezone.now() + timedelta(seconds=15), tick=False):
        jobs.sweep()
        jobs.sweep()
    assert [queue_id.startswith(str(job.pk)) for queue_id in queue.job_ids] == [True]


def test_a_job_that_waits_is_called_again_though_the_queue_has_forgotten_it(queue, work, sandbox):
    record = factories.opportunity()
    sandbox.faults.add("cut_before")
    job = jobs.request_sync(OPPORTUNITIES)
    work()
    job.refresh_from_db()
    assert job.state == SyncJob.State.WAITING
    queue.connection.flushdb()
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        jobs.sweep()
        work()
    job.refresh_from_db()
    assert job.state == SyncJob.State.SUCCEEDED
    assert factories.fresh(record).marketo_id in sandbox.store.opportunities


def test_a_finished_job_stays_finished(sandbox):
    factories.opportunity()
    job = factories.sync()
    jobs.worker_died("")
    jobs.sweep()
    job.refresh_from_db()
    assert job.state == SyncJob.State.SUCCEEDED


def test_a_lane_taken_for_dead_sends_no_more_and_its_late_answer_counts_once(queue, running, sandbox):
    job, record, claim = running
    factories.opportunity()
    lane = SyncLane.objects.get()
    here = factories.context(job)
    SyncLane.objects.filter(pk=here.lane.pk).delete()
    jobs.worker_died(lane.queue_id)
    # The process lives on after all: the answer it waited for arrives, and it would go on.
    factories.answer(job, claim)
    lanes.work_on(here, factories.SendTask(here))
    job.refresh_from_db()
    assert job.counts == {"UPDATED": 1}
    assert factories.fresh(record).last_status == "UPDATED"
    assert not sandbox.calls


def test_a_worker_looks_every_half_a_minute_whether_somebody_calls_back_the_jobs_that_wait(queue):
    worker = SyncWorker([queue], connection=queue.connection)
    worker.clean_registries()
    assert not worker.should_run_maintenance_tasks
    with time_machine.travel(timezone.now() + timedelta(seconds=31), tick=False):
        assert worker.should_run_maintenance_tasks


def test_a_job_that_waits_is_never_called_before_its_time(queue, work, sandbox):
    factories.opportunity()
    sandbox.faults.add("soap", code="20023")
    moment = timezone.now().replace(microsecond=900_000)
    with time_machine.travel(moment, tick=False):
        job = jobs.request_sync(OPPORTUNITIES)
        work()
    job.refresh_from_db()
    later = queue.scheduled_job_registry
    (called,) = later.get_job_ids(cleanup=False)
    assert job.waits_until.microsecond
    assert queue.connection.zscore(later.key, called) >= job.waits_until.timestamp()
