"""A worker that dies loses nothing: what it was sending is unknown, nothing stays claimed, and the job goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db.models import Q
from django.utils import timezone

from mobjects.jobs.job_lease import WAITS_FOR_RESET
from mobjects.jobs.lease import renew_unless_locked
from mobjects.jobs.queue import OVERDUE, enqueue_job, enqueue_worker
from mobjects.jobs.recovery import expire_jobs, sweep_if_due, sweep_jobs
from mobjects.jobs.requests import request_sync
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.types import Kind
from mobjects.models import Circuit, SyncJob, SyncJobState, WorkerLease
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support.dying import assert_goes_on, running_job

EVERYTHING = SyncSelection()
OPPORTUNITIES = SyncSelection(kinds=(Kind.OPPORTUNITY,))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_worker_that_has_fallen_silent_is_found_within_a_minute(queue):
    running = running_job(queue)
    with time_machine.travel(timezone.now() + timedelta(seconds=30), tick=False):
        sweep_jobs()
        assert WorkerLease.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(seconds=45), tick=False):
        sweep_jobs()
    assert_goes_on(*running)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_heartbeat_keeps_a_worker_alive(queue):
    running_job(queue)
    lease = WorkerLease.objects.get()
    WorkerLease.objects.update(renewed_at=timezone.now() - timedelta(seconds=60))
    renew_unless_locked(lease)
    sweep_jobs()
    assert WorkerLease.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_job_whose_workers_keep_dying_is_given_up(queue, settings):
    running = running_job(queue)
    job = running[0]
    for _ in range(settings.MARKETO["TRIES"]):
        SyncJob.objects.update(state=SyncJobState.RUNNING)
        lease = WorkerLease.objects.create(job=job, process="test", renewed_at=timezone.now(), queue_id="doomed")
        expire_jobs(Q(queue_id="doomed"))
        assert not WorkerLease.objects.filter(pk=lease.pk).exists()
    job.refresh_from_db()
    assert job.state == SyncJobState.CRASHED
    assert "cut off 5 times in a row" in job.problem_text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_job_that_the_queue_lost_before_it_began_is_called_again(queue):
    job = request_sync(OPPORTUNITIES)
    queue.connection.flushdb()
    sweep_jobs()
    assert queue.job_ids == []  # it may just have been taken by a worker
    with time_machine.travel(timezone.now() + timedelta(seconds=15), tick=False):
        sweep_jobs()
        sweep_jobs()
    assert [queue_id.startswith(str(job.pk)) for queue_id in queue.job_ids] == [True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_job_that_waits_is_called_again_though_the_queue_has_forgotten_it(queue, work, sandbox):
    record = factories.opportunity()
    sandbox.faults.add("cut_before")
    job = request_sync(OPPORTUNITIES)
    work()
    job.refresh_from_db()
    assert job.state == SyncJobState.WAITING
    queue.connection.flushdb()
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        sweep_jobs()
        work()
    job.refresh_from_db()
    assert job.state == SyncJobState.SUCCEEDED
    assert factories.fresh(record).marketo_id in sandbox.store.opportunities


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_finished_job_stays_finished(sandbox):
    factories.opportunity()
    job = factories.sync()
    expire_jobs(Q(queue_id=""))
    sweep_jobs()
    job.refresh_from_db()
    assert job.state == SyncJobState.SUCCEEDED


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_worker_taken_for_dead_sends_no_more_and_its_late_answer_counts_once(queue, sandbox):
    running = running_job(queue)
    job, record, claim = running
    factories.opportunity()
    lease = WorkerLease.objects.get()
    here = factories.context(job)
    WorkerLease.objects.filter(pk=here.lease.pk).delete()
    expire_jobs(Q(queue_id=lease.queue_id))
    # The process lives on after all: the answer it waited for arrives, and it would go on.
    factories.answer(job, claim)
    StepLoop(here, factories.SendTask(here)).run()
    job.refresh_from_db()
    assert job.counts == {"UPDATED": 1}
    assert factories.fresh(record).last_status == "UPDATED"
    assert not sandbox.calls


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_job_waits_and_is_queued_once_it_is_back(settings, queue):
    reachable = settings.RQ_QUEUES
    settings.RQ_QUEUES = {"sync": {**reachable["sync"], "URL": "redis://127.0.0.1:9/0"}}
    job = request_sync(EVERYTHING)
    job.refresh_from_db()
    assert (job.state, job.problem) == (SyncJobState.NOT_QUEUED, "queue")
    settings.RQ_QUEUES = reachable
    with time_machine.travel(timezone.now() + timedelta(seconds=15), tick=False):
        sweep_jobs()
    assert [queue_id.startswith(str(job.pk)) for queue_id in queue.job_ids] == [True]
    assert not enqueue_job(job)


@pytest.mark.django_db
def test_a_job_is_called_even_if_nothing_moves_what_was_queued_for_later(queue):
    at = timezone.now() + timedelta(seconds=30)
    job = factories.job_in(SyncJobState.WAITING, waits_until=at)
    enqueue_worker(job, at)
    with time_machine.travel(at + 2 * OVERDUE):
        sweep_jobs()
        assert len(queue.job_ids) == 1


@pytest.mark.django_db
def test_a_job_that_is_to_be_called_later_is_not_called_twice(queue):
    at = timezone.now() + timedelta(seconds=30)
    job = factories.job_in(SyncJobState.WAITING, waits_until=at)
    enqueue_worker(job, at)
    with time_machine.travel(at + OVERDUE / 2):
        sweep_jobs()
        assert queue.job_ids == []


@pytest.mark.django_db
def test_a_job_that_began_to_wait_while_the_connection_was_reset_is_called(queue):
    factories.job_in(SyncJobState.WAITING, waits_for=WAITS_FOR_RESET)
    sweep_jobs()
    assert len(queue.job_ids) == 1


@pytest.mark.django_db
def test_a_job_that_waits_for_a_reset_is_left_waiting(queue):
    factories.job_in(SyncJobState.WAITING, waits_for=WAITS_FOR_RESET)
    Circuit.objects.create(reason="wrong key")
    sweep_jobs()
    assert queue.job_ids == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "values"),
    [
        (SyncJobState.QUEUED, {"queued_at": timezone.now()}),
        (SyncJobState.WAITING, {"waits_until": timezone.now()}),
        (SyncJobState.NOT_QUEUED, {}),
        (SyncJobState.PAUSED, {}),
        *((state, {}) for state in SyncJob.FINAL_STATES),
    ],
)
def test_what_is_not_overdue_or_not_to_go_on_by_itself_is_not_queued(queue, state, values):
    moments = {name: timezone.now() for name in values}
    job = factories.job_in(state, **moments)
    sweep_jobs()
    job.refresh_from_db()
    assert (queue.job_ids, job.state) == ([], state)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "field"),
    [
        (SyncJobState.QUEUED, "queued_at"),
        (SyncJobState.WAITING, "waits_until"),
        (SyncJobState.NOT_QUEUED, "created_at"),
    ],
)
def test_what_is_overdue_is_queued_once(queue, state, field):
    factories.job_in(state, **{field: timezone.now() - 2 * OVERDUE})
    sweep_jobs()
    sweep_jobs()
    assert len(queue.job_ids) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("workers", "queued"), [(0, 1), (1, 0)])
def test_a_running_job_that_nobody_works_on_is_queued(queue, workers, queued):
    job = factories.job_in(SyncJobState.RUNNING)
    for _ in range(workers):
        WorkerLease.objects.create(job=job, process="test", renewed_at=timezone.now())
    sweep_jobs()
    assert len(queue.job_ids) == queued


@pytest.mark.django_db
def test_of_all_workers_that_begin_one_sweeps_in_a_quarter_of_a_minute(queue):
    for number in range(2):
        factories.job_in(SyncJobState.QUEUED, queued_at=timezone.now() - 2 * OVERDUE)
        sweep_if_due()
        assert len(queue.job_ids) == 1, number
