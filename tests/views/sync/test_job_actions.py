"""The buttons on a job's page: pause, resume, cancel, and sending again what was not accepted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from mobjects.models import Circuit, Opportunity, RequestedAction, SyncJob, SyncJobState
from mobjects.presentation.job_titles import job_title
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(groups, queue):
    return pages.client()


def press(browser, name, row, **values):
    """Press a button and follow it."""
    return browser.post(reverse(f"mobjects:{name}", args=[row.pk]), values, follow=True)


def send_again(browser, name, row, **values):
    """Press a button that asks for a sending, and "Send" on the page that it leads to; the page of its job."""
    asked = press(browser, name, row, **values)
    assert asked.request["PATH_INFO"] == reverse("mobjects:sync"), pages.text(asked)
    return browser.post(reverse("mobjects:sync"), {**sent_by(asked), "send": "1"}, follow=True)


def sent_by(page) -> dict[str, str]:
    """What the form of the page that asks sends."""
    form = page.context["form"]
    return {bound.html_name: bound.data for bound in form if bound.data not in (None, "", False)} | {
        "shown": form.options
    }


def buttons(browser, job) -> set[str]:
    """The buttons on a job's page."""
    return set(browser.get(pages.job_url(job)).context["may"])


def state(job) -> str:
    job.refresh_from_db()
    return str(job.state)


# --- pause, resume, cancel ---


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"state": SyncJobState.NOT_QUEUED}, {"queue", "pause", "cancel"}),
        ({"state": SyncJobState.QUEUED}, {"pause", "cancel"}),
        ({"state": SyncJobState.RUNNING}, {"pause", "cancel"}),
        ({"state": SyncJobState.RUNNING, "requested_action": "pause"}, {"resume", "cancel"}),
        ({"state": SyncJobState.RUNNING, "requested_action": "cancel"}, set()),
        ({"state": SyncJobState.WAITING}, {"pause", "cancel"}),
        ({"state": SyncJobState.PAUSED}, {"resume", "cancel"}),
        ({"state": SyncJobState.SUCCEEDED, "counts": {"CREATED": 1}}, {"undo"}),
        ({"state": SyncJobState.PROBLEMS, "counts": {"FAILED": 1}}, {"retry"}),
        ({"state": SyncJobState.CANCELLED}, {"retry"}),
    ],
)
def test_a_job_has_the_buttons_that_make_sense_now(browser, values, shown):
    job = pages.job(**values)
    pages.result(job, record_id=factories.opportunity().pk, status=next(iter(values.get("counts", {})), "FAILED"))
    assert buttons(browser, job) == shown


@pytest.mark.django_db(transaction=True)
def test_a_waiting_job_is_paused_at_once_and_resumed_into_the_queue(browser, queue):
    job = pages.job(state=SyncJobState.WAITING, waits_until=datetime(2099, 1, 1, tzinfo=UTC), waits_for="The quota.")
    assert "pauses" in pages.text(press(browser, "job-pause", job))
    assert state(job) == SyncJobState.PAUSED
    assert "It goes on when somebody presses “Resume”." in pages.text(browser.get(pages.job_url(job)))
    assert "The job goes on." in pages.text(press(browser, "job-resume", job))
    assert state(job) == SyncJobState.QUEUED
    assert [queue_id[:36] for queue_id in queue.job_ids] == [str(job.pk)]


def test_a_running_job_pauses_after_what_is_under_way(browser):
    job = pages.job(state=SyncJobState.RUNNING, planned=3, counts={"CREATED": 1})
    assert "It pauses after what is under way." in pages.text(press(browser, "job-pause", job))
    assert state(job) == SyncJobState.RUNNING
    assert job.requested_action == RequestedAction.PAUSE


