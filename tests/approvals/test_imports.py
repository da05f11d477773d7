"""An import that a rule holds before its rows are written."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from mobjects.imports.lifecycle import InvalidState
from mobjects.imports.service import discard_import, request_check, request_commit
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
