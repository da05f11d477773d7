"""Beginning with a job, leaving it, and being given up for dead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from mobjects.jobs.job_lease import acquire_job, crash_job, expire_job, release_job
from mobjects.jobs.lease import expired, holds_lease
from mobjects.jobs.lifecycle import end_job
from mobjects.jobs.requests import create_sync_job
from mobjects.marketo.types import Kind
from mobjects.models import Circuit, SyncJob, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support.concurrent import Concurrently, postgresql

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def later(seconds=20):
    return timezone.now() + timedelta(seconds=seconds)


def test_a_worker_whose_lease_expired_does_not_end_the_job_of_others():
    job = factories.job_in(SyncJobState.QUEUED)
    here = factories.context(job)
    expire_job(here.lease, Q())
    others = acquire_job(job)
    crash_job(job, here.lease, RuntimeError("its lease is gone"))
    assert (job.state, job.leases.get()) == (SyncJobState.RUNNING, others)


def test_a_worker_whose_lease_expired_leaves_the_job_as_others_made_it():
    job = factories.job_in(SyncJobState.QUEUED)
    lost, others = acquire_job(job), acquire_job(job)
    lost.delete()
    assert release_job(job, lost, until=later()).again_at is None
    assert (job.state, job.leases.get()) == (SyncJobState.RUNNING, others)


def test_a_late_worker_does_not_release_a_brake():
    until = later()
    job = factories.job_in(SyncJobState.QUEUED)
    factories.context(job)
    SyncJob.objects.filter(pk=job.pk).update(waits_until=until)
    assert acquire_job(job) is None
    job.refresh_from_db()
    assert job.waits_until == until


@pytest.mark.parametrize("state", [SyncJobState.PAUSED, *SyncJob.FINAL_STATES])
def test_a_job_that_is_paused_or_over_is_not_begun(state):
    job = factories.job_in(state)
    assert acquire_job(job) is None
    assert job.state == state


def test_no_job_is_begun_while_the_connection_is_halted():
    job = factories.job_in(SyncJobState.QUEUED)
    Circuit.objects.create(reason="wrong key")
    assert acquire_job(job) is None
    assert (job.state, job.waits_until) == (SyncJobState.WAITING, None)


def test_a_worker_that_comes_while_the_connection_is_halted_leaves_the_job_to_those_at_work():
    job = factories.job_in(SyncJobState.QUEUED)
    acquire_job(job)
    Circuit.objects.create(reason="wrong key")
    assert acquire_job(job) is None
    assert job.state == SyncJobState.RUNNING


def test_a_job_for_one_worker_at_a_time_is_not_begun_by_a_second():
    job = factories.job_in(SyncJobState.QUEUED)
    assert acquire_job(job, alone=True)
    assert acquire_job(job, alone=True) is None


def test_the_start_of_a_job_is_that_of_its_first_worker():
    job = factories.job_in(SyncJobState.QUEUED)
    acquire_job(job)
    first = job.started_at
    acquire_job(job)
    assert job.started_at == first


def test_the_last_worker_waits_as_long_as_the_one_who_braked():
    brake, earlier = later(60), later(5)
    job = factories.job_in(SyncJobState.QUEUED)
    lease = acquire_job(job)
    SyncJob.objects.update(waits_until=brake, waits_for="Marketo is busy.")
    assert release_job(job, lease, until=earlier, words="Another reason.").again_at == brake
    assert (job.waits_until, job.waits_for) == (brake, "Marketo is busy.")


def test_only_the_last_worker_lets_the_job_wait():
    job = factories.job_in(SyncJobState.QUEUED)
    first, last = acquire_job(job), acquire_job(job)
    release_job(job, first, until=later())
    assert job.state == SyncJobState.RUNNING
    release_job(job, last, until=later())
    assert job.state == SyncJobState.WAITING


def test_a_job_that_is_over_stays_as_it_ended():
    job = factories.job_in(SyncJobState.RUNNING)
    end_job(job, SyncJobState.STOPPED, "refused", "First.")
    end_job(job, SyncJobState.CRASHED, "crash", "Second.")
    job.refresh_from_db()
    assert (job.state, job.problem_text) == (SyncJobState.STOPPED, "First.")


def two_sending():
    """A job of two workers, each with a batch that is being sent."""
    for _ in range(2):
        factories.opportunity()
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    leases = [factories.claim_next(job, Kind.OPPORTUNITY, limit=1).batch.lease for _ in range(2)]
    return job, leases


def states(job):
    return list(job.batches.order_by("pk").values_list("state", flat=True))


def test_only_what_the_dead_worker_was_sending_is_in_doubt():
    job, leases = two_sending()
    expire_job(leases[0], Q())
    assert states(job) == ["unknown", "sending"]


def test_only_what_the_crashed_worker_was_sending_is_in_doubt():
    job, leases = two_sending()
    crash_job(job, leases[0], RuntimeError("a fault"))
    assert states(job) == ["unknown", "sending"]


def test_a_job_that_others_work_on_is_not_queued_anew_when_one_of_them_dies():
    job = factories.job_in(SyncJobState.QUEUED)
    dead, _ = acquire_job(job), acquire_job(job)
    assert expire_job(dead, Q()) is None


def test_a_worker_that_is_not_dead_after_all_keeps_its_lease():
    lease = acquire_job(factories.job_in(SyncJobState.QUEUED))
    assert expire_job(lease, expired()) is None
    assert holds_lease(lease)


def test_what_waits_is_let_go_by_the_last_worker_of_a_job_that_ended(sandbox):
    record = factories.opportunity()
    sandbox.faults.add("soap", code="20023")
    job = factories.sync(record)
    SyncJob.objects.update(waits_until=None)
    first, last = acquire_job(job), acquire_job(job)
    end_job(job, SyncJobState.STOPPED, "refused", "A refusal.")
    release_job(job, first)
    assert factories.fresh(record).claimed_by is not None
    assert release_job(job, last, until=later()).again_at is None
    assert factories.fresh(record).claimed_by is None


@postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_that_begin_a_job_for_one_at_the_same_moment_one_gets_it():
    job = factories.job_in(SyncJobState.QUEUED)
    stale = SyncJob.objects.get()
    with transaction.atomic():
        assert acquire_job(job, alone=True)
        other = Concurrently(lambda: acquire_job(stale, alone=True))
    assert other.result() is None


@postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_that_leave_at_the_same_moment_one_turns_off_the_light():
    job = factories.job_in(SyncJobState.QUEUED)
    leases = [acquire_job(job), acquire_job(job)]
    stale = SyncJob.objects.get()
    with transaction.atomic():
        release_job(job, leases[0])
        other = Concurrently(lambda: release_job(stale, leases[1]))
    other.result()
    job.refresh_from_db()
    assert job.state == SyncJobState.WAITING
