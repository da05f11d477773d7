"""What may follow a job: exactly what a dry run showed, the rest after a try, taking it back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from lxml import html

from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.jobs.tries import request_try
from mobjects.models import Kind, Opportunity, SyncJob, SyncJobAction
from mobjects.sync.send.selection import OperationChoice, SyncSelection
from mobjects.sync.transport_factory import key_fields
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "queue")]


@pytest.fixture
def browser(groups):
    return pages.client()


def newest() -> SyncJob:
    return SyncJob.objects.latest("created_at")


def finished(job: SyncJob) -> SyncJob:
    run_job(job)
    job.refresh_from_db()
    return job


@pytest.fixture
def dry_run():
    for number in range(3):
        factories.opportunity(name=f"Deal {number}")
    asked = SyncSelection((Kind.OPPORTUNITY,))
    return finished(create_job(SyncJobAction.DRY_RUN, asked.kind_of_job, asked.to_json()))


def test_a_dry_run_can_be_read_by_anybody_and_sent_while_nothing_changed(browser, dry_run):
    viewer = pages.client("viewer")
    shown = pages.words(viewer.get(pages.job_url(dry_run)))
    assert "Dry run of 3 opportunities" in shown
    assert "Nothing was sent: 3 of 3 records would be." in shown
    address = reverse("mobjects:send-exactly", args=[dry_run.pk])
    assert address not in pages.text(viewer.get(pages.job_url(dry_run)))
    assert viewer.post(address).status_code == 403
    batch = dry_run.batches.get()
    assert "INSERT of 3 records (opportunities), as they would be sent." in pages.words(
        browser.get(reverse("admin:mobjects_syncbatch_change", args=[batch.pk]))
    )
    browser.post(address)
    job = finished(newest())
    assert (job.origin, job.counts) == (dry_run, {"CREATED": 3})
    shown = pages.words(browser.get(pages.job_url(job)))
    assert f"Exactly what dry run {str(dry_run.pk)[:8]} would send" in shown
    assert "Sends exactly" in shown


def test_a_dry_run_says_what_marketo_would_skip_and_shows_it(browser):
    there = [factories.opportunity(name=f"There {number}", marketo_id=number) for number in (7, 8)]
    factories.opportunity(name="New")
    asked = SyncSelection((Kind.OPPORTUNITY,), operation=OperationChoice.INSERT)
    job = finished(create_job(SyncJobAction.DRY_RUN, asked.kind_of_job, asked.to_json()))
    page = browser.get(pages.job_url(job))
    assert "Marketo would skip 2 records: INSERT skips what Marketo has" in pages.words(page)
    (link,) = html.fromstring(page.content.decode()).xpath("//a[contains(@href, 'status=PLANNED&same=')]/@href")
    listed = browser.get(f"{pages.job_url(job)}{link}")
    assert [row.label for row in listed.context["rows"]] == [record.name for record in there]
    assert "Marketo has it already, and INSERT skips what it has." in pages.words(listed)
    assert job.counts == {"PLANNED": 3}


def test_it_is_refused_where_a_record_changed_and_the_others_are_offered(browser, dry_run):
    changed = Opportunity.objects.get(name="Deal 1")
    Opportunity.objects.filter(pk=changed.pk).update(stage="Won")
    response = browser.post(reverse("mobjects:send-exactly", args=[dry_run.pk]), follow=True)
    shown = pages.words(response)
    assert "Nothing was sent: 1 record is not as the dry run showed it." in shown
    assert "it changed since the dry run" in shown
    assert "Send 2 records to Marketo" in shown
    given = {bound.html_name: bound.value() for bound in response.context["form"]}
    asked = {name: value for name, value in given.items() if value not in (None, False, "")}
    listed = browser.post(reverse("mobjects:sync"), {**asked, "list": response.context["preview"].held[0].which})
    assert "Deal 1" in pages.words(listed)
    browser.post(reverse("mobjects:sync"), {**asked, "send": "1"})
    assert finished(newest()).counts == {"CREATED": 2, "HELD": 1}
    assert factories.fresh(changed).marketo_id is None


def test_the_rest_of_a_try_is_sent_once(browser):
    for _ in range(8):
        factories.opportunity()
    assert "Try 5 first, then the other 3" in pages.words(browser.get("/admin/sync/?kind=Opportunity"))
    job = finished(request_try(SyncSelection((Kind.OPPORTUNITY,)), key_fields(), by_itself=False))
    assert "Send the other 3" in pages.words(browser.get(pages.job_url(job)))
    browser.post(reverse("mobjects:send-rest", args=[job.pk]))
    assert finished(newest()).counts == {"CREATED": 3}
    again = browser.post(reverse("mobjects:send-rest", args=[job.pk]), follow=True)
    assert "The rest was asked for already, or there is none." in pages.words(again)


def test_an_undo_says_before_what_it_does_and_does_not(browser):
    back, moved = factories.opportunity(name="Back", stage="Open"), factories.opportunity(name="Moved", stage="Open")
    factories.sync(back, moved)
    Opportunity.objects.update(stage="Won")
    job = factories.sync(back, moved, factories.opportunity(name="Created"))
    Opportunity.objects.filter(pk=moved.pk).update(stage="Lost")
    address = reverse("mobjects:undo-sending", args=[job.pk])

    shown = pages.words(browser.get(address))
    assert "1 record gets back the values that Marketo had accepted before" in shown
    assert "1 record was created by this sending and stays." in shown
    assert "Stage: Won →now Open" in shown
    assert "Left alone: It was changed here since." in shown
    assert "Moved" in pages.words(browser.get(f"{address}?which=changed"))
    assert "Nothing here is called “Moved”" in pages.words(browser.get(f"{address}?q=Moved"))
    assert factories.fresh(back).stage == "Won"

    browser.post(address, {"reason": "Wrong stage"})
    undo = finished(newest())
    assert (undo.action, undo.origin, undo.reason) == ("undo", job, "Wrong stage")
    assert undo.counts == {"UPDATED": 1, "HELD": 2}
    assert [factories.fresh(record).stage for record in (back, moved)] == ["Open", "Lost"]
    shown = pages.words(browser.get(pages.job_url(undo)))
    assert "Undoes" in shown
    assert "Steps on the way 1" in shown
    assert "Old values put back here" in pages.words(browser.get(pages.job_url(undo), {"status": "steps"}))


def test_an_undo_needs_what_it_does(browser, groups):
    record = factories.opportunity(stage="Open")
    factories.sync(record)
    Opportunity.objects.update(stage="Won")
    address = reverse("mobjects:undo-sending", args=[factories.sync(record).pk])
    assert pages.client("editor").get(address).status_code == 403
    Group.objects.get(name="operator").permissions.remove(factories.permission("change_opportunity"))
    assert browser.get(address).status_code == 403
    running = reverse("mobjects:undo-sending", args=[factories.job_in("running").pk])
    assert "once its job is over" in pages.words(browser.get(running, follow=True))
