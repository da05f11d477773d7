"""The one way to change a state: what the table allows, one of two at once, and who is told."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.models import Q

from mobjects.jobs.lifecycle import JOB_STATES, job_came_to_rest
from mobjects.jobs.state_machine import ForbiddenChange
from mobjects.models import SyncJob, SyncJobState
from tests import factories
from tests.support.came_to_rest import heard
from tests.support.concurrent import Concurrently, postgresql

pytestmark = pytest.mark.django_db


def test_every_change_of_the_table_is_made_and_no_other():
    for old in SyncJobState:
        for new in SyncJobState:
            job = factories.job_in(old)
            assert JOB_STATES.change(job, new) == (new in JOB_STATES.allowed.get(old, ())), (old, new)
            assert job.state == SyncJob.objects.get(pk=job.pk).state


def test_a_change_that_is_not_allowed_by_now_writes_nothing():
    job = factories.job_in(SyncJobState.SUCCEEDED, problem_text="as it was")
    assert not JOB_STATES.change(job, SyncJobState.RUNNING, problem_text="other")
    assert (job.state, job.problem_text) == (SyncJobState.SUCCEEDED, "as it was")


def test_only_the_states_that_the_caller_thinks_of_are_left():
    job = factories.job_in(SyncJobState.WAITING)
    assert not JOB_STATES.change(job, SyncJobState.PAUSED, only_from=(SyncJobState.QUEUED,))
    assert JOB_STATES.change(job, SyncJobState.PAUSED, only_from=(SyncJobState.QUEUED, SyncJobState.WAITING))


def test_to_ask_for_a_change_that_the_table_does_not_have_is_a_fault():
    job = factories.job_in(SyncJobState.SUCCEEDED)
    with pytest.raises(ForbiddenChange):
        JOB_STATES.change(job, SyncJobState.RUNNING, only_from=(SyncJobState.QUEUED, SyncJobState.SUCCEEDED))


def test_no_state_leads_to_one_that_is_unknown():
    with pytest.raises(ForbiddenChange):
        JOB_STATES.change(factories.job_in(SyncJobState.RUNNING), "asleep")


def test_a_state_that_somebody_else_has_just_changed_is_not_overwritten():
    job = factories.job_in(SyncJobState.QUEUED)

    def cancel_first(execute, sql, params, many, context):
        if sql.startswith("UPDATE"):
            wrapper.__exit__(None, None, None)
            SyncJob.objects.update(state=SyncJobState.CANCELLED)
        return execute(sql, params, many, context)

    wrapper = connection.execute_wrapper(cancel_first)
    wrapper.__enter__()
    assert not JOB_STATES.change(job, SyncJobState.RUNNING)
    assert job.state == SyncJobState.CANCELLED


def test_a_listener_that_raises_undoes_the_change():
    def refuse(**_):
        raise RuntimeError("no")

    job = factories.job_in(SyncJobState.RUNNING)
    job_came_to_rest.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            JOB_STATES.change(job, SyncJobState.SUCCEEDED)
    finally:
        job_came_to_rest.disconnect(refuse)
    job.refresh_from_db()
    assert job.state == SyncJobState.RUNNING


def test_what_was_at_rest_already_does_not_come_to_rest_again():
    with heard(job_came_to_rest) as changes:
        job = factories.job_in(SyncJobState.QUEUED)
        for _ in range(2):
            assert JOB_STATES.change(job, SyncJobState.WAITING, waits_until=None)
    assert changes == [("queued", "waiting")]


def test_what_else_the_caller_asks_for_has_to_be_true():
    job = factories.job_in(SyncJobState.QUEUED, failures=1)
    assert not JOB_STATES.change(job, SyncJobState.RUNNING, where=Q(failures=0))
    assert JOB_STATES.change(job, SyncJobState.RUNNING, where=Q(failures=1))


@postgresql
@pytest.mark.django_db(transaction=True)
def test_who_is_told_hears_the_state_that_it_really_was_in():
    job = factories.job_in(SyncJobState.QUEUED)
    stale = SyncJob.objects.get()
    with heard(job_came_to_rest) as changes:
        with transaction.atomic():
            JOB_STATES.change(job, SyncJobState.RUNNING)
            other = Concurrently(lambda: JOB_STATES.change(stale, SyncJobState.PAUSED))
        assert other.result()
    assert changes == [("running", "paused")]
