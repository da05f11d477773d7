"""The queue's worker notices that the process that did a job was killed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from rq.job import Job

from mobjects.processes.worker import SyncWorker
from tests.support.dying import assert_goes_on, running_job

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
