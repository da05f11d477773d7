"""Step after step of a job, until there is a reason to leave it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from mobjects.jobs.job_lease import IDLE_DELAY, acquire_job, release_job
from mobjects.jobs.lifecycle import end_job
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.errors import AuthError, RefusalReason, Rejected, Unavailable
from mobjects.models import Circuit, SyncJob, SyncJobState
from mobjects.sync.task import WaitRequired
from tests import factories
from tests.support.newer_schema import migrate_to_later_release

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]

EXPIRED = AuthError("expired", trouble=RefusalReason.EXPIRED)


class ScriptedTask:
    """Does at each step what a test says: returns whether there was something to do, or raises."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.finished = 0

    def step(self):
        done = self.steps.pop(0)
        if isinstance(done, Exception):
            raise done
        return done() if callable(done) else done

    def due_at(self):
        return None

    def finish(self):
        self.finished += 1


def run(job, *steps, context=None, **options):
    """One worker's turn; the task, how the worker left, and the job as it is then."""
    task = ScriptedTask(*steps)
    release = StepLoop(context or factories.context(job), task, **options).run()
    job.refresh_from_db()
    return task, release, job


def test_a_job_ended_by_one_worker_does_not_wait_because_of_another():
    job = factories.job_in(SyncJobState.QUEUED)

    def ended_meanwhile():
        end_job(job, SyncJobState.STOPPED, "refused", "Stopped.")
        raise Unavailable("later")

    run(job, ended_meanwhile)
    assert (job.state, job.waits_until, job.waits_for) == (SyncJobState.STOPPED, None, "")


def test_no_worker_takes_a_step_while_the_connection_is_halted():
    Circuit.objects.create(reason="wrong key")
    task, _, _ = run(factories.job_in(SyncJobState.QUEUED), True)
    assert task.steps == [True]


@pytest.mark.parametrize("values", [{"requested_action": "pause"}, {"state": SyncJobState.STOPPED}])
def test_no_worker_takes_a_step_of_a_job_that_a_person_or_another_worker_ended(values):
    job = factories.job_in(SyncJobState.QUEUED)
    context = factories.context(job)
    SyncJob.objects.update(**values)
    task, _, _ = run(job, True, context=context)
    assert task.steps == [True]


def test_no_worker_takes_a_step_while_the_job_is_braked():
    job = factories.job_in(SyncJobState.QUEUED)
    context = factories.context(job)
    SyncJob.objects.update(waits_until=timezone.now() + timedelta(minutes=1))
    task, _, _ = run(job, True, context=context)
    assert task.steps == [True]


def test_a_worker_whose_lease_expired_takes_no_step():
    job = factories.job_in(SyncJobState.QUEUED)
    context = factories.context(job)
    context.lease.delete()
    task, release, _ = run(job, True, context=context)
    assert (task.steps, release.again_at) == ([True], None)


def test_a_worker_older_than_the_database_finishes_its_step_and_leaves_the_rest_to_a_newer_one():
    job = factories.job_in(SyncJobState.QUEUED)

    def migrated_meanwhile():
        migrate_to_later_release()
        return True

    task, release, job = run(job, migrated_meanwhile, True)
    assert task.steps == [True]
    assert release.again_at is not None
    assert (job.state, job.problem) == (SyncJobState.WAITING, "")
    assert "newer version" in job.waits_for


def test_a_worker_that_took_no_step_is_not_queued_again_at_once():
    Circuit.objects.create(reason="wrong key")
    before = timezone.now()
    _, release, job = run(factories.job_in(SyncJobState.QUEUED))
    assert release.again_at == job.waits_until >= before + IDLE_DELAY


def test_a_wait_for_a_moment_that_is_over_does_not_queue_the_worker_again_at_once():
    before = timezone.now()
    _, release, _ = run(factories.job_in(SyncJobState.QUEUED), WaitRequired(before - timedelta(seconds=1), "A limit."))
    assert release.again_at >= before + IDLE_DELAY


def test_a_worker_that_makes_room_for_others_goes_on_at_once():
    _, release, job = run(factories.job_in(SyncJobState.QUEUED), True, turn_seconds=0)
    assert release.again_at == job.waits_until <= timezone.now()


def test_the_last_worker_looks_twice_before_it_ends_the_job():
    task, _, job = run(factories.job_in(SyncJobState.QUEUED), True, False, False)
    assert (task.steps, task.finished, job.state) == ([], 1, SyncJobState.SUCCEEDED)


