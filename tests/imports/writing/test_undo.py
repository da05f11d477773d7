"""What an undo takes back, what it leaves alone, and that it is told before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from mobjects.imports.writing import undo as undoing
from mobjects.imports.writing.undo_sql import KEPT_ID, REASONS
from mobjects.models import (
    CustomField,
    Import,
    ImportChange,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    SyncBatch,
    SyncJob,
    UndoOutcome,
)
from tests import factories
from tests.imports.rows import change, changed, checked, commit, new, raw

pytestmark = pytest.mark.django_db

SAVED_AT = ("modified_at", "revision")


def counts(restored: int = 0, removed: int = 0, left: int = 0) -> dict[str, int]:
    return {"restored": restored, "removed": removed, "left": left}


def undo(imported: Import) -> dict[str, int]:
    """Undo an import; its preview has to say the same before."""
    shown = undoing.preview_undo(imported)
    undoing.undo_import(imported, lambda number: None)
    assert imported.undone == counts(shown.restored, shown.removed, shown.left)
    return imported.undone


def reasons(imported: Import) -> dict[int, str]:
    """What the preview would leave alone, by row."""
    return {each.number: each.why for each in undoing.preview_undo(imported).list_records()}


def claimed(record: Program | Opportunity) -> None:
    job = SyncJob.objects.create(kind=record.KIND.value)
    batch = SyncBatch.objects.create(job=job, sequence=1, kind=record.KIND.value, operation="UPDATE")
    type(record).objects.filter(pk=record.pk).update(claimed_by=batch)


def test_a_changed_record_gets_back_what_it_held_of_every_type():
    CustomField.objects.bulk_create(CustomField(name=name) for name in ("A__c", "B__c"))
    old = {
        "name": "Größe",
        "stage": "",
        "amount": "1.50",
        "quantity": None,
        "probability": "5",
        "close_date": "2026-01-31",
        "is_won": "false",
        "is_closed": None,
        "external_created_date": "2026-01-01T10:00:00+00:00",
        "custom_attributes": {"A__c": "é", "B__c": "2"},
    }
    record = factories.opportunity(
        name="Größe",
        amount="1.50",
        probability=5,
        close_date="2026-01-31",
        is_won=False,
        external_created_date=datetime(2026, 1, 1, 10, tzinfo=UTC),
        custom_attributes=old["custom_attributes"],
    )
    before = raw(record, without=SAVED_AT)
    values = {
        "name": "X",
        "stage": "Won",
        "amount": None,
        "quantity": "1.0000",
        "probability": None,
        "close_date": None,
        "is_won": "true",
        "is_closed": "true",
        "external_created_date": None,
        "custom_attributes": {},
    }
    fields = {name: (old[name], value) for name, value in values.items()}
    imported = commit(checked("opportunities", changed(record, **fields)))
    assert raw(record, without=SAVED_AT) != before
    assert undo(imported) == counts(restored=1)
    assert raw(record, without=SAVED_AT) == before
    assert change(imported, 2).undone == UndoOutcome.RESTORED


def test_each_kind_is_restored():
    program, opportunity, other = factories.program(channel="Email"), factories.opportunity(), factories.opportunity()
    cost, tag, role = factories.cost(program), factories.tag(program), factories.role(opportunity)
    imports = [
        checked("programs", changed(program, channel=("Email", "Webinar"), name=("Webinar", "Other"))),
        checked("program-costs", changed(cost, amount=("2000.00", "1.00"), marketo_cost_id=(None, "77"))),
        checked("program-tags", changed(tag, value=("EMEA", "APAC"))),
        checked("opportunities", changed(opportunity, name=("Q1 2014", "Q2"))),
        checked("roles", changed(role, opportunity_id=(str(opportunity.pk), str(other.pk)))),
    ]
    before = [raw(record, without=SAVED_AT) for record in (program, cost, tag, opportunity, role)]
    for imported in imports:
        commit(imported)
    # The program's own import goes last: it was changed since, by its parts.
    for imported in reversed(imports[1:]):
        assert undo(imported) == counts(restored=1), imported.kind
    assert reasons(imports[0]) == {2: REASONS["changed"]}
    assert [raw(record, without=SAVED_AT) for record in (cost, tag, opportunity, role)] == before[1:]


def test_each_kind_is_removed():
    program, opportunity = factories.program(), factories.opportunity()
    link = str(program.pk)
    imports = [
        checked("programs", new(marketo_id="2001", name="New")),
        checked(
            "program-costs",
            new(program_id=link, month="2026-06-01", amount="1", marketo_cost_id="4"),
            new(program_id=link, month="2026-06-01", amount="2"),
        ),
        checked("program-tags", new(program_id=link, type="Region", value="EMEA")),
        checked("opportunities", new(external_id="N", name="New"), new(marketo_id="64", name="From Marketo")),
        checked("roles", new(opportunity_id=str(opportunity.pk), person_id="19", role="Buyer")),
    ]
    for imported in imports:
        commit(imported)
        assert undo(imported) == counts(removed=imported.rows), imported.kind
    assert list(Program.objects.all()) == [program]
    assert list(Opportunity.objects.all()) == [opportunity]
    for model in (ProgramCost, ProgramTag, OpportunityPersonRole):
        assert not model.objects.exists()


def test_records_that_were_edited_since_are_left_alone_and_named():
    records = [factories.opportunity(stage="A") for _ in range(3)]
    rows = [changed(record, stage=("A", "B")) for record in records]
    imported = commit(checked("opportunities", *rows, new(external_id="N", name="New")))
    records[1].refresh_from_db()
    records[1].next_step = "Call"
    records[1].save()
    Opportunity.objects.filter(external_id="N").update(name="Edited")
    shown = undoing.preview_undo(imported)
    named = [(each.number, each.label, each.owner_id, each.why) for each in shown.list_records()]
    new_pk = Opportunity.objects.get(external_id="N").pk
    assert named == [(3, "R3", records[1].pk, REASONS["changed"]), (5, "R5", new_pk, REASONS["changed"])]
    assert shown.list_records("left", 1, 1)[0].number == 5
    assert undo(imported) == counts(restored=2, left=2)
    assert [factories.fresh(record).stage for record in records] == ["A", "B", "A"]
    left = change(imported, 3)
    assert (left.undone, left.undone_note) == (UndoOutcome.LEFT, REASONS["changed"])


def test_a_change_of_what_is_no_content_is_seen_too():
    program = factories.program(type="A")
    imported = commit(checked("programs", changed(program, type=("A", "B"))))
    Program.objects.update(type="C")
    assert undo(imported) == counts(left=1)
    assert factories.fresh(program).type == "C"


def test_a_synced_record_is_restored_and_waits_to_be_synced_again():
    record = factories.opportunity(stage="A", marketo_id=64)
    imported = commit(checked("opportunities", changed(record, stage=("A", "B"))))
    Opportunity.objects.update(synced_revision=2, last_status="UPDATED", accepted={"Stage": "B"})
    assert undo(imported) == counts(restored=1)
    record.refresh_from_db()
    assert (record.stage, record.revision, record.is_dirty) == ("A", 3, True)
    assert record.accepted == {"Stage": "B"}


@pytest.mark.parametrize(
    "values",
    [
        {"marketo_id": 64},
        {"synced_revision": 1},
        {"last_status": "CREATED"},
        {"unknown_since": timezone.now()},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_is_in_marketo_by_now_is_not_removed(values: dict[str, object]):
    imported = commit(checked("opportunities", new(external_id="N", name="New")))
    Opportunity.objects.update(**values)
    assert reasons(imported) == {2: REASONS["marketo"]}
    assert undo(imported) == counts(left=1)
    assert Opportunity.objects.count() == 1


def test_what_is_being_sent_is_not_removed():
    imported = commit(checked("opportunities", new(external_id="N", name="New")))
    claimed(Opportunity.objects.get())
    assert undo(imported) == counts(left=1)


def test_what_got_roles_or_parts_since_is_not_removed():
    opportunities = commit(checked("opportunities", new(external_id="N", name="New")))
    programs = commit(checked("programs", new(marketo_id="2001", name="A"), new(marketo_id="2002", name="B")))
    factories.role(Opportunity.objects.get())
    factories.cost(Program.objects.get(name="A"))
    factories.tag(Program.objects.get(name="B"))
    assert reasons(opportunities) == {2: REASONS["parts"]}
    assert reasons(programs) == {2: REASONS["parts"], 3: REASONS["parts"]}
    assert undo(programs) == counts(left=2)


def test_what_is_gone_is_told():
    record = factories.opportunity(stage="A")
    imported = commit(checked("opportunities", changed(record, stage=("A", "B")), new(external_id="N", name="New")))
    Opportunity.objects.all().delete()
    assert reasons(imported) == {2: REASONS["gone"], 3: REASONS["gone"]}
    assert undo(imported) == counts(left=2)


def test_a_link_to_what_is_gone_is_not_restored():
    before, after = factories.opportunity(), factories.opportunity()
    role = factories.role(before)
    imported = commit(checked("roles", changed(role, opportunity_id=(str(before.pk), str(after.pk)))))
    before.delete()
    assert reasons(imported) == {2: REASONS["link"]}
    assert undo(imported) == counts(left=1)
    assert factories.fresh(role).opportunity == after


def test_a_marketo_id_is_taken_away_only_if_it_was_not_used():
    unused, used = factories.opportunity(), factories.opportunity()
    rows = [changed(unused, marketo_id=(None, "64")), changed(used, marketo_id=(None, "65"), stage=("", "Won"))]
    imported = commit(checked("opportunities", *rows))
    Opportunity.objects.filter(pk=used.pk).update(synced_revision=2, last_status="UPDATED")
    assert undo(imported) == counts(restored=2)
    assert factories.fresh(unused).marketo_id is None
    used.refresh_from_db()
    assert (used.marketo_id, used.stage) == (65, "")
    assert (change(imported, 2).undone_note, change(imported, 3).undone_note) == ("", KEPT_ID)


def test_a_cost_id_is_taken_away_only_if_it_was_not_used():
    program = factories.program()
    cost = factories.cost(program)
    first = commit(checked("program-costs", changed(cost, marketo_cost_id=(None, "7"))))
    assert undo(first) == counts(restored=1)
    second = commit(checked("program-costs", changed(cost, marketo_cost_id=(None, "7"), amount=("2000.00", "1.00"))))
    Program.objects.update(synced_revision=factories.fresh(program).revision)
    assert undo(second) == counts(restored=1)
    cost.refresh_from_db()
    assert (cost.marketo_cost_id, cost.amount) == (7, 2000)


def test_parts_are_judged_by_themselves_not_by_their_program():
    program = factories.program()
    cost, other = factories.cost(program), factories.cost(program, note="Other")
    link = str(program.pk)
    rows = [changed(cost, amount=("2000.00", "1.00")), changed(other, note=("Other", "New"))]
    imported = commit(checked("program-costs", *rows, new(program_id=link, month="2026-08-01", amount="5")))
    program.channel = "Email"
    program.save()
    ProgramCost.objects.filter(pk=other.pk).update(amount=3)
    assert reasons(imported) == {}  # What the import wrote is as it wrote it.
    ProgramCost.objects.filter(pk=other.pk).update(note="Edited")
    assert reasons(imported) == {3: REASONS["changed"]}
    assert undo(imported) == counts(restored=1, removed=1, left=1)
    assert set(program.costs.values_list("amount", "note")) == {(2000, ""), (3, "Edited")}


def test_parts_that_marketo_accepted_are_not_removed():
    program = factories.program()
    link = str(program.pk)
    costs = [new(program_id=link, month="2026-06-01", amount=str(number)) for number in range(2)]
    of_costs = commit(checked("program-costs", *costs))
    tags = [new(program_id=link, type=name, value="A") for name in ("Region", 'In "quotes", % and ?')]
    of_tags = commit(checked("program-tags", *tags))
    accepted = [change(of_costs, 3).record_id, change(of_tags, 3).record_id]
    cost, tag = ProgramCost.objects.get(pk=accepted[0]), ProgramTag.objects.get(pk=accepted[1])
    Program.objects.update(accepted={cost.content_key: cost.content_text, tag.content_key: tag.value})
    for imported in (of_costs, of_tags):
        assert reasons(imported) == {3: REASONS["marketo"]}
        assert undo(imported) == counts(removed=1, left=1)
    assert (list(program.costs.all()), list(program.tags.all())) == ([cost], [tag])


def test_parts_of_a_program_that_is_being_sent_are_not_removed():
    program = factories.program()
    imported = commit(checked("program-costs", new(program_id=str(program.pk), month="2026-06-01", amount="1")))
    claimed(program)
    assert undo(imported) == counts(left=1)


def test_a_key_that_was_taken_since_leaves_only_its_record_alone():
    program = factories.program()
    tags = [factories.tag(program, type=name) for name in ("Region", "Team", "Size")]
    rows = [changed(tag, type=(tag.type, f"New {tag.type}")) for tag in tags]
    imported = commit(checked("program-tags", *rows))
    factories.tag(program, type="TEAM")
    undoing.undo_import(imported, lambda number: None)
    assert imported.undone == counts(restored=2, left=1)
    assert change(imported, 3).undone_note == ("the database refused it: This program already has a tag of this type.")
    assert set(program.tags.values_list("type", flat=True)) == {"Region", "New Team", "Size", "TEAM"}


def test_a_key_that_wandered_from_record_to_record_wanders_back():
    program = factories.program()
    first, second = factories.tag(program, type="A"), factories.tag(program, type="B")
    rows = [changed(first, type=("A", "C")), changed(second, type=("B", "A")), new()]
    rows[2][2].update(program_id=str(program.pk), type="B", value="X")
    imported = commit(checked("program-tags", *rows))
    assert imported.written == {"created": 1, "changed": 2, "left": 0}
    undoing.undo_import(imported, lambda number: None)
    assert imported.undone == counts(restored=2, removed=1)
    assert list(program.tags.values_list("type", flat=True).order_by("pk")) == ["A", "B"]


# --- cut off and called again -----------------------------------------------------------------------------------


class CutOff(Exception):
    """Stands for whatever ends an undo."""


def test_an_undo_that_was_cut_off_goes_on():
    size = undoing.CHUNK + 10
    rows = [new(external_id=f"E-{number}", name="Q") for number in range(size)]
    imported = commit(checked("opportunities", *rows))
    seen: list[int] = []

    def alive(number: int) -> None:
        seen.append(number)
        if len(seen) == 2:
            raise CutOff

    with pytest.raises(CutOff):
        undoing.undo_import(imported, alive)
    imported.refresh_from_db()
    assert imported.undone == counts(removed=undoing.CHUNK)
    assert Opportunity.objects.count() == 10
    assert undoing.preview_undo(imported).removed == 10
    undoing.undo_import(imported, seen.append)
    assert imported.undone == counts(removed=size)
    assert not Opportunity.objects.exists()
    assert seen == [undoing.CHUNK, size, size, size]


def test_what_is_undone_is_saved_with_how_much_it_is():
    record = factories.opportunity(stage="A")
    imported = commit(checked("opportunities", changed(record, stage=("A", "B"))))

    def broken(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('UPDATE "mobjects_import" SET "undone"'):
            raise CutOff
        return execute(sql, params, many, context)

    with connection.execute_wrapper(broken), pytest.raises(CutOff):
        undo(imported)
    assert (factories.fresh(record).stage, change(imported, 2).undone) == ("B", UndoOutcome.NO)


def test_an_undo_that_is_done_does_nothing_when_called_again():
    record = factories.opportunity(stage="A")
    imported = commit(checked("opportunities", changed(record, stage=("A", "B"))))
    undo(imported)
    record.refresh_from_db()
    Opportunity.objects.update(stage="B")
    undoing.undo_import(imported, lambda number: None)
    assert imported.undone == counts(restored=1)
    assert factories.fresh(record).stage == "B"


def test_what_is_undone_is_not_counted_again():
    record = factories.opportunity(stage="A")
    imported = commit(checked("opportunities", changed(record, stage=("A", "B")), new(external_id="N", name="New")))
    undoing.undo_import(imported, lambda number: None)
    shown = undoing.preview_undo(imported)
    assert (shown.restored, shown.removed, shown.left) == (0, 0, 0)


def test_the_preview_writes_nothing():
    record = factories.opportunity(stage="A")
    imported = commit(checked("opportunities", changed(record, stage=("A", "B")), new(external_id="N", name="New")))
    before = list(Opportunity.objects.order_by("pk").values()), list(ImportChange.objects.order_by("pk").values())
    shown = undoing.preview_undo(imported)
    assert (shown.restored, shown.removed, shown.left) == (1, 1, 0)
    assert before == (
        list(Opportunity.objects.order_by("pk").values()),
        list(ImportChange.objects.order_by("pk").values()),
    )
