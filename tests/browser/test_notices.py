"""From a job that fails to the inbox, to a webhook that fails twice and a mailbox, and to the log of deliveries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from mobjects.jobs.lifecycle import end_job
from mobjects.models import NoticeDelivery, SyncJobState
from mobjects.notices.deliveries import deliver_due
from tests import factories
from tests.browser.test_accessibility import violations
from tests.support.receivers import CUT, WebhookReceiver, mail_server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def make_due() -> None:
    NoticeDelivery.objects.filter(state="waiting").update(due_at=datetime.now(UTC) - timedelta(seconds=1))


@pytest.mark.usefixtures("marketo_settings", "groups")
@pytest.mark.timeout(360)
def test_a_failing_job_arrives_in_inbox_mailbox_and_webhook_and_the_log_says_so(open_page, settings, work):
    with WebhookReceiver() as receiver, mail_server(settings) as mail:
        settings.NOTICES = {**settings.NOTICES, "INNER_HOSTS": [receiver.host]}
        page = open_page("/admin/notices/webhooks/new/")
        User.objects.update(email="op@example.com")
        page.get_by_label("Name").fill("Operations chat")
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_label("Shape").select_option("slack")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="The signing secret")).to_be_visible()
        assert page.locator("[data-secret]").inner_text().startswith("whsec_")
        assert violations(page) == []
        page.goto("/admin/notices/settings/")
        page.get_by_role("group", name="By e-mail").get_by_label("A job failed").check()
        page.get_by_role("button", name="Save").click()
        expect(page.locator("body")).to_contain_text("Your choice of notices was saved.")

        receiver.answers.extend([500, CUT])
        job = factories.job_in(SyncJobState.RUNNING, counts={"CREATED": 4}, planned=7)
        end_job(job, SyncJobState.CRASHED, "crashed", "It broke.")
        work()
        page.goto("/admin/")
        expect(page.get_by_role("link", name="Notices 1")).to_be_visible()
        page.get_by_role("link", name="Notices 1").click()
        row = page.get_by_role("row", name="Failed: Sync of 7 opportunities")
        expect(row).to_contain_text("It broke. 4 created")
        assert violations(page) == []
        page.get_by_role("link", name="Webhooks and deliveries").click()
        hook = page.get_by_role("row", name="Operations chat")
        expect(hook).to_contain_text("Waiting")
        expect(hook).to_contain_text("Answered with status 500, which may pass.")
        expect(hook).to_contain_text("Next try at")
        assert violations(page) == []
        for _ in range(2):
            make_due()
            deliver_due()
        page.reload()
        expect(hook).to_contain_text("Sent")
        expect(hook).to_contain_text("3 tries.")
        assert len(receiver.calls) == 3
        assert json.loads(receiver.calls[2][1])["text"].startswith("Failed: Sync of 7 opportunities")
        (message,) = mail.messages
        assert "Failed: Sync of 7 opportunities" in message["Subject"]
        hook.get_by_role("button", name="Resend").click()
        expect(page.locator("body")).to_contain_text("It is sent once more.")
        work()
        assert len(receiver.calls) == 4

        page.goto("/admin/notices/")
        page.get_by_role("button", name="Mark as read").click()
        expect(page.locator("body")).to_contain_text("0 notices are unread.")
        page.get_by_role("link", name="Failed: Sync of 7 opportunities").click()
        expect(page.locator("body")).to_contain_text("It broke.")
