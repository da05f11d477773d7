"""A list narrowed by keyboard: a condition added, refused in words, taken away."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.test_accessibility import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, True)], ids=["desktop", "phone"])
def test_a_list_is_narrowed_by_keyboard(groups, open_page, dark, phone):
    for number, name in enumerate(("Seoul", "Busan", "Jeju")):
        factories.opportunity(name=name, amount=Decimal(100 * number))
    page = open_page("/admin/mobjects/opportunity/", dark=dark, phone=phone)
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_text("Add a filter", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Field")).to_be_focused()
    page.keyboard.type("Amount")
    page.keyboard.press("Tab")
    operators = page.get_by_label("Comparison").locator("option:not([hidden])")
    expect(operators).to_have_text(["is", "from", "up to", "is empty", "is not empty"])
    page.keyboard.type("from")
    page.keyboard.press("Tab")
    page.keyboard.type("100")
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_text("Amount from 100.00", exact=True)).to_be_visible()
    expect(rows).to_have_count(2)

    page.get_by_text("Add a filter", exact=True).click()
    page.get_by_label("Field").select_option("close_date")
    page.get_by_label("Comparison").select_option("within")
    page.get_by_label("Value").fill("someday")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("“Close Date”: “someday” is no period")
    expect(page.get_by_label("Value")).to_have_value("someday")
    expect(rows).to_have_count(2)
    assert violations(page) == []

    page.get_by_role("link", name="Take away: Amount from 100.00").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(3)
