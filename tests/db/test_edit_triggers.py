"""Every change of a record leaves its values, whichever path it took; who it was is said by the code around it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from mobjects.db.edit_context import edit
from mobjects.marketo.types import Kind
from mobjects.models import (
    EditContext,
    EditSource,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    RecordEdit,
)
from mobjects.sync.content.loading import load_records
from mobjects.timeline.restoring import current_texts
from tests import factories

pytestmark = pytest.mark.django_db


def changes_since(pk: int) -> list[tuple[str, list[list[str]]]]:
    """Source and values of what was kept behind an id, oldest first."""
    return [(row.source, row.changes) for row in RecordEdit.objects.filter(pk__gt=pk).order_by("pk")]


def newest() -> int:
    return RecordEdit.objects.latest("pk").pk


AMOUNT = ["Amount", "5.00", "6.00"]
FULL = {
    "description": "a\n“b” 'c' \"d\" \\",
    "amount": Decimal("9999999999999.99"),
    "quantity": Decimal("0.1250"),
    "probability": 7,
    "close_date": date(2026, 1, 31),
    "is_closed": True,
    "is_won": False,
    "external_created_date": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    "company_key": "C-1",
    "custom_attributes": {"Budget": "7", "Ä x": "é"},
    "marketo_id": 64,
    "marketo_guid": "dff23271-f996-47d7-984f-f2676861b5fa",
}


def test_a_new_record_is_kept_with_the_texts_that_python_has_for_it_and_so_is_its_end():
    opportunity = factories.opportunity(**FULL)
    role = factories.role(opportunity, is_primary=True)
    program = factories.program(workspace="Europe")
    factories.cost(program, note="Hall  1 ", marketo_cost_id=9)
    factories.tag(program)
    for kind, record in ((Kind.ROLE, role), (Kind.OPPORTUNITY, opportunity), (Kind.PROGRAM, program)):
        edits = RecordEdit.objects.filter(kind=kind.value, record_id=record.pk)
        kept = {name: (old, new) for row in edits for name, old, new in row.changes}
        texts = current_texts(load_records(kind, [record.pk])[0])
        assert kept == {name: ("", text) for name, text in texts.items()}
        assert len(texts) >= 4
        before = newest()
        record.delete()
        gone = {name: (old, new) for _, changes in changes_since(before) for name, old, new in changes}
        assert {name: gone.get(name) for name in texts} == {name: (text, "") for name, text in texts.items()}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda: Opportunity.objects.update(stage="Won", amount=F("amount") + 1), [["Stage", "New", "Won"], AMOUNT]),
        (lambda: Opportunity.objects.bulk_update([one(stage="Won")], ["stage"]), [["Stage", "New", "Won"]]),
        (lambda: one(amount=F("amount") + 1).save(update_fields=["amount"]), [AMOUNT]),
        # What an instance has in memory and does not save is not kept.
        (lambda: one(stage="Won", amount=6).save(update_fields=["amount"]), [AMOUNT]),
        (lambda: sql("UPDATE mobjects_opportunity SET stage = 'Won'"), [["Stage", "New", "Won"]]),
        (lambda: Opportunity.objects.update(custom_attributes={"B": "1"}), [["A", "1", ""], ["B", "", "1"]]),
        (lambda: one().save(), None),
        (lambda: Opportunity.objects.update(stage="New", amount="5.00", custom_attributes={"A": "1"}), None),
        # The engine's own columns are no content.
        (lambda: Opportunity.objects.update(synced_revision=1, last_status="CREATED", marketo_id=7), None),
    ],
    ids=["update", "bulk_update", "F()", "update_fields", "SQL", "custom", "save", "the same", "engine"],
)
def test_each_path_is_kept_once_and_what_changes_nothing_is_not(change, expected):
    factories.opportunity(stage="New", amount=Decimal(5), custom_attributes={"A": "1"})
    before = newest()
    change()
    found = [(source, sorted(changes)) for source, changes in changes_since(before)]
    assert found == ([("other", sorted(expected))] if expected else [])


def one(**values) -> Opportunity:
    record = Opportunity.objects.get()
    for name, value in values.items():
        setattr(record, name, value)
    return record


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_costs_and_tags_are_kept_with_their_programs_also_in_bulk_statements():
    one, two = factories.program(marketo_id=1001), factories.program(marketo_id=1002)
    costs = [factories.cost(one, note=str(number)) for number in range(3)]
    tag = factories.tag(one)
    before = newest()
    ProgramCost.objects.update(amount=F("amount") + 1)
    ProgramCost.objects.filter(pk=costs[0].pk).update(program=two)
    ProgramTag.objects.update(type="Zone")
    ProgramCost.objects.update(marketo_cost_id=F("id"))  # Learned from Marketo, by nobody.
    ProgramTag.objects.all().delete()
    kept = RecordEdit.objects.filter(pk__gt=before).order_by("pk").values_list("record_id", "changes")
    moved = costs[0].content_key
    assert list(kept) == [
        *((one.pk, [[c.content_key, f"2026-06 2000.00 {c.note}", f"2026-06 2001.00 {c.note}"]]) for c in costs),
        (one.pk, [[moved, "2026-06 2001.00 0", ""]]),
        (two.pk, [[moved, "", "2026-06 2001.00 0"]]),
        (one.pk, [[tag.content_key, "EMEA", ""]]),
        (one.pk, [["Tag Zone", "", "EMEA"]]),
        (one.pk, [["Tag Zone", "EMEA", ""]]),
    ]


def test_who_it_was_is_known_inside_of_an_edit_only_and_the_inner_one_counts():
    record = factories.opportunity()
    before = newest()
    with edit(EditSource.PULL, username="ann", reference=5):
        Opportunity.objects.update(stage="1", marketo_id=64)
        with edit(EditSource.DECISION, factories.user("olga")):
            Opportunity.objects.update(stage="2")
        Opportunity.objects.update(stage="3")
    Opportunity.objects.update(stage="4")
    rows = list(RecordEdit.objects.filter(pk__gt=before, record_id=record.pk).order_by("pk"))
    assert [(row.source, row.username, row.reference) for row in rows] == [
        ("pull", "ann", "5"),
        ("decision", "olga", ""),
        ("pull", "ann", "5"),
        ("other", "", ""),
    ]
    assert rows[0].saving == rows[2].saving != rows[1].saving
    assert rows[0].changes == [["Stage", "", "1"], ["Marketo ID", "", "64"]]
    assert rows[3].saving is None
    assert not EditContext.objects.exists()


def test_what_is_rolled_back_is_forgotten_with_who_did_it():
    factories.opportunity()
    before = newest()
    with transaction.atomic():
        with pytest.raises(IntegrityError), edit(EditSource.FORM, username="ann"):
            Opportunity.objects.update(name="")
        Opportunity.objects.update(stage="kept")
    assert changes_since(before) == [("other", [["Stage", "", "kept"]])]


def test_what_writes_its_values_down_itself_leaves_them_to_that():
    before = factories.opportunity() and newest()
    with edit(EditSource.IMPORT, reference=1):
        Opportunity.objects.update(stage="Won")
        factories.program()
    assert not changes_since(before)
    assert Program.objects.exists()
    assert not OpportunityPersonRole.objects.exists()


def test_custom_attributes_that_are_none_do_not_make_the_statement_fail():
    record = factories.opportunity(custom_attributes={"Budget": "7"})
    before, rows = newest(), Opportunity.objects.filter(pk=record.pk)
    for custom in (["not", "a", "mapping"], {"Budget": "8"}):
        rows.update(custom_attributes=custom)
    assert changes_since(before) == [("other", [["Budget", "7", ""]]), ("other", [["Budget", "", "8"]])]
