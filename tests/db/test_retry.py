"""What Marketo answered once must not get lost, whatever the database says at first."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, InternalError, OperationalError, connection, transaction

from mobjects.db.retry import PAUSES_SECONDS, retry_on_database_error
from mobjects.jobs.requests import create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support.concurrent import Concurrently

WITH_SERVER = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server that ends connections")


class On:
    """Do something just before the database first sees a certain statement."""

    def __init__(self, start: str, do) -> None:
        self.start, self.do = start, do

    def __call__(self, execute, sql, params, many, context):
        if self.do and sql.startswith(self.start):
            do, self.do = self.do, None
            do()
        return execute(sql, params, many, context)


def fail(error: BaseException):
    def raise_it() -> None:
        raise error

    return raise_it


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("error", [OperationalError("deadlock detected"), IntegrityError("taken")])
def test_a_refusal_that_passes_is_waited_out(error):
    refusals, pauses = [error, error], []

    def save(value: int) -> int:
        if refusals:
            raise refusals.pop()
        return value

    assert retry_on_database_error(save, pause=pauses.append)(7) == 7
    assert pauses == list(PAUSES_SECONDS[:2])


def test_a_refusal_that_stays_is_raised_in_the_end():
    pauses = []
    with pytest.raises(OperationalError, match="gone"):
        retry_on_database_error(fail(OperationalError("gone")), pause=pauses.append)()
    assert pauses == list(PAUSES_SECONDS)


def test_one_that_was_given_up_does_not_keep_the_next_from_trying():
    pauses = []
    for _ in range(2):
        with pytest.raises(OperationalError):
            retry_on_database_error(fail(OperationalError("gone")), pause=pauses.append)()
    assert len(pauses) == 2 * len(PAUSES_SECONDS)


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def end(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


@WITH_SERVER
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_replaced():
    pauses, before = [], backend()
    Concurrently(lambda: end(before)).result()
    assert retry_on_database_error(backend, pause=pauses.append)() != before
    assert len(pauses) == 1


@WITH_SERVER
@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_a_connection_is_not_replaced():
    with transaction.atomic():
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")
        retry_on_database_error(lambda: None)()
        assert not connection.connection.closed


@WITH_SERVER
@pytest.mark.django_db(transaction=True)
def test_a_server_that_takes_no_writes_is_waited_out_and_left_for_the_one_that_does():
    pauses = []
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    retry_on_database_error(factories.opportunity, pause=pauses.append)()
    assert len(pauses) == 1
    assert Opportunity.objects.count() == 1


@WITH_SERVER
@pytest.mark.django_db(transaction=True)
def test_another_internal_error_is_not_tried_again():
    pauses = []
    with pytest.raises(InternalError):
        retry_on_database_error(fail(InternalError("cache lookup failed")), pause=pauses.append)()
    assert pauses == []


def test_a_deadlock_while_saving_does_not_lose_the_answer(marketo_settings):
    record = factories.opportunity()
    with connection.execute_wrapper(On('UPDATE "mobjects_syncjob" SET "counts"', fail(OperationalError("deadlock")))):
        job = factories.sync(record)
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"CREATED": 1})
    assert factories.fresh(record).last_status == "CREATED"


def test_ctrl_c_leaves_no_record_claimed(marketo_settings):
    record = factories.opportunity()
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    interrupted = connection.execute_wrapper(On('UPDATE "mobjects_syncresult"', fail(KeyboardInterrupt())))
    with interrupted, pytest.raises(KeyboardInterrupt):
        run_job(job)
    job.refresh_from_db()
    record = factories.fresh(record)
    assert (job.state, job.counts) == (SyncJobState.CRASHED, {"UNKNOWN": 1})
    assert (record.last_status, record.claimed_by) == ("UNKNOWN", None)
