"""An import is undone after people and Marketo went on with its records."""

from __future__ import annotations

import pytest

from mobjects.imports.writing import undo
from mobjects.models import Opportunity, RecordStatus, UndoOutcome
from tests import factories
from tests.admin.test_records import save
from tests.imports.running import as_csv, checked, undone, written

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings", "groups")]

ROWS = 100


@pytest.fixture
def operator(client):
    client.force_login(factories.user("olga", group="operator"))
    return client


def file_of(count: int, **values: object) -> bytes:
    return as_csv([{"External ID": f"E-{number:03}", **values} for number in range(count)])


def stages() -> dict[str | None, str]:
    return dict(Opportunity.objects.values_list("external_id", "stage"))


def test_three_edited_and_ten_synced(operator, sandbox):
    Opportunity.objects.bulk_create(
        Opportunity(external_id=f"E-{number:03}", name=f"Deal {number}", stage="Before", amount=number)
        for number in range(ROWS)
    )
    imported = written(checked(file_of(ROWS, Stage="Imported", Amount="7.50", Name="One name")))
    assert imported.written["changed"] == ROWS
    records = list(Opportunity.objects.order_by("external_id"))
    edited, synced = records[:3], records[3:13]
    for record in edited:
        assert save(operator, record, stage="Edited").status_code == 302
    assert factories.sync(*synced).counts == {"CREATED": 10}
    assert not any(factories.fresh(record).is_dirty for record in synced)

    preview = undo.preview_undo(imported)
    assert (preview.restored, preview.removed, preview.left) == (97, 0, 3)
    undone(imported)

    assert {name: imported.undone.get(name, 0) for name in ("restored", "removed", "left")} == {
        "restored": 97,
        "removed": 0,
        "left": 3,
    }
    left = {record.external_id for record in edited}
    expected = {record.external_id: "Edited" if record.external_id in left else "Before" for record in records}
    assert stages() == expected
    first, restored = factories.fresh(edited[0]), factories.fresh(records[50])
    assert (first.name, str(first.amount)) == ("One name", "7.50")
    assert (restored.name, str(restored.amount)) == ("Deal 50", "50.00")
    for record in map(factories.fresh, synced):
        assert record.is_dirty
        assert (record.last_status, record.marketo_id is None) == (RecordStatus.CREATED, False)
    listed = imported.changes.filter(undone=UndoOutcome.LEFT)
    assert {change.record_id for change in listed} == {record.pk for record in edited}
    assert all(change.undone_note for change in listed)
    # Marketo gets back what it had, and nothing else.
    assert factories.sync(*synced).counts == {"UPDATED": 10}
    assert {factories.fresh(record).accepted["Stage"] for record in synced} == {"Before"}


def test_created_ones_of_which_some_are_in_marketo_since(operator, sandbox):
    imported = written(checked(file_of(ROWS, Name="New deal", Stage="Imported")))
    assert imported.written["created"] == ROWS
    records = list(Opportunity.objects.order_by("external_id"))
    synced, edited, gone = records[:10], records[10:13], records[13]
    factories.sync(*synced)
    for record in edited:
        assert save(operator, record, stage="Edited").status_code == 302
    gone.delete()

    preview = undo.preview_undo(imported)
    assert (preview.restored, preview.left) == (0, 13 + 1)
    assert preview.removed == ROWS - 14
    undone(imported)

    assert imported.undone["removed"] == ROWS - 14
    assert imported.undone["left"] == 14
    kept = {record.external_id for record in (*synced, *edited)}
    assert set(stages()) == kept
    notes = set(imported.changes.filter(undone=UndoOutcome.LEFT).values_list("undone_note", flat=True))
    assert len(notes) == 3
