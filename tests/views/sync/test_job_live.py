"""A running job's page: its parts renew themselves together, from one reading of the job."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from mobjects.models import SyncJobState
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def browser(groups):
    return pages.client()


def live(browser, job, query: str = ""):
    return browser.get(reverse("mobjects:job-live", args=[job.pk]) + query)


def part(response, name: str) -> str:
    element = html.fromstring(response.content.decode()).get_element_by_id(name)  # type: ignore[attr-defined]  # poor stubs
    return " ".join(element.text_content().split())


@pytest.mark.parametrize("ask", ["page", "live"])
def test_the_head_and_the_body_of_a_running_job_say_the_same(browser, ask):
    job = pages.job(state=SyncJobState.RUNNING, planned=3, counts={"CREATED": 1, "PENDING": 1}, started_at=pages.MOMENT)
    pages.result(job, label="First")
    pages.result(job, label="Second", status="PENDING", record_id=999998)
    pages.result(job, label="First", status="RETRIED")
    response = browser.get(pages.job_url(job)) if ask == "page" else live(browser, job)
    assert "Running: 1 of 3 records done." in pages.text(response)
    assert "1 created" in pages.text(response)
    assert "All 3 In a batch 1 Created 1 Steps on the way 1" in part(response, "job-records")
    assert "Second" in part(response, "job-records")
    assert "Started2026-03-01" in part(response, "job-facts")


def test_what_renews_itself_replaces_all_parts_at_once(browser):
    job = pages.job(state=SyncJobState.RUNNING, planned=3, counts={"CREATED": 1})
    pages.batch(job)
    page = html.fromstring(live(browser, job).content.decode())
    swapped = {element.get("id") for element in page.xpath("//*[@hx-swap-oob='true']")}
    assert swapped == {"job-about", "job-records", "job-timeline", "job-batches", "job-facts"}
    whole = html.fromstring(browser.get(pages.job_url(job)).content.decode())
    assert swapped <= {element.get("id") for element in whole.xpath("//*[@id]")}
    assert not whole.xpath("//*[@hx-swap-oob]")


def test_the_job_is_read_once(browser):
    job = pages.job(state=SyncJobState.RUNNING, planned=3, counts={"CREATED": 1})
    pages.result(job)
    with CaptureQueriesContext(connection) as queries:
        live(browser, job)
    assert len([each for each in queries if 'WHERE "mobjects_syncjob"."id" =' in each["sql"]]) == 1


def test_the_shown_part_of_the_records_stays_what_was_chosen(browser):
    job = pages.job(state=SyncJobState.RUNNING, planned=3, counts={"CREATED": 1, "FAILED": 1})
    pages.result(job, label="Good")
    pages.result(job, label="Bad", status="FAILED")
    address = reverse("mobjects:job-live", args=[job.pk])
    shown = pages.text(browser.get(pages.job_url(job, "?status=FAILED")))
    assert f'hx-get="{address}?status=FAILED"' in shown
    records = part(live(browser, job, "?status=FAILED"), "job-records")
    assert "Bad" in records
    assert "Good" not in records


@pytest.mark.parametrize(
    ("state", "counts", "done"),
    [
        (SyncJobState.RUNNING, {"CREATED": 1, "PENDING": 2}, 1),
        (SyncJobState.RUNNING, {"CREATED": 1, "UNKNOWN": 2}, 1),
        (SyncJobState.WAITING, {"CREATED": 1, "UNKNOWN": 2}, 1),
        (SyncJobState.PAUSED, {"FAILED": 1, "PENDING": 2}, 1),
        (SyncJobState.RUNNING, {"CREATED": 1, "HELD": 2}, 3),
    ],
)
def test_the_bar_is_not_full_while_something_waits(browser, state, counts, done):
    job = pages.job(state=state, planned=3, counts=counts, started_at=pages.MOMENT, waits_for="Quota.")
    shown = pages.text(live(browser, job))
    assert f'max="3" value="{done}"' in shown
    assert f"{done} of 3 records done" in shown


def test_the_buttons_of_somebody_who_may_only_look_do_not_appear(groups):
    viewer = pages.client("viewer")
    job = pages.job(state=SyncJobState.RUNNING)
    factories.opportunity()
    assert "Pause" not in pages.text(live(viewer, job))
