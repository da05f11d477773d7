"""Preview, dry run, “send exactly this”, and taking it back, as a person does it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from mobjects.models import Opportunity, SyncJobState, SyncResult
from mobjects.views.sync.preview import FIRST
from tests import factories
from tests.browser.test_accessibility import violations
from tests.views import pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups"),
]


def test_preview_dry_run_send_exactly_this_and_undo(open_page, work, sandbox):
    deals = [factories.opportunity(name=f"Deal {number}", stage="Open") for number in range(3)]
    factories.sync(*deals)
    Opportunity.objects.update(stage="Won")
    page = open_page("/admin/sync/?kind=Opportunity")
    body = page.locator("body")

    # what each record changes, searched and paged without leaving the form
    expect(page.get_by_role("row", name="Deal 1")).to_contain_text("Open")
    page.get_by_role("button", name="Search among them").click()
    page.get_by_label("Name, key, Marketo ID or GUID").fill("deal 2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="Deal 2")).to_be_visible()
    expect(page.get_by_role("row", name="Deal 1")).to_have_count(0)
    assert violations(page) == []
    page.get_by_role("button", name="Back to the summary").click()

    # a dry run that nobody has to trust: it is kept, and one record changes after it
    page.get_by_role("button", name="Keep as a dry run").click()
    expect(page).to_have_url(re.compile("/admin/mobjects/syncjob/"))
    work()
    expect(body).to_contain_text("Nothing was sent: 3 of 3 records would be.", timeout=15_000)
    Opportunity.objects.filter(name="Deal 1").update(stage="Lost")
    page.get_by_role("button", name="Send exactly this").click()
    expect(body).to_contain_text("1 record is not as the dry run showed it")
    expect(body).to_contain_text("it changed since the dry run")
    page.get_by_role("button", name="Send 2 records to Marketo").click()
    expect(page).to_have_url(re.compile("/admin/mobjects/syncjob/"))
    work()
    expect(body).to_contain_text("Finished", timeout=15_000)
    stages = {each.values["Name"]: each.values["Stage"] for each in sandbox.store.opportunities.values()}
    assert stages == {"Deal 0": "Won", "Deal 1": "Open", "Deal 2": "Won"}

    # and back again
    Opportunity.objects.filter(name="Deal 2").update(stage="Lost")
    page.get_by_role("link", name="Undo this sending").click()
    expect(body).to_contain_text("1 record gets back the values")
    expect(body).to_contain_text("Left alone: It was changed here since.")
    page.get_by_role("button", name="Undo 1 record").click()
    expect(page).to_have_url(re.compile("/admin/mobjects/syncjob/"))
    work()
    page.get_by_role("link", name="Steps on the way 1").click(timeout=15_000)
    expect(body).to_contain_text("Old values put back here")
    assert sandbox.store.opportunities[factories.fresh(deals[0]).marketo_id].values["Stage"] == "Open"
    assert [factories.fresh(deal).stage for deal in deals] == ["Open", "Lost", "Lost"]


def test_pages_of_very_many_records_open_at_once_and_count_the_rest_by_themselves(open_page):
    names = range(FIRST + 1)
    made = Opportunity.objects.bulk_create(Opportunity(external_id=f"B-{n}", name=f"Deal {n}") for n in names)
    page = open_page("/admin/sync/?kind=Opportunity")
    expect(page.get_by_role("button", name="Send 2,001 records to Marketo")).to_be_enabled(timeout=15_000)
    expect(page.get_by_role("status").filter(has_text="2,001 records")).to_contain_text("in 21 batches")
    assert violations(page) == []

    job = pages.job(state=SyncJobState.SUCCEEDED, counts={"UPDATED": len(made)})
    batch = pages.batch(job)
    about = {"job": job, "batch": batch, "kind": "Opportunity", "status": "UPDATED", "diff": [["Stage", "A", "B"]]}
    results = (SyncResult(record_id=each.pk, label=each.name, revision=each.revision, **about) for each in made)
    SyncResult.objects.bulk_create(results)
    page.goto(page.url.partition("/admin/")[0] + f"/admin/sync-jobs/{job.pk}/undo/")
    expect(page.locator("body")).to_contain_text("Nothing of this sending can be undone.", timeout=15_000)
    assert violations(page) == []
