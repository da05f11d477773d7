"""What changed between the check and the commit, and commits that were cut off."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from mobjects.imports.writing import commit as committing
from mobjects.imports.writing.commit import CHUNK, NothingWritten
from mobjects.models import (
    Import,
    ImportChange,
    ImportMode,
    ImportProblem,
    ImportRowOutcome,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
)
from tests import factories
from tests.imports.rows import changed, checked, commit, left, new

pytestmark = pytest.mark.django_db


class CutOff(Exception):
    """Stands for whatever ends a commit."""


def cut_off_after(calls: int):
    """A sign of life that is the last one after so many."""
    seen = []

    def alive(number: int) -> None:
        seen.append(number)
        if len(seen) > calls:
            raise CutOff

    return alive


def test_a_record_that_was_changed_since_is_left_as_it_is():
    here, other = factories.opportunity(stage="A"), factories.opportunity(stage="A")
    imported = checked("opportunities", *(changed(record, stage=("A", "B")) for record in (here, other)))
    here.stage = "C"
    here.save()
    commit(imported)
    assert [factories.fresh(record).stage for record in (here, other)] == ["C", "B"]
    assert imported.written == {"created": 0, "changed": 1, "left": 1}
    assert left(imported) == {2: committing.CHANGED_SINCE}
    assert [row.number for row in committing.unwritten_rows(imported)] == [2]


def test_a_change_of_another_field_is_kept_and_the_row_is_written():
    record = factories.opportunity(stage="A")
    imported = checked("opportunities", changed(record, stage=("A", "B")))
    record.next_step = "Call"
    record.save()
    commit(imported)
    record.refresh_from_db()
    assert (record.stage, record.next_step, record.revision) == ("B", "Call", 3)


@pytest.mark.parametrize("name", ["amount", "is_won", "close_date", "custom_attributes", "external_created_date"])
def test_any_type_of_value_tells_a_change(name: str):
    values = {
        "amount": ("1.00", "2.00", "3.00"),
        "is_won": ("true", None, "false"),
        "close_date": ("2026-01-01", "2026-01-02", "2026-01-03"),
        "custom_attributes": ({"A__c": "1"}, {"A__c": "2"}, {"A__c": "3"}),
        "external_created_date": ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01Z", "2026-01-03T00:00:00+00:00"),
    }
    old, since, wanted = values[name]
    typed = {"is_won": True}.get(name, old)
    record = factories.opportunity(**{name: typed})
    imported = checked("opportunities", changed(record, **{name: (old, wanted)}))
    Opportunity.objects.filter(pk=record.pk).update(**{name: since})
    assert commit(imported).written == {"created": 0, "changed": 0, "left": 1}


def test_a_record_that_was_deleted_since_is_told():
    record = factories.opportunity(stage="A")
    imported = checked("opportunities", changed(record, stage=("A", "B")))
    record.delete()
    commit(imported)
    assert left(imported) == {2: committing.GONE_SINCE}


@pytest.mark.parametrize("outcome", ["new", "changed"])
def test_a_record_whose_parent_was_deleted_since_is_told(outcome: str):
    gone, here = factories.opportunity(), factories.opportunity()
    role = factories.role(here)
    row = (
        new(opportunity_id=str(gone.pk), person_id="20", role="Buyer")
        if outcome == "new"
        else changed(role, opportunity_id=(str(here.pk), str(gone.pk)))
    )
    imported = checked("roles", row, new(opportunity_id=str(here.pk), person_id="21", role="Buyer"))
    gone.delete()
    commit(imported)
    assert left(imported) == {2: committing.LINK_GONE_SINCE.format("opportunity")}
    assert imported.written["created"] == 1
    assert set(OpportunityPersonRole.objects.values_list("opportunity", flat=True)) == {here.pk}


def test_parts_of_a_deleted_program_are_told():
    program = factories.program()
    link = str(program.pk)
    costs = checked("program-costs", new(program_id=link, month="2026-06-01", amount="1"))
    tags = checked("program-tags", new(program_id=link, type="Region", value="EMEA"))
    program.delete()
    for imported in (costs, tags):
        commit(imported)
        assert left(imported) == {2: committing.LINK_GONE_SINCE.format("program")}
    assert not ProgramCost.objects.exists()
    assert not ProgramTag.objects.exists()


def test_a_key_that_was_taken_since_leaves_only_its_row_out():
    program, opportunity = factories.program(), factories.opportunity()
    link = str(program.pk)
    role = {"opportunity_id": str(opportunity.pk), "role": "Buyer"}
    imports = [
        checked("opportunities", new(external_id="T", name="Mine"), new(external_id="F", name="Free")),
        checked("programs", new(marketo_id="2001", name="Mine"), new(marketo_id="2002", name="Free")),
        checked(
            "program-tags",
            new(program_id=link, type="region", value="Mine"),
            new(program_id=link, type="Team", value="Free"),
        ),
        checked("roles", new(**role, person_key="p"), new(**role, person_key="q")),
        checked(
            "program-costs",
            new(program_id=link, month="2026-06-01", amount="1", marketo_cost_id="5"),
            new(program_id=link, month="2026-06-01", amount="1", marketo_cost_id="6"),
        ),
    ]
    factories.opportunity(external_id="T", name="Theirs")
    factories.program(marketo_id=2001, name="Theirs")
    factories.tag(program, type="Region", value="Theirs")
    factories.role(opportunity, person_key="p", role="Buyer")
    factories.cost(program, marketo_cost_id=5)
    for imported in imports:
        commit(imported)
        assert imported.written == {"created": 1, "changed": 0, "left": 1}, imported.kind
        assert list(left(imported)) == [2], imported.kind
        assert "since the check" in left(imported)[2]
    assert Opportunity.objects.get(external_id="T").name == "Theirs"
    assert Program.objects.get(marketo_id=2001).name == "Theirs"


def test_a_change_to_a_key_that_was_taken_leaves_only_its_row_out():
    mine, other = factories.opportunity(), factories.opportunity()
    rows = [changed(mine, marketo_id=(None, "64")), changed(other, marketo_id=(None, "65"))]
    imported = checked("opportunities", *rows, new(external_id="N", name="New"))
    factories.opportunity(marketo_id=64)
    commit(imported)
    assert imported.written == {"created": 1, "changed": 1, "left": 1}
    assert left(imported) == {2: "another opportunity has this Marketo ID by now; it was not written."}
    assert factories.fresh(other).marketo_id == 65


def test_a_row_that_breaks_a_rule_of_the_database_leaves_only_itself_out():
    opportunity = factories.opportunity()
    role = {"opportunity_id": str(opportunity.pk), "role": "Buyer"}
    imported = commit(checked("roles", new(**role, person_key="p"), new(**role), new(**role, person_key="q")))
    assert imported.written == {"created": 2, "changed": 0, "left": 1}
    assert left(imported) == {3: "the database refused it: Give the person ID or the person key (exactly one of them)."}


def test_of_many_rows_that_break_rules_each_leaves_out_itself_only_and_says_which():
    """One by one from here, a chunk of them took 22 seconds and more on PostgreSQL."""
    opportunity, mine = factories.opportunity(), factories.opportunity()
    role = {"opportunity_id": str(opportunity.pk), "role": "Buyer"}
    rows = [new(**role, person_key=f"p{number}") if number % 5 == 0 else new(**role) for number in range(30)]
    imported = commit(checked("roles", *rows))
    assert imported.written == {"created": 6, "changed": 0, "left": 24}
    neither = "the database refused it: Give the person ID or the person key (exactly one of them)."
    assert left(imported) == {number: neither for number in range(2, 32) if (number - 2) % 5}
    assert ImportChange.objects.filter(imported=imported).count() == 6

    factories.opportunity(marketo_id=64)
    others = [factories.opportunity() for _ in range(3)]
    imported = checked("opportunities", *(changed(one, marketo_id=(None, "64")) for one in (mine, *others)))
    assert commit(imported).written == {"created": 0, "changed": 0, "left": 4}
    assert set(left(imported).values()) == {"another opportunity has this Marketo ID by now; it was not written."}


def test_what_is_written_one_by_one_is_noted_only_where_it_was_written():
    opportunity = factories.opportunity()
    role = {"opportunity_id": str(opportunity.pk), "role": "Buyer"}
    imported = checked("roles", new(**role), new(**role, person_id="19", person_key=""), new(**role), new(**role))
    theirs = factories.role(opportunity, person_id=19, role="Buyer")
    assert commit(imported).written == {"created": 0, "changed": 0, "left": 4}
    assert left(imported)[3].startswith("the same ")
    assert not ImportChange.objects.filter(imported=imported).exists()
    assert list(opportunity.roles.all()) == [theirs]


def test_a_marketo_id_that_a_sync_brought_since_is_kept():
    record = factories.opportunity()
    imported = checked("opportunities", changed(record, marketo_id=(None, "64")))
    Opportunity.objects.filter(pk=record.pk).update(marketo_id=99)
    assert commit(imported).written["left"] == 1
    assert factories.fresh(record).marketo_id == 99


def test_a_cost_that_came_in_meanwhile_is_not_added_twice():
    program = factories.program()
    data = {"program_id": str(program.pk), "month": "2026-06-01", "amount": "2000.00", "note": ""}
    first, second = checked("program-costs", new(**data), new(**data)), checked("program-costs", new(**data))
    commit(first)  # Two equal rows are two equal costs.
    assert program.costs.count() == 2
    commit(second)
    assert program.costs.count() == 2
    assert left(second) == {2: committing.CAME_SINCE.format("period cost")}


def test_an_equal_cost_that_the_check_knew_is_no_obstacle():
    program = factories.program()
    cost = factories.cost(program)
    data = {"program_id": str(program.pk), "month": "2026-06-01", "amount": "2000.00"}
    imported = checked("program-costs", (ImportRowOutcome.UNCHANGED, cost.pk, {}, {}), new(**data))
    assert commit(imported).written["created"] == 1


def test_equal_rows_are_as_many_costs_though_a_refused_row_between_them_has_them_written_apart():
    program = factories.program()
    data = {"program_id": str(program.pk), "month": "2026-06-01", "amount": "2000.00"}
    refused = {**data, "month": "2026-06-02"}
    imported = commit(checked("program-costs", new(**data), new(**refused), new(**data)))
    assert imported.written == {"created": 2, "changed": 0, "left": 1}


# --- all or nothing ---------------------------------------------------------------------------------------------


def test_all_or_nothing_writes_nothing_if_one_row_cannot_be():
    records = [factories.opportunity(stage="A") for _ in range(6)]
    rows = [changed(record, stage=("A", "B")) for record in records]
    imported = checked("opportunities", *rows, new(external_id="N", name="New"), mode=ImportMode.ALL)
    Opportunity.objects.filter(pk__in=[record.pk for record in records[:4]]).update(stage="C")
    with pytest.raises(NothingWritten) as told:
        commit(imported)
    assert str(told.value).startswith("Nothing was written, because not everything could be. row 2 (“R2”): was changed")
    assert "row 4 (“R4”)" in str(told.value)
    assert "row 5" not in str(told.value)
    assert str(told.value).endswith("And 1 more.")
    assert set(Opportunity.objects.values_list("stage", flat=True)) == {"C", "A"}
    imported.refresh_from_db()
    assert (imported.committed_to, imported.written) == (0, {})
    assert not ImportChange.objects.exists()
    assert not ImportProblem.objects.exists()


# --- cut off and called again -----------------------------------------------------------------------------------


def many(count: int) -> Import:
    return checked("opportunities", *(new(external_id=f"E-{number}", name="Q") for number in range(count)))


def test_a_commit_that_was_cut_off_goes_on_after_the_last_chunk():
    imported = many(2 * CHUNK + 10)
    with pytest.raises(CutOff):
        committing.commit_import(imported, cut_off_after(1))
    imported.refresh_from_db()
    assert imported.committed_to == CHUNK + 1
    assert imported.written == {"created": CHUNK, "changed": 0, "left": 0}
    assert Opportunity.objects.count() == CHUNK
    numbers = []
    committing.commit_import(imported, numbers.append)
    assert numbers == [2 * CHUNK + 1, 2 * CHUNK + 11]
    assert imported.written == {"created": 2 * CHUNK + 10, "changed": 0, "left": 0}
    assert Opportunity.objects.count() == 2 * CHUNK + 10
    assert ImportChange.objects.filter(imported=imported).count() == 2 * CHUNK + 10


def test_all_or_nothing_that_was_cut_off_begins_anew():
    imported = many(CHUNK + 10)
    Import.objects.update(mode=ImportMode.ALL)
    with pytest.raises(CutOff):
        committing.commit_import(imported, cut_off_after(1))
    imported.refresh_from_db()
    assert (imported.committed_to, Opportunity.objects.count()) == (0, 0)
    commit(imported)
    assert Opportunity.objects.count() == CHUNK + 10


def test_a_commit_that_is_done_does_nothing_when_called_again():
    record = factories.opportunity(stage="A")
    imported = checked(
        "opportunities", changed(record, stage=("A", "B")), new(external_id="N", name="New"), new(name="No key")
    )
    commit(imported)
    before = dict(imported.written)
    commit(imported)
    assert imported.written == before == {"created": 1, "changed": 1, "left": 1}
    assert len(left(imported)) == ImportProblem.objects.count() == 1
    assert factories.fresh(record).revision == 2


def test_what_a_left_out_row_says_is_told_once_after_a_cut():
    records = [factories.opportunity(stage="A") for _ in range(3)]
    imported = checked("opportunities", *(changed(record, stage=("A", "B")) for record in records))
    Opportunity.objects.update(stage="C")
    with pytest.raises(CutOff):
        committing.commit_import(imported, cut_off_after(0))
    assert left(imported) == {}
    assert commit(imported).written["left"] == ImportProblem.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_commits_at_once_write_every_row_once():
    imported = many(CHUNK + 500)
    other = Import.objects.get(pk=imported.pk)

    def at_the_same_time() -> None:
        try:
            commit(other)
        finally:
            connection.close()

    thread = threading.Thread(target=at_the_same_time, daemon=True)
    thread.start()
    commit(imported)
    thread.join()
    assert Opportunity.objects.count() == CHUNK + 500
    assert ImportChange.objects.filter(imported=imported).count() == CHUNK + 500
    imported.refresh_from_db()
    assert imported.written == {"created": CHUNK + 500, "changed": 0, "left": 0}


@pytest.mark.django_db(transaction=True)
def test_a_record_that_somebody_is_saving_is_waited_for():
    record = factories.opportunity(stage="A")
    imported = checked("opportunities", changed(record, stage=("A", "B")))
    saving, over = threading.Event(), threading.Event()

    def save() -> None:
        try:
            with transaction.atomic():
                Opportunity.objects.filter(pk=record.pk).update(stage="C")
                saving.set()
                over.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=save, daemon=True)
    thread.start()
    assert saving.wait(10)
    threading.Timer(0.2, over.set).start()
    commit(imported)
    thread.join()
    assert factories.fresh(record).stage == "C"
    assert left(imported) == {2: committing.CHANGED_SINCE}


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_the_same_records_in_opposite_order_both_end():
    program = factories.program()
    costs = [factories.cost(program, note=str(number)) for number in range(200)]
    rows = [changed(cost, amount=("2000.00", "1.00")) for cost in costs]
    imports = [checked("program-costs", *rows), checked("program-costs", *reversed(rows))]

    def write(imported: Import) -> None:
        try:
            commit(imported)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[imported], daemon=True) for imported in imports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = [Import.objects.get(pk=imported.pk).written for imported in imports]
    # The one that came second found every record changed.
    assert sorted(counts["changed"] for counts in written) == [0, 200]
    assert sorted(counts["left"] for counts in written) == [0, 200]
    raised = 200 if connection.vendor == "sqlite" else 1  # Elsewhere once for each statement.
    assert factories.fresh(program).revision == 1 + 200 + raised
