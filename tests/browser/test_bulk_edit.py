"""5,000 records changed at once from the list: chosen over a page boundary, previewed, sent, and taken back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from mobjects.models import BulkEdit, Opportunity
from tests.browser.test_accessibility import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MANY, WON = 5_000, 30
SOON = 15_000


@pytest.fixture
def many(marketo_rest_settings, groups):
    Opportunity.objects.bulk_create(
        Opportunity(
            name=f"Deal {number:04}",
            external_id=f"E{number}",
            stage="Won" if number < WON else "New",
            marketo_id=number + 1,
        )
        for number in range(MANY)
    )
    # Marketo knows all of it.
    Opportunity.objects.update(synced_revision=1)
    Opportunity.objects.create(name="Other", external_id="other", stage="New")


@pytest.mark.usefixtures("many")
@pytest.mark.timeout(300)  # Five thousand records, in the background, three times.
def test_five_thousand_records_are_previewed_changed_sent_and_put_back(open_page, work):
    page = open_page("/admin/mobjects/opportunity/?q=Deal")
    body = page.locator("body")
    page.locator("#action-toggle").check()
    page.locator(".actions .question a").click()
    page.locator("select[name=action]").select_option("edit_selected")
    page.locator("button[name=index]").first.click()
    expect(body).to_contain_text("You chose 5,000 opportunities (search: “Deal”).")

    page.get_by_label("What is to be done").select_option(".set:Stage")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("New value of Stage").fill("Won")
    assert violations(page) == []
    page.get_by_role("button", name="Show what it would do").click()
    expect(body).to_contain_text("Working out what it would do: 0 of 5,000.")
    work()
    expect(body).to_contain_text("Set Stage to “Won” in 4,970 opportunities; 30 stay: it is so already.", timeout=SOON)
    expect(page.get_by_role("link", name="Next")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("row", name="Deal 0080")).to_contain_text("New")
    assert violations(page) == []

    Opportunity.objects.filter(name="Deal 4999").update(next_step="Call")
    page.get_by_role("button", name="Change 4,970").click()
    expect(body).to_contain_text("Changing: 0 of 5,000 dealt with.")
    work()
    expect(body).to_contain_text("Done: Set Stage to “Won” in 4,969 opportunities. 1 was left alone.", timeout=SOON)
    page.get_by_role("link", name="Left alone: 1").click()
    expect(page.get_by_role("row", name="Deal 4999")).to_contain_text("was changed since it was shown")
    assert Opportunity.objects.filter(stage="Won").count() == MANY - 1
    assert violations(page) == []

    page.get_by_role("button", name="Sync these…").click()
    expect(body).to_contain_text("4,969")
    page.go_back()
    page.get_by_role("button", name="Undo: put back 4,969").click()
    expect(body).to_contain_text("Undoing: 0 of 5,000 dealt with.")
    work()
    expect(body).to_contain_text("Undone: 4,969 are as before.", timeout=SOON)
    assert Opportunity.objects.filter(stage="Won").count() == WON
    assert BulkEdit.objects.get().undone == {"restored": MANY - 31, "kept": 0}
