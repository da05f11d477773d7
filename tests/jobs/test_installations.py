"""Several installations that share one Redis database."""

from __future__ import annotations

import django_rq
import pytest
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from mobjects.jobs.queue import OVERDUE, RUNNER, enqueue_job
from mobjects.jobs.recovery import sweep_jobs
from mobjects.models import Installation, SyncJob, SyncJobState
from mobjects.processes import scheduler
from mobjects.processes import status as queue_status
from mobjects.processes.worker import SyncWorker
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings", "groups")]
OTHER = "0123456789abcdef"


def be(identity):
    Installation.objects.update(identity=identity)


@pytest.fixture
def ours(queue):
    return Installation.objects.get().identity


def test_neither_takes_the_others_work(ours, work):
    job = factories.job_in(SyncJobState.NOT_QUEUED)
    assert enqueue_job(job)
    be(OTHER)
    theirs = django_rq.get_queue("sync")
    SimpleWorker([theirs], connection=theirs.connection, serializer=JSONSerializer).work(burst=True)
    assert SyncJob.objects.get().state == SyncJobState.QUEUED
    be(ours)
    work()
    assert SyncJob.objects.get().state == SyncJobState.SUCCEEDED


def test_ticks_sweeps_and_clocks_of_two_do_not_meet(ours, queue, time_machine):
    time_machine.move_to("2026-01-05 12:00Z", tick=False)
    assert scheduler.queue_tick()
    scheduler.TickScheduler().register_birth()
    be(OTHER)
    assert scheduler.queue_tick()
    assert scheduler.count_schedulers(django_rq.get_queue("sync")) == 0


def test_what_the_old_name_of_the_queue_holds_is_left_alone_and_said_and_our_own_is_queued_anew(ours, queue, work):
    job = factories.job_in(SyncJobState.QUEUED)
    legacy = Queue("sync", connection=queue.connection, serializer=JSONSerializer)
    legacy.enqueue(RUNNER, str(job.pk), job_id=f"{job.pk}-0123")
    SyncJob.objects.update(queued_at=job.created_at - 2 * OVERDUE)
    assert queue_status.list_foreign_queues() == [queue_status.ForeignQueue("sync", 1, 0)]
    said = pages.text(pages.client().get("/admin/connection/"))
    assert "holds queues that are not of this installation" in said
    assert "sync: 1 waiting, 0 workers" in said
    sweep_jobs()
    work()
    assert SyncJob.objects.get().state == SyncJobState.SUCCEEDED
    assert legacy.count == 1


def test_a_worker_of_a_copy_does_not_listen_to_the_original(queue, ours):
    Installation.objects.update(place="another server", is_marked=True)
    worker = SyncWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    (listened,) = worker.queues
    copy = Installation.objects.get().identity
    assert copy != ours
    assert (queue.name, listened.name) == (f"sync-{ours}", f"sync-{copy}")


def test_a_worker_ends_when_its_installation_takes_another_identity(queue, ours):
    worker = SyncWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    be(OTHER)
    worker.run_maintenance_tasks()
    assert worker.work(burst=True) is False
    assert worker._stop_requested
