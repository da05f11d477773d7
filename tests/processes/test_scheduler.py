"""The clock: its ticks reach a real worker, never pile up, and are not doubled by a second clock."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import django_rq
import pytest
from django.utils import timezone

from mobjects.jobs import schedules
from mobjects.local.supervisor import Supervisor
from mobjects.models import Installation, Schedule, SyncJob
from mobjects.processes import scheduler
from mobjects.sync.installation.identity import get_installation
from tests import factories
from tests.files import ROOT

# Real transactions: the worker closes its connections, and a test transaction would go with them.
pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def due(groups) -> Schedule:
    """A schedule that was due just now."""
    owner = factories.user("olga", group="operator")
    now = datetime.now(UTC)
    made = Schedule(name="Hourly", kinds=["Opportunity"], cron="0 * * * *", owner=owner)
    schedules.plan_schedule(made, now)
    made.next_at = now
    made.save()
    return made


def test_a_tick_is_done_by_a_worker_and_starts_what_is_due(queue, work, due, marketo_settings):
    assert scheduler.queue_tick()
    work()
    assert SyncJob.objects.get().schedule == due
    assert queue.failed_job_registry.count == 0


def test_a_tick_goes_before_the_jobs_that_wait(queue):
    queue.enqueue("mobjects.jobs.run_sync", "x", job_id="waiting")
    scheduler.queue_tick()
    assert [name.startswith(scheduler.TICK) for name in queue.job_ids] == [True, False]


def test_ticks_do_not_pile_up_while_no_worker_is_there(queue, time_machine):
    for minute in range(180):
        time_machine.move_to(NOON + timedelta(minutes=minute), tick=False)
        scheduler.queue_tick()
    assert queue.count == 1


def test_a_second_clock_adds_no_tick_in_the_same_span(queue, work, time_machine):
    time_machine.move_to(NOON, tick=False)
    assert scheduler.queue_tick()
    work()
    assert not scheduler.queue_tick()
    time_machine.move_to(NOON + timedelta(seconds=scheduler.INTERVAL_SECONDS), tick=False)
    assert scheduler.queue_tick()


def test_a_tick_that_was_lost_with_its_worker_does_not_stop_the_next(queue, time_machine):
    time_machine.move_to(NOON, tick=False)
    scheduler.queue_tick()
    # Taken out by a worker that is gone before it starts it.
    queue.connection.lpop(queue.key)
    time_machine.move_to(NOON + timedelta(seconds=scheduler.INTERVAL_SECONDS), tick=False)
    assert scheduler.queue_tick()


def environment_of_child(folder, redis_url):
    """Of a process of the same installation, with a database that knows no more than this."""
    path, ours = folder / "child.sqlite3", get_installation()
    with sqlite3.connect(path) as database:
        columns = [field.column for field in Installation._meta.concrete_fields]
        database.execute(f"CREATE TABLE {Installation._meta.db_table} ({', '.join(columns)})")
        row = (1, ours.identity, "", True, *[f"{timezone.now():%Y-%m-%d %H:%M:%S}"] * 2)
        database.execute(f"INSERT INTO {Installation._meta.db_table} VALUES (?, ?, ?, ?, ?, ?)", row)
    settings = {"REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "marketo_admin.settings_test"}
    return {**os.environ, **settings, "DATABASE_URL": f"sqlite:///{path}"}


def test_the_process_registers_ticks_through_a_worker_and_stops_when_told(queue, work, due, redis_url, tmp_path):
    command = [sys.executable, "manage.py", "clock", "--interval", "1"]
    environment = environment_of_child(tmp_path, redis_url)
    with Supervisor(tmp_path, {**environment, "PYTHONPATH": str(ROOT)}, signals=False) as supervisor:
        supervisor.start_child("clock", [command[0], str(ROOT / command[1]), *command[2:]], lambda: queue.count > 0)
        assert scheduler.count_schedulers(queue) == 1
        work()
        assert SyncJob.objects.get().schedule == due
    assert scheduler.count_schedulers(queue) == 0


def test_the_process_says_that_it_cannot_reach_redis(tmp_path):
    environment = environment_of_child(tmp_path, "redis://127.0.0.1:9/0")
    command = [sys.executable, "manage.py", "clock"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "The queue (Redis) cannot be reached" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("interval", ["0", "16", "-1"])
def test_an_interval_too_long_to_find_lost_jobs_in_time_is_refused(interval):
    command = [sys.executable, "manage.py", "clock", "--interval", interval]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "marketo_admin.settings_test"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert f"--interval is {interval}; give seconds from 1 to 15." in ended.stderr


def test_a_clock_outlives_a_redis_that_is_gone_and_comes_back_empty(queue, settings):
    running = scheduler.TickScheduler()
    running.register_birth()
    reachable = settings.RQ_QUEUES
    settings.RQ_QUEUES = {"sync": {**reachable["sync"], "URL": "redis://127.0.0.1:9/0"}}
    running.connection, back = django_rq.get_connection("sync"), running.connection
    assert running.enqueue_jobs() == []
    running.heartbeat()
    settings.RQ_QUEUES, running.connection = reachable, back
    queue.connection.flushdb()
    running.heartbeat()
    assert scheduler.count_schedulers(queue) == 1
