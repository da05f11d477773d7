"""What a worker does with an import: one process at a time, signs of life, and a way on after every end."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from mobjects.imports import runner, service
from mobjects.jobs.lease import EXPIRY, MOST_EXPIRIES, LeaseLost
from mobjects.models import Import, ImportSource, ImportState, Opportunity, WorkerLease
from mobjects.processes import scheduler
from mobjects.processes.worker import SyncWorker
from tests.support.newer_schema import migrate_to_later_release

FILE = b"External ID,Name\nA,Alpha\nB,Beta\n"


def started(data=FILE, kind="opportunities", name="a.csv", **options):
    return service.start_import(
        kind,
        io.BytesIO(data),
        name,
        user=None,
        username="olga",
        source=ImportSource.ADMIN,
        **{"enqueue": False, **options},
    )


def reviewed(data=FILE):
    imported = started(data)
    runner.run_import(imported)
    assert imported.state == ImportState.REVIEW, imported.problem
    return imported


def written(imported):
    service.request_commit(imported, "valid", overwrite=False, user=None, username="emil", enqueue=False)
    runner.run_import(imported)
    assert imported.state == ImportState.COMMITTED, imported.problem
    return imported


def in_state(imported, **values):
    """The import as a process left it, seen from the database."""
    Import.objects.filter(pk=imported.pk).update(**values)
    imported.refresh_from_db()
    return imported


def silent():
    return timezone.now() - EXPIRY - timedelta(seconds=1)


def silence(lease):
    """Let a process not have been heard of for too long."""
    WorkerLease.objects.filter(pk=lease.pk).update(renewed_at=silent())


# --- steps ---


@pytest.mark.django_db
def test_each_step_leads_to_the_next_state():
    imported = reviewed()
    assert (imported.rows, imported.leases.count(), imported.problem) == (2, 0, "")
    assert imported.checked_at >= imported.begun_at >= imported.step_at
    service.request_commit(imported, "all", overwrite=False, user=None, username="emil", enqueue=False)
    assert imported.state == ImportState.COMMITTING
    runner.run_import(imported)
    assert (imported.state, imported.committed_by) == (ImportState.COMMITTED, "emil")
    assert imported.committed_at is not None
    assert Opportunity.objects.count() == 2
    service.request_undo(imported, None, username="ida", enqueue=False)
    runner.run_import(imported)
    assert (imported.state, imported.undone_by) == (ImportState.UNDONE, "ida")
    assert imported.undone_at is not None
    assert not Opportunity.objects.exists()


@pytest.mark.django_db
def test_a_file_that_turns_out_unreadable_is_refused_with_its_reason():
    imported = started()
    imported.parts.update(data=b"External ID,Name\nA,\xff\n")
    runner.run_import(imported)
    assert imported.state == ImportState.REFUSED
    assert "is not utf-8" in imported.problem.lower()
    assert not imported.leases.exists()


@pytest.mark.django_db
def test_all_or_nothing_that_came_to_nothing_waits_for_review_again():
    imported = reviewed()
    Opportunity.objects.create(external_id="B", name="came meanwhile")
    service.request_commit(imported, "all", overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    assert imported.state == ImportState.REVIEW
    assert "Nothing was written" in imported.problem
    assert Opportunity.objects.count() == 1
    service.request_commit(imported, "valid", overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    assert (imported.state, imported.problem) == (ImportState.COMMITTED, "")
    assert Opportunity.objects.count() == 2


@pytest.mark.django_db
def test_what_breaks_on_a_database_newer_than_the_program_is_begun_again(caplog):
    imported = in_state(reviewed(), kind="no such kind", state=ImportState.COMMITTING)
    migrate_to_later_release()
    lease = runner.acquire_import(imported.pk)
    assert lease is not None
    assert runner._do_step(lease, beat=False) is True
    imported.refresh_from_db()
    assert (imported.state, imported.problem) == (ImportState.COMMITTING, "")
    assert "newer than this program" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "state", "words"),
    [
        ({"state": "checking"}, ImportState.MAPPING, "nothing of the step in progress was kept. Try again."),
        (
            {"state": "committing", "mode": "valid"},
            ImportState.REVIEW,
            "nothing of the step in progress was kept. Try again.",
        ),
        (
            {"state": "committing", "committed_to": 2},
            ImportState.REVIEW,
            "written up to row 2. Write again to go on from there",
        ),
        ({"state": "undoing", "committed_to": 3}, ImportState.REVIEW, "Undo again to go on."),
        (
            {"state": "undoing", "committed_at": timezone.now(), "committed_to": 3},
            ImportState.COMMITTED,
            "Undo again to go on.",
        ),
    ],
)
def test_a_fault_of_ours_is_told_by_reference_and_the_step_can_be_asked_for_again(values, state, words, caplog):
    imported = written(reviewed())
    in_state(imported, **{"kind": "no such kind", "committed_at": None, "committed_to": 0, **values})
    runner.run_import(imported)
    assert imported.state == state
    assert imported.problem.startswith("Something went wrong on our side (reference ")
    assert words in imported.problem
    assert not imported.leases.exists()
    reference = imported.problem.partition("reference ")[2][:8]
    (record,) = [record for record in caplog.records if reference in record.getMessage()]
    assert record.exc_info


@pytest.mark.django_db
def test_a_commit_that_broke_goes_on_where_it_was():
    imported = reviewed()
    # A fault after row 2 was written.
    in_state(imported, committed_to=2, written={"created": 1}, mode="valid", overwrite=True, committed_by="emil")
    service.request_commit(imported, "all", overwrite=False, user=None, username="ida", enqueue=False)
    assert (imported.mode, imported.overwrite, imported.committed_by) == ("valid", True, "ida")
    runner.run_import(imported)
    assert imported.state == ImportState.COMMITTED
    assert list(Opportunity.objects.values_list("external_id", flat=True)) == ["B"]
    assert imported.written["created"] == 2


# --- one process at a time ---


@pytest.mark.django_db
def test_an_import_is_claimed_once():
    imported = started()
    first = runner.acquire_import(imported.pk, "queue-id")
    assert first.queue_id == "queue-id"
    assert runner.acquire_import(imported.pk) is None
    runner.run_queued_import(imported.pk)
    imported.refresh_from_db()
    assert imported.state == ImportState.CHECKING


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in ImportState if state not in Import.WORKING_STATES])
def test_what_waits_for_a_person_is_not_claimed(state):
    imported = in_state(started(), state=state)
    runner.run_queued_import(imported.pk)
    imported.refresh_from_db()
    assert imported.state == state


@pytest.mark.django_db
def test_what_is_gone_is_no_error():
    runner.run_queued_import(2**31)


@pytest.mark.django_db
def test_signs_of_life_say_how_far_the_check_is_and_end_with_the_lease():
    imported = started()
    lease = runner.acquire_import(imported.pk)
    silence(lease)
    alive = runner.reporter(lease)
    alive(2000)
    lease.refresh_from_db()
    assert lease.renewed_at > silent()
    service.discard_import(imported)
    assert imported.rows == 2000
    with pytest.raises(LeaseLost):
        alive(4000)
    imported.refresh_from_db()
    assert (imported.state, imported.rows) == (ImportState.DISCARDED, 2000)


@pytest.mark.django_db
def test_a_check_that_was_given_up_stops_and_leaves_it_alone():
    imported = started()

    def discard(execute, sql, params, many, context):
        # The moment at which the check begins to read what it has to know.
        if "customfield" in sql and imported.leases.exists():
            service.discard_import(Import.objects.get(pk=imported.pk))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(discard):
        runner.run_import(imported)
    assert imported.state == ImportState.DISCARDED
    assert imported.problem == ""
    assert imported.checked_at is None


# --- a database that comes and goes ---


class Deadlocks:
    """Has a number of statements of the check fail as a deadlock or a lost connection does."""

    def __init__(self, times):
        self.times = times

    def __call__(self, execute, sql, params, many, context):
        if self.times and "mobjects_customfield" in sql:
            self.times -= 1
            raise OperationalError("deadlock detected")
        return execute(sql, params, many, context)


@pytest.mark.django_db
def test_a_step_that_lost_the_database_is_done_again():
    imported = started()
    with connection.execute_wrapper(Deadlocks(1)):
        runner.run_import(imported)
    assert (imported.state, imported.rows, imported.expired_leases) == (ImportState.REVIEW, 2, 0)


@pytest.mark.django_db
def test_a_step_that_always_loses_the_database_is_given_up():
    imported = started()
    wrapper = Deadlocks(100)
    with connection.execute_wrapper(wrapper):
        runner.run_import(imported)
    assert wrapper.times == 100 - MOST_EXPIRIES
    assert imported.state == ImportState.MAPPING
    assert imported.problem.startswith("The work was cut off 5 times in a row")


# --- the queue ---


@pytest.mark.django_db(transaction=True)
def test_steps_are_done_by_a_real_worker(queue, request):
    run_worker = request.getfixturevalue("work")  # Its name is that of our module.
    imported = started(enqueue=True)
    assert [name.startswith(f"import-{imported.pk}-") for name in queue.job_ids] == [True]
    run_worker()
    imported.refresh_from_db()
    assert imported.state == ImportState.REVIEW
    service.request_commit(imported, "all", overwrite=False, user=None)
    run_worker()
    imported.refresh_from_db()
    assert imported.state == ImportState.COMMITTED
    assert queue.failed_job_registry.count == 0


@pytest.mark.django_db(transaction=True)
def test_an_import_asked_for_while_redis_is_away_is_called_when_it_is_back(queue, settings):
    reachable = settings.RQ_QUEUES
    settings.RQ_QUEUES = {"sync": {**reachable["sync"], "URL": "redis://127.0.0.1:9/0"}}
    imported = started(enqueue=True)
    assert imported.state == ImportState.CHECKING
    in_state(imported, step_at=silent())
    runner.sweep_imports()
    settings.RQ_QUEUES = reachable
    assert queue.job_ids == []
    runner.sweep_imports()
    runner.sweep_imports()
    assert len(queue.job_ids) == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_asked_for_a_moment_ago_is_not_called_twice(queue):
    started(enqueue=False)
    runner.sweep_imports()
    assert queue.job_ids == []


@pytest.mark.django_db(transaction=True)
def test_a_silent_process_loses_its_import_and_another_is_called(queue):
    imported = started()
    lease = runner.acquire_import(imported.pk, "old")
    alive = runner.reporter(lease)
    runner.sweep_imports()
    assert queue.job_ids == []
    silence(lease)
    runner.sweep_imports()
    imported.refresh_from_db()
    assert (imported.leases.count(), imported.expired_leases) == (0, 1)
    assert len(queue.job_ids) == 1
    with pytest.raises(LeaseLost):
        alive(1)


@pytest.mark.django_db(transaction=True)
def test_the_scheduler_finds_lost_imports(queue):
    silence(runner.acquire_import(started().pk))
    scheduler.tick()
    # The first tick of a site also asks for a purge.
    assert len([each for each in queue.job_ids if each.startswith("import-")]) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_process_was_killed_says_so_at_once(queue):
    lease = runner.acquire_import(started().pk, "import-x")
    worker = SyncWorker([queue], connection=queue.connection)
    job = queue.enqueue(runner.run_queued_import, lease.imported_id, job_id="import-x")
    queue.remove(job)
    worker.handle_work_horse_killed(job, 1, 9, None)
    assert not WorkerLease.objects.exists()
    assert len(queue.job_ids) == 1


@pytest.mark.django_db(transaction=True)
def test_an_import_that_kills_its_workers_is_given_up(queue):
    imported = started()
    for number in range(MOST_EXPIRIES):
        runner.acquire_import(imported.pk, f"import-{number}")
        runner.expire_imports(Q(queue_id=f"import-{number}"))
    imported.refresh_from_db()
    assert imported.state == ImportState.MAPPING
    assert "cut off 5 times in a row" in imported.problem
    assert len(queue.job_ids) == MOST_EXPIRIES - 1


@pytest.mark.django_db
def test_a_chunk_that_was_written_starts_the_count_of_deaths_anew():
    imported = reviewed()
    service.request_commit(imported, "valid", overwrite=False, user=None, enqueue=False)
    lease = runner.acquire_import(imported.pk)
    in_state(imported, expired_leases=4)
    runner.reporter(lease)(2)
    imported.refresh_from_db()
    assert imported.expired_leases == 0


@pytest.mark.django_db
def test_a_worker_that_died_of_something_else_changes_no_import():
    imported = started()
    lease = runner.acquire_import(imported.pk, "mine")
    runner.expire_imports(Q(queue_id="other"))
    imported.refresh_from_db()
    assert (imported.leases.get(), imported.expired_leases) == (lease, 0)
