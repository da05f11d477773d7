"""The main job in a real browser: import, edit, sync, history."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from mobjects.models import Opportunity, Program, SyncJob
from tests import factories

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups"),
]

CSV = """External ID,Name,Amount,CloseDate,Probability
E-1,서울 기회,2000.50,2026-06-30,80%
E-2,Second,10,2026-07-31,5
"""


def test_import_edit_sync_history(open_page, work, sandbox, tmp_path):
    program = factories.program(marketo_id=1001, name="Webinar Seoul")
    upload = tmp_path / "opportunities.csv"
    upload.write_text(CSV, encoding="utf-8")

    # import
    page = open_page("/admin/imports/new/?kind=opportunities")
    page.set_input_files("input[type=file]", upload)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("body")).to_contain_text("Waits for a worker")
    work()
    page.get_by_role("button", name="Write 2 new").click()
    expect(page.locator("body")).to_contain_text("Waits for a worker")
    work()
    expect(page.locator("body")).to_contain_text("Written: 2 created", timeout=15_000)
    page.goto("/admin/mobjects/opportunity/")
    expect(page.locator("#result_list")).to_contain_text("서울 기회")
    expect(page.locator("#result_list")).to_contain_text("Never synced")

    # edit a program's period costs
    page.goto(f"/admin/mobjects/program/{program.pk}/change/")
    page.get_by_role("link", name=re.compile("add another period cost", re.IGNORECASE)).click()
    page.fill("[name=costs-0-month]", "2026-6")
    page.fill("[name=costs-0-amount]", "1500")
    page.get_by_role("button", name="Save", exact=True).click()
    cost = Program.objects.get().costs.get()
    assert (cost.content_text, Program.objects.get().is_dirty) == ("2026-06 1500.00", True)

    # sync
    page.goto("/admin/mobjects/opportunity/")
    page.goto("/admin/sync/?kind=all")
    page.fill("[name=reason]", "month end")
    page.get_by_role("button", name=re.compile("send 3 records to marketo", re.IGNORECASE)).click()
    expect(page).to_have_url(re.compile("/admin/mobjects/syncjob/"))
    expect(page.locator("body")).to_contain_text("Queued")
    work()
    # nobody reloads: the page looks for itself
    expect(page.locator("body")).to_contain_text("Finished", timeout=15_000)
    expect(page.locator("body")).to_contain_text("month end")

    # every record has its Marketo ID and status
    for record in Opportunity.objects.all():
        assert record.last_status == "CREATED"
        page.goto(f"/admin/mobjects/opportunity/{record.pk}/change/")
        expect(page.locator("body")).to_contain_text(str(record.marketo_id))
        expect(page.locator("body")).to_contain_text("Synced")
    assert "1500.00" in [stored.amount for stored in sandbox.store.programs[1001].costs.values()]

    # history: who sent what, and what Marketo answered
    page.goto("/admin/mobjects/syncjob/")
    expect(page.locator("#result_list")).to_contain_text("operator-1")
    page.goto(f"/admin/mobjects/syncjob/{SyncJob.objects.get().pk}/change/")
    page.get_by_role("link", name=re.compile("batch 2|^2$", re.IGNORECASE)).first.click()
    expect(page.locator("body")).to_contain_text("paramsSyncMObjects")
    expect(page.locator("body")).to_contain_text("CREATED")


def test_save_and_sync_lands_on_the_job(open_page, work):
    record = factories.opportunity(name="Deal")
    factories.sync(record)
    page = open_page(f"/admin/mobjects/opportunity/{record.pk}/change/")
    page.fill("[name=probability]", "75%")
    page.get_by_role("button", name="Save and sync").click()
    expect(page).to_have_url(re.compile("/admin/mobjects/syncjob/"))
    work()
    expect(page.locator("body")).to_contain_text("Finished", timeout=15_000)
    assert factories.fresh(record).accepted["Probability"] == "75"


def test_wrong_input_is_explained_beside_the_field(open_page):
    record = factories.opportunity(name="Deal")
    page = open_page(f"/admin/mobjects/opportunity/{record.pk}/change/")
    page.fill("[name=amount]", "1,500 EUR")
    page.fill("[name=probability]", "120")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("“1,500 EUR” is not a number")
    expect(page.locator("body")).to_contain_text("“120” is not between 0 and 100")
    assert not factories.fresh(record).amount


def press(page, element, key):
    """Press a key on something that a person can see, and that has the focus."""
    expect(element).to_be_visible()
    element.focus()
    expect(element).to_be_focused()
    page.keyboard.press(key)


def test_selection_is_synced_by_keyboard_alone(open_page, work):
    factories.opportunity(name="Deal")
    page = open_page("/admin/mobjects/opportunity/")
    press(page, page.locator("input.action-select"), "Space")
    actions = page.locator("select[name=action]")
    # The bar with the actions comes with the first ticked box, its button with a chosen action.
    press(page, actions, "Tab")
    actions.select_option("sync_selected")
    press(page, page.locator("button[name=index]"), "Enter")
    press(page, page.get_by_role("button", name=re.compile("send 1 record", re.IGNORECASE)), "Enter")
    expect(page).to_have_url(re.compile("/admin/mobjects/syncjob/"))
    work()
    expect(page.locator("body")).to_contain_text("Finished", timeout=15_000)
