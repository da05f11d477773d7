"""The queue carries ids, and what it lost or never got is known."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from mobjects.imports.runner import sweep_imports
from mobjects.jobs.queue import OVERDUE, count_enqueued, enqueue_job, enqueue_work, enqueue_worker
from mobjects.jobs.recovery import sweep_jobs
from mobjects.models import Import, ImportState, NoticeDelivery, NoticeWebhook, SyncJob, SyncJobState
from mobjects.notices.deliveries import NOTICE_WORK
from tests import factories
from tests.imports.running import checked
from tests.support.redis_proxy import RedisProxy


@pytest.fixture
def unreachable(settings, redis_url):
    """A Redis that is down."""
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:9/0"}}


@pytest.mark.django_db
def test_a_job_that_was_paused_while_the_queue_was_found_unreachable_stays_paused(unreachable):
    job = factories.job_in(SyncJobState.NOT_QUEUED)

    def pause_meanwhile(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and params[0] == SyncJobState.QUEUED:
            SyncJob.objects.update(state=SyncJobState.PAUSED)
        return done

    with connection.execute_wrapper(pause_meanwhile):
        assert not enqueue_job(job)
    job.refresh_from_db()
    assert job.state == SyncJobState.PAUSED


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in SyncJobState if state != SyncJobState.NOT_QUEUED])
def test_only_a_job_that_is_not_queued_is_queued(queue, state):
    assert not enqueue_job(factories.job_in(state))
    assert queue.job_ids == []


def test_only_work_whose_id_begins_so_is_counted(queue):
    for prefix in ("import-1-", "import-12-", "import-1-"):
        enqueue_work("mobjects.imports.runner.run_queued_import", 1, prefix, None)
    assert [count_enqueued(prefix) for prefix in ("import-1-", "import-12-", "import-2-")] == [2, 1, 0]


@pytest.mark.django_db
def test_a_worker_is_found_by_the_id_of_its_job(queue):
    job, other = factories.job_in(SyncJobState.QUEUED), factories.job_in(SyncJobState.QUEUED)
    assert enqueue_worker(job)
    assert [count_enqueued(str(each.pk)) for each in (job, other)] == [1, 0]


@pytest.mark.django_db
@pytest.mark.parametrize(("after", "counted"), [(OVERDUE / 2, 1), (2 * OVERDUE, 0)])
def test_work_for_later_is_lost_once_it_is_overdue(queue, after, counted):
    job = factories.job_in(SyncJobState.WAITING)
    at = timezone.now() + timedelta(seconds=30)
    enqueue_worker(job, at)
    with time_machine.travel(at + after):
        assert count_enqueued(str(job.pk)) == counted


@pytest.mark.django_db
@pytest.mark.parametrize("delay", [None, timedelta(minutes=5)])
def test_work_whose_answer_gets_lost_is_queued_once_and_said_to_be_queued(redis_url, settings, delay):
    lost = []
    with RedisProxy(redis_url) as proxy:
        for number in range(20):
            job = factories.job_in(SyncJobState.NOT_QUEUED)
            settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": proxy.url}}
            proxy.lose_answer(number)
            if delay:
                assert enqueue_worker(job, timezone.now() + delay)
            else:
                assert (enqueue_job(job), job.state, job.problem_text) == (True, SyncJobState.QUEUED, "")
            lost += proxy.lost
            settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": redis_url}}
            assert count_enqueued(str(job.pk)) == 1
            if not proxy.lost:
                break
    assert "EVALSHA" in lost


class CountingProxy(RedisProxy):
    """A Redis that knows what it was asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[str] = []

    def loses(self, question: bytes) -> bool:
        self.asked.append(question.split(b"\r\n")[2].decode())
        return super().loses(question)


@pytest.mark.django_db
def test_a_sweep_reads_the_queue_once_however_many_rows_are_late(queue, redis_url, settings):
    at = timezone.now() - 2 * OVERDUE
    jobs = [factories.job_in(SyncJobState.QUEUED, queued_at=at) for _ in range(3)]
    imports = [checked(b"External ID,Name\nE-1,Deal\n") for _ in range(3)]
    Import.objects.update(state=ImportState.CHECKING, step_at=at)
    webhook = NoticeWebhook.objects.create(name="Chat", host="example.com")
    deliveries = [NoticeDelivery.objects.create(webhook=webhook, channel="webhook") for _ in range(3)]
    NoticeDelivery.objects.update(created_at=at, due_at=at)
    for row in (*jobs[1:], *imports[1:], *deliveries[1:]):
        prefix = {Import: "import-", NoticeDelivery: "notice-"}.get(type(row), "") + f"{row.pk}-"
        enqueue_work("mobjects.imports.runner.run_queued_import", 1, prefix, None)
    with CountingProxy(redis_url) as proxy:
        settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": proxy.url}}
        for sweep in (sweep_jobs, sweep_imports, NOTICE_WORK.sweep):
            proxy.asked.clear()
            sweep()
            assert proxy.asked.count("LRANGE") == 1
    newest = {queue_id.rpartition("-")[0] for queue_id in queue.job_ids[-3:]}
    assert newest == {str(jobs[0].pk), f"import-{imports[0].pk}", f"notice-{deliveries[0].pk}"}
