"""What a person does from a changed record to its undo, once in Korean: each page on the way, and what it answers."""

from __future__ import annotations

from mobjects.models import Opportunity
from tests import factories
from tests.browser import test_accessibility as walk
from tests.browser.test_korean import english_on, english_texts

pytestmark = walk.pytestmark
SOON = 15_000


def test_failures_dry_run_sending_and_undo_say_nothing_in_english(open_page, sandbox, work):
    deals = [factories.opportunity(name=f"Taken by Marketo {number}", stage="Won") for number in range(3)]
    sandbox.faults.add("bad_row", row=0, text="Stage: refused", operation="syncMObjects", times=1)
    failed = factories.sync(*deals)
    english = english_texts()
    page = open_page(f"/admin/mobjects/syncjob/{failed.pk}/change/", language="ko")

    def read(step: str) -> None:
        page.wait_for_load_state()
        found = [text for text in english_on(page, step, english) if text != "Marketo"]
        assert (step, found) == (step, [])

    def job_ends() -> None:
        page.wait_for_url("**/syncjob/**")
        read("the queued job")
        work()
        page.locator("[data-state=finished], .mo-lead").first.wait_for(timeout=SOON)
        page.reload()
        read("the job that is over")

    # a failure, put right in the form beside its reason, and sent again by keys
    read("the job with failures")
    page.keyboard.press("j")
    page.keyboard.press("f")
    page.wait_for_url("**/sync-results/**")
    read("the record in the job")
    page.locator("[name=stage]").fill("Lost")
    page.keyboard.press("Enter")
    page.wait_for_url("**/syncjob/**")
    page.keyboard.press("R")
    page.locator("[name=send]").wait_for()
    read("what a retry sends")
    page.keyboard.press("S")
    job_ends()

    # a dry run, sent exactly, and undone
    Opportunity.objects.exclude(name="Taken by Marketo 0").update(stage="Lost")
    page.goto("/admin/sync/?kind=Opportunity")
    read("what would be sent")
    page.locator("[name=list]").first.click()
    read("record by record")
    page.goto("/admin/sync/?kind=Opportunity")
    page.locator("[name=keep]").click()
    job_ends()
    Opportunity.objects.filter(name="Taken by Marketo 2").update(stage="Won")
    page.locator("form[action$='/send-exactly/'] button").click()
    page.locator("[name=send]").wait_for()
    read("exactly what the dry run found")
    page.locator("[name=send]").click()
    job_ends()
    page.locator("a[href$='/undo/']").click()
    page.locator("form[method=post] textarea[name=reason]").wait_for()
    read("the undo")
    page.locator("button[type=submit][name=undo], form:has(textarea[name=reason]) button[type=submit]").last.click()
    job_ends()
    assert [factories.fresh(deal).stage for deal in deals] == ["Lost", "Won", "Won"]
