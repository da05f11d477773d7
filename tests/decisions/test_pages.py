"""The pages for deciding many conflicts at once."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from mobjects.models import ConflictDecision, Opportunity
from mobjects.sync.conflicts import alike
from tests import factories
from tests.decisions.support import disputed, disputes
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue", "groups")]

GROUPS = "/conflicts/alike/"


@pytest.fixture
def browser():
    return pages.client()


def decide_address(values: bool = False) -> str:
    (group,) = alike.list_groups()
    address = reverse("mobjects:conflict-group", args=[group.kind, group.fields_key])
    return f"{address}?values={group.alike[0].values_key}" if values else address


def test_the_list_of_what_is_to_be_decided_leads_to_the_groups(browser):
    assert reverse("mobjects:conflict-groups") in pages.text(browser.get("/admin/mobjects/conflict/"))


def test_groups_say_how_many_records_which_fields_and_which_values(browser):
    disputes(3)
    disputed(9, pages.job(), there="Lost")
    shown = pages.text(browser.get(reverse("mobjects:conflict-groups")))
    assert "4 opportunities: Stage" in shown
    assert "Stage “Open” here, “Won” in Marketo" in shown
    assert "Decide these 3" in shown


def test_from_the_question_to_the_undo(browser):
    disputes(3)
    asked = browser.post(decide_address(), {"field-0": "marketo"}, follow=True)
    shown = pages.text(asked)
    for words in ("This decides about 3 opportunities", "Taken from Marketo: Stage", "Deal 2", "Decide these 3"):
        assert words in shown
    decision = ConflictDecision.objects.get()
    done = browser.post(reverse("mobjects:conflict-decision-confirm", args=[decision.pk]), follow=True)
    assert "Decided about 3 of 3 opportunities." in pages.text(done)
    assert set(Opportunity.objects.values_list("stage", flat=True)) == {"Won"}
    undone = browser.post(reverse("mobjects:conflict-decision-undo", args=[decision.pk]), follow=True)
    assert "Undone: the records hold what they held before" in pages.text(undone)
    assert set(Opportunity.objects.values_list("stage", flat=True)) == {"Open"}


def test_only_those_with_the_same_values_are_decided_where_that_was_asked(browser):
    disputes(3)
    disputed(9, pages.job(), there="Lost")
    shown = pages.text(browser.post(decide_address(values=True), {"all": "marketo"}, follow=True))
    assert "This decides about 3 opportunities" in shown
    assert "Deal 9" not in shown


def test_a_field_without_a_side_is_refused_in_words(browser):
    disputes(2)
    refused = browser.post(decide_address(), {"field-0": "nowhere"})
    assert refused.status_code == 400
    assert "Choose a side for every field." in pages.text(refused)
    assert not ConflictDecision.objects.exists()


def test_the_preview_says_what_will_be_left_alone(browser):
    first, _second = disputes(2)
    Opportunity.objects.filter(pk=first.record_id).update(stage="Lost")
    shown = pages.text(browser.post(decide_address(), {"all": "here"}, follow=True))
    assert shown.count("changed here since; it is left alone") == 1


def test_nobody_sees_or_confirms_the_question_of_another_person(browser):
    disputes(2)
    browser.post(decide_address(), {"all": "here"})
    decision, other = ConflictDecision.objects.get(), Client()
    other.force_login(factories.user("olga", group="operator"))
    assert other.get(reverse("mobjects:conflict-decision", args=[decision.pk])).status_code == 404
    assert other.post(reverse("mobjects:conflict-decision-confirm", args=[decision.pk])).status_code == 404
    assert alike.open_conflicts().count() == 2


def test_a_group_that_is_decided_leads_back_in_words(browser):
    disputes(2)
    address = decide_address()
    alike.open_conflicts().delete()
    assert "None of these is left to decide." in pages.text(browser.get(address, follow=True))


@pytest.mark.parametrize("kind", ["Opportunity", "OpportunityPersonRole"])
def test_what_has_no_name_any_more_is_called_by_its_number(kind):
    rows = [(7, "", "It is decided already.")]
    shown = render_to_string("mobjects/decisions/_left.html", {"rows": rows, "kind": kind, "title": "Left alone"})
    assert ">7</a>" in shown
