"""Every way in which a job ends or waits for a person is told once, in the same transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from mobjects.jobs import control
from mobjects.jobs.job_lease import acquire_job, expire_job, release_job
from mobjects.jobs.lease import MOST_EXPIRIES
from mobjects.jobs.lifecycle import JOB_CHANGES, job_came_to_rest
from mobjects.jobs.requests import create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.models import Circuit, Opportunity, SyncJob, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support.came_to_rest import heard

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


@pytest.fixture
def rests():
    with heard(job_came_to_rest) as changes:
        yield changes


def new_job() -> SyncJob:
    factories.opportunity()
    return create_sync_job(SyncSelection())


def test_a_final_state_is_followed_by_no_other():
    assert set(SyncJobState) - set(JOB_CHANGES) == set(SyncJob.FINAL_STATES)


@pytest.mark.parametrize(("fault", "state"), [(None, "succeeded"), ("bad_row", "problems")])
def test_a_finished_job_is_told_once(sandbox, rests, fault, state):
    if fault:
        sandbox.faults.add(fault, row=0, text="no")
    run_job(new_job())
    assert rests == [("running", state)]


def test_a_stopped_job_is_told_once(sandbox, rests):
    sandbox.faults.add("soap", code="20014")
    run_job(new_job())
    assert rests == [("running", "stopped")]


def test_a_job_that_cannot_reach_marketo_at_all_is_told_once(settings, rests):
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "pigeon"}
    run_job(new_job())
    assert rests == [("running", "stopped")]


def test_a_crashed_job_is_told_once(rests):
    job = new_job()
    Opportunity.objects.update(custom_attributes=["not", "a", "mapping"])
    run_job(job)
    assert rests == [("running", "crashed")]


def test_a_job_whose_workers_keep_dying_is_told_once_it_is_given_up(rests):
    job = new_job()
    for _ in range(MOST_EXPIRIES):
        SyncJob.objects.update(waits_until=None)
        expire_job(acquire_job(job), Q())
    assert rests == [("running", "crashed")]


@pytest.mark.parametrize("state", [SyncJobState.NOT_QUEUED, SyncJobState.QUEUED, SyncJobState.WAITING])
@pytest.mark.parametrize(("act", "to"), [(control.cancel_job, "cancelled"), (control.pause_job, "paused")])
def test_a_job_that_nobody_works_on_is_told_when_a_person_cancels_or_pauses_it(rests, state, act, to):
    job = factories.job_in(state, waits_until=timezone.now() + timedelta(minutes=1))
    assert act(job)
    assert rests == [(state, to)]


@pytest.mark.parametrize(("act", "to"), [(control.cancel_job, "cancelled"), (control.pause_job, "paused")])
def test_a_job_that_is_worked_on_is_told_when_its_last_worker_leaves(rests, act, to):
    job = new_job()
    leases = [acquire_job(job), acquire_job(job)]
    act(job)
    release_job(job, leases[0])
    assert rests == []
    release_job(job, leases[1])
    assert rests == [("running", to)]


def test_a_paused_job_that_is_cancelled_is_told(rests):
    job = factories.job_in(SyncJobState.PAUSED)
    control.cancel_job(job)
    assert rests == [("paused", "cancelled")]


def test_a_job_that_waits_for_a_person_to_let_sending_go_on_is_told_once(rests):
    job = new_job()
    Circuit.objects.create(reason="wrong key")
    for _ in range(3):
        run_job(job)
    assert rests == [("not_queued", "waiting")]


def test_a_job_that_goes_on_by_itself_is_not_told(sandbox, rests):
    sandbox.faults.add("cut_before")
    job = new_job()
    run_job(job)
    assert (SyncJob.objects.get(pk=job.pk).state, rests) == (SyncJobState.WAITING, [])
