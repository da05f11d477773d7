"""One look at a time, within a bounded time, and what each check says."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from mobjects.operations import readiness
from mobjects.operations.readiness import Readiness
from mobjects.processes.scheduler import TickScheduler
from mobjects.processes.worker import SyncWorker
from mobjects.sync.installation.identity import get_installation
from tests.support.concurrent import postgresql
from tests.support.database_clock import DATABASE_CLOCK


@pytest.fixture
def gate():
    """Something that hangs until the test is over."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_check_that_hangs_is_named_and_not_waited_for(gate):
    checks = {"first": lambda: "", "second": lambda: str(gate.wait(60)), "third": lambda: ""}
    found = Readiness(checks, look_seconds=0.05).read()
    assert found == {"first": "ok", "second": "no answer within 0.05 s", "third": "not looked at"}


def test_a_check_that_breaks_is_not_said_to_be_late(caplog):
    found = Readiness({"first": lambda: 1 / 0, "second": lambda: ""}).read()
    assert found == {"first": readiness.BROKE, "second": "not looked at"}
    assert "ZeroDivisionError" in caplog.text


def test_looks_do_not_pile_up_behind_one_that_hangs(gate):
    begun = []

    def hang():
        begun.append(1)
        return "" if gate.wait(60) else "late"

    ready = Readiness({"slow": hang}, look_seconds=0.05, kept_seconds=-1)
    assert [ready.read()["slow"] for _ in range(3)] == ["no answer within 0.05 s"] * 3
    assert len(begun) == 1


def test_a_look_counts_for_a_while_however_many_ask():
    begun = []
    ready = Readiness({"one": lambda: begun.append(1) or ""}, kept_seconds=60)
    askers = [threading.Thread(target=ready.read) for _ in range(20)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(begun) == 1


def test_a_look_that_is_old_is_made_again():
    said = iter(["gone", ""])
    ready = Readiness({"one": lambda: next(said)}, kept_seconds=-1)
    assert [ready.read(), ready.read()] == [{"one": "gone"}, {"one": "ok"}]


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_named_without_its_words():
    def refuse(*args):
        raise DatabaseError("password=very-secret")

    with connection.execute_wrapper(refuse):
        assert readiness.check_database() == "the database cannot be reached"
        # Whatever asks the database after it must end as well.
        said = {check() for check in (readiness.check_migrations, readiness.check_time, readiness.check_worker)}
    assert said == {readiness.NOT_LOOKED_AT}


@pytest.mark.django_db
def test_a_database_that_takes_no_writes_is_told():
    """As on a full disk, or on a replica."""
    get_installation()
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON" if sqlite else "SET TRANSACTION READ ONLY")
        said = readiness.check_database()
        if sqlite:
            cursor.execute("PRAGMA query_only = OFF")
    assert said == "the database takes no writes"


@pytest.mark.django_db
def test_asking_leaves_the_connection_as_patient_as_it_was():
    question = "PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout"
    with connection.cursor() as cursor:
        before = cursor.execute(question) and cursor.fetchone()
        assert readiness.check_database() == ""
        if connection.vendor == "sqlite":
            assert (cursor.execute(question) and cursor.fetchone()) == before


@postgresql
@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_holds_for_long_is_no_trouble():
    get_installation()
    held = connection.copy()
    try:
        held.set_autocommit(False)
        with held.cursor() as cursor:
            cursor.execute("SELECT id FROM mobjects_installation FOR UPDATE")
        assert readiness.check_database() == ""
    finally:
        held.rollback()
        held.close()


@pytest.mark.django_db
def test_migrations_that_are_missing_are_counted():
    assert readiness.check_migrations() == ""
    MigrationRecorder(connection).record_unapplied("mobjects", "0001_initial")
    assert readiness.check_migrations() == "1 migrations are not applied; run manage.py migrate"


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "said"), [(59, ""), (90, "1 min 30 s ahead of"), (-90, "1 min 30 s behind")])
def test_a_host_clock_that_is_off_is_told(monkeypatch, seconds, said):
    now = timezone.now()
    monkeypatch.setattr(DATABASE_CLOCK, "source", lambda: now)
    with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
        found = readiness.check_time()
    assert said in found
    assert bool(said) == bool(found)


def test_worker_and_clock_are_missed_until_they_are_there(queue):
    assert readiness.check_redis() == ""
    assert readiness.check_worker() == "no worker gives signs of life; start one: manage.py rqworker sync"
    assert readiness.check_clock() == "no clock is running; start one: manage.py clock"
    worker = SyncWorker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.heartbeat()
    TickScheduler().register_birth()
    assert (readiness.check_worker(), readiness.check_clock()) == ("", "")


@pytest.mark.django_db
def test_a_redis_that_is_away_is_told_without_its_address(settings):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://:very-secret@127.0.0.1:9/0"}}
    said = [readiness.check_redis(), readiness.check_worker(), readiness.check_clock()]
    assert said == ["Redis cannot be reached", readiness.NOT_LOOKED_AT, readiness.NOT_LOOKED_AT]
