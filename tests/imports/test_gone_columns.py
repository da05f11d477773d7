"""A custom field that is deleted between the check of a file and its writing."""

from __future__ import annotations

import pytest

from mobjects.imports import runner, service
from mobjects.models import CustomField, ImportMode, ImportState, Opportunity
from tests.imports.running import as_csv, checked

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("mode", ImportMode)
def test_nothing_is_written_of_a_field_that_is_gone(mode):
    field = CustomField.objects.create(name="Words")
    imported = checked(as_csv([{"External ID": "E-1", "Words": "hello", "Name": "Deal"}]))
    field.delete()
    service.request_commit(imported, mode, overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    imported.refresh_from_db()
    assert imported.state == ImportState.REVIEW
    assert "There is no column “Words” here any more" in imported.problem
    assert not Opportunity.objects.exists()
    service.set_columns(imported, ["External ID", "", "Name"], {})
    service.request_check(imported, enqueue=False)
    runner.run_import(imported)
    service.request_commit(imported, mode, overwrite=False, user=None, enqueue=False)
    runner.run_import(imported)
    record = Opportunity.objects.get()
    assert (record.name, record.custom_attributes) == ("Deal", {})
