"""A button that is pressed again before its first answer came: what it does is done once, and said to be."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from lxml import html

from mobjects.imports.service import start_import
from mobjects.models import IdempotencyKey, Import, Opportunity, ProgramCost, SyncJob, SyncJobState
from mobjects.views.pressed_once import DONE_ALREADY
from tests import factories
from tests.support.admin_forms import browser_of, change_url
from tests.views import pages

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("groups", "queue", "marketo_rest_settings"),
]

COMPARE, PULL, UPLOAD = "/admin/compare/", "/admin/pull/?kind=Opportunity", "/admin/imports/new/"


@pytest.fixture
def browser():
    return browser_of(factories.user("ann", group="operator"))


def read_page(browser, address, button):
    """The form of a page that has a button or input of this name, as a browser would send it."""
    forms = html.fromstring(browser.get(address).content).forms
    form = next(form for form in forms if form.xpath(f".//*[@name='{button}']"))
    for empty in form.xpath(".//input[not(@value)][not(@type='checkbox' or @type='file')]"):
        empty.set("value", "")
    return {name: value for name, value in form.form_values() if "__prefix__" not in name}


def press_twice(browser, address, sent):
    """The second answer; both presses have to lead to the same place."""
    first, second = browser.post(address, sent), browser.post(address, sent, follow=True)
    assert first.status_code == 302
    assert second.redirect_chain[0] == (first.url, 302)
    assert str(DONE_ALREADY) in pages.text(second)
    return second


def test_a_cost_is_added_once(browser):
    program, address = factories.program(), reverse("admin:mobjects_programcost_add")
    typed = {"program": str(program.pk), "month": "2031-01", "amount": "7"}
    press_twice(browser, address, read_page(browser, address, "amount") | typed)
    assert ProgramCost.objects.count() == 1


def test_a_row_on_a_programs_page_is_added_once(browser):
    program = factories.program()
    row = {"costs-TOTAL_FORMS": "1", "costs-0-month": "2031-01", "costs-0-amount": "7", "costs-0-id": ""}
    row["costs-0-program"] = str(program.pk)
    press_twice(browser, change_url(program), read_page(browser, change_url(program), "channel") | row)
    assert program.costs.count() == 1


def test_an_opportunity_without_a_key_is_added_once(browser):
    address = reverse("admin:mobjects_opportunity_add")
    press_twice(browser, address, read_page(browser, address, "stage") | {"name": "Deal"})
    assert Opportunity.objects.count() == 1


def test_another_button_of_the_same_form_adds_nothing_more(browser):
    address = reverse("admin:mobjects_opportunity_add")
    sent = read_page(browser, address, "stage") | {"name": "Deal"}
    browser.post(address, sent | {"_save": "Save"})
    browser.post(address, sent | {"_addanother": "Save and add another"})
    assert Opportunity.objects.count() == 1


def test_an_opportunity_that_a_window_of_its_own_adds_is_added_once(browser):
    address = f"{reverse('admin:mobjects_opportunity_add')}?_to_field=id&_popup=1"
    sent = read_page(browser, address, "stage") | {"name": "Deal", "_popup": "1", "_to_field": "id"}
    assert browser.post(address, sent).status_code == 200
    again = browser.post(address, sent)
    made = Opportunity.objects.get()
    assert again.url == f"{change_url(made)}?_popup=1"


def test_a_file_is_looked_at_before_other_presses_have_to_wait():
    """On SQLite all other writers wait as well."""
    read_inside = []

    class Watched(io.BytesIO):
        def read(self, *size):
            read_inside.append(connection.in_atomic_block)
            return super().read(*size)

    def keep(store):
        read_inside.append(None)
        with transaction.atomic():
            return store()

    asked = {"user": None, "username": "ann", "source": "admin"}
    start_import("opportunities", Watched(b"Name\nDeal\n"), "deals.csv", **asked, keep=keep)
    looking = read_inside[: read_inside.index(None)]
    assert looking
    assert not any(looking)
    assert Import.objects.get().headers == ["Name"]


def test_a_form_that_was_changed_since_is_saved_again(browser):
    """Browsers may show a page of before as it was left, its token with it."""
    record = factories.opportunity(name="Deal")
    sent = read_page(browser, change_url(record), "stage")
    browser.post(change_url(record), sent | {"stage": "Won"})
    browser.post(change_url(record), sent | {"stage": "Won", "amount": "5"})
    assert Opportunity.objects.get().amount == Decimal(5)


def test_a_press_that_was_refused_is_no_press(browser):
    address = reverse("admin:mobjects_programcost_add")
    typed = {"program": str(factories.program().pk), "month": "2031-13", "amount": "7"}
    sent = read_page(browser, address, "amount") | typed
    assert [browser.post(address, sent).status_code for _ in range(2)] == [200, 200]
    assert browser.post(address, sent | {"month": "2031-12"}).status_code == 302


@pytest.mark.parametrize("address", [COMPARE, PULL])
def test_a_job_that_has_begun_is_not_started_again(browser, address):
    sent = read_page(browser, address, "reason") | {"start": "1"}
    first = browser.post(address, sent)
    SyncJob.objects.update(started_at="2026-03-01T12:00:00Z", state=SyncJobState.RUNNING)
    second = browser.post(address, sent, follow=True)
    assert second.redirect_chain == [(first.url, 302)]
    assert SyncJob.objects.count() == 1


def test_a_file_is_uploaded_once(browser):
    sent = read_page(browser, UPLOAD, "pasted") | {"pasted": "Name\tStage\nDeal\tWon"}
    first, second = browser.post(UPLOAD, sent), browser.post(UPLOAD, sent)
    assert first.status_code == second.status_code == 302
    assert second.url == reverse("mobjects:import", args=[Import.objects.get().pk])


def test_a_press_is_remembered_whatever_another_tab_keeps_in_the_session(browser):
    program, address = factories.program(), reverse("admin:mobjects_programcost_add")
    sent = read_page(browser, address, "amount") | {"program": str(program.pk), "month": "2031-01", "amount": "7"}
    as_another_tab_read_it = browser.session
    browser.post(address, sent)
    as_another_tab_read_it["seen"] = 1
    as_another_tab_read_it.save()
    browser.post(address, sent)
    assert ProgramCost.objects.count() == 1


def test_a_list_with_a_long_address_is_come_back_to_with_all_its_conditions(browser):
    """Korean takes nine characters of an address for each syllable."""
    record = factories.opportunity(name="Deal")
    conditions = urlencode([("q", "영업" * 40), ("where", "name.contains.D"), ("where", "name.contains.l")])
    address = f"{change_url(record)}?{urlencode({'_changelist_filters': conditions})}"
    answer = browser.post(address, read_page(browser, address, "stage") | {"stage": "Won"})
    assert answer.url == f"{reverse('admin:mobjects_opportunity_changelist')}?{conditions}"
    assert Opportunity.objects.get().stage == "Won"


def test_the_same_values_are_saved_again_from_a_page_that_the_browser_kept(browser):
    record = factories.opportunity(name="Deal", stage="Open")
    sent = read_page(browser, change_url(record), "stage") | {"stage": "Won"}
    browser.post(change_url(record), sent)
    Opportunity.objects.filter(pk=record.pk).update(stage="Open")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    again = browser.post(change_url(record), sent, follow=True)
    assert str(DONE_ALREADY) not in pages.text(again)
