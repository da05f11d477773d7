"""Every way in which an import ends or waits for a person is told once."""

from __future__ import annotations

import io

import pytest
from django.db.models import Q

from mobjects.imports import runner, service
from mobjects.imports.lifecycle import IMPORT_CHANGES, IMPORT_STATES, import_came_to_rest
from mobjects.jobs.lease import MOST_EXPIRIES
from mobjects.models import CustomField, Import, ImportSource, ImportState, Opportunity
from tests.support.came_to_rest import heard

pytestmark = pytest.mark.django_db

FILE = b"External ID,Name\nA,Alpha\nB,Beta\n"


def started(data=FILE):
    source = ImportSource.ADMIN
    return service.start_import(
        "opportunities", io.BytesIO(data), "a.csv", user=None, username="", source=source, enqueue=False
    )


@pytest.fixture
def rests():
    with heard(import_came_to_rest) as changes:
        yield changes


def reviewed():
    imported = started()
    runner.run_import(imported)
    return imported


def written(mode="valid"):
    imported = reviewed()
    service.request_commit(imported, mode, overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    return imported


def test_every_change_of_the_table_is_made_and_no_other():
    imported = started()
    for old in ImportState:
        for new in ImportState:
            Import.objects.update(state=old)
            assert IMPORT_STATES.change(imported, new) == (new in IMPORT_CHANGES.get(old, ())), (old, new)


def test_a_checked_a_written_and_an_undone_import_are_told_once_each(rests):
    imported = written()
    service.request_undo(imported, None, enqueue=False)
    runner.run_import(imported)
    assert rests == [("checking", "review"), ("committing", "committed"), ("undoing", "undone")]


def test_a_file_that_is_refused_at_once_is_told(rests):
    started(b"\0")
    assert rests == [("mapping", "refused")]


def test_a_file_that_turns_out_unreadable_is_told(rests):
    imported = started()
    imported.parts.update(data=b"External ID,Name\nA,\xff\n")
    runner.run_import(imported)
    assert rests == [("checking", "refused")]


def test_an_import_that_asks_for_its_columns_again_is_told(rests):
    CustomField.objects.create(kind="Opportunity", name="Region")
    imported = started(b"External ID,Name,Region\nA,Alpha,1\n")
    CustomField.objects.all().delete()
    runner.run_import(imported)
    assert rests == [("checking", "mapping")]


def test_all_or_nothing_that_came_to_nothing_is_told(rests):
    imported = reviewed()
    Opportunity.objects.create(external_id="B", name="came meanwhile")
    service.request_commit(imported, "all", overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    assert rests[1:] == [("committing", "review")]


def test_a_fault_of_ours_is_told(rests):
    imported = started()
    Import.objects.update(kind="no such kind")
    runner.run_import(imported)
    assert rests == [("checking", "mapping")]


def test_an_import_that_kills_its_workers_is_told_once_it_is_given_up(rests):
    imported = started()
    for number in range(MOST_EXPIRIES):
        runner.acquire_import(imported.pk, f"import-{number}")
        runner.expire_imports(Q(queue_id=f"import-{number}"))
    assert rests == [("checking", "mapping")]


def test_a_discarded_import_is_told(rests):
    service.discard_import(reviewed())
    assert rests[1:] == [("review", "discarded")]


def test_a_correction_that_leaves_it_waiting_for_review_is_not_told(rests):
    service.correct_import(reviewed(), [service.Correction("Name", "Alpha", "Omega")])
    assert rests == [("checking", "review")]