def test_cancelling_asks_first(browser):
    job = pages.job(state=SyncJobState.QUEUED)
    address = reverse("mobjects:job-cancel", args=[job.pk])
    assert f'href="{address}"' in pages.text(browser.get(pages.job_url(job)))
    assert "cannot be resumed" in pages.text(browser.get(address))
    assert state(job) == SyncJobState.QUEUED
    assert "The job is cancelled" in pages.text(press(browser, "job-cancel", job))
    assert state(job) == SyncJobState.CANCELLED


@pytest.mark.parametrize("name", ["job-pause", "job-resume", "job-cancel"])
def test_a_button_that_comes_too_late_says_so(browser, name):
    job = pages.job(state=SyncJobState.SUCCEEDED)
    assert "Too late: the job is “finished”" in pages.text(press(browser, name, job))
    assert state(job) == SyncJobState.SUCCEEDED


@pytest.mark.parametrize("name", ["job-pause", "job-resume", "job-cancel", "job-retry"])
def test_only_those_who_may_sync_have_the_buttons(groups, name):
    viewer, job = pages.client("viewer"), pages.job(state=SyncJobState.QUEUED)
    assert not buttons(viewer, job)
    assert viewer.post(reverse(f"mobjects:{name}", args=[job.pk])).status_code == 403
    assert state(job) == SyncJobState.QUEUED


@pytest.mark.parametrize("name", ["job-pause", "job-resume", "job-retry"])
def test_nothing_is_steered_by_following_a_link(browser, name):
    job = pages.job()
    assert browser.get(reverse(f"mobjects:{name}", args=[job.pk])).url == pages.job_url(job)
    assert SyncJob.objects.get().requested_action == RequestedAction.NONE


# --- sending again ---


@pytest.fixture
def failed(groups):
    """A job over three opportunities, two of which failed for one reason, and one held back."""
    job = pages.job(
        state=SyncJobState.PROBLEMS, planned=4, counts={"CREATED": 1, "FAILED": 2, "HELD": 1}, reason="Quarter end"
    )
    statuses = [("CREATED", ""), ("FAILED", "Bad stage"), ("FAILED", "Bad stage"), ("HELD", "Not yet.")]
    for status, error in statuses:
        record = factories.opportunity()
        pages.result(job, record_id=record.pk, label=record.name, status=status, error=error)
    return job


@pytest.mark.django_db(transaction=True)
def test_what_was_not_accepted_is_tried_again_by_a_job_of_its_own(browser, failed, queue):
    assert "Retry 3 records not accepted" in pages.text(browser.get(pages.job_url(failed)))
    response = send_again(browser, "job-retry", failed)
    new = SyncJob.objects.exclude(pk=failed.pk).get()
    assert response.redirect_chain == [(pages.job_url(new), 302)]
    assert (new.origin, new.username, new.reason, new.state) == (
        failed,
        "operator-user",
        "Quarter end",
        SyncJobState.QUEUED,
    )
    assert new.selection["of_job"] == str(failed.pk)
    assert set(new.selection["of_statuses"]) >= {"FAILED", "HELD", "UNKNOWN"}
    assert f'<a href="{pages.job_url(failed)}">{job_title(failed)}</a>' in pages.text(response)
    shown = pages.text(browser.get(pages.job_url(failed)))
    assert f'<a href="{pages.job_url(new)}">{job_title(new)}</a>' in shown


@pytest.mark.django_db(transaction=True)
def test_pressing_retry_twice_leads_to_the_job_that_is_queued_already(browser, failed):
    send_again(browser, "job-retry", failed)
    response = send_again(browser, "job-retry", failed)
    assert "That is queued already; here is its job." in pages.text(response)
    assert SyncJob.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_group_with_one_reason_is_tried_again(browser, failed):
    group = browser.get(pages.job_url(failed)).context["groups"][0]["group"]
    send_again(browser, "job-retry", failed, same=group.sample)
    new = SyncJob.objects.exclude(pk=failed.pk).get()
    assert (new.selection["of_statuses"], new.selection["of_error"]) == (["FAILED"], "Bad stage")


