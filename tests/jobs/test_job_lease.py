"""Beginning with a job, leaving it, and being given up for dead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from mobjects.jobs.job_lease import acquire_job, crash_job, expire_job, release_job
from mobjects.jobs.lifecycle import end_job
from mobjects.models import Circuit, SyncJob
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]

State = SyncJob.State


def later(seconds=20):
    return timezone.now() + timedelta(seconds=seconds)


def test_a_worker_whose_lease_expired_does_not_end_the_job_of_others():
    job = factories.job_in(State.QUEUED)
    here = factories.context(job)
    expire_job(here.lease, Q())
    crash_job(job, here.lease, RuntimeError("its lease is gone"))
    job.refresh_from_db()
    assert job.state == State.WAITING


def test_a_worker_whose_lease_expired_leaves_the_job_as_others_made_it():
    job = factories.job_in(State.QUEUED)
    lost, others = acquire_job(job), acquire_job(job)
    lost.delete()
    assert release_job(job, lost, until=later()).again_at is None
    assert (job.state, job.leases.get()) == (State.RUNNING, others)


def test_a_late_worker_does_not_release_a_brake():
    until = later()
    job = factories.job_in(State.QUEUED)
    factories.context(job)
    SyncJob.objects.filter(pk=job.pk).update(waits_until=until)
    assert acquire_job(job) is None
    job.refresh_from_db()
    assert job.waits_until == until


@pytest.mark.parametrize("state", [State.PAUSED, *SyncJob.FINAL])
def test_a_job_that_is_paused_or_over_is_not_begun(state):
    job = factories.job_in(state)
    assert acquire_job(job) is None
    assert job.state == state


def test_no_job_is_begun_while_the_connection_is_halted():
    job = factories.job_in(State.QUEUED)
    Circuit.objects.create(reason="wrong key")
    assert acquire_job(job) is None
    assert (job.state, job.waits_until) == (State.WAITING, None)


def test_a_worker_that_comes_while_the_connection_is_halted_leaves_the_job_to_those_at_work():
    job = factories.job_in(State.QUEUED)
    acquire_job(job)
    Circuit.objects.create(reason="wrong key")
    assert acquire_job(job) is None
    assert job.state == State.RUNNING


def test_a_job_for_one_worker_at_a_time_is_not_begun_by_a_second():
    job = factories.job_in(State.QUEUED)
    assert acquire_job(job, alone=True)
    assert acquire_job(job, alone=True) is None


def test_the_start_of_a_job_is_that_of_its_first_worker():
    job = factories.job_in(State.QUEUED)
    acquire_job(job)
    first = job.started_at
    acquire_job(job)
    assert job.started_at == first


def test_the_last_worker_waits_as_long_as_the_one_who_braked():
    brake, earlier = later(60), later(5)
    job = factories.job_in(State.QUEUED)
    lease = acquire_job(job)
    SyncJob.objects.update(waits_until=brake, waits_for="Marketo is busy.")
    assert release_job(job, lease, until=earlier, words="Another reason.").again_at == brake
    assert (job.waits_until, job.waits_for) == (brake, "Marketo is busy.")


def test_only_the_last_worker_lets_the_job_wait():
    job = factories.job_in(State.QUEUED)
    first, last = acquire_job(job), acquire_job(job)
    release_job(job, first, until=later())
    assert job.state == State.RUNNING
    release_job(job, last, until=later())
    assert job.state == State.WAITING


def test_a_job_that_is_over_stays_as_it_ended():
    job = factories.job_in(State.RUNNING)
    end_job(job, State.STOPPED, "refused", "First.")
    end_job(job, State.CRASHED, "crash", "Second.")
    job.refresh_from_db()
    assert (job.state, job.problem_text) == (State.STOPPED, "First.")
