"""From a dashboard with 15 failures of two reasons to one that needs nobody, without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from mobjects.models import Opportunity, OpportunityPersonRole
from mobjects.sandbox.fields import COMPANY, COMPANY_KEY
from mobjects.sandbox.state import StoredParty
from tests import factories
from tests.browser.test_accessibility import violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

MISSPELT, NOT_YET_THERE = 4, 11
SOON = 15_000


@pytest.fixture
def failures(marketo_rest_settings, groups):
    """One job over REST: keys of companies are misspelt, and the persons of roles are not in Marketo yet."""
    for number in range(MISSPELT):
        factories.opportunity(name=f"Misspelt {number}", company_key="C-O0O1")
    parent = factories.opportunity(name="Parent")
    for number in range(NOT_YET_THERE):
        factories.role(parent, person_id=900 + number, role="Champion")
    job = factories.sync()
    assert job.counts == {"CREATED": 1, "FAILED": MISSPELT + NOT_YET_THERE}


def send_what_is_shown(page):
    """From the page that shows what a retry sends to its job."""
    assert violations(page) == []
    page.keyboard.press("S")
    expect(page.locator("body")).to_contain_text("Queued")


def go_by_palette(page, name):
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox", name="Search or go to")).to_be_focused()
    page.keyboard.type(name.lower())
    expect(page.get_by_role("dialog", name="Search or go to").get_by_role("link", name=name)).to_be_visible()
    page.keyboard.press("Enter")


@pytest.mark.usefixtures("failures")
def test_fifteen_failures_of_two_reasons_by_keys_alone_from_the_dashboard_to_green(open_page, work, sandbox):
    page = open_page("/admin/")
    keys, body = page.keyboard, page.locator("body")
    expect(body).to_contain_text("15 records failed and were not corrected.")
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("15 records failed and were not corrected.")
    keys.press("Escape")
    keys.press(page.get_by_text("See why").get_attribute("data-key"))
    page.wait_for_url("**?status=FAILED*")

    # What the page's own keys do is told by its help.
    groups = page.get_by_role("region", name="Reasons").get_by_role("listitem")
    expect(groups).to_have_count(2)
    keys.press("?")
    for words in ("Fix these one by one", "Retry this group", "Retry 15 records not accepted"):
        expect(page.get_by_role("dialog", name="Keys")).to_contain_text(words)
    keys.press("Escape")

    # The first group lacks its persons: somebody makes them in Marketo, and it is sent again as it is.
    keys.press("j")
    expect(groups.first).to_be_focused()
    expect(groups.first).to_contain_text(f"{NOT_YET_THERE} × failed")
    assert violations(page) == []
    for number in range(NOT_YET_THERE):
        sandbox.store.add_party("Lead", StoredParty(900 + number, f"Person {number}", {}))
    keys.press("g")
    expect(page.get_by_role("button", name=f"Send {NOT_YET_THERE} records to Marketo")).to_be_visible()
    send_what_is_shown(page)
    work()
    expect(body).to_contain_text(f"Finished: all {NOT_YET_THERE} records were accepted.", timeout=SOON)

    # Back, and to the second group, one record after the other: the field in error has the keyboard.
    page.go_back()
    page.go_back()
    keys.press("j")
    keys.press("j")
    expect(groups.nth(1)).to_contain_text(f"{MISSPELT} × failed")
    keys.press("f")
    for number in range(MISSPELT):
        expect(body).to_contain_text(f"Misspelt {number}")
        expect(page.get_by_label("Company key")).to_be_focused()
        keys.press("Control+a")
        keys.type("C-0001")
        keys.press("Enter")
    page.wait_for_url("**/syncjob/**")
    keys.press("R")
    expect(page.get_by_role("table", name="What would change, record by record")).to_contain_text("C-0001")
    send_what_is_shown(page)
    work()
    expect(body).to_contain_text(f"Finished: all {MISSPELT} records were accepted.", timeout=SOON)

    go_by_palette(page, "Dashboard")
    expect(page.get_by_role("heading", name="What needs you")).to_be_visible()
    expect(body).not_to_contain_text("not corrected")
    assert not Opportunity.objects.exclude(state="synced").exists()
    assert not OpportunityPersonRole.objects.exclude(state="synced").exists()
    assert len(sandbox.store.opportunities) == 1 + MISSPELT
    assert sandbox.store.newest_by_key(COMPANY, (COMPANY_KEY, "C-0001"))
