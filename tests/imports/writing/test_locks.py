"""Records are held while an import writes or undoes them: who changes them meanwhile waits; there is no deadlock."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from mobjects.imports.writing import undo as undoing
from mobjects.imports.writing.commit import commit_import as committing
from mobjects.models import Import, Opportunity, Program, ProgramCost
from tests import factories
from tests.imports.rows import changed, checked, commit, new
from tests.support.concurrent import Concurrently, concurrently
from tests.views import pages

pytestmark = pytest.mark.django_db(transaction=True)

ONE_WRITER = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer, who locks all")


def undo(imported: Import) -> None:
    undoing.undo_import(imported, lambda number: None)


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def in_order_of_ids(records: QuerySet[Opportunity] | QuerySet[ProgramCost], step: Callable[[], None]) -> int:
    """Do a step while somebody locks the first of some records and then, once the step waits, all others.

    Returns:
        How many of them could be locked: all, unless each of the two waited for the other.
    """
    begun = threading.Event()

    def lock() -> int:
        with transaction.atomic():
            first, *others = records.order_by("pk").values_list("pk", flat=True)
            locked = len(records.select_for_update().filter(pk=first))
            begun.set()
            while not somebody_waits():
                pass
            return locked + len(records.select_for_update().filter(pk__in=others))

    other = Concurrently(lock)
    assert begun.wait(10)
    step()
    return int(other.result())


@ONE_WRITER
def test_a_commit_locks_in_the_order_of_ids_whatever_the_order_of_the_file(caplog):
    records = [factories.opportunity(stage="A") for _ in range(3)]
    imported = checked("opportunities", *(changed(record, stage=("A", "B")) for record in reversed(records)))
    assert in_order_of_ids(Opportunity.objects.all(), lambda: commit(imported) and None) == 3
    assert "Saving is tried again" not in caplog.text


@ONE_WRITER
def test_an_undo_locks_in_the_order_of_ids_whatever_the_order_of_the_file(caplog):
    records = [factories.opportunity(stage="A") for _ in range(3)]
    imported = commit(checked("opportunities", *(changed(each, stage=("A", "B")) for each in reversed(records))))
    assert in_order_of_ids(Opportunity.objects.all(), lambda: undo(imported)) == 3
    assert "Saving is tried again" not in caplog.text


def test_of_two_imports_that_add_the_same_cost_at_once_one_does():
    data = {"program_id": str(factories.program().pk), "month": "2026-06-01", "amount": "2000.00", "note": ""}
    first, second = checked("program-costs", new(**data)), checked("program-costs", new(**data))
    with concurrently(lambda: commit(second), before='UPDATE "mobjects_import" SET "committed_to"'):
        commit(first)
    assert ProgramCost.objects.count() == 1


def test_an_edit_while_its_import_is_undone_is_not_lost():
    record = factories.opportunity(stage="A")
    imported = commit(checked("opportunities", changed(record, stage=("A", "B"))))
    with concurrently(lambda: Opportunity.objects.update(stage="C"), before='UPDATE "mobjects_opportunity"'):
        undo(imported)
    assert factories.fresh(record).stage == "C"


def test_a_program_cannot_be_taken_to_be_sent_while_its_new_parts_are_removed():
    program = factories.program()
    data = {"program_id": str(program.pk), "month": "2026-06-01", "amount": "2000.00", "note": ""}
    imported = commit(checked("program-costs", new(**data)))
    batch = pages.batch(pages.job())

    def claim() -> int:
        Program.objects.update(claimed_by=batch)
        return program.costs.count()

    with concurrently(claim, before='DELETE FROM "mobjects_programcost"') as sent:
        undo(imported)
    assert sent == [0]


def test_two_undos_of_one_import_at_once_undo_every_row_once():
    imported = commit(checked("opportunities", *(new(external_id=f"E-{n}", name="Q") for n in range(3))))
    other = Import.objects.get(pk=imported.pk)
    with concurrently(lambda: undo(other), before='DELETE FROM "mobjects_opportunity"'):
        undo(imported)
    other.refresh_from_db()
    assert other.undone == {"restored": 0, "removed": 3, "left": 0}


def test_two_commits_of_one_import_at_once_write_every_row_once():
    imported = checked("opportunities", new(external_id="E-1", name="Q"))
    other = Import.objects.get(pk=imported.pk)
    numbers: list[int] = []
    with concurrently(lambda: committing(other, numbers.append), before='UPDATE "mobjects_import" SET "committed_to"'):
        commit(imported)
    assert (Opportunity.objects.count(), numbers) == (1, [])
