"""A bulk edit that a rule holds."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from mobjects.bulk_edits.operations import EditOperation
from mobjects.bulk_edits.service import ask_bulk_edit, choose_operation, confirm_bulk_edit, undo_bulk_edit
from mobjects.jobs.approvals import service
from mobjects.jobs.approvals.service import Decision
from mobjects.models import (
    Approval,
    ApprovalState,
    BulkEdit,
    BulkEditState,
    EditSource,
    Notice,
    Opportunity,
    Program,
    ProgramCost,
    RecordEdit,
)
from mobjects.notices.wording import describe_notice
from mobjects.retention.kinds_of_records import BulkEditKind
from tests import factories
from tests.support.approvals import make_rule
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue")]
LIMITS = pytest.mark.parametrize(("limit", "held"), [("4999.00", True), ("5000.00", False)])
LOST = EditOperation("set", "Stage", value="Lost")


@pytest.fixture
def people() -> tuple[Any, Any]:
    return factories.user("olga", group="operator"), factories.user("anna", group="operator")


def confirmed(user: Any, operation: EditOperation = LOST) -> BulkEdit:
    edited = ask_bulk_edit(Opportunity.objects.all(), "", user)
    choose_operation(edited, operation)
    assert confirm_bulk_edit(edited, edited.plan, user)
    return BulkEdit.objects.get(pk=edited.pk)


def test_it_is_done_as_shown_once_another_person_approves_it(people):
    olga, anna = people
    make_rule(work="bulk", more_than=1)
    for _ in range(2):
        factories.opportunity(stage="Open")
    edited = confirmed(olga)
    assert edited.state == BulkEditState.HELD
    assert not confirm_bulk_edit(edited, edited.plan, olga)
    assert Opportunity.objects.filter(stage="Lost").count() == 0
    approval = edited.approvals.get()
    assert service.approve(approval, olga) == Decision.OWN
    said = pages.words(pages.client("viewer").get(f"/admin/approvals/{approval.pk}/"))
    assert "Exactly this would be changed" in said
    assert "Open" in said
    assert service.approve(approval, anna) == Decision.DONE
    assert Opportunity.objects.filter(stage="Lost").count() == 2
    edited.refresh_from_db()
    assert edited.state == BulkEditState.APPLIED
    assert set(RecordEdit.objects.filter(source=EditSource.BULK).values_list("username", flat=True)) == {"olga"}


def test_a_change_since_withdraws_it_and_it_is_to_be_confirmed_anew(people):
    olga, anna = people
    make_rule(work="bulk")
    record = factories.opportunity(stage="Open")
    edited = confirmed(olga)
    record.name = "Renamed"
    record.save()
    assert service.approve(edited.approvals.get(), anna) == Decision.CHANGED
    edited.refresh_from_db()
    assert edited.state == BulkEditState.REVIEW
    assert Opportunity.objects.get().stage == "Open"


def test_a_refusal_gives_it_back(people):
    olga, anna = people
    make_rule(work="bulk")
    factories.opportunity()
    edited = confirmed(olga)
    assert service.refuse(edited.approvals.get(), anna, "Not now.") == Decision.DONE
    edited.refresh_from_db()
    assert (edited.state, Approval.objects.get().state) == (BulkEditState.REVIEW, ApprovalState.REFUSED)


def test_what_was_refused_stays_when_its_asker_begins_another(people):
    olga, anna = people
    make_rule(work="bulk")
    factories.opportunity()
    edited = confirmed(olga)
    service.refuse(edited.approvals.get(), anna, "Not now.")
    given_up = ask_bulk_edit(Opportunity.objects.all(), "", olga)
    ask_bulk_edit(Opportunity.objects.all(), "", olga)
    assert list(Approval.objects.values_list("state", "reason")) == [(ApprovalState.REFUSED, "Not now.")]
    assert BulkEdit.objects.get(pk=edited.pk).rows.count() == 1
    assert not BulkEdit.objects.filter(pk=given_up.pk).exists()


def test_of_what_was_refused_its_approval_outlives_its_rows(people):
    olga, anna = people
    make_rule(work="bulk")
    factories.opportunity()
    edited = confirmed(olga)
    service.refuse(edited.approvals.get(), anna, "Not now.")
    for chunk in list(BulkEditKind().iter_chunks(timezone.now() + timedelta(minutes=1))):
        chunk()
    assert (Approval.objects.get().reason, edited.rows.count()) == ("Not now.", 0)
    assert not choose_operation(edited, LOST)
    assert not confirm_bulk_edit(edited, edited.plan, olga)


@pytest.mark.parametrize(("limit", "held"), [("150.00", True), ("250.00", False)])
def test_an_amount_that_would_be_written_counts(people, limit, held):
    make_rule(work="bulk", amount_over=Decimal(limit))
    factories.opportunity(amount=Decimal(100))
    edited = confirmed(people[0], EditOperation("multiply", "Amount", value="2"))
    assert (edited.state == BulkEditState.HELD) is held


def test_a_rule_for_what_is_sent_does_not_hold_it(people):
    make_rule(work="send")
    factories.opportunity()
    assert confirmed(people[0]).state == BulkEditState.APPLIED


def test_programs_are_named_by_their_costs(people):
    make_rule(work="bulk", kind="Program")
    program = factories.program()
    factories.cost(program)
    edited = ask_bulk_edit(type(program).objects.all(), "", people[0])
    choose_operation(edited, EditOperation("multiply", "Amount", value="2", target="programcost"))
    assert confirm_bulk_edit(edited, edited.plan, people[0])
    assert list(Approval.objects.get().records.values_list("kind", "record_id")) == [("Program", program.pk)]


def test_the_page_has_all_rows_of_costs_however_few_their_programs_are(people):
    make_rule(work="bulk")
    program = factories.program()
    for number in range(51):
        factories.cost(program, note=f"Fair {number}")
    edited = ask_bulk_edit(Program.objects.all(), "", people[0])
    choose_operation(edited, EditOperation("multiply", "Amount", value="2", target="programcost"))
    assert confirm_bulk_edit(edited, edited.plan, people[0])
    address = f"/admin/approvals/{Approval.objects.get().pk}/"
    browser = pages.client("viewer")
    pages_of_rows = [browser.get(address, {"page": number}).context["items"] for number in (1, 2)]
    assert [len(items) for items in pages_of_rows] == [50, 1]


@pytest.mark.parametrize(("limit", "held"), [("99.00", True), ("100.00", False)])
@pytest.mark.parametrize(
    "operation",
    [
        EditOperation("set", "Note", value="Fair"),
        EditOperation("copy", value="2027-05-01"),
        EditOperation("shift", "Month", value="1"),
    ],
    ids=lambda operation: operation.do,
)
def test_amounts_of_costs_that_were_chosen_themselves_count(people, operation, limit, held):
    make_rule(work="bulk", amount_over=Decimal(limit))
    first, second = factories.program(), factories.program(marketo_id=1002)
    factories.cost(second, amount=Decimal(5000))
    factories.cost(first, amount=Decimal(100), note="Chosen")
    edited = ask_bulk_edit(ProgramCost.objects.filter(note="Chosen"), "", people[0])
    choose_operation(edited, operation)
    assert confirm_bulk_edit(edited, edited.plan, people[0])
    edited.refresh_from_db()
    assert (edited.state == BulkEditState.HELD) is held


def test_what_was_refused_does_not_show_what_was_planned_after_it(people):
    olga, anna = people
    make_rule(work="bulk")
    record = factories.opportunity(stage="Open")
    edited = confirmed(olga)
    refused = edited.approvals.get()
    service.refuse(refused, anna, "Not now.")
    assert choose_operation(edited, EditOperation("set", "Name", value="Renamed"))
    assert confirm_bulk_edit(edited, edited.plan, olga)
    browser = pages.client("viewer")
    said = pages.words(browser.get(f"/admin/approvals/{refused.pk}/"))
    assert "Set Stage to “Lost” in 1 opportunity" in said
    assert str(record) in said
    assert "Renamed" not in said
    assert "It was planned anew since" in said
    assert "Renamed" in pages.words(browser.get(f"/admin/approvals/{edited.approvals.first().pk}/"))


def test_the_undo_of_what_nobody_held_is_held(people):
    olga, anna = people
    record = factories.opportunity(stage="Open")
    edited = confirmed(olga)
    make_rule(work="bulk")
    assert undo_bulk_edit(edited, anna)
    assert not undo_bulk_edit(edited, anna)
    assert (factories.fresh(record).stage, edited.state) == ("Lost", BulkEditState.HELD)
    approval = edited.approvals.get()
    assert (approval.username, approval.count) == ("anna", 1)
    browser = pages.client("viewer")
    said = pages.words(browser.get(f"/admin/approvals/{approval.pk}/"))
    assert f"Undo of what was done by: Bulk edit {edited.pk}" in said
    assert re.search(r"Lost\W+now\W+Open", said)
    said = pages.words(browser.get(f"/admin/bulk-edits/{edited.pk}/"))
    assert "Nothing is put back before another person approves it." in said
    assert "not yet by" not in said
    history = browser.get(f"/admin/sync-history/Opportunity/{record.pk}/")
    assert "Undo held for approval" in pages.words(history)
    assert describe_notice(Notice.objects.latest("pk")).title == "Waits for approval: Undo: Bulk edit, 1 record"
    assert service.approve(approval, anna) == Decision.OWN
    assert service.approve(approval, olga) == Decision.DONE
    edited.refresh_from_db()
    assert (factories.fresh(record).stage, edited.state, edited.undone_by) == ("Open", BulkEditState.UNDONE, "anna")


def test_an_undo_that_is_refused_leaves_what_was_done(people):
    olga, anna = people
    record = factories.opportunity(stage="Open")
    edited = confirmed(olga)
    make_rule(work="bulk")
    undo_bulk_edit(edited, olga)
    assert service.refuse(edited.approvals.get(), anna, "Keep it.") == Decision.DONE
    edited.refresh_from_db()
    assert (factories.fresh(record).stage, edited.state, edited.undone_by) == ("Lost", BulkEditState.APPLIED, "")
    assert undo_bulk_edit(edited, olga)
    assert edited.approvals.count() == 2


@LIMITS
def test_an_amount_that_its_undo_puts_back_counts(people, limit, held):
    factories.opportunity(amount=Decimal(5000))
    edited = confirmed(people[0], EditOperation("set", "Amount", value="10"))
    make_rule(work="bulk", amount_over=Decimal(limit))
    undo_bulk_edit(edited, people[0])
    assert (edited.state == BulkEditState.HELD) is held


@pytest.mark.parametrize(
    ("operation", "had", "held"),
    [
        (EditOperation("tag", sought="Region", value="EMEA"), None, True),
        (EditOperation("tag", sought="Region", value="EMEA"), "APAC", False),
        (EditOperation("untag", sought="Region"), "APAC", False),
        (EditOperation("copy", sought="2026-03-01", value="2027-05-01", target="programcost"), None, True),
    ],
)
def test_tags_and_costs_that_its_undo_takes_away_count(people, operation, had, held):
    program = factories.program()
    factories.cost(program, month=date(2026, 3, 1))
    if had:
        program.tags.create(type="Region", value=had)
    edited = ask_bulk_edit(Program.objects.all(), "", people[0])
    assert choose_operation(edited, operation)
    assert confirm_bulk_edit(edited, edited.plan, people[0])
    assert edited.counts["changed"] == 1
    make_rule(work="bulk", loses_tags=True)
    undo_bulk_edit(edited, people[0])
    assert (edited.state == BulkEditState.HELD) is held
