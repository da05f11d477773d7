"""A custom field that is deleted between the check of a file and its writing."""

from __future__ import annotations

import pytest

from mobjects.imports import runner, service
from mobjects.models import CustomField, Import, ImportMode, ImportState, Opportunity
from tests.imports.running import as_csv, checked, done, undone

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("mode", ImportMode)
def test_nothing_is_written_of_a_field_that_is_gone(mode):
    field = CustomField.objects.create(name="Words")
    imported = checked(as_csv([{"External ID": "E-1", "Words": "hello", "Name": "Deal"}]))
    field.delete()
    service.request_commit(imported, mode, overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    imported.refresh_from_db()
    assert imported.state == ImportState.MAPPING
    assert "There is no column “Words” here any more; say what the columns mean" in imported.problem
    assert not Opportunity.objects.exists()
    service.set_columns(imported, ["External ID", "", "Name"], {})
    service.request_check(imported, enqueue=False)
    runner.run_import(imported)
    service.request_commit(imported, mode, overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    record = Opportunity.objects.get()
    assert (record.name, record.custom_attributes) == ("Deal", {})


def broken_off():
    """An import of two rows with a value of Words, broken off when the first one was written; and the field."""
    field = CustomField.objects.create(name="Words")
    imported = checked(as_csv([{"External ID": f"E-{n}", "Name": "Deal", "Words": "hello"} for n in (1, 2)]))
    lost = imported.found.filter(number=3).values().get()
    imported.found.filter(number=3).delete()
    service.request_commit(imported, ImportMode.VALID, overwrite=False, user=None, enqueue=False)
    done(imported, ImportState.COMMITTED)
    imported.found.create(**lost)
    Import.objects.update(state=ImportState.REVIEW, committed_at=None)
    # Its holder gave the value up, so that the field could be deleted.
    Opportunity.objects.update(custom_attributes={})
    return imported, field


def go_on(imported, state):
    service.request_commit(imported, ImportMode.VALID, overwrite=False, user=None, enqueue=False)
    return done(imported, state)


def test_the_rest_of_a_commit_that_was_broken_off_writes_nothing_of_it_either():
    imported, field = broken_off()
    field.delete()
    go_on(imported, ImportState.REVIEW)
    assert imported.problem == (
        "There is no column “Words” here any more, and the file is written up to row 2. Undo the import, or add the "
        "custom field again and write the rest."
    )
    assert list(Opportunity.objects.values_list("external_id", "custom_attributes")) == [("E-1", {})]
    undone(imported)


def test_the_rest_is_written_once_the_field_is_there_again():
    imported, field = broken_off()
    field.delete()
    go_on(imported, ImportState.REVIEW)
    CustomField.objects.create(name="Words")
    go_on(imported, ImportState.COMMITTED)
    assert Opportunity.objects.get(external_id="E-2").custom_attributes == {"Words": "hello"}
