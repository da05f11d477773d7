"""Two people with the same record open, in a real browser: the second one chooses by keyboard. Rows on pages."""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal

import pytest
from axe_core_python.sync_playwright import Axe

from mobjects.models import Opportunity, ProgramCost
from tests import factories
from tests.browser.test_accessibility import WCAG
from tests.support.admin_forms import browser_of, change_url, open_form, send_form

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]

PICTURES = os.environ.get("PICTURES", "")
"""A folder for pictures of the pages, to be looked at; none are taken without it."""


def look(page, name):
    """The page as it stands in both widths: no violation, no wider than the screen."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)
        found = Axe().run(page, options=WCAG)["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_second_of_two_chooses_by_keyboard_and_loses_nothing(open_page, dark):
    record = factories.opportunity(name="Deal", stage="New", amount=Decimal(1000))
    hers = open_page(change_url(record), dark=dark)
    ben = browser_of(factories.user("ben", group="operator"))
    send_form(ben, record, open_form(ben, record), stage="Won")
    hers.get_by_label("Stage").fill("Lost")
    hers.get_by_label("Amount").fill("1500")
    hers.get_by_role("button", name="Save", exact=True).click()
    hers.get_by_role("heading", name="Changed by somebody else meanwhile").wait_for()
    assert hers.get_by_label("Amount").input_value() == "1500"
    look(hers, f"clash-{'dark' if dark else 'light'}")
    theirs = hers.get_by_role("radio", name="Keep theirs: Won")
    theirs.focus()
    hers.keyboard.press("ArrowDown")
    assert hers.get_by_role("radio", name="Save mine: Lost").is_checked()
    hers.get_by_role("button", name="Save", exact=True).press("Enter")
    hers.wait_for_url("**/opportunity/")
    record = Opportunity.objects.get()
    assert (record.stage, record.amount) == ("Lost", 1500)
    hers.goto(f"/admin/mobjects/opportunity/{record.pk}/history/")
    newest = hers.locator("#timeline tbody tr").first.inner_text()
    assert newest.index("Won") < newest.index("Lost")
    look(hers, f"edits-{'dark' if dark else 'light'}")


def test_rows_on_a_later_page_are_reached_and_saved_by_keyboard(open_page):
    program = factories.program()
    ProgramCost.objects.bulk_create(
        ProgramCost(program=program, month=date(2020 + number // 12, number % 12 + 1, 1), amount=1)
        for number in range(60)
    )
    page = open_page(change_url(program))
    rows = page.get_by_role("navigation", name="Pages of period costs")
    rows.get_by_role("link", name="Next").press("Enter")
    rows.get_by_text("Page 2 of 3").wait_for()
    look(page, "rows")
    amount = page.locator("#id_costs-0-amount")
    month = page.locator("#id_costs-0-month").input_value()
    amount.fill("2")
    page.get_by_text("Add another Period cost").click()
    page.locator("#id_costs-25-month").fill("2031-05")
    page.locator("#id_costs-25-amount").fill("3")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    page.wait_for_url("**/program/")
    assert [f"{cost.month:%Y-%m}" for cost in program.costs.filter(amount=2)] == [month]
    assert program.costs.get(amount=3).month == date(2031, 5, 1)
