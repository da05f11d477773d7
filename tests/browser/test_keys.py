"""The keyboard alone: lists, the palette, and the menu of a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from mobjects.models import Opportunity
from tests import factories
from tests.views import pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]


def test_from_the_dashboard_to_a_failed_record_by_keys_alone(open_page):
    job = pages.job(counts={"FAILED": 2}, state="problems")
    records = [factories.opportunity(name=name) for name in ("First", "Second")]
    for record in records:
        Opportunity.objects.filter(pk=record.pk).update(last_status="FAILED", answered_revision=record.revision)
        pages.result(job, record_id=record.pk, label=record.name, status="FAILED", error="Stage: refused")
    page = open_page("/admin/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("2 records failed and were not corrected.")
    page.keyboard.press("Escape")
    key = page.get_by_text("See why").get_attribute("data-key")
    page.keyboard.press(key)
    page.wait_for_url("**?status=FAILED*")
    # Past the one group of failures, to the second record.
    for _ in range(3):
        page.keyboard.press("j")
    expect(page.locator("tr[data-current]")).to_contain_text("Second")
    page.keyboard.press("k")
    expect(page.locator("tr[data-current]")).to_be_focused()
    expect(page.locator("tr[data-current]")).to_contain_text("First")
    page.keyboard.press("e")
    page.wait_for_url(f"**/opportunity/{records[0].pk}/change/")
    # Keys of one letter are not for where somebody types, and can be switched off.
    page.locator("#id_name").press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use keys of one letter").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_the_palette_leads_to_a_record(open_page):
    record = factories.opportunity(name="Acme renewal")
    page = open_page("/admin/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox", name="Search or go to")).to_be_focused()
    page.keyboard.type("acme")
    expect(page.get_by_role("link", name="Acme renewal")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/opportunity/{record.pk}/change/")


def test_enter_in_the_palette_opens_the_first_result(open_page):
    page = open_page("/admin/mobjects/program/")
    page.keyboard.press("Control+k")
    search = page.get_by_role("searchbox", name="Search or go to")
    expect(search).to_be_focused()
    page.keyboard.press("Enter")
    expect(search).to_be_focused()
    page.keyboard.type("dashboard")
    expect(page.get_by_role("dialog", name="Search or go to").get_by_role("link", name="Dashboard")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")


def test_the_menu_of_a_phone_takes_the_keyboard_and_gives_it_back(open_page):
    page = open_page("/admin/", phone=True)
    menu = page.get_by_role("button", name="Menu")
    menu.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('#nav-sidebar a')")
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(page.locator("#nav-sidebar")).to_be_hidden()


BEHIND_THE_BUTTONS = """() => {
  const foot = document.getElementById("submit-row");
  const here = document.activeElement;
  const ends = here.getBoundingClientRect().bottom;
  return foot.contains(here) || ends <= foot.getBoundingClientRect().top ? "" : here.name;
}"""


def test_what_the_keyboard_goes_to_is_not_behind_the_buttons_at_the_foot(open_page):
    page = open_page(f"/admin/mobjects/opportunity/{factories.opportunity().pk}/change/")
    page.locator("#id_name").focus()
    behind = []
    for _ in range(30):
        page.keyboard.press("Tab")
        behind.append(page.evaluate(BEHIND_THE_BUTTONS))
    assert set(behind) == {""}
