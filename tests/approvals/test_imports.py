"""An import that a rule holds before its rows are written."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from mobjects.imports.lifecycle import InvalidState
from mobjects.imports.runner import run_import
from mobjects.imports.service import discard_import, request_check, request_commit, request_undo
from mobjects.jobs.approvals import service
from mobjects.jobs.approvals.service import Decision
from mobjects.models import Approval, Import, ImportMode, ImportState, Opportunity, ProgramCost
from tests import factories
from tests.imports.helpers import checked
from tests.support.approvals import make_rule
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("groups", "queue")]
FILE = "External ID,Name,Amount\nE-1,Old,500\nE-2,New,90\n"


@pytest.fixture
def people() -> tuple[Any, Any]:
    return factories.user("olga", group="operator"), factories.user("anna", group="operator")


@pytest.fixture
def record() -> Opportunity:
    return factories.opportunity(external_id="E-1", name="Old", amount=Decimal(100))


def asked(user: Any, kind: str = "opportunities", file: str = FILE) -> Import:
    """An import that somebody wants written."""
    found = checked(kind, file)
    Import.objects.filter(pk=found.pk).update(state=ImportState.REVIEW, checked_at=timezone.now())
    request_commit(found, ImportMode.VALID, overwrite=False, user=user)
    return Import.objects.get(pk=found.pk)


def test_it_is_written_as_shown_once_another_person_approves_it(people, record, work):
    olga, anna = people
    make_rule(work="import", more_than=1)
    made = asked(olga)
    assert made.state == ImportState.HELD
    for act in (
        lambda: request_commit(made, ImportMode.VALID, overwrite=False, user=olga),
        lambda: request_check(made),
        lambda: discard_import(made),
    ):
        with pytest.raises(InvalidState, match="waits for another person's approval"):
            act()
    work()
    assert [each.name for each in Opportunity.objects.all()] == ["Old"]
    approval = made.approvals.get()
    assert approval.count == 1  # The record that is there; the new one is a row of the file.
    viewer = pages.client("viewer")
    page = viewer.get(f"/admin/approvals/{approval.pk}/")
    assert "1 new, 1 changed" in pages.words(page)
    assert f"/admin/imports/{made.pk}/review/" in page.text
    assert "A rule holds it" in pages.words(viewer.get(f"/admin/imports/{made.pk}/"))
    assert service.approve(approval, olga) == Decision.OWN
    assert service.approve(approval, anna) == Decision.DONE
    work()
    made.refresh_from_db()
    assert (made.state, made.committed_by, made.written["created"]) == (ImportState.COMMITTED, "olga", 1)
    record.refresh_from_db()
    assert record.amount == 500


def test_a_change_since_withdraws_it_and_it_is_back_at_its_review(people, record):
    olga, anna = people
    make_rule(work="import")
    made = asked(olga)
    Opportunity.objects.update(stage="Won")
    assert service.approve(made.approvals.get(), anna) == Decision.CHANGED
    made.refresh_from_db()
    assert made.state == ImportState.REVIEW
    request_commit(made, ImportMode.VALID, overwrite=False, user=olga)
    assert made.approvals.count() == 2


def test_a_refusal_gives_it_back_and_so_does_the_clock(people, record):
    olga, anna = people
    make_rule(work="import", expires_after=1)
    made = asked(olga)
    assert service.refuse(made.approvals.get(), anna, "Not now.") == Decision.DONE
    made.refresh_from_db()
    request_commit(made, ImportMode.VALID, overwrite=False, user=olga)
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    service.sweep_approvals()
    made.refresh_from_db()
    assert made.state == ImportState.REVIEW
    assert [each.state for each in made.approvals.order_by("pk")] == ["refused", "expired"]


@pytest.mark.parametrize(
    ("rule", "held"),
    [
        ({"amount_over": Decimal(400)}, True),
        ({"amount_over": Decimal(500)}, False),
        ({"creates": True}, True),
        ({"deletes": True}, False),
        ({"kind": "Program"}, False),
        ({"more_than": 2}, False),
        ({"work": "send"}, False),
    ],
)
def test_what_a_rule_asks_of_it(people, record, rule, held):
    make_rule(**{"work": "import", **rule})
    assert (asked(people[0]).state == ImportState.HELD) is held


def test_costs_are_held_for_their_programs_amounts(people, work):
    olga, anna = people
    program = factories.program(marketo_id=1001)
    make_rule(work="import", kind="Program", amount_over=Decimal(1000))
    made = asked(olga, "program-costs", "Program ID,Month,Amount\n1001,2026-03,2500\n")
    approval = made.approvals.get()
    assert [(each.kind, each.record_id) for each in approval.records.all()] == [("Program", program.pk)]
    assert service.approve(approval, anna) == Decision.DONE
    work()
    assert ProgramCost.objects.get().amount == 2500


def test_the_command_line_says_what_holds_it(people, record, tmp_path, work):
    make_rule(work="import", name="Large files")
    path = tmp_path / "deals.csv"
    path.write_text(FILE)
    with pytest.raises(CommandError, match="the rule “Large files” holds import"):
        call_command("import_mobjects", "opportunities", str(path), stdout=StringIO(), stderr=StringIO())
    made = Import.objects.get()
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        assert service.approve(made.approvals.get(), people[1]) == Decision.DONE
    work()
    assert Opportunity.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("opportunities", "External ID,Amount\nE-1,10\n"),
        ("opportunities", "External ID,Stage\nE-1,Won\n"),
        ("program-costs", "Program ID,Month,Cost ID,Amount\n1001,2026-03,7,10\n"),
    ],
)
@pytest.mark.parametrize(("limit", "held"), [(4999, True), (5000, False)])
def test_an_amount_that_is_replaced_counts(people, kind, file, limit, held):
    factories.opportunity(external_id="E-1", amount=Decimal(5000))
    program = factories.program(marketo_id=1001)
    factories.cost(program, month=date(2026, 3, 1), amount=Decimal(5000), marketo_cost_id=7)
    factories.cost(program, month=date(2026, 4, 1), amount=Decimal(9000), marketo_cost_id=8)
    factories.opportunity(external_id="E-2", amount=Decimal(9000))
    make_rule(work="import", amount_over=Decimal(limit))
    assert (asked(people[0], kind, file).state == ImportState.HELD) is held


def test_the_page_says_what_was_asked_for_and_not_what_a_later_check_found(people, record):
    olga, anna = people
    make_rule(work="import")
    made = asked(olga)
    approval = made.approvals.get()
    service.refuse(approval, anna, "Not now.")
    Opportunity.objects.update(amount=Decimal(500))
    made = Import.objects.get(pk=made.pk)
    request_check(made, enqueue=False)
    run_import(made)
    assert Import.objects.get(pk=made.pk).counts["unchanged"] == 1
    said = pages.words(pages.client("viewer").get(f"/admin/approvals/{approval.pk}/"))
    assert "1 new, 1 changed" in said


def written(user: Any, work: Any, kind: str = "opportunities", file: str = FILE) -> Import:
    made = asked(user, kind, file)
    work()
    made.refresh_from_db()
    assert made.state == ImportState.COMMITTED
    return made


def test_the_undo_of_what_nobody_held_is_held(people, record, work):
    olga, anna = people
    made = written(olga, work)
    make_rule(work="import", more_than=1)
    request_undo(made, anna)
    work()
    made.refresh_from_db()
    assert (made.state, Opportunity.objects.count(), factories.fresh(record).amount) == (ImportState.HELD, 2, 500)
    with pytest.raises(InvalidState, match="waits for another person's approval"):
        request_undo(made, anna)
    approval = made.approvals.get()
    assert (approval.username, approval.count) == ("anna", 2)
    browser = pages.client("viewer")
    said = pages.words(browser.get(f"/admin/approvals/{approval.pk}/"))
    assert "Records that would be put back as they were, or removed if they were new" in said
    assert "Nothing is put back before" in pages.words(browser.get(f"/admin/imports/{made.pk}/"))
    assert service.approve(approval, anna) == Decision.OWN
    assert service.approve(approval, olga) == Decision.DONE
    work()
    made.refresh_from_db()
    assert (made.state, Opportunity.objects.count(), factories.fresh(record).amount) == (ImportState.UNDONE, 1, 100)


def test_an_undo_that_is_refused_leaves_what_was_written(people, record, work):
    olga, anna = people
    made = written(olga, work)
    make_rule(work="import")
    request_undo(made, olga)
    service.refuse(made.approvals.get(), anna, "Keep it.")
    made.refresh_from_db()
    assert (made.state, made.undone_by) == (ImportState.COMMITTED, "")
    request_undo(made, olga)
    assert made.approvals.count() == 2


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("opportunities", "External ID,Amount\nE-1,10\n"),
        ("program-costs", "Program ID,Month,Cost ID,Amount\n1001,2026-03,7,10\n"),
    ],
)
@pytest.mark.parametrize(("limit", "held"), [(4999, True), (5000, False)])
def test_an_amount_that_its_undo_puts_back_counts(people, work, kind, file, limit, held):
    factories.opportunity(external_id="E-1", amount=Decimal(5000))
    program = factories.program(marketo_id=1001)
    factories.cost(program, month=date(2026, 3, 1), amount=Decimal(5000), marketo_cost_id=7)
    made = written(people[0], work, kind, file)
    make_rule(work="import", amount_over=Decimal(limit))
    request_undo(made, people[0])
    assert (made.state == ImportState.HELD) is held


def test_new_costs_that_its_undo_takes_away_count(people, work):
    factories.program(marketo_id=1001)
    made = written(people[0], work, "program-costs", "Program ID,Month,Amount\n1001,2026-03,25\n")
    make_rule(work="import", loses_tags=True)
    request_undo(made, people[0])
    approval = made.approvals.get()
    assert approval.findings[-1] == {"what": "loses", "found": 1, "limit": None}
    assert approval.count == 1


def test_who_began_an_undo_that_broke_off_stays_while_another_waits_for_the_rest(people, record, work):
    olga, anna = people
    made = written(olga, work)
    Import.objects.update(undone_by="olga", undone={"restored": 1})
    make_rule(work="import")
    request_undo(made, anna)
    made.refresh_from_db()
    assert (made.state, made.undone_by) == (ImportState.HELD, "olga")
    service.refuse(made.approvals.get(), olga, "Keep it.")
    made.refresh_from_db()
    assert (made.state, made.undone_by) == (ImportState.COMMITTED, "olga")
    request_undo(made, anna)
    assert service.approve(made.approvals.latest("pk"), olga) == Decision.DONE
    made.refresh_from_db()
    assert (made.state, made.undone_by) == (ImportState.UNDOING, "anna")


def test_the_page_of_what_is_written_stays_as_it_is_while_its_undo_waits(people, record, work):
    made = written(people[0], work)
    browser = pages.client("operator")
    assert "Sync these 2 records…" in pages.words(browser.get(f"/admin/imports/{made.pk}/"))
    make_rule(work="import")
    request_undo(made, people[0])
    made.refresh_from_db()
    answer = browser.get(f"/admin/imports/{made.pk}/")
    assert "Sync these 2 records…" in pages.words(answer)
    assert "None of its records has been in a sync job since." in pages.words(answer)
    assert [(step.name, step.words) for step in answer.context["steps"]][-2:] == [("Write", "done"), ("Result", "now")]
