"""Two processes at one import: who lost the lease ends nothing, and nobody waits for who holds it."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.models import Q

from mobjects.imports import runner, service
from mobjects.imports.lifecycle import InvalidState
from mobjects.models import Import, ImportState, WorkerLease
from tests.imports.test_runner import in_state, reviewed, silence, silent, started
from tests.support.concurrent import Concurrently, postgresql


@pytest.mark.django_db
def test_a_process_that_lost_its_import_does_not_end_the_step_of_another():
    imported = reviewed()
    # All rows are dealt with: this process writes no chunk any more, in which it would find that it lost the lease.
    in_state(imported, state=ImportState.COMMITTING, mode="valid", committed_to=3, written={})
    lost = runner.acquire_import(imported.pk)
    lost.imported.leases.all().delete()
    holder = runner.acquire_import(imported.pk)
    assert not runner._do_step(lost, beat=False)
    imported.refresh_from_db()
    assert (imported.state, imported.leases.get()) == (ImportState.COMMITTING, holder)


@pytest.mark.django_db
def test_a_process_that_lost_its_import_does_not_give_up_the_step_of_another():
    imported = started()
    lost = runner.acquire_import(imported.pk)
    lost.imported.leases.all().delete()
    holder = runner.acquire_import(imported.pk)
    lost.imported.kind = "no such kind"
    assert not runner._do_step(lost, beat=False)
    imported.refresh_from_db()
    assert (imported.state, imported.leases.get(), imported.problem) == (ImportState.CHECKING, holder, "")


@pytest.mark.django_db
def test_a_process_that_is_not_dead_after_all_keeps_its_import():
    lease = runner.acquire_import(started().pk)
    assert not runner._expire_import(lease, Q(queue_id="of another"))
    assert WorkerLease.objects.get() == lease


@pytest.mark.django_db
def test_an_import_that_is_discarded_has_no_worker_any_more():
    imported = started()
    runner.acquire_import(imported.pk)
    service.discard_import(imported)
    assert not WorkerLease.objects.exists()


@postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_that_begin_an_import_at_the_same_moment_one_gets_it_and_nobody_waits():
    imported = started()
    with transaction.atomic():
        assert runner.acquire_import(imported.pk)
        other = Concurrently(lambda: runner.acquire_import(imported.pk))
        assert not other.waits
    assert other.result() is None


@postgresql
@pytest.mark.django_db(transaction=True)
def test_a_process_in_the_middle_of_a_chunk_is_not_taken_for_dead():
    imported = started()
    lease = runner.acquire_import(imported.pk)
    silence(lease)
    with transaction.atomic():
        runner.reporter(lease)(2)
        other = Concurrently(runner.sweep_imports)
        assert not other.waits
    other.result()
    assert WorkerLease.objects.get() == lease


@pytest.mark.django_db
def test_an_import_of_which_a_part_was_written_meanwhile_is_not_discarded():
    imported = reviewed()

    def write_meanwhile(execute, sql, params, many, context):
        # A commit that broke off: the state is the same again, and yet rows are written.
        if sql.startswith("UPDATE") and not imported.committed_to:
            imported.committed_to = 2
            Import.objects.update(committed_to=2)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(write_meanwhile), pytest.raises(InvalidState):
        service.discard_import(imported)
    imported.refresh_from_db()
    assert imported.state == ImportState.REVIEW


@pytest.mark.django_db
def test_an_import_that_is_worked_on_is_not_queued_however_long_ago_it_was_asked_for(queue):
    imported = in_state(started(), step_at=silent())
    runner.acquire_import(imported.pk)
    runner.sweep_imports()
    assert queue.job_ids == []
