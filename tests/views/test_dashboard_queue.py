"""The dashboard says within half a minute that work waits and nobody is there to do it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from mobjects import clock
from mobjects.models import ImportState, Opportunity, SyncJobState
from mobjects.processes.behind import FORGOTTEN_SECONDS, find_schema_ahead
from mobjects.processes.status import SILENCE_SECONDS
from mobjects.processes.worker import KEPT_SECONDS, SyncWorker
from mobjects.views.dashboard import LEFT_AFTER
from tests import factories
from tests.support.newer_schema import migrate_to_later_release
from tests.support.rewriting import rewrite
from tests.views import pages
from tests.views.imports import made_imports

pytestmark = pytest.mark.django_db
MINUTE_AGO = timedelta(minutes=1)


@pytest.fixture
def dashboard(groups, queue):
    browser = pages.client()
    return lambda address="/admin/": pages.text(browser.get(address))


@pytest.fixture
def worker(queue):
    worker = SyncWorker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.heartbeat()
    return worker


def left_alone(state, **values):
    return rewrite(factories.job_in(state), created_at=timezone.now() - MINUTE_AGO, **values)


@pytest.mark.parametrize("state", [SyncJobState.NOT_QUEUED, SyncJobState.QUEUED, SyncJobState.RUNNING])
def test_a_job_that_nobody_works_on_is_said_where_no_worker_runs(dashboard, state):
    left_alone(state)
    shown = dashboard()
    assert "No worker is running." in shown
    assert "1 job or import waits." in shown
    assert 'href="/admin/queue/"' in shown


def test_a_worker_that_is_frozen_or_killed_is_said_within_half_a_minute(dashboard, queue, worker):
    left_alone(SyncJobState.QUEUED)
    left_alone(SyncJobState.WAITING, waits_until=timezone.now())
    assert "No worker" not in dashboard()
    queue.connection.expire(worker.key, KEPT_SECONDS - SILENCE_SECONDS - 1)
    shown = dashboard()
    assert "No worker has given a sign of life for 26 seconds." in shown
    assert "2 jobs or imports wait." in shown
    assert timedelta(seconds=SILENCE_SECONDS) + LEFT_AFTER <= timedelta(seconds=30)


def test_a_process_that_is_frozen_beside_living_workers_is_said_within_half_a_minute(dashboard, queue, worker):
    frozen = left_alone(SyncJobState.RUNNING)
    lease = frozen.leases.create(process="here 1", renewed_at=timezone.now() - timedelta(seconds=20))
    said = "The process at work on 1 job or import gives no sign of life."
    assert said not in dashboard()
    rewrite(lease, renewed_at=timezone.now() - timedelta(seconds=26))
    assert said in dashboard()
    # Several may be at one job; it goes on while one of them lives.
    frozen.leases.create(process="here 2", renewed_at=timezone.now())
    assert said not in dashboard()


@pytest.mark.parametrize("minutes", [-20, 20])
def test_who_works_is_seen_by_the_clock_of_the_database(dashboard, queue, worker, minutes):
    there = clock.now()
    working = rewrite(factories.job_in(SyncJobState.RUNNING), created_at=there - MINUTE_AGO)
    lease = working.leases.create(process="here 1", renewed_at=there)
    said = "The process at work on 1 job or import gives no sign of life."
    with time_machine.travel(there + timedelta(minutes=minutes)):
        worker.heartbeat()
        assert said not in dashboard()
        rewrite(lease, renewed_at=there - MINUTE_AGO)
        assert said in dashboard()


def test_an_import_that_nobody_works_on_is_said(dashboard):
    made_imports.imported(state=ImportState.CHECKING, step_at=timezone.now() - MINUTE_AGO)
    assert "1 job or import waits" in dashboard()


def test_a_redis_that_is_away_is_said(dashboard, settings):
    left_alone(SyncJobState.NOT_QUEUED)
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:9/0"}}
    shown = dashboard()
    assert "The queue (Redis) cannot be reached." in shown
    assert "1 job or import waits." in shown


def test_nothing_is_said_to_wait_where_nothing_does_or_somebody_is_at_it(dashboard):
    factories.job_in(SyncJobState.QUEUED)  # a moment ago
    left_alone(SyncJobState.SUCCEEDED)
    left_alone(SyncJobState.PAUSED)
    left_alone(SyncJobState.WAITING, waits_until=timezone.now() + MINUTE_AGO)
    at_work = left_alone(SyncJobState.RUNNING)
    at_work.leases.create(process="here 1", renewed_at=timezone.now())
    shown = dashboard()
    assert "job or import" not in shown
    assert "What is asked for will wait until that is over." in shown


def test_a_host_whose_workers_stepped_aside_is_named_for_ten_minutes(dashboard, worker, queue):
    migrate_to_later_release()
    assert find_schema_ahead()
    host = worker.hostname
    said = f"The workers of {host} do nothing: their program is older than the database."
    assert said in dashboard()
    assert said in dashboard("/admin/queue/")
    (key,) = queue.connection.keys("marketo-behind*")
    queue.connection.zincrby(key, -FORGOTTEN_SECONDS - 1, queue.connection.zrange(key, 0, 0)[0])
    assert said not in dashboard()


def test_an_open_dashboard_is_told_that_nobody_is_there_any_more(dashboard, queue, worker):
    left_alone(SyncJobState.QUEUED)
    said = "Waiting for a worker. No worker is running, so it will wait until one is started."
    assert "No worker" not in dashboard("/admin/dashboard/live/")
    worker.register_death()
    for address in ("/admin/dashboard/live/", "/admin/"):
        shown = dashboard(address)
        assert said in shown
        assert "No worker is running.</p>" in shown
    shown = dashboard("/admin/dashboard/live/")
    assert 'id="dashboard-attention" aria-labelledby="attention-title" hx-swap-oob="true"' in shown
    factories.job_in(SyncJobState.RUNNING, source="command")
    assert "But no worker is running" not in dashboard("/admin/dashboard/live/")


def test_the_cards_renew_themselves_for_who_may_not_see_the_history_too(groups, queue):
    browser, person = Client(), factories.user("records-only", group=None)
    person.is_staff = True
    person.save()
    person.user_permissions.add(factories.permission("view_opportunity"))
    browser.force_login(person)
    job = factories.job_in(SyncJobState.QUEUED)
    assert 'hx-get="/admin/dashboard/live/"' in pages.text(browser.get("/admin/"))
    record = factories.opportunity()
    Opportunity.objects.filter(pk=record.pk).update(last_status="FAILED", answered_revision=record.revision)
    shown = pages.text(browser.get("/admin/dashboard/live/"))
    assert "1 record failed and was not corrected." in shown
    assert str(job.pk) not in shown
    assert "No worker" not in shown
