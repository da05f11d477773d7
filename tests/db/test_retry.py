"""What Marketo answered once must not get lost, whatever the database says at first."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, OperationalError, connection

from mobjects.db.retry import PAUSES_SECONDS, retry_on_database_error
from mobjects.jobs.requests import create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests import factories


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
