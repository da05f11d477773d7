"""The queue's worker notices that the process that did a job was killed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from rq.exceptions import StopRequested
from rq.job import Job

from mobjects.processes import status
from mobjects.processes.worker import SyncWorker
from tests.support.dying import assert_goes_on, running_job
from tests.support.newer_schema import LATER, migrate_back, migrate_to_later_release

KILLED = {"retpid": 1, "ret_val": 9, "rusage": None}


def rq_job(queue) -> Job:
    return queue.fetch_job(queue.job_ids[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_killed_process_is_noticed_by_its_worker_and_its_job_called_again(queue):
    running = running_job(queue)
    killed = rq_job(queue)
    queue.empty()
    SyncWorker([queue], connection=queue.connection).handle_work_horse_killed(killed, **KILLED)
    assert_goes_on(*running)
    assert [queue_id.startswith(str(running[0].pk)) for queue_id in queue.job_ids] == [True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
@pytest.mark.skipif(connection.vendor == "sqlite", reason="a database in memory is gone with its connection")
def test_a_worker_keeps_no_connection_that_its_next_process_would_share(queue):
    running_job(queue)
    SyncWorker([queue], connection=queue.connection).handle_work_horse_killed(rq_job(queue), **KILLED)
    assert connection.connection is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_worker_looks_every_half_a_minute_whether_somebody_calls_back_the_jobs_that_wait(queue):
    worker = SyncWorker([queue], connection=queue.connection)
    worker.clean_registries()
    assert not worker.should_run_maintenance_tasks
    with time_machine.travel(timezone.now() + timedelta(seconds=31), tick=False):
        assert worker.should_run_maintenance_tasks


@pytest.fixture
def newer_schema():
    migrate_to_later_release()
    yield
    migrate_back()


@pytest.fixture
def old_worker(queue):
    """A worker that was at work when a later release came."""
    return SyncWorker([queue], connection=queue.connection)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_worker_older_than_the_database_gives_its_work_back_and_ends(queue, old_worker, newer_schema):
    running_job(queue)
    first, *others = queue.job_ids
    job, _ = queue.dequeue_any([queue], None, connection=queue.connection)
    assert job.id == first
    with pytest.raises(StopRequested):
        old_worker.execute_job(job, queue)
    assert queue.job_ids == [first, *others]
    assert job.get_status() == "queued"
    assert queue.intermediate_queue.get_job_ids() == []
    assert [each.host for each in status.read().behind] == [old_worker.hostname]


@pytest.mark.django_db(transaction=True)
def test_an_idle_worker_older_than_the_database_ends(old_worker, newer_schema):
    with pytest.raises(StopRequested):
        old_worker.run_maintenance_tasks()


@pytest.mark.django_db(transaction=True)
def test_a_worker_older_than_the_database_does_not_start_and_a_newer_one_is_said_no_more(queue, newer_schema):
    with pytest.raises(SystemExit, match=f"has migration {LATER}, which this program does not know"):
        SyncWorker([queue], connection=queue.connection)
    assert len(status.read().behind) == 1
    migrate_back()
    SyncWorker([queue], connection=queue.connection)
    assert status.read().behind == ()
