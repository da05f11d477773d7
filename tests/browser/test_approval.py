"""A sending that a rule holds, in a real browser: who asked cannot approve; another person does, by the keyboard."""

from __future__ import annotations

import pytest

from mobjects.jobs.runner import run_job
from mobjects.models import Approval, ApprovalState, Opportunity, SyncJob, SyncJobAction, SyncJobState
from tests import factories
from tests.support.approvals import ask, make_rule

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]


def press(page, name: str) -> None:
    """Reach a button by the tab key, and press it by Enter."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not reached by the keyboard")


def test_who_asked_waits_for_a_second_person(open_page):
    make_rule(more_than=2)
    for number in range(3):
        factories.opportunity(name=f"Deal {number}")
    page = open_page("/admin/sync/?kind=Opportunity")
    page.get_by_role("button", name="Send").first.click()
    page.get_by_text("A rule holds it: another person has to approve it.").wait_for()
    run_job(SyncJob.objects.get(action=SyncJobAction.DRY_RUN))
    page.reload()
    page.get_by_role("link", name="See what is to be approved").click()
    page.get_by_text("You asked for it, so another person has to approve it").wait_for()
    assert page.get_by_role("button", name="Approve").count() == 0
    assert page.locator("tbody tr").count() == 3


def test_a_second_person_approves_by_the_keyboard_and_the_history_names_both(open_page):
    make_rule(more_than=2)
    records = [factories.opportunity(name=f"Deal {number}") for number in range(3)]
    asker = factories.user("anna", group="operator")
    job = ask(user=asker)
    page = open_page("/admin/")
    page.get_by_text("1 request waits for approval.").wait_for()
    page.get_by_role("link", name="See what is to be approved").click()
    page.locator("#result_list tbody a").first.click()
    page.get_by_text("Exactly this would be sent").wait_for()
    assert page.locator("tbody tr").count() == 3
    press(page, "Approve")
    page.get_by_text("Approved. It is done exactly as it is shown.").wait_for()
    run_job(SyncJob.objects.get(pk=job.pk))
    assert SyncJob.objects.get(pk=job.pk).state == SyncJobState.SUCCEEDED
    decided_by = Approval.objects.get().decided_by
    page.goto(f"{page.url.split('/admin/')[0]}/admin/sync-history/Opportunity/{records[0].pk}/")
    said = page.locator("main").inner_text()
    assert "Held for approval" in said
    assert "anna" in said
    assert decided_by in said


def test_a_change_after_the_preview_withdraws_it(open_page):
    make_rule()
    record = factories.opportunity(name="Deal 7")
    ask(user=factories.user("anna", group="operator"))
    page = open_page(f"/admin/approvals/{Approval.objects.get().pk}/")
    Opportunity.objects.get(pk=record.pk)
    record.stage = "Lost"
    record.save()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("It was withdrawn: records changed since.").wait_for()
    assert page.get_by_role("list", name="Records that changed").inner_text() == "Deal 7"
    assert Approval.objects.get().state == ApprovalState.WITHDRAWN
