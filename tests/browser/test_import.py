"""An import in a real browser, from upload to history, mostly by keyboard; each of its pages is accessible and fits.

With ``WRITE_PICTURES=1`` it writes the pictures of docs/walkthrough.md anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mobjects.models import Import, Opportunity, SyncJob
from tests import factories
from tests.browser.conftest import DESKTOP
from tests.browser.test_accessibility import violations
from tests.browser.test_main_job import press
from tests.files import ROOT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(360),  # The longest takes 38 s beside two other suites.
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups"),
]

PICTURES = ROOT / "docs" / "images"
DRAWING = bool(os.environ.get("WRITE_PICTURES"))
SOON = 15_000

CSV = """External ID;Name;Betrag;CloseDate;Stage;Internal note;Probability
E-1;Seoul renewal;₩12,000;2026. 11. 30;Negotiation;call first;0.8
E-2;서울 기회;8,000원;end of Nov;Negotiation;;1
E-3;Expansion Busan;4,500.00;end of Nov;Proposal;;0.5
E-4;Pilot Daegu;1200.00;end of Nov;Proposal;;
E-5;Größe & Söhne;3.5k;2026-12-15 (화);Proposal;;
E-6;Renewal Incheon;990.00;2026-10-31;Closed Won;;
E-7;Upgrade Ulsan;2100.00;2026-12-01;Proposal;;
"""


@pytest.fixture
def here():
    """Records that the file changes: one is the same already, one differs."""
    values = {"stage": "Closed Won", "amount": "990.00", "close_date": "2026-10-31"}
    factories.opportunity(external_id="E-6", name="Renewal Incheon", **values)
    factories.opportunity(external_id="E-7", name="Upgrade Ulsan", stage="Qualification", amount="1800.00")


def look(page: Page, picture: str = "") -> None:
    """The page in both widths, light and dark; and its picture, if asked for."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    page.reload()
    if DRAWING and picture:
        page.screenshot(path=PICTURES / f"import-{picture}.png", full_page=True)


def upload(page: Page, folder: Path, text: str) -> None:
    path = folder / "pipeline.csv"
    path.write_text(text, encoding="utf-8")
    page.set_input_files("input[type=file]", path)
    press(page, page.get_by_role("button", name="Upload"), "Enter")


def finish(page: Page, work: Callable[[], None]) -> None:
    """Let a worker do the step that was asked for; the page looks for the outcome by itself."""
    expect(page.locator("body")).to_contain_text("Waits for a worker")
    work()


def correct(page: Page, work: Callable[[], None]) -> None:
    """Say how values are read and type a correction, both with one press; then another one."""
    expect(page.get_by_role("region", name="How values are read")).to_contain_text(
        "These look like fractions: 0.8 → 80?"
    )
    page.get_by_label("Use instead of “end of Nov” in CloseDate").fill("2026-11-30")
    page.get_by_label("Probability in this file").select_option("fraction")
    press(page, page.get_by_role("button", name="Read the values so, and check again"), "Enter")
    finish(page, work)
    expect(page.get_by_role("link", name="Errors: 1 row")).to_be_visible(timeout=SOON)
    page.get_by_label("Use instead of “3.5k” in Amount").fill("3500")
    press(page, page.get_by_label("Use instead of “3.5k” in Amount"), "Enter")
    finish(page, work)


def test_upload_mapping_review_fix_commit_sync_history(open_page, work, sandbox, here, tmp_path):
    # upload, from the list
    page = open_page("/admin/mobjects/opportunity/")
    page.locator("a[href='/admin/imports/new/?kind=opportunities']").click()
    expect(page).to_have_url(re.compile("/admin/imports/new/"))
    look(page)
    upload(page, tmp_path, CSV)

    # mapping: two columns have no names of ours
    expect(page.get_by_role("alert")).to_contain_text("“Betrag” is not matched yet")
    look(page, "columns")
    page.get_by_label("What column C (Betrag) means").select_option(label="Amount")
    page.get_by_label("What column F (Internal note) means").select_option(label="Leave out")
    press(page, page.get_by_role("button", name="Check the file"), "Enter")
    finish(page, work)

    # review: the page has noticed by itself; nothing is written yet
    expect(page.locator("body")).to_contain_text("Checked 7 rows", timeout=SOON)
    expect(page.get_by_role("link", name="Errors: 5 rows")).to_be_visible()
    assert Opportunity.objects.count() == 2
    look(page, "review")
    correct(page, work)
    expect(page.get_by_role("link", name="Errors: 0 rows")).to_be_visible(timeout=SOON)
    page.get_by_role("link", name="Changed: 1 row", exact=True).click()
    expect(page.get_by_role("region", name="Rows of the file")).to_contain_text("1800.00 → 2100.00")
    look(page)

    # commit, all or nothing
    press(page, page.get_by_label(re.compile("All or nothing")), "Space")
    press(page, page.get_by_role("button", name="Write 5 new and 1 changed"), "Enter")
    finish(page, work)
    expect(page.locator("body")).to_contain_text("Written: 5 created, 1 changed", timeout=SOON)
    assert Opportunity.objects.count() == 7
    assert str(Opportunity.objects.get(external_id="E-5").amount) == "3500.00"
    assert Opportunity.objects.get(external_id="E-1").probability == 80

    # sync these
    page.get_by_role("link", name="Sync these 6 records").click()
    press(page, page.get_by_role("button", name=re.compile("send 6 records", re.IGNORECASE)), "Enter")
    expect(page).to_have_url(re.compile("/admin/mobjects/syncjob/"))
    work()
    expect(page.locator("body")).to_contain_text("Finished", timeout=SOON)
    job = SyncJob.objects.get()
    assert (job.counts, len(sandbox.store.opportunities)) == ({"CREATED": 6}, 6)

    # history: the import tells its jobs, and the list tells the import
    imported = Import.objects.get()
    page.wait_for_load_state()  # The job's page loads itself anew once it is over.
    page.goto(f"/admin/imports/{imported.pk}/")
    expect(page.get_by_role("region", name="Sync jobs")).to_contain_text("operator-1")
    look(page, "result")
    page.goto("/admin/mobjects/import/")
    expect(page.locator("#result_list")).to_contain_text("pipeline.csv")
    expect(page.locator("#result_list")).to_contain_text("operator-1")
    look(page)


def test_the_same_file_again_is_noticed_and_an_import_is_undone(open_page, work, tmp_path):
    text = "External ID,Name\nE-1,First\nE-2,Second\n"
    page = open_page("/admin/imports/new/?kind=opportunities")
    upload(page, tmp_path, text)
    finish(page, work)
    page.get_by_role("button", name="Write 2 new").click(timeout=SOON)
    finish(page, work)
    expect(page.locator("body")).to_contain_text("Written: 2 created", timeout=SOON)

    page.goto("/admin/imports/new/?kind=opportunities")
    upload(page, tmp_path, text)
    finish(page, work)
    second = Import.objects.latest("pk")
    page.goto(f"/admin/imports/{second.pk}/")
    expect(page.locator("body")).to_contain_text("The same file was uploaded before")
    look(page)

    first = Import.objects.earliest("pk")
    page.goto(f"/admin/imports/{first.pk}/")
    page.get_by_role("link", name="Undo this import").click()
    expect(page.locator("body")).to_contain_text("2")
    look(page)
    press(page, page.get_by_role("button", name=re.compile("^undo|remove", re.IGNORECASE)).first, "Enter")
    finish(page, work)
    expect(page.locator("body")).to_contain_text("2 removed", timeout=SOON)
    assert not Opportunity.objects.exists()
