"""One change of many records: what is planned, what is written, what is left alone, and taking it back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from mobjects.bulk_edits import service
from mobjects.bulk_edits.operations import Do, EditOperation
from mobjects.models import (
    AllowedTag,
    BulkEditRow,
    BulkEditState,
    CustomField,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    RecordEdit,
)
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def user(groups):
    return factories.user("editor")


def plan(user, records, **operation):
    """A bulk edit whose preview is there."""
    asked = service.ask_bulk_edit(records, "", user)
    assert service.choose_operation(asked, EditOperation(**operation))
    asked.refresh_from_db()
    return asked


def make(user, records, **operation):
    """A bulk edit that is done."""
    asked = plan(user, records, **operation)
    assert service.confirm_bulk_edit(asked, asked.plan, user)
    asked.refresh_from_db()
    return asked


def counts(asked):
    return tuple(asked.counts.get(name, 0) for name in ("changed", "same", "refused", "left"))


def changes(asked):
    return list(BulkEditRow.objects.filter(bulk_edit=asked).values_list("outcome", "old", "new", "reason"))


def test_a_field_is_set_only_where_it_differs_and_comes_back(user):
    won = factories.opportunity(name="A", stage="Won")
    new = factories.opportunity(name="B", stage="New")
    asked = plan(user, Opportunity.objects.all(), do=Do.SET, field="Stage", value="Won")
    assert counts(asked) == (1, 1, 0, 0)
    assert changes(asked) == [("same", "Won", None, "it is so already"), ("changed", "New", "Won", "")]
    assert Opportunity.objects.get(pk=new.pk).stage == "New"
    assert service.confirm_bulk_edit(asked, asked.plan, user)
    assert Opportunity.objects.get(pk=new.pk).stage == "Won"
    (edit,) = RecordEdit.objects.exclude(source="other")
    assert (edit.source, edit.username, edit.reference) == ("bulk", "editor", str(asked.pk))
    assert edit.changes == [["Stage", "New", "Won"]]
    assert Opportunity.objects.get(pk=won.pk).revision == won.revision
    assert service.undo_bulk_edit(asked, user)
    assert Opportunity.objects.get(pk=new.pk).stage == "New"
    assert asked.undone == {"restored": 1, "kept": 0}


def test_what_changed_since_the_preview_is_left_alone(user):
    rows = [factories.opportunity(name=name, stage="New") for name in "ABC"]
    asked = plan(user, Opportunity.objects.all(), do=Do.SET, field="Stage", value="Won")
    Opportunity.objects.filter(pk=rows[0].pk).update(next_step="Call")
    rows[1].delete()
    assert service.confirm_bulk_edit(asked, asked.plan, user)
    assert counts(asked) == (3, 0, 0, 2)
    assert asked.counts["written"] == 1
    assert [row[0::3] for row in changes(asked)] == [
        ("left", "was changed since it was shown"),
        ("left", "was deleted since it was shown"),
        ("changed", ""),
    ]
    assert Opportunity.objects.get(pk=rows[0].pk).stage == "New"


def test_an_undo_leaves_what_was_changed_after(user):
    rows = [factories.opportunity(name=name, stage="New") for name in "AB"]
    asked = make(user, Opportunity.objects.all(), do=Do.SET, field="Stage", value="Won")
    Opportunity.objects.filter(pk=rows[0].pk).update(stage="Lost")
    assert service.undo_bulk_edit(asked, user)
    assert asked.undone == {"restored": 1, "kept": 1}
    assert [row.stage for row in Opportunity.objects.order_by("pk")] == ["Lost", "New"]


def test_a_press_that_saw_another_choice_does_nothing(user):
    factories.opportunity(stage="New")
    asked = plan(user, Opportunity.objects.all(), do=Do.SET, field="Stage", value="Won")
    seen = asked.plan
    service.choose_operation(asked, EditOperation(Do.SET, "Stage", value="Lost"))
    assert not service.confirm_bulk_edit(asked, seen, user)
    assert asked.state == BulkEditState.REVIEW
    assert service.confirm_bulk_edit(asked, asked.plan, user)
    assert not service.confirm_bulk_edit(asked, asked.plan, user)
    assert Opportunity.objects.get().stage == "Lost"


@pytest.mark.parametrize(
    ("do", "value", "now", "becomes"),
    [
        (Do.ADD, "-0.10", "100.00", "99.90"),
        (Do.MULTIPLY, "1.005", "1.00", "1.01"),
        (Do.MULTIPLY, "1.005", "-1.00", "-1.01"),
        (Do.MULTIPLY, "0", "-1.00", "0.00"),
        (Do.MULTIPLY, "2", None, None),
        (Do.MULTIPLY, "10", "9999999999999.99", None),
    ],
)
def test_amounts_are_rounded_to_cents_halves_away_from_zero(user, do, value, now, becomes):
    factories.opportunity(amount=now and Decimal(now))
    asked = plan(user, Opportunity.objects.all(), do=do, field="Amount", value=value)
    assert counts(asked) == ((1, 0, 0, 0) if becomes else (0, 0, 1, 0) if now else (0, 1, 0, 0)), changes(asked)
    service.confirm_bulk_edit(asked, asked.plan, user)
    expected = becomes or now
    assert Opportunity.objects.get().amount == (expected and Decimal(expected))


def test_months_move_over_the_end_of_a_year_and_back(user):
    program = factories.program()
    for month in (date(2026, 11, 1), date(2026, 12, 1), date(9999, 12, 1)):
        factories.cost(program, month=month)
    asked = make(user, Program.objects.all(), do=Do.SHIFT, field="Month", target="programcost", value="2")
    assert counts(asked) == (2, 0, 1, 0)
    assert asked.counts["refused_reasons"] == [["the month would be outside the years 1 to 9999", 1]]
    assert sorted(ProgramCost.objects.values_list("month", flat=True)) == [
        date(2027, 1, 1),
        date(2027, 2, 1),
        date(9999, 12, 1),
    ]
    assert service.changed_owners(asked) == [program.pk]
    service.undo_bulk_edit(asked, user)
    assert ProgramCost.objects.filter(month=date(2026, 12, 1)).exists()


def test_what_empties_a_required_field_is_refused(user):
    factories.opportunity(name="Draft", description="Draft")
    asked = plan(user, Opportunity.objects.all(), do=Do.REPLACE, field="Name", sought="Draft")
    assert changes(asked) == [("refused", "Draft", "", "must not be empty")]
    asked = plan(user, Opportunity.objects.all(), do=Do.REPLACE, field="Description", sought="Draft")
    assert changes(asked) == [("changed", "Draft", "", "")]


def test_costs_of_a_month_are_copied_once(user):
    program = factories.program()
    june, july = date(2026, 6, 1), date(2026, 7, 1)
    factories.cost(program, month=june, amount=Decimal("5.00"), note="Ads", marketo_cost_id=7)
    factories.cost(program, month=june, amount=Decimal("6.00"))
    factories.cost(program, month=july, amount=Decimal("6.00"))
    factories.cost(factories.program(marketo_id=2), month=july)
    operation = {"do": Do.COPY, "target": "programcost", "sought": "2026-06-01", "value": "2026-07-01"}
    asked = make(user, Program.objects.all(), **operation)
    assert counts(asked) == (1, 1, 0, 0)
    (copy,) = program.costs.filter(month=july, amount=5)
    assert (copy.note, copy.marketo_cost_id) == ("Ads", None)
    service.undo_bulk_edit(asked, user)
    assert not program.costs.filter(month=july, amount=5).exists()
    assert asked.undone == {"restored": 1, "kept": 0}


def test_tags_are_added_changed_removed_and_put_back(user):
    none, other, same = (factories.program(marketo_id=number) for number in (1, 2, 3))
    factories.tag(other, type="region", value="APAC")
    factories.tag(same, type="Region", value="EMEA")
    before = set(ProgramTag.objects.values_list("program", "type", "value"))
    asked = make(user, Program.objects.all(), do=Do.TAG, sought="Region", value="EMEA")
    assert counts(asked) == (2, 1, 0, 0)
    assert set(ProgramTag.objects.values_list("value", flat=True)) == {"EMEA"}
    service.undo_bulk_edit(asked, user)
    assert set(ProgramTag.objects.values_list("program", "type", "value")) == before
    asked = make(user, Program.objects.all(), do=Do.UNTAG, sought="Region")
    assert counts(asked) == (2, 1, 0, 0)
    assert not ProgramTag.objects.exists()
    service.undo_bulk_edit(asked, user)
    assert set(ProgramTag.objects.values_list("program", "type", "value")) == before
    assert none.pk not in {program for program, *_ in before}


def test_a_channel_that_marketo_does_not_know_is_refused(user):
    AllowedTag.objects.create(type="Channel", value="Webinar", described_at=timezone.now())
    factories.program(channel="Old")
    asked = plan(user, Program.objects.all(), do=Do.SET, field="Channel", value="Webnar")
    ((outcome, _old, _new, reason),) = changes(asked)
    assert outcome == "refused"
    assert reason == "The channel “Webnar” is not known in Marketo; nearest: Webinar."


def test_custom_fields_are_written_as_the_form_writes_them(user):
    CustomField.objects.create(name="Region", data_type="string")
    CustomField.objects.create(name="Score", data_type="integer")
    factories.opportunity(name="Deal", custom_attributes={"Region": "EMEA", "Score": "5"})
    bad = factories.opportunity(name="Bad", custom_attributes={"Region": "APAC", "Score": "high"})
    asked = make(user, Opportunity.objects.all(), do=Do.ADD, field="Score", value="2")
    assert Opportunity.objects.get(name="Deal").custom_attributes == {"Region": "EMEA", "Score": "7"}
    asked = make(user, Opportunity.objects.all(), do=Do.CLEAR, field="Region")
    assert counts(asked) == (1, 0, 1, 0)
    assert Opportunity.objects.get(name="Deal").custom_attributes == {"Score": "7"}
    assert Opportunity.objects.get(pk=bad.pk).custom_attributes["Region"] == "APAC"


def test_two_roles_of_a_person_do_not_become_equal(user):
    opportunity = factories.opportunity()
    for role in ("Buyer", "User"):
        factories.role(opportunity, role=role)
    asked = make(user, OpportunityPersonRole.objects.all(), do=Do.SET, field="Role", value="Champion")
    assert counts(asked) == (1, 0, 1, 0)
    assert asked.counts["refused_reasons"][0][0] == "This person already has this role in this opportunity."


@pytest.mark.django_db(transaction=True)
def test_many_records_are_worked_out_and_changed_in_the_background(user, work):
    Opportunity.objects.bulk_create(
        Opportunity(name=f"O{number}", external_id=f"E{number}", stage="New") for number in range(4001)
    )
    asked = service.ask_bulk_edit(Opportunity.objects.all(), "", user)
    service.choose_operation(asked, EditOperation(Do.SET, "Stage", value="Won"))
    assert asked.state == BulkEditState.PLANNING
    work()
    asked.refresh_from_db()
    assert counts(asked) == (4001, 0, 0, 0)
    service.confirm_bulk_edit(asked, asked.plan, user)
    work()
    asked.refresh_from_db()
    assert (asked.state, asked.counts["written"]) == (BulkEditState.APPLIED, 4001)
    assert Opportunity.objects.filter(stage="Won").count() == 4001
    service.undo_bulk_edit(asked, user)
    work()
    assert Opportunity.objects.filter(stage="New").count() == 4001
