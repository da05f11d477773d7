"""What changes while a check waits or goes on: the import is taken away, a column is deleted."""

from __future__ import annotations

import pytest

from mobjects.imports import runner, validation
from mobjects.imports.file_storage import open_import_file
from mobjects.jobs.lease import LeaseLost
from mobjects.models import CustomField, Import, ImportState
from tests.imports.helpers import made

FILE = "External ID,Name,Amount\nA,Alpha,1\nB,Beta,much\n"


def found(imported):
    return imported.found.count(), imported.found_problems.count(), imported.groups.count()


@pytest.mark.django_db
def test_a_process_that_was_taken_for_dead_leaves_what_the_next_one_found():
    imported = made("opportunities", FILE)
    zombie = runner.acquire_import(imported.pk)
    imported.leases.all().delete()
    runner.run_import(imported)
    assert (imported.state, found(imported)) == (ImportState.REVIEW, (2, 1, 1))
    ids = list(imported.groups.values_list("pk", flat=True))
    with open_import_file(imported) as file, pytest.raises(LeaseLost):
        validation.check_import(imported, file, runner.reporter(zombie))
    assert found(imported) == (2, 1, 1)
    assert list(imported.groups.values_list("pk", flat=True)) == ids


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("at", "kept"), [("clearing", (2, 1, 1)), ("the first chunk", (0, 0, 0)), ("the end", (2, 1, 0))]
)
def test_each_write_is_signed_for_in_its_own_transaction(at, kept):
    imported = made("opportunities", FILE)
    with open_import_file(imported) as file:
        validation.check_import(imported, file, lambda rows: None)
    calls = iter(["clearing", "the first chunk", "the end"])

    def alive(rows):
        if next(calls) == at:
            raise LeaseLost

    with open_import_file(imported) as file, pytest.raises(LeaseLost):
        validation.check_import(imported, file, alive)
    assert found(imported) == kept


@pytest.mark.django_db
@pytest.mark.parametrize("values", [{}, {"mapping": ["External ID", "Name", ""], "constants": {"Region": "EMEA"}}])
def test_a_custom_field_that_is_gone_by_then_is_asked_about(values):
    CustomField.objects.create(kind="Opportunity", name="Region")
    imported = made("opportunities", "External ID,Name,Region\nA,Alpha,1\n")
    Import.objects.filter(pk=imported.pk).update(**values)
    CustomField.objects.all().delete()
    runner.run_import(imported)
    assert imported.state == ImportState.MAPPING
    assert imported.problem == "There is no column “Region” here any more; say what the columns mean once more."
    assert imported.found.count() == 0
