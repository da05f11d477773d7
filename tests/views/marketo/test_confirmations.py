"""What is done in Marketo only where a person has allowed it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects.instance_facts import load_facts
from mobjects.sync.transport_factory import target
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "marketo_rest_settings")]
NAME = "tags_by_list_confirmed"


def press(browser, **values):
    return browser.post(reverse("mobjects:confirmation"), {"name": NAME, "allowed": "yes", **values}, follow=True)


def test_what_is_allowed_is_a_fact_for_the_transport_until_it_is_taken_back():
    browser = pages.client()
    assert "It is not allowed" in pages.text(browser.get(reverse("mobjects:connection")))
    said = pages.text(press(browser))
    assert "It is allowed now." in said
    assert "Yes, said" in said
    assert load_facts(target())[NAME] == "yes"
    press(browser, allowed="no")
    assert load_facts(target())[NAME] == "no"


def test_who_may_not_let_sending_go_on_may_not_allow_it():
    assert press(pages.client("editor")).status_code == 403
    assert NAME not in load_facts(target())


def test_what_nobody_asks_is_not_allowed():
    assert "Nothing was changed" in pages.text(press(pages.client(), name="everything"))
    assert load_facts(target()) == {}
