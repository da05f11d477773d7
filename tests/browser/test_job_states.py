"""Jobs that wait, batches that were split, and the banner while sending is halted: accessible, and they fit."""

from __future__ import annotations

import os
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from mobjects.jobs.job_lease import WAITS_FOR_RESET
from mobjects.models import Circuit, Kind, Opportunity, SyncBatch, SyncBatchState, SyncJob, SyncJobState
from tests import factories
from tests.browser.test_accessibility import violations
from tests.views import pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]


def split() -> SyncBatch:
    """The first half of a batch that was sent twice and refused."""
    job, record = pages.job(state=SyncJobState.PROBLEMS, counts={"FAILED": 2}), factories.opportunity()
    pages.batch(job, state=SyncBatchState.NOT_SENT, fault_text="Too many calls.")
    whole = pages.batch(job, attempt=2, state=SyncBatchState.REFUSED, fault_code="20109", fault_text="Invalid.")
    half = pages.batch(job, sequence=2, part_of=whole, cause="Half of batch 1, which was refused as a whole.")
    for status in ("RETRIED", "FAILED", "FAILED"):
        pages.result(job, batch=half, record_id=record.pk, status=status, error="Stage: not allowed")
    return half


def waiting(**values) -> SyncJob:
    return pages.job(state=SyncJobState.WAITING, planned=4, counts={"CREATED": 1}, started_at=timezone.now(), **values)


ADDRESSES = {
    "batch": lambda: f"/admin/mobjects/syncbatch/{split().pk}/change/",
    "job with steps": lambda: pages.job_url(split().job),
    "waiting": lambda: pages.job_url(waiting(waits_until=timezone.now() + timedelta(hours=1), waits_for="Quota.")),
    "halted": lambda: pages.job_url(waiting(waits_for=WAITS_FOR_RESET)),
    "cancel": lambda: f"/admin/sync-jobs/{waiting().pk}/cancel/",
    "connection": lambda: "/admin/connection/",
    "record form": lambda: "/admin/mobjects/opportunity/add/",
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_page_is_accessible_and_fits_while_sending_is_halted(open_page, name):
    Circuit.objects.create(reason="Marketo refused the signature: check MARKETO_ENCRYPTION_KEY.", code="20014")
    page = open_page(ADDRESSES[name]())
    expect(page.get_by_role("region", name="Sending is halted", exact=True)).to_be_visible()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert violations(page) == []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_of_two_halted_kinds_one_is_reset_by_the_keyboard(open_page):
    for kind in (Kind.OPPORTUNITY, Kind.PROGRAM):
        Circuit.objects.create(kind=kind.value, reason="Marketo denied access.", code="20013")
    page = open_page("/admin/connection/")
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.get_by_role("button", name="Reset opportunities").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("Sending of programs goes on.")
    expect(page.get_by_role("region", name="Sending of opportunities is halted")).to_be_visible()


def test_the_connection_is_tested_by_the_keyboard_and_the_answer_comes_by_itself(open_page, work):
    page = open_page("/admin/connection/")
    page.get_by_role("button", name="Test connection").focus()
    page.keyboard.press("Enter")
    test = page.get_by_role("region", name="Test of the connection")
    expect(test).to_contain_text("No worker is running; the test begins once one is started.")
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=f"{folder}/waiting.png", full_page=True)
    page.evaluate("window.stayed = true")
    with page.expect_response("**/admin/connection/"):
        pass  # The first look finds nothing new, and is not the last.
    work()
    expect(test).to_contain_text("Marketo answered and accepted the signature.", timeout=15_000)
    expect(page.locator("main > [role=status]")).to_contain_text("accepted the signature")
    assert page.evaluate("window.stayed")
    page.set_viewport_size({"width": 1280, "height": 900})
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=f"{folder}/done.png", full_page=True)


def test_a_job_is_paused_resumed_and_cancelled_in_the_browser(open_page):
    job = waiting(waits_until=timezone.now() + timedelta(hours=1), waits_for="Quota.")
    page = open_page(pages.job_url(job))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("body")).to_contain_text("Paused: 1 of 4 records done")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("body")).to_contain_text("Waiting for a worker")
    page.get_by_role("link", name="Cancel this job").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator("body")).to_contain_text("Cancelled: 1 of 4 accepted.")


def test_the_page_of_a_waiting_job_notices_by_itself_that_it_was_paused(open_page):
    job = waiting(waits_until=timezone.now() + timedelta(hours=1), waits_for="Quota.")
    page = open_page(pages.job_url(job))
    SyncJob.objects.filter(pk=job.pk).update(state=SyncJobState.PAUSED)
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=15_000)


def test_the_body_of_a_running_job_renews_itself_with_its_head_and_keeps_the_keyboards_place(open_page):
    job = pages.job(state=SyncJobState.RUNNING, planned=2, counts={"CREATED": 1}, started_at=timezone.now())
    pages.result(job, label="First")
    page = open_page(pages.job_url(job))
    search = page.get_by_label("Record, key, Marketo ID, GUID or error text")
    search.fill("half typed")
    tab = page.locator("#job-records").get_by_role("link", name="Created 1")
    tab.focus()
    pages.result(job, label="Second", record_id=999998, status="FAILED")
    SyncJob.objects.filter(pk=job.pk).update(counts={"CREATED": 1, "FAILED": 1})
    expect(page.locator("#job-live")).to_contain_text("2 of 2 records done", timeout=15_000)
    expect(page.locator("#job-records")).to_contain_text("Second")
    expect(page.locator("#job-records").get_by_role("link", name="All 2")).to_be_visible()
    # The focus follows what htmx calls settling, a moment after the text.
    expect(page.locator("#job-records :focus")).to_have_count(1)
    expect(search).to_have_value("half typed")


def test_a_failure_is_corrected_by_keys_alone_with_the_field_in_error_in_focus(open_page):
    job = pages.job(state=SyncJobState.PROBLEMS, counts={"FAILED": 2})
    first, second = (
        pages.result(job, record_id=record.pk, label=record.name, status="FAILED", error="Stage “Wun” is not allowed")
        for record in (factories.opportunity(name="First"), factories.opportunity(name="Second"))
    )
    page = open_page(pages.job_url(job))
    page.get_by_role("link", name="Fix these one by one").focus()
    page.keyboard.press("Enter")
    stage = page.get_by_label("Stage", exact=True)
    expect(stage).to_be_focused()
    page.keyboard.type("Won")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/sync-results/{second.pk}/"))
    assert Opportunity.objects.get(pk=first.record_id).stage == "Won"
    page.get_by_role("link", name="Previous").focus()
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(f"/syncjob/{job.pk}/"))