def test_a_worker_that_is_not_the_last_leaves_the_end_to_the_others():
    job = factories.job_in(SyncJobState.QUEUED)
    factories.context(job)
    task, release, _ = run(job, False)
    assert (task.finished, job.state, release.again_at) == (0, SyncJobState.RUNNING, None)


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_see_each_other_leave_the_second_ends_the_job():
    job = factories.job_in(SyncJobState.QUEUED)
    context, other = factories.context(job), factories.context(job)
    task, looked = ScriptedTask(False, False), []

    def leave_meanwhile(execute, sql, params, many, at):
        """Be the other worker: it leaves as soon as this one has asked for leases and holds no lock."""
        found = execute(sql, params, many, at)
        if task.steps == [False] and not looked and "workerlease" in sql and not connection.in_atomic_block:
            looked.append(sql)
            release_job(SyncJob.objects.get(pk=job.pk), other.lease)
        return found

    with connection.execute_wrapper(leave_meanwhile):
        release = StepLoop(context, task).run()
    if not looked:
        StepLoop(other, ScriptedTask(False, False)).run()
    job.refresh_from_db()
    assert (job.state, release.again_at) == (SyncJobState.SUCCEEDED, None)


def test_a_step_starts_both_counts_of_failures_anew():
    job = factories.job_in(SyncJobState.QUEUED, failures=4, expired_leases=4)
    run(job, True, turn_seconds=0)
    assert (job.failures, job.expired_leases) == (0, 0)


def test_the_last_worker_looks_twice_again_after_it_found_something():
    task, _, job = run(factories.job_in(SyncJobState.QUEUED), False, True, False, False)
    assert (task.steps, task.finished, job.state) == ([], 1, SyncJobState.SUCCEEDED)


def test_a_job_that_a_worker_begins_with_while_another_ends_it_goes_on():
    job = factories.job_in(SyncJobState.QUEUED)
    context = factories.context(job)
    task = ScriptedTask(False, False)
    task.finish = lambda: acquire_job(SyncJob.objects.get(pk=job.pk))
    StepLoop(context, task).run()
    job.refresh_from_db()
    assert (job.state, job.leases.count()) == (SyncJobState.RUNNING, 1)


def test_failures_are_added_to_those_in_the_database(settings):
    job = factories.job_in(SyncJobState.QUEUED)
    context = factories.context(job)
    SyncJob.objects.update(failures=settings.MARKETO["TRIES"] - 1)
    run(job, Unavailable("away"), context=context)
    assert job.state == SyncJobState.STOPPED


def test_a_call_that_fails_less_often_than_allowed_is_made_again_later(settings):
    job = factories.job_in(SyncJobState.QUEUED, failures=settings.MARKETO["TRIES"] - 2)
    run(job, Unavailable("away"))
    assert (job.state, job.failures) == (SyncJobState.WAITING, settings.MARKETO["TRIES"] - 1)


def test_a_call_that_would_be_in_vain_is_not_made_before():
    before = timezone.now()
    _, release, job = run(factories.job_in(SyncJobState.QUEUED), Unavailable("no token", retry_after_seconds=46.0))
    assert release.again_at == job.waits_until >= before + timedelta(seconds=46)


def test_a_signature_that_is_refused_as_expired_twice_in_a_row_halts_sending():
    run(factories.job_in(SyncJobState.QUEUED), EXPIRED, EXPIRED)
    assert Circuit.objects.exists()


@pytest.mark.parametrize("between", [True, False])
def test_a_signature_that_is_refused_as_expired_once_and_once_again_halts_nothing(between):
    run(factories.job_in(SyncJobState.QUEUED), EXPIRED, between, EXPIRED, WaitRequired(timezone.now(), "Enough."))
    assert not Circuit.objects.exists()


@pytest.mark.parametrize("error", [AuthError("wrong key", code="20014"), Rejected("no"), Unavailable("away")])
def test_a_late_refusal_of_a_worker_whose_lease_expired_changes_nothing(error):
    job = factories.job_in(SyncJobState.QUEUED)
    context = factories.context(job)

    def expired_meanwhile():
        context.lease.delete()
        acquire_job(SyncJob.objects.get(pk=job.pk))
        raise error

    _, release, _ = run(job, expired_meanwhile, context=context)
    assert (job.state, job.failures, job.waits_until, release.again_at) == (SyncJobState.RUNNING, 0, None, None)
    assert not Circuit.objects.exists()
