"""The page of a request for approval, and what leads there."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from mobjects.models import Approval, ApprovalState, SyncJob, SyncJobState
from tests import factories
from tests.support.approvals import ask, make_rule, waiting_approval
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "queue", "groups")]


@pytest.fixture
def held() -> Approval:
    make_rule(more_than=1, name="Large ones")
    for number in range(2):
        factories.opportunity(name=f"Deal {number}")
    return ask(user=factories.user("olga", group="operator")).approvals.get()


def olga() -> Client:
    browser = Client()
    browser.force_login(User.objects.get(username="olga"))
    return browser


def address(held: Approval, what: str = "") -> str:
    return reverse(f"mobjects:approval{what}", args=[held.pk])


def test_another_person_sees_what_was_frozen_and_approves(held):
    anna = pages.client()
    said = pages.words(anna.get(address(held)))
    assert "“Large ones” (2 records, more than 1)" in said
    assert "Deal 0" in said
    assert "INSERT" in said
    assert "Approved. It is done exactly as it is shown." in pages.words(
        anna.post(address(held, "-approve"), follow=True)
    )
    held.refresh_from_db()
    assert (held.state, held.decided_by) == (ApprovalState.APPROVED, "operator-user")
    job = pages.words(anna.get(pages.job_url(held.job)))
    assert "Asked by olga, approved by operator-user" in job


def test_who_asked_has_no_button_to_approve_and_may_withdraw(held):
    page = olga().get(address(held))
    assert address(held, "-approve") not in pages.text(page)
    assert "another person has to approve it" in pages.words(olga().post(address(held, "-approve"), follow=True))
    assert Approval.objects.get().state == ApprovalState.WAITING
    assert "Withdrawn. Nothing of it is done." in pages.words(olga().post(address(held, "-withdraw"), follow=True))
    assert Approval.objects.get().state == ApprovalState.WITHDRAWN


def test_a_refusal_needs_a_reason(held):
    anna = pages.client()
    assert "Say why not" in pages.words(anna.post(address(held, "-refuse"), {"reason": " \0"}, follow=True))
    said = pages.words(anna.post(address(held, "-refuse"), {"reason": "Wrong quarter."}, follow=True))
    assert "Refused by operator-user: Wrong quarter." in said


def test_what_changed_since_is_named(held):
    record = factories.Opportunity.objects.get(name="Deal 1")
    record.stage = "Lost"
    record.save()
    page = pages.client().post(address(held, "-approve"), follow=True)
    said = pages.words(page)
    assert "It was withdrawn: records changed since." in said
    assert pages.tree(page).xpath("//ul[@aria-label='Records that changed']/li/a/text()") == ["Deal 1"]


def test_the_job_the_menu_and_the_dashboard_say_that_something_waits(held):
    browser = olga()
    assert "A rule holds it: “Large ones”" in pages.words(browser.get(pages.job_url(held.job)))
    dashboard = pages.words(browser.get("/admin/"))
    assert "1 request waits for approval." in dashboard
    assert "“Large ones” (2 records, more than 1)" in pages.words(browser.get("/admin/mobjects/approval/"))


def test_sending_from_the_page_leads_to_a_job_that_waits(django_capture_on_commit_callbacks):
    make_rule()
    factories.opportunity()
    browser = pages.client()
    form = browser.get("/admin/sync/?kind=Opportunity").context["form"]
    fields = {bound.html_name: bound.value() or "" for bound in form}
    with django_capture_on_commit_callbacks(execute=True):
        said = browser.post("/admin/sync/", {**fields, "shown": form.options, "send": "1"}, follow=True)
    assert "A rule holds it: another person has to approve it." in pages.words(said)
    assert SyncJob.objects.filter(state=SyncJobState.HELD).count() == 1


def test_what_would_be_deleted_is_listed_and_says_what_is_gone():
    record, gone = factories.opportunity(name="Deal 7"), factories.opportunity()
    held = waiting_approval(pages.job(state=SyncJobState.HELD, action="delete"), record, gone, work="delete")
    pk = gone.pk
    gone.delete()
    said = pages.words(pages.client("viewer").get(address(held)))
    assert "What would be deleted in Marketo" in said
    assert "Deal 7" in said
    assert f"Record {pk}, deleted" in said