def test_what_a_retry_sends_is_shown_before(browser, failed):
    record = Opportunity.objects.get(pk=failed.results.filter(status="FAILED").first().record_id)
    record.stage = "Edited since"
    record.save()
    page = press(browser, "job-retry", failed)
    assert SyncJob.objects.count() == 1
    assert [len(page.context["planned"].rows), page.context["preview"].sendable] == [3, 3]
    assert "Edited since" in pages.text(page)
    assert f"What “{job_title(failed)}” did not get accepted:" in pages.text(page)
    assert pages.tree(page).xpath("//textarea[@name='reason']")[0].text_content().strip() == "Quarter end"
    assert pages.tree(page).xpath("//a[text()='Cancel']/@href") == [pages.job_url(failed)]


def test_a_group_stays_one_when_the_page_counts_or_lists_its_records(browser, failed):
    group = browser.get(pages.job_url(failed)).context["groups"][0]["group"]
    asked = sent_by(press(browser, "job-retry", failed, same=group.sample))
    assert browser.post(reverse("mobjects:sync"), {**asked, "count": "1"}).context["preview"].sendable == 2
    assert len(browser.post(reverse("mobjects:sync"), {**asked, "list": "all"}).context["planned"].rows) == 2


@pytest.mark.django_db(transaction=True)
def test_where_nothing_is_sent_but_looked_up_the_job_is_made_at_once(browser, marketo_settings):
    record = factories.opportunity()
    job = pages.job(state=SyncJobState.PROBLEMS, planned=1, counts={"UNKNOWN": 1})
    pages.result(job, record_id=record.pk, status="UNKNOWN")
    Opportunity.objects.update(last_status="UNKNOWN", unknown_since=pages.MOMENT)
    response = press(browser, "job-retry", job)
    assert response.redirect_chain == [(pages.job_url(SyncJob.objects.get(origin=job)), 302)]


def test_of_several_kinds_those_that_go_first_are_shown(browser, failed):
    role = factories.role(factories.opportunity())
    other = pages.result(failed, kind="OpportunityPersonRole", record_id=role.pk, status="FAILED")
    ticked = [other.pk, *failed.results.filter(status="FAILED", kind="Opportunity").values_list("pk", flat=True)]
    page = press(browser, "results-retry", failed, result=ticked)
    assert "Several kinds are ticked." in pages.text(page)
    assert [row.kind for row in page.context["planned"].rows] == ["Opportunity"] * 2


def test_where_sending_is_halted_a_retry_is_shown_and_not_begun(browser, failed):
    Circuit.objects.create(reason="Marketo refused the login.", code="602")
    page = press(browser, "job-retry", failed)
    assert page.request["PATH_INFO"] == reverse("mobjects:sync")
    assert SyncJob.objects.count() == 1


def test_what_is_left_of_a_try_is_not_followed_by_its_rest(browser):
    selection = {**pages.SELECTION, "ids": [factories.opportunity().pk for _ in range(2)]}
    rest = {**pages.SELECTION, "ids": [factories.opportunity().pk]}
    job = pages.job(
        state=SyncJobState.CANCELLED, planned=2, selection={**selection, "rest": rest, "rest_by_itself": True}
    )
    asked = press(browser, "job-retry", job)
    assert asked.context["preview"].sendable == 2
    assert (asked.context["form"].selection.rest, asked.context["form"].selection.rest_by_itself) == (None, False)


def test_what_a_dry_run_whose_values_went_found_is_not_what_is_left(browser):
    record = factories.opportunity()
    gone = pages.job(action="dry_run", state=SyncJobState.SUCCEEDED, values_removed_at=pages.MOMENT)
    selection = {**pages.SELECTION, "of_dry_run": str(gone.pk)}
    job = pages.job(state=SyncJobState.STOPPED, planned=2, counts={"FAILED": 1}, selection=selection)
    assert "retry" not in buttons(browser, job)
    pages.result(job, record_id=record.pk, status="FAILED")
    assert press(browser, "job-retry", job).context["form"].selection.of_dry_run == ""


