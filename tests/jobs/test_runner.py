"""Working on a job: run once, ended in a state that says what happened."""

from __future__ import annotations

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from mobjects.db.schema_version import SchemaNewer
from mobjects.jobs.job_lease import acquire_job
from mobjects.jobs.requests import create_sync_job, request_sync
from mobjects.jobs.runner import _enqueue_more_workers, _run_turn, run_job, run_queued_job
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, SyncBatchState, SyncJobState
from mobjects.sync.send import results
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.send.task import SendTask
from tests import factories
from tests.support.newer_schema import migrate_to_later_release

EVERYTHING = SyncSelection()
OPPORTUNITIES = SyncSelection(kinds=(Kind.OPPORTUNITY,))


@pytest.mark.django_db(transaction=True)
def test_a_worker_runs_the_queued_job(queue, work, sandbox, marketo_settings):
    record = factories.opportunity()
    job = request_sync(EVERYTHING, user=factories.user(), reason="month end")
    work()
    job.refresh_from_db()
    assert (job.state, job.username, job.reason) == (SyncJobState.SUCCEEDED, "alice", "month end")
    assert factories.fresh(record).marketo_id in sandbox.store.opportunities


@pytest.mark.django_db
def test_a_finished_job_is_not_run_again(sandbox, marketo_settings):
    factories.opportunity()
    job = factories.sync()
    factories.opportunity()
    run_queued_job(str(job.pk))
    job.refresh_from_db()
    assert job.counts == {"CREATED": 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "problem", "words"),
    [
        ({"ENCRYPTION_KEY": "wrong"}, "authentication", "signature"),
        ({"ENCRYPTION_KEY": ""}, "configuration", "MARKETO_ENCRYPTION_KEY"),
        ({"SOAP_ENDPOINT": "http://127.0.0.1:9/soap"}, "unavailable", "127.0.0.1"),
        ({"TRANSPORT": "pigeon"}, "configuration", "MARKETO_TRANSPORT"),
    ],
)
def test_a_job_that_cannot_run_says_why(settings, marketo_settings, change, problem, words):
    settings.MARKETO = {**settings.MARKETO, **change}
    record = factories.opportunity()
    job = factories.later(factories.sync())
    assert (job.state, job.problem) == (SyncJobState.STOPPED, problem)
    assert words in job.problem_text
    record = factories.fresh(record)
    assert (record.is_dirty, record.claimed_by, record.last_status) == (True, None, "")


@pytest.mark.django_db
def test_a_crash_leaves_no_record_claimed(marketo_settings):
    record = factories.opportunity()
    Opportunity.objects.filter(pk=record.pk).update(custom_attributes=["not", "a", "mapping"])
    job = factories.sync()
    assert (job.state, job.problem) == (SyncJobState.CRASHED, "crash")
    assert factories.fresh(record).claimed_by is None


@pytest.mark.django_db
def test_what_breaks_on_a_database_newer_than_the_program_ends_no_job(marketo_settings, queue):
    """A newer worker goes on with it; what was being sent is looked up."""
    record = factories.opportunity()
    Opportunity.objects.filter(pk=record.pk).update(custom_attributes=["not", "a", "mapping"])
    job = factories.job_in(SyncJobState.QUEUED)
    seen = []

    def migrated_before_the_batch(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "mobjects_syncbatch"') and not seen:
            seen.append(sql)
            migrate_to_later_release()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(migrated_before_the_batch):
        _run_turn(job, queue_id="", beat=False)
    job.refresh_from_db()
    assert (job.state, job.problem) == (SyncJobState.WAITING, "")
    assert not job.leases.exists()
    assert factories.fresh(record).claimed_by.state == SyncBatchState.WAITING


@pytest.mark.django_db
def test_a_program_older_than_the_database_begins_no_job(marketo_settings):
    job = factories.job_in(SyncJobState.QUEUED)
    migrate_to_later_release()
    with pytest.raises(SchemaNewer, match="newer version of this program"):
        run_job(job)
    job.refresh_from_db()
    assert job.state == SyncJobState.QUEUED


@pytest.mark.django_db
def test_after_a_crash_the_batch_in_hand_is_unknown(marketo_settings):
    record = factories.opportunity()
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    claim = factories.claim_next(job, Kind.OPPORTUNITY)
    results.abandon_sending_batches(job, "The worker died.")
    claim.batch.refresh_from_db()
    record = factories.fresh(record)
    assert claim.batch.state == SyncBatchState.UNKNOWN
    assert (record.last_status, record.last_error, record.claimed_by) == ("UNKNOWN", "The worker died.", None)


@pytest.mark.django_db
def test_a_job_goes_on_after_the_database_was_away(sandbox, marketo_settings):
    factories.opportunity()
    job = factories.job_in(SyncJobState.QUEUED)

    def away(execute, sql, params, many, context):
        if "job__" not in sql and sql.startswith('SELECT "mobjects_syncbatch"') and not gone:
            gone.append(sql)
            raise OperationalError("the database system is shutting down")
        return execute(sql, params, many, context)

    gone = []
    with connection.execute_wrapper(away):
        _run_turn(job, queue_id="", beat=False)
    assert gone
    job.refresh_from_db()
    assert job.state == SyncJobState.WAITING
    assert factories.later(job).state == SyncJobState.SUCCEEDED


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_job_that_waits_is_never_called_before_its_time(queue, work, sandbox):
    factories.opportunity()
    sandbox.faults.add("soap", code="20023")
    moment = timezone.now().replace(microsecond=900_000)
    with time_machine.travel(moment, tick=False):
        job = request_sync(OPPORTUNITIES)
        work()
    job.refresh_from_db()
    later = queue.scheduled_job_registry
    (called,) = later.get_job_ids(cleanup=False)
    assert job.waits_until.microsecond
    assert queue.connection.zscore(later.key, called) >= job.waits_until.timestamp()


@pytest.mark.django_db
def test_ctrl_c_leaves_nobody_guessing_and_is_passed_on(sandbox, marketo_settings):
    factories.opportunity()
    job = create_sync_job(EVERYTHING)

    def interrupt(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "mobjects_syncbatch"'):
            raise KeyboardInterrupt
        return execute(sql, params, many, context)

    with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(interrupt):
        run_job(job)
    job.refresh_from_db()
    assert (job.state, job.leases.count()) == (SyncJobState.CRASHED, 0)


@pytest.mark.django_db(transaction=True)
def test_as_many_workers_are_queued_as_there_is_work_for_and_no_more(queue, marketo_settings, settings):
    settings.MARKETO = {**settings.MARKETO, "CALLS_AT_ONCE": 4}
    for _ in range(201):
        factories.opportunity()
    job = factories.job_in(SyncJobState.QUEUED)
    first, second = acquire_job(job), acquire_job(job)
    context = factories.context(job)
    first.delete()
    _enqueue_more_workers(job, SendTask(context), top_up=True)
    assert len(queue.job_ids) == 1
    second.delete()
    _enqueue_more_workers(job, SendTask(context), top_up=True)
    assert len(queue.job_ids) == 2


@pytest.mark.django_db(transaction=True)
def test_a_process_of_its_own_queues_no_workers(queue, marketo_settings):
    for _ in range(101):
        factories.opportunity()
    job = factories.job_in(SyncJobState.NOT_QUEUED)
    run_job(job)
    assert job.counts == {"CREATED": 101}
    assert queue.job_ids == []
