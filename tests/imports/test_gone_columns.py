"""A custom field that is deleted between the check of a file, its writing and its undo."""

from __future__ import annotations

import pytest

from mobjects.imports import runner, service
from mobjects.imports.writing import undo
from mobjects.models import CustomField, Import, ImportMode, ImportState, Opportunity, UndoOutcome
from tests import factories
from tests.imports.running import as_csv, checked, done, undone, written

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


def test_an_undo_brings_no_value_of_it_back_and_says_so_before_and_after():
    field = CustomField.objects.create(name="Words")
    factories.opportunity(external_id="E-1", stage="Open", custom_attributes={"Words": "hello"})
    factories.opportunity(external_id="E-2", stage="Open")
    file = as_csv([{"External ID": f"E-{number}", "Stage": "Won", "Words": ""} for number in (1, 2)])
    imported = checked(file)
    service.set_columns(imported, imported.mapping, {}, blank_clears=["Words"])
    service.request_check(imported, enqueue=False)
    written(done(imported, ImportState.REVIEW))
    assert not Opportunity.objects.filter(custom_attributes__has_key="Words").exists()
    field.delete()
    why = "held a value of a custom field that was deleted since"
    preview = undo.preview_undo(imported)
    assert (preview.restored, [(row.number, row.why) for row in preview.list_records()]) == (1, [(2, why)])
    undone(imported)
    assert list(imported.changes.values_list("number", "undone", "undone_note")) == [
        (2, UndoOutcome.LEFT, why),
        (3, UndoOutcome.RESTORED, ""),
    ]
    kept = Opportunity.objects.order_by("external_id").values_list("stage", "custom_attributes")
    assert list(kept) == [("Won", {}), ("Open", {})]


def test_an_undo_takes_a_record_back_that_holds_a_value_of_a_field_that_is_not_defined():
    CustomField.objects.create(name="Words")
    record = factories.opportunity(external_id="E-1", stage="Open", custom_attributes={"Old": "x"})
    imported = written(checked(as_csv([{"External ID": "E-1", "Stage": "Won", "Words": "hello"}])))
    undone(imported)
    assert imported.undone["restored"] == 1
    record.refresh_from_db()
    assert (record.stage, record.custom_attributes) == ("Open", {"Old": "x"})