@pytest.mark.parametrize("asked", [{"same": "x"}, {"record": "x"}, {"same": "999999"}])
def test_a_damaged_address_is_not_about_more(browser, failed, asked):
    assert browser.get(reverse("mobjects:sync"), {"of_job": str(failed.pk), **asked}).status_code == 404


@pytest.mark.parametrize("action", ["pull", "compare", "delete", "identify", "describe"])
def test_of_a_job_that_sends_nothing_nothing_is_left(browser, action):
    job = pages.job(state=SyncJobState.PROBLEMS, action=action, selection={})
    assert browser.get(reverse("mobjects:sync"), {"of_job": str(job.pk)}).status_code == 404


@pytest.mark.parametrize("of_job", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_what_is_left_of_no_job_is_not_found(browser, of_job):
    assert browser.get(reverse("mobjects:sync"), {"of_job": of_job}).status_code == 404


def test_of_a_job_that_is_not_over_nothing_is_left(browser):
    job = pages.job(state=SyncJobState.RUNNING)
    assert browser.get(reverse("mobjects:sync"), {"of_job": str(job.pk)}).status_code == 404


@pytest.mark.parametrize("sample", ["999999", "nonsense", "9" * 30, ""])
def test_a_group_that_does_not_exist_is_not_found(browser, failed, sample):
    assert press(browser, "job-retry", failed, same=sample).status_code == 404
    assert SyncJob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_record_is_tried_again(browser, failed):
    result = failed.results.filter(status="HELD").get()
    assert reverse("mobjects:result-retry", args=[result.pk]) in pages.text(browser.get(pages.job_url(failed)))
    send_again(browser, "result-retry", result)
    new = SyncJob.objects.exclude(pk=failed.pk).get()
    assert (new.selection["ids"], new.origin) == ([result.record_id], failed)


@pytest.mark.django_db(transaction=True)
def test_what_is_ticked_is_tried_again_and_the_failures_are_ticked_already(browser, failed):
    page = pages.tree(browser.get(pages.job_url(failed)))
    ticked = page.xpath("//input[@name='result' and @checked]/@value")
    left = failed.results.exclude(status="CREATED").order_by("pk")
    assert ticked == [str(result.pk) for result in left]
    created = failed.results.get(status="CREATED")
    send_again(browser, "results-retry", failed, result=[ticked[0], ticked[2], str(created.pk), "nonsense"])
    new = SyncJob.objects.exclude(pk=failed.pk).get()
    assert (new.selection["ids"], new.origin) == ([left[0].record_id, left[2].record_id], failed)
    assert "No record is ticked." in pages.text(press(browser, "results-retry", failed))


def test_a_record_that_is_gone_or_accepted_is_not_tried_again(browser, failed):
    created = failed.results.filter(status="CREATED").get()
    assert reverse("mobjects:result-retry", args=[created.pk]) not in pages.text(browser.get(pages.job_url(failed)))
    assert "Only what was not accepted" in pages.text(press(browser, "result-retry", created))
    gone = pages.result(failed, status="FAILED", label="Gone")
    assert "“Gone” was deleted here." in pages.text(press(browser, "result-retry", gone))
    assert SyncJob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_job_that_ended_early_all_that_is_left_is_sent(browser):
    selection = {**pages.SELECTION, "ids": [factories.opportunity().pk for _ in range(3)]}
    job = pages.job(state=SyncJobState.STOPPED, planned=3, counts={"CREATED": 1}, selection=selection)
    assert "Send what is left" in pages.text(browser.get(pages.job_url(job)))
    assert f"What is left of “{job_title(job)}”:" in pages.text(press(browser, "job-retry", job))
    send_again(browser, "job-retry", job)
    new = SyncJob.objects.exclude(pk=job.pk).get()
    assert (new.selection, new.origin) == (selection, job)


@pytest.mark.parametrize(
    "values", [{"state": SyncJobState.RUNNING}, {"action": "pull", "state": SyncJobState.PROBLEMS}]
)
def test_a_job_that_is_not_over_or_did_not_send_is_not_tried_again(browser, values):
    job = pages.job(counts={"FAILED": 1}, **values)
    assert "retry" not in buttons(browser, job)
    assert "Only what a job sent can be tried again" in pages.text(press(browser, "job-retry", job))
    assert SyncJob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_trying_again_sends_what_failed_and_nothing_else(browser, marketo_settings, sandbox, work):
    first, second = factories.opportunity(name="first"), factories.opportunity(name="second")
    sandbox.faults.add("bad_row", row=0, text="Bad stage", operation="syncMObjects", times=1)
    job = factories.sync(first, second)
    send_again(browser, "job-retry", job)
    work()
    new = SyncJob.objects.exclude(pk=job.pk).get()
    assert (new.state, new.counts) == (SyncJobState.SUCCEEDED, {"CREATED": 1})
    assert sorted(stored.values["Name"] for stored in sandbox.store.opportunities.values()) == ["first", "second"]


# --- what was accepted since ---


def accept(record):
    """Another job has the record accepted."""
    pages.result(pages.job(), record_id=record.pk, status="UPDATED")
    Opportunity.objects.filter(pk=record.pk).update(synced_revision=record.revision, last_status="UPDATED")


def test_what_was_accepted_since_is_not_tried_again(browser, failed):
    first, second, third = Opportunity.objects.filter(
        pk__in=failed.results.exclude(status="CREATED").values("record_id")
    ).order_by("pk")
    accept(first)
    page = browser.get(pages.job_url(failed))
    assert "Retry 2 records not accepted" in pages.text(page)
    assert page.context["groups"][0]["group"].left == 1
    gone = failed.results.get(record_id=first.pk)
    assert reverse("mobjects:result-retry", args=[gone.pk]) not in pages.text(page)
    assert "was accepted since." in pages.text(press(browser, "result-retry", gone))
    accept(second)
    page = browser.get(pages.job_url(failed))
    assert "Retry 1 record not accepted" in pages.text(page)
    assert [each["group"].left for each in page.context["groups"]] == [0, 1]
    assert "Nothing of it is left to send" in pages.text(press(browser, "job-retry", failed, same=gone.pk))
    accept(third)
    assert buttons(browser, failed) == {"undo"}
    assert "Nothing of it is left to send" in pages.text(press(browser, "job-retry", failed))


def test_what_was_accepted_and_edited_since_is_no_matter_of_the_old_job(browser, failed):
    for record in Opportunity.objects.filter(pk__in=failed.results.values("record_id")):
        accept(record)
    Opportunity.objects.update(stage="Edited")
    assert buttons(browser, failed) == {"undo"}


def test_of_a_job_that_ended_early_nothing_is_sent_when_nothing_is_left(browser):
    job = pages.job(state=SyncJobState.STOPPED, planned=1)
    accept(factories.opportunity())
    assert buttons(browser, job) == set()
    assert "Nothing of it is left to send" in pages.text(press(browser, "job-retry", job))


@pytest.mark.django_db(transaction=True)
def test_a_retry_sends_only_what_was_not_accepted_since(browser, marketo_settings, sandbox, work):
    first, second = factories.opportunity(name="first"), factories.opportunity(name="second")
    sandbox.faults.add("soap", code="20019", operation="syncMObjects", times=1)
    job = factories.sync(first, second, resend=True)
    factories.sync(*Opportunity.objects.filter(pk=first.pk))
    send_again(browser, "job-retry", job)
    work()
    new = SyncJob.objects.get(origin=job)
    assert [result.record_id for result in new.results.all()] == [second.pk]
