"""A list narrowed by keyboard: a condition added, refused in words, taken away."""

from __future__ import annotations

import re
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


def test_a_view_with_columns_is_shared_and_opens_the_list_of_somebody_else(groups, open_page):
    for number, name in enumerate(("Seoul", "Busan", "Jeju")):
        factories.opportunity(name=name, amount=Decimal(100 * number), stage="Won")
    page = open_page("/admin/mobjects/opportunity/?where=amount.from.100", rights=["share_view"])
    page.get_by_text("Columns", exact=True).click()
    boxes = page.locator(".mo-places-of-columns input")
    for box in boxes.all():
        box.fill("")
    page.get_by_role("spinbutton", name="Stage", exact=True).fill("2")
    page.get_by_role("spinbutton", name="Name", exact=True).fill("1")
    assert violations(page) == []
    page.get_by_role("button", name="Show these columns").click()
    headings = page.locator("#result_list thead th")
    expect(headings).to_have_count(3)
    expect(headings.nth(1)).to_contain_text("name", ignore_case=True)
    expect(headings.nth(2)).to_contain_text("stage", ignore_case=True)
    page.get_by_text("Save this view").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Big ones")
    page.get_by_label("for everybody").check()
    page.get_by_role("button", name="Save view").click()
    expect(page.locator("body")).to_contain_text("The view “Big ones” is saved.")

    other = open_page("/admin/mobjects/opportunity/", group="viewer", phone=True, dark=True, language="ko")
    expect(other.locator("#result_list tbody tr")).to_have_count(3)
    other.get_by_role("link", name=re.compile("Big ones")).click()
    expect(other.locator("#result_list tbody tr")).to_have_count(2)
    other.get_by_role("button", name="이 보기로 목록 열기").click()
    assert violations(other) == []
    other.goto("/admin/mobjects/opportunity/")
    expect(other.locator("#result_list tbody tr")).to_have_count(2)
    expect(other.locator(".mo-chip")).to_have_text(re.compile("100.00부터"))
    other.get_by_role("link", name=re.compile("제거")).click()
    expect(other.locator("#result_list tbody tr")).to_have_count(3)
