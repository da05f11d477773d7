"""Pausing, resuming, cancelling, and letting sending go on after it was halted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from mobjects.jobs.control import cancel_job, pause_job, reset_circuit, resume_job
from mobjects.jobs.job_lease import acquire_job
from mobjects.jobs.recovery import sweep_jobs
from mobjects.jobs.requests import request_sync
from mobjects.models import Circuit, Kind, RequestedAction, SyncBatchState, SyncJob, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support.concurrent import Concurrently, postgresql

EVERYTHING = SyncSelection()


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_job_lets_go_what_waits_and_leaves_it_changed(queue, work, sandbox, marketo_settings):
    record = factories.opportunity()
    sandbox.faults.add("soap", code="20023")
    job = request_sync(EVERYTHING)
    work()
    assert factories.fresh(record).claimed_by.state == SyncBatchState.WAITING
    assert cancel_job(job)
    job.refresh_from_db()
    assert (job.state, job.counts) == (SyncJobState.CANCELLED, {"NOT_SENT": 1})
    record = factories.fresh(record)
    assert (record.claimed_by, record.is_dirty) == (None, True)
    assert not cancel_job(job)


@pytest.mark.django_db(transaction=True)
def test_a_paused_job_sends_nothing_until_it_is_resumed(queue, work, sandbox, marketo_settings):
    factories.opportunity()
    job = request_sync(EVERYTHING)
    assert pause_job(job)
    work()
    job.refresh_from_db()
    assert job.state == SyncJobState.PAUSED
    assert not sandbox.calls
    assert resume_job(job)
    work()
    job.refresh_from_db()
    assert job.state == SyncJobState.SUCCEEDED


@pytest.mark.django_db(transaction=True)
def test_a_halted_connection_stops_the_job_and_keeps_the_next_until_a_person_resets_it(
    queue, work, sandbox, marketo_settings
):
    factories.opportunity()
    sandbox.faults.add("soap", code="20014")
    stopped = request_sync(EVERYTHING)
    work()
    waiting = request_sync(EVERYTHING)
    work()
    for job in (stopped, waiting):
        job.refresh_from_db()
    assert (stopped.state, waiting.state) == (SyncJobState.STOPPED, SyncJobState.WAITING)
    assert "resets the connection" in waiting.waits_for
    assert len(sandbox.calls) == 1
    sweep_jobs()
    assert reset_circuit(factories.user())
    work()
    waiting.refresh_from_db()
    assert waiting.state == SyncJobState.SUCCEEDED


@pytest.mark.django_db
def test_a_cancelled_job_cannot_be_paused_instead(marketo_settings):
    job = factories.job_in(SyncJobState.QUEUED)
    factories.context(job)
    cancel_job(job)
    assert not pause_job(job)
    job.refresh_from_db()
    assert job.requested_action == RequestedAction.CANCEL


@pytest.mark.django_db
def test_a_running_job_that_is_to_pause_can_be_resumed_before_it_does(marketo_settings):
    job = factories.job_in(SyncJobState.RUNNING)
    factories.context(job)
    assert pause_job(job)
    assert resume_job(job)
    assert (job.state, job.requested_action) == (SyncJobState.RUNNING, RequestedAction.NONE)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in SyncJobState if state != SyncJobState.PAUSED])
def test_what_is_not_paused_cannot_be_resumed(state):
    job = factories.job_in(state)
    assert not resume_job(job)
    assert job.state == state


@pytest.mark.django_db
@pytest.mark.parametrize("state", [SyncJobState.PAUSED, *SyncJob.FINAL_STATES])
def test_what_is_paused_or_over_cannot_be_paused(state):
    job = factories.job_in(state)
    assert not pause_job(job)
    assert job.state == state


@pytest.mark.django_db(transaction=True)
def test_a_reset_leaves_alone_what_waits_for_something_else(queue):
    until = timezone.now() + timedelta(minutes=1)
    job = factories.job_in(SyncJobState.WAITING, waits_until=until)
    Circuit.objects.create(reason="wrong key")
    assert reset_circuit(factories.user())
    job.refresh_from_db()
    assert (job.waits_until, queue.job_ids) == (until, [])


@pytest.mark.django_db(transaction=True)
def test_resetting_a_kind_calls_no_job_that_waits_for_the_halt_of_everything(queue):
    job = factories.job_in(SyncJobState.WAITING)
    for kind in ("", Kind.PROGRAM.value):
        Circuit.objects.create(kind=kind, reason="denied")
    assert reset_circuit(factories.user(), Kind.PROGRAM.value)
    job.refresh_from_db()
    assert (job.waits_until, queue.job_ids) == (None, [])
    assert reset_circuit(factories.user("other"), "")
    assert [queue_id[:36] for queue_id in queue.job_ids] == [str(job.pk)]


@pytest.mark.django_db
def test_a_kind_may_be_reset_while_a_restored_database_has_to_wait(marketo_settings):
    Circuit.objects.create(code=Circuit.RESTORED, reason="restored")
    Circuit.objects.create(kind=Kind.PROGRAM.value, reason="denied")
    user = factories.user()
    assert not reset_circuit(user)
    assert not reset_circuit(user, "")
    assert reset_circuit(user, Kind.PROGRAM.value)
    assert [*Circuit.objects.filter(reset_at=None).values_list("kind", flat=True)] == [""]


@pytest.mark.django_db(transaction=True)
def test_without_a_halt_there_is_nothing_to_reset(queue):
    factories.job_in(SyncJobState.WAITING)
    assert not reset_circuit(factories.user())
    assert queue.job_ids == []


@postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [cancel_job, pause_job])
def test_a_job_that_a_worker_begins_with_at_this_moment_is_ended_by_that_worker(act):
    job = factories.job_in(SyncJobState.QUEUED)
    stale = SyncJob.objects.get()
    with transaction.atomic():
        lease = acquire_job(job)
        other = Concurrently(lambda: act(stale))
    assert other.result()
    job.refresh_from_db()
    assert (job.state, job.leases.get()) == (SyncJobState.RUNNING, lease)
    assert job.requested_action
