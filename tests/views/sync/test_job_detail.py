"""The job page: what became of it, record by record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from mobjects.models import SyncJobState
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(groups):
    return pages.client()


def test_the_page_says_in_one_sentence_what_became_of_the_job(browser):
    job = pages.job(state=SyncJobState.PROBLEMS, planned=3, counts={"CREATED": 2, "FAILED": 1}, reason="Quarter end")
    pages.result(job, status="FAILED", error="Bad stage")
    shown = pages.text(browser.get(pages.job_url(job)))
    assert "Finished: 2 of 3 accepted; 1 failed." in shown
    assert "Quarter end" in shown
    assert f"{pages.job_url(job)}?status=FAILED#results" in shown


def test_a_record_that_exists_is_linked_and_a_deleted_one_is_named(browser):
    job = pages.job(counts={"CREATED": 2})
    opportunity = factories.opportunity(name="Still here")
    pages.result(job, record_id=opportunity.pk, label="Still here")
    pages.result(job, label="Not here")
    shown = pages.text(browser.get(pages.job_url(job)))
    assert f'<a href="{reverse("admin:mobjects_opportunity_change", args=[opportunity.pk])}" data-key="e">' in shown
    assert f'<span class="mo-subtle">{opportunity.external_id}</span>' in shown
    assert "deleted here" in shown


def test_values_sent_are_shown_old_and_new(browser):
    job = pages.job(counts={"UPDATED": 1})
    pages.result(job, status="UPDATED", sent={"Amount": "20"}, diff=[["Amount", "10", "20"], ["Stage", "Won", ""]])
    shown = pages.text(browser.get(pages.job_url(job)))
    assert '<s class="mo-old">10</s>' in shown
    assert "(empty)" in shown


def test_values_sent_again_without_a_difference_are_shown(browser):
    job = pages.job(counts={"UNCHANGED": 1})
    pages.result(job, status="UNCHANGED", sent={"A": "1", "B": "2", "C": "3", "NextStep": "Call"})
    shown = pages.text(browser.get(pages.job_url(job)))
    assert "4 fields" in shown
    assert "Call" in shown


def test_markup_in_labels_errors_and_reasons_is_shown_as_text(browser):
    job = pages.job(state=SyncJobState.PROBLEMS, reason="<b>why</b>", counts={"FAILED": 2})
    for _ in range(2):
        pages.result(job, status="FAILED", label="<i>x</i>", error="<script>alert(1)</script>" + "y" * 150)
    shown = pages.text(browser.get(pages.job_url(job)))
    assert "<script>alert" not in shown
    assert "<b>why" not in shown
    assert "<i>x" not in shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Beta", "Gamma"}),
        ("?status=all", {"Alpha", "Beta", "Gamma"}),
        ("?status=problems", {"Beta", "Gamma"}),
        ("?status=FAILED", {"Beta", "Gamma"}),
        ("?status=nonsense", {"Beta", "Gamma"}),
        ("?q=alph", {"Alpha"}),
        ("?q=77", {"Gamma"}),
        ("?q=99999999999999999999", set()),
        ("?q=bad+stage", {"Beta"}),
        ("?q=E-key", {"Alpha"}),
        ("?q=0f0f", {"Beta"}),
        ("?q=%00", {"Beta", "Gamma"}),
        ("?status=FAILED&q=alpha", set()),
        ("?after=0&status=all", {"Alpha", "Beta", "Gamma"}),
        ("?after=999999999", set()),
        ("?before=nonsense&same=nonsense&status=all", {"Alpha", "Beta", "Gamma"}),
    ],
)
def test_failures_come_first_and_results_are_found_by_status_name_key_id_guid_or_reason(browser, query, names):
    job = pages.job(counts={"CREATED": 1, "FAILED": 2})
    pages.result(job, label="Alpha", record_id=factories.opportunity(external_id="E-key").pk)
    pages.result(job, label="Beta", status="FAILED", error="Bad stage", marketo_guid="0f0f")
    pages.result(job, label="Gamma", status="FAILED", error="Bad amount", marketo_id=77)
    assert {row.label for row in browser.get(pages.job_url(job, query)).context["rows"]} == names


def test_reasons_that_differ_in_values_only_are_one_group_with_its_cause_and_what_to_do(browser):
    job = pages.job(counts={"FAILED": 4, "UNKNOWN": 1})
    for label, error in (("A", "Stage “Wun” is not allowed"), ("B", "Stage “Lst” is not allowed"), ("C", "Bad. (1)")):
        pages.result(job, label=label, status="FAILED", error=error)
    pages.result(job, label="D", status="UNKNOWN", error="Stage “Wun” is not allowed")
    response = browser.get(pages.job_url(job))
    groups = [each["group"] for each in response.context["groups"]]
    assert [(group.count, group.reason, group.label) for group in groups] == [
        (2, "Stage “…” is not allowed", "Failed"),
        (1, "Bad. (1)", "Failed"),
        (1, "Stage “Wun” is not allowed", "Outcome unknown"),
    ]
    shown = pages.words(response)
    assert "2 × failed (field: Stage): Stage “…” is not allowed" in shown
    assert "Choose a value that Marketo knows" in shown
    shown = browser.get(pages.job_url(job, f"?same={groups[0].sample}"))
    assert {row.label for row in shown.context["rows"]} == {"A", "B"}


def test_pages_of_results_begin_behind_a_row_and_the_filter_stays(browser):
    job = pages.job(counts={"CREATED": 120})
    rows = [pages.result(job).pk for _ in range(120)]
    first = browser.get(pages.job_url(job, "?status=CREATED"))
    assert [row.pk for row in first.context["rows"]] == rows[:50]
    assert f"?status=CREATED&amp;after={rows[49]}#results" in pages.text(first)
    second = browser.get(pages.job_url(job, f"?status=CREATED&after={rows[49]}")).context["rows"]
    third = browser.get(pages.job_url(job, f"?status=CREATED&after={second.after}")).context["rows"]
    assert ([row.pk for row in third], third.after) == (rows[100:], None)
    back = browser.get(pages.job_url(job, f"?status=CREATED&before={third.before}")).context["rows"]
    assert ([row.pk for row in back], back.before) == (rows[50:100], rows[50])


def test_the_number_of_queries_does_not_grow_with_records_and_batches(browser, django_assert_num_queries):
    job = pages.job(counts={"CREATED": 1})
    first = pages.batch(job)
    pages.result(job, batch=first, record_id=factories.opportunity().pk)
    browser.get(pages.job_url(job))
    with django_assert_num_queries(QUERIES):
        browser.get(pages.job_url(job))
    for number in range(2, 30):
        another = pages.batch(job, sequence=number)
        pages.result(job, batch=another, record_id=factories.opportunity().pk)
    with django_assert_num_queries(QUERIES):
        browser.get(pages.job_url(job))


QUERIES = 11
"""Session, user with zone, permissions, what is to decide and whether sending is halted; job with its steps and the
number of its batches, events, followers, groups; results with their records; batches; what is left to try again."""


def test_a_job_that_does_not_exist_is_not_found(browser):
    assert browser.get(reverse("admin:mobjects_syncjob_change", args=[uuid4()])).status_code == 404
    assert browser.get(reverse("admin:mobjects_syncjob_change", args=["nonsense"])).status_code == 404


def test_the_page_needs_the_permission(groups):
    stranger = Client()
    stranger.force_login(factories.user("nobody"))
    response = stranger.get(pages.job_url(pages.job()))
    assert response.status_code == 403
    assert "You are not allowed to see the sync history" in pages.text(response)


# --- other kinds of jobs ---


def test_a_pull_speaks_of_reading_and_not_of_sending(browser):
    counts = {"ADDED": 38, "SAME": 1, "CONFLICT": 1}
    kept = {"kind": "Program", "name": "Webinar", "ids": None}
    job = pages.job(action="pull", kind="Program", state=SyncJobState.PROBLEMS, counts=counts, selection=kept)
    shown = pages.text(browser.get(pages.job_url(job)))
    assert "Pull of 40 programs, " in shown
    said = "Finished: 40 records read; 1 waiting for a decision, 38 new here, 1 without a difference."
    assert said in shown
    assert "All programs with the name “Webinar”" in shown
    assert "Sent to" not in shown
    assert "<dt>Operation</dt>" not in shown


def test_what_a_job_found_is_listed_in_sentences(browser):
    progress = {"done": 4, "summary": ["12 opportunity fields, 2 of them <custom>.", "3 channels."]}
    job = pages.job(action="describe", kind="several", selection={}, progress=progress)
    shown = pages.text(browser.get(pages.job_url(job)))
    assert "Finished: fields, tags and channels were read." in shown
    assert "<li>12 opportunity fields, 2 of them &lt;custom&gt;.</li>" in shown
    assert "<li>3 channels.</li>" in shown


def test_records_without_a_difference_are_only_counted(browser):
    job = pages.job(action="compare", counts={"SAME": 9, "DIFFERS": 1}, state=SyncJobState.PROBLEMS)
    pages.result(job, status="DIFFERS", diff=[["Stage", "Won", "Lost"]])
    shown = pages.text(browser.get(pages.job_url(job, "?status=SAME")))
    assert "Records without a difference are only counted." in shown
    assert "To take over what changed in Marketo, tick the records" in shown


# --- while it runs ---


def test_a_live_job_renews_itself_also_without_scripts(browser, redis_url):
    job = pages.job(state=SyncJobState.RUNNING, planned=4, counts={"CREATED": 1})
    shown = pages.text(browser.get(pages.job_url(job)))
    assert f'hx-get="{reverse("mobjects:job-live", args=[job.pk])}"' in shown
    assert "data-poll" in shown
    assert "data-announce" in shown
    assert '<noscript><meta http-equiv="refresh"' in shown
    assert '<progress class="mo-progress" max="4" value="1"' in shown


def test_a_waiting_job_says_until_when_and_why_and_renews_itself(browser, redis_url):
    words = "Marketo's daily quota is used up."
    until = datetime(2099, 1, 1, 6, tzinfo=UTC)
    job = pages.job(state=SyncJobState.WAITING, waits_until=until, waits_for=words, planned=4, counts={"CREATED": 1})
    shown = pages.text(browser.get(pages.job_url(job)))
    assert "Waiting until 2099-01-01 06:00:00 UTC: Marketo&#x27;s daily quota is used up. 1 of 4 records done." in shown
    assert 'hx-trigger="poll"' in shown


def test_the_time_that_is_left_follows_from_the_last_minute(browser, redis_url):
    now = datetime.now(UTC)
    job = pages.job(
        state=SyncJobState.RUNNING, planned=700, counts={"CREATED": 100}, started_at=now - timedelta(hours=9)
    )
    pages.batch(job, size=100, answered_at=now - timedelta(seconds=30))
    pages.batch(job, sequence=2, size=100, answered_at=now - timedelta(hours=8))
    pages.batch(job, sequence=3, size=90, answered_at=now, operation="GET")
    response = browser.get(reverse("mobjects:job-live", args=[job.pk]))
    assert "Running: 100 of 700 records done. About 6 min 0 s left." in pages.text(response)


def test_a_finished_job_does_not_renew_itself(browser):
    shown = pages.text(browser.get(pages.job_url(pages.job())))
    assert 'hx-trigger="every' not in shown
    assert 'http-equiv="refresh"' not in shown


def test_the_live_part_goes_on_while_the_job_does(browser, redis_url):
    job = pages.job(state=SyncJobState.QUEUED)
    response = browser.get(reverse("mobjects:job-live", args=[job.pk]))
    assert response.status_code == 200
    assert "No worker is running" in pages.text(response)


def test_the_live_part_comes_for_the_last_time_once_the_job_is_over(browser):
    job = pages.job(planned=2, counts={"CREATED": 1, "FAILED": 1}, state=SyncJobState.PROBLEMS)
    pages.result(job, status="FAILED", error="Stage: refused")
    response = browser.get(reverse("mobjects:job-live", args=[job.pk]))
    assert response.status_code == 286
    for words in ("Finished with problems", "Fix it", "Sync of 2 opportunities"):
        assert words in pages.text(response)


def test_the_live_part_does_not_show_a_login_page_inside_the_job_page():
    response = Client().get(reverse("mobjects:job-live", args=[pages.job().pk]))
    assert response.status_code == 286
    assert "logged out" in pages.text(response)


def test_a_queued_job_is_shown_although_redis_is_down(browser, settings):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:9/0"}}
    assert "Waiting for a worker." in pages.text(browser.get(pages.job_url(pages.job(state=SyncJobState.QUEUED))))


# --- queueing again ---


def test_a_job_that_was_not_queued_can_be_queued_again(browser, queue):
    job = pages.job(state=SyncJobState.NOT_QUEUED, problem_text="Redis was down.")
    assert "Queue again" in pages.text(browser.get(pages.job_url(job)))
    response = browser.post(reverse("mobjects:job-queue-again", args=[job.pk]), follow=True)
    job.refresh_from_db()
    assert job.state == SyncJobState.QUEUED
    assert [queue_id[:36] for queue_id in queue.job_ids] == [str(job.pk)]
    assert "The job is queued." in pages.text(response)


def test_queueing_a_queued_job_again_does_nothing(browser, queue):
    job = pages.job(state=SyncJobState.QUEUED)
    response = browser.post(reverse("mobjects:job-queue-again", args=[job.pk]), follow=True)
    assert queue.job_ids == []
    assert "queued already" in pages.text(response)


def test_a_queue_that_is_still_down_is_said(browser, settings):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:9/0"}}
    job = pages.job(state=SyncJobState.NOT_QUEUED)
    response = browser.post(reverse("mobjects:job-queue-again", args=[job.pk]), follow=True)
    assert "cannot be reached" in pages.text(response)


def test_only_those_who_may_sync_can_queue_again(groups):
    viewer = pages.client("viewer")
    job = pages.job(state=SyncJobState.NOT_QUEUED)
    assert "Queue again" not in pages.text(viewer.get(pages.job_url(job)))
    response = viewer.post(reverse("mobjects:job-queue-again", args=[job.pk]))
    assert response.status_code == 403
    assert "send records to Marketo" in pages.text(response)
