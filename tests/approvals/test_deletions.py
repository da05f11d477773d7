"""A deletion of many records here that a rule holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from mobjects.jobs.approvals import service
from mobjects.jobs.approvals.service import Decision
from mobjects.models import (
    Approval,
    BulkDeletion,
    BulkDeletionState,
    Opportunity,
    OpportunityPersonRole,
    ProgramCost,
    ProgramTag,
)
from mobjects.removals.service import ask_deletion, confirm_deletion, undo_deletion
from mobjects.views.approvals.sentences import what_text
from tests import factories
from tests.support.approvals import make_rule
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue")]


@pytest.fixture
def people() -> tuple[Any, Any]:
    return factories.user("olga", group="operator"), factories.user("anna", group="operator")


def confirmed(user: Any, model: Any = Opportunity) -> BulkDeletion:
    deletion = ask_deletion(model.objects.all(), "", user)
    assert confirm_deletion(deletion, user)
    return BulkDeletion.objects.get(pk=deletion.pk)


def test_it_is_done_as_shown_once_another_person_approves_it(people):
    olga, anna = people
    make_rule(more_than=1)
    for number in range(2):
        factories.opportunity(name=f"Deal {number}")
    deletion = confirmed(olga)
    assert not confirm_deletion(deletion, anna)
    assert (deletion.state, Opportunity.objects.count()) == (BulkDeletionState.HELD, 2)
    approval = deletion.approvals.get()
    browser = pages.client("viewer")
    said = pages.words(browser.get(f"/admin/approvals/{approval.pk}/"))
    assert f"Deletion {deletion.pk}: 2 opportunities" in said
    assert "Deal 1" in said
    said = pages.words(browser.get(f"/admin/deletions/{deletion.pk}/"))
    assert "Nothing is deleted before another person approves it." in said
    assert "A rule holds it" in said
    assert service.approve(approval, olga) == Decision.OWN
    assert service.approve(approval, anna) == Decision.DONE
    deletion.refresh_from_db()
    assert (deletion.state, Opportunity.objects.count()) == (BulkDeletionState.DELETED, 0)
    assert "Deal 1" in pages.words(browser.get(f"/admin/approvals/{approval.pk}/"))
    assert undo_deletion(deletion, olga)
    assert Opportunity.objects.count() == 2


def test_what_was_refused_can_be_confirmed_anew_and_stays_when_its_asker_begins_another(people):
    olga, anna = people
    make_rule(work="remove")
    factories.opportunity()
    deletion = confirmed(olga)
    assert service.refuse(deletion.approvals.get(), anna, "Not now.") == Decision.DONE
    ask_deletion(Opportunity.objects.all(), "", olga)
    deletion.refresh_from_db()
    assert (deletion.state, Opportunity.objects.count()) == (BulkDeletionState.ASKED, 1)
    assert "Refused by anna: Not now." in pages.words(pages.client("viewer").get(f"/admin/deletions/{deletion.pk}/"))
    assert confirm_deletion(deletion, olga)
    assert deletion.approvals.count() == 2


def test_a_change_since_withdraws_it(people):
    olga, anna = people
    make_rule(work="remove")
    record = factories.opportunity()
    deletion = confirmed(olga)
    record.stage = "Won"
    record.save()
    assert service.approve(deletion.approvals.get(), anna) == Decision.CHANGED
    deletion.refresh_from_db()
    assert (deletion.state, Opportunity.objects.count()) == (BulkDeletionState.ASKED, 1)


@pytest.mark.parametrize(
    ("model", "rule", "held"),
    [
        (Opportunity, {"amount_over": Decimal("4999.99")}, True),
        (Opportunity, {"amount_over": Decimal(5000)}, False),
        (Opportunity, {"loses_tags": True}, False),
        (Opportunity, {"deletes": True}, False),
        (Opportunity, {"kind": "Program"}, False),
        (Opportunity, {"work": "bulk"}, False),
        (ProgramCost, {"amount_over": Decimal(99)}, True),
        (ProgramCost, {"loses_tags": True}, True),
        (ProgramTag, {"loses_tags": True, "kind": "Program"}, True),
    ],
)
def test_what_a_rule_asks_of_it(people, model, rule, held):
    factories.opportunity(amount=Decimal(5000))
    program = factories.program()
    factories.cost(program, amount=Decimal(100))
    program.tags.create(type="Region", value="EMEA")
    make_rule(**rule)
    assert (confirmed(people[0], model).state == BulkDeletionState.HELD) is held
    if held and model is not Opportunity:
        assert list(Approval.objects.get().records.values_list("kind", "record_id")) == [("Program", program.pk)]


def test_roles_that_go_along_count_and_are_shown(people):
    olga, anna = people
    deal = factories.opportunity()
    roles = [factories.role(deal, person_key=f"P{number}") for number in range(2)]
    make_rule(work="remove", kind="OpportunityPersonRole", operation="", more_than=1)
    deletion = confirmed(olga)
    assert deletion.state == BulkDeletionState.HELD
    approval = deletion.approvals.get()
    shown = {("Opportunity", deal.pk), *(("OpportunityPersonRole", role.pk) for role in roles)}
    assert set(approval.records.values_list("kind", "record_id")) == shown
    assert service.approve(approval, anna) == Decision.DONE
    assert (Opportunity.objects.count(), OpportunityPersonRole.objects.count()) == (0, 0)
    page = pages.client("viewer").get(f"/admin/approvals/{approval.pk}/")
    assert pages.words(page).count(str(roles[0])) == 1


def test_a_role_that_changed_since_withdraws_the_deletion_of_its_opportunity(people):
    olga, anna = people
    role = factories.role(factories.opportunity())
    make_rule(work="remove")
    deletion = confirmed(olga)
    role.is_primary = True
    role.save()
    assert service.approve(deletion.approvals.get(), anna) == Decision.CHANGED
    assert OpportunityPersonRole.objects.count() == 1


def test_what_is_counted_stands_in_korean_as_koreans_say_it(people):
    make_rule()
    for _ in range(2):
        factories.opportunity()
    approval = confirmed(people[0]).approvals.get()
    with translation.override("ko"):
        assert what_text(approval).endswith(": 영업 기회 2개")
    said = pages.words(pages.client("viewer").get("/admin/mobjects/approval/", headers={"accept-language": "ko"}))
    assert "Count" not in said


def test_names_of_what_was_deleted_are_shown_to_who_may_see_the_kind(people):
    olga, anna = people
    make_rule(work="remove")
    record = factories.opportunity(name="Secret deal")
    approval = confirmed(olga).approvals.get()
    assert service.approve(approval, anna) == Decision.DONE
    user = factories.user("vera")
    user.user_permissions.add(factories.permission("view_approval"))
    browser = Client()
    browser.force_login(user)
    said = pages.words(browser.get(f"/admin/approvals/{approval.pk}/"))
    assert f"Record {record.pk}, deleted" in said
    assert "Secret deal" not in said
    assert "Secret deal" in pages.words(pages.client("viewer").get(f"/admin/approvals/{approval.pk}/"))


def test_the_history_of_a_record_tells_what_of_it_was_held(people):
    record = factories.opportunity()
    make_rule()
    confirmed(people[0])
    said = pages.words(pages.client("viewer").get(f"/admin/sync-history/Opportunity/{record.pk}/"))
    assert "Deletion held for approval" in said
