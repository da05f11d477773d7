"""A worker that is killed leaves no job running and no record claimed."""

from __future__ import annotations

import time

import pytest
from rq.executions import Execution
from rq.job import Job, JobStatus

from mobjects import jobs
from mobjects.marketo.contract import Kind
from mobjects.models import SyncBatch, SyncJob
from mobjects.sync import engine
from mobjects.sync.payloads import KeyFields
from mobjects.sync.selection import Selection
from mobjects.sync.transports import open_transport
from mobjects.worker import SyncWorker
from tests import factories

# Real transactions: the worker closes its connections, and a test transaction would go with them.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings")]

KILLED = {"retpid": 1, "ret_val": 9, "rusage": None}


@pytest.fixture
def running(queue):
    """A job in the middle of its first batch, as RQ and the database see it."""
    record = factories.opportunity()
    job = jobs.create_job(Selection(kinds=(Kind.OPPORTUNITY,)))
    jobs.enqueue(job)
    SyncJob.objects.update(state=SyncJob.State.RUNNING)
    job.refresh_from_db()
    claim = factories.claim_next(job, Kind.OPPORTUNITY)
    return job, record, claim


def rq_job(queue, job) -> Job:
    return Job.fetch(str(job.pk), connection=queue.connection, serializer=queue.serializer)


def assert_settled(job, record, claim):
    job.refresh_from_db()
    batch = SyncBatch.objects.get(pk=claim.batch.pk)
    record = factories.fresh(record)
    assert (job.state, job.counts) == (SyncJob.State.CRASHED, {"UNKNOWN": 1})
    assert batch.state == SyncBatch.State.UNKNOWN
    assert (record.claimed_by, record.last_status, record.is_dirty) == (None, "UNKNOWN", True)
    assert "killed" in record.last_error


def test_a_killed_process_is_noticed_by_its_worker(queue, running):
    worker = SyncWorker([queue], connection=queue.connection)
    worker.handle_work_horse_killed(rq_job(queue, running[0]), **KILLED)
    assert_settled(*running)


def test_a_killed_worker_is_noticed_by_the_next_one(queue, running):
    lost = rq_job(queue, running[0])
    lost.set_status(JobStatus.STARTED)
    with queue.connection.pipeline() as pipeline:
        Execution.create(lost, ttl=60, pipeline=pipeline)
        pipeline.execute()
    queue.started_job_registry.cleanup(timestamp=time.time() + 61)
    assert_settled(*running)


def test_a_job_that_had_not_begun_can_be_queued_again(queue):
    job = jobs.create_job(Selection())
    jobs.enqueue(job)
    SyncWorker([queue], connection=queue.connection).handle_work_horse_killed(rq_job(queue, job), **KILLED)
    job.refresh_from_db()
    assert (job.state, job.problem) == (SyncJob.State.NOT_QUEUED, "queue")
    assert jobs.enqueue(job)


def test_a_finished_job_stays_finished(queue, sandbox):
    factories.opportunity()
    job = factories.sync()
    jobs.settle_lost(str(job.pk))
    job.refresh_from_db()
    assert job.state == SyncJob.State.SUCCEEDED


def test_a_job_taken_for_lost_sends_no_more_and_counts_each_record_once(queue, running, sandbox):
    job, record, claim = running
    factories.opportunity()
    jobs.settle_lost(str(job.pk))
    # The process lives on after all: the answer it waited for arrives, and it would go on.
    factories.answer(job, claim)
    engine.run(job, open_transport(), KeyFields())
    job.refresh_from_db()
    assert (job.state, job.counts) == (SyncJob.State.CRASHED, {"UPDATED": 1})
    assert factories.fresh(record).last_status == "UPDATED"
    assert not sandbox.calls
