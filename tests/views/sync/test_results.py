"""Results over all jobs, a record inside its job, files of exactly what a list shows, saved views."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from lxml import html
from openpyxl import load_workbook

from mobjects.audit.door import history_opened
from mobjects.models import (
    Download,
    Opportunity,
    PersonSettings,
    SavedView,
    SyncJob,
    SyncJobState,
    SyncResult,
)
from mobjects.result_queries import REACH, ResultFilter, find_results
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db

RESULTS = "/admin/mobjects/syncresult/"


@pytest.fixture
def browser(groups):
    return pages.client()


@pytest.fixture
def failed(groups) -> list[SyncResult]:
    """Three failures of one job, two of them for a stage, and one success."""
    job = pages.job(state=SyncJobState.PROBLEMS, planned=4, counts={"CREATED": 1, "FAILED": 3})
    rows = []
    for name, error in (("A", "Stage “Wun” is not allowed"), ("B", "Bad."), ("C", "Stage “Lst” is not allowed")):
        record = factories.opportunity(name=name, stage="Wun", external_id=f"K-{name}")
        values = {"sent": {"Name": name, "Stage": "Wun"}, "diff": [["Stage", "Won", "Wun"]]}
        rows.append(pages.result(job, record_id=record.pk, label=name, status="FAILED", error=error, **values))
    pages.result(job, label="Fine")
    return rows


def result_url(result, query: str = "") -> str:
    return reverse("mobjects:result", args=[result.pk]) + query


# --- over all jobs ---


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("", ["C", "B", "A"]),
        ("?status=all", ["Fine", "C", "B", "A"]),
        ("?status=CREATED", ["Fine"]),
        ("?q=K-B", ["B"]),
        ("?q=not+allowed", ["C", "A"]),
        ("?kind=Program&status=all", []),
        ("?until=2001-01-01", []),
        ("?since=2001-01-01&until=2999-12-31&status=FAILED", ["C", "B", "A"]),
        ("?since=nonsense&until=2026-02-30", ["C", "B", "A"]),
    ],
)
def test_results_of_all_jobs_are_listed_the_failures_first(browser, failed, query, labels):
    assert [row.label for row in browser.get(RESULTS + query).context["rows"]] == labels


def test_without_any_failure_the_list_says_so(browser):
    assert "Nothing was refused, held back or lost." in pages.words(browser.get(RESULTS))


# --- inside a job ---


def test_a_job_says_for_how_many_reasons_records_failed(browser, failed):
    said = pages.words(browser.get(pages.job_url(failed[0].job)))
    assert "Finished: 1 of 4 accepted; 3 failed for 2 reasons." in said


def test_a_record_inside_its_job_shows_its_reason_and_its_form_with_the_field_in_focus(browser, failed):
    first, _, third = failed
    page = pages.tree(browser.get(result_url(first, f"?same={first.pk}")))
    said = " ".join(page.text_content().split())
    assert "Stage: Stage “Wun” is not allowed" in said
    assert "Choose a value that Marketo knows" in said
    row = page.xpath("//tr[contains(., 'in error')]/*")
    assert [" ".join(cell.text_content().split()) for cell in row] == ["Stage (in error)", "Won", "Wun", "(empty)"]
    (focused,) = page.xpath("//*[@autofocus]")
    assert (focused.get("name"), focused.get("value")) == ("stage", "Wun")
    assert page.xpath("//a[@rel='next']/@href") == [result_url(third, f"?same={first.pk}")]
    assert page.xpath("//a[@rel='prev']") == []


def test_saving_the_form_leads_to_the_next_failure_and_behind_the_last_one_to_the_job(browser, failed):
    for result, next_page in zip(failed, [*map(result_url, failed[1:]), pages.job_url(failed[0].job)], strict=True):
        form = pages.tree(browser.get(result_url(result))).get_element_by_id("opportunity_form")
        values = {**dict(form.form_values()), "stage": "Won", "_save": "Save"}
        assert browser.post(result_url(result), values).url == next_page
    assert set(Opportunity.objects.values_list("stage", flat=True)) == {"Won"}


def test_a_record_that_is_gone_or_not_to_be_seen_is_shown_without_its_form(browser, failed):
    gone = pages.result(failed[0].job, label="Gone", status="FAILED", error="Bad.")
    response = browser.get(result_url(gone))
    assert "The record was deleted here since." in pages.words(response)
    assert pages.tree(response).xpath("//*[@id='opportunity_form']") == []
    assert browser.post(result_url(gone), {"stage": "x"}).status_code == 200
    viewer = pages.client("viewer")
    assert viewer.post(result_url(failed[0]), {"name": "x", "stage": "x", "_save": "Save"}).status_code == 403
    assert set(Opportunity.objects.values_list("stage", flat=True)) == {"Wun"}


@pytest.mark.usefixtures("marketo_settings")
def test_a_record_that_was_sent_shows_its_own_part_of_request_and_answer(browser, sandbox):
    first, second = factories.opportunity(name="First"), factories.opportunity(name="Second")
    sandbox.faults.add("bad_row", row=1, text="Stage: refused", operation="syncMObjects", times=1)
    job = factories.sync(first, second)
    result = job.results.get(status="FAILED")
    (_, sent), (_, answered) = browser.get(result_url(result)).context["raw"]
    assert ("Second" in sent, "First" in sent) == (True, False)
    assert "Stage: refused" in answered
    assert pages.client("viewer").get(result_url(result)).context["raw"] == []


# --- the signature ---


@pytest.mark.usefixtures("marketo_settings")
def test_a_signature_is_verified_by_its_digest_and_what_differs_is_named(browser, sandbox, settings):
    batch = factories.sync(factories.opportunity()).batches.get()
    address = f"/admin/mobjects/syncbatch/{batch.pk}/change/?verify=1"
    assert len(batch.signature_digest) == 64
    assert "The signature is valid." in pages.words(browser.get(address))
    kept = batch.request
    batch.request = kept.replace(batch.identity["Signed time"], "2001-01-01T00:00:00Z")
    with history_opened("as somebody might who has the database"):
        batch.save()
    said = pages.words(browser.get(address))
    assert "The signature cannot be confirmed. The time in the request is not the one that was signed." in said
    assert "encryption key" not in said
    batch.request = kept
    with history_opened("as somebody might who has the database"):
        batch.save()
    settings.MARKETO = {**settings.MARKETO, "ENCRYPTION_KEY": "another"}
    assert "The encryption key of the settings does not give this signature" in pages.words(browser.get(address))
    assert "signature" not in pages.words(pages.client("viewer").get(address)).lower()


# --- files ---


@pytest.mark.parametrize("of_job", [True, False])
def test_a_file_holds_exactly_what_the_list_shows_and_is_written_down(browser, failed, of_job):
    job = failed[0].job
    first = pages.result(job, label="=1+1", status="FAILED", error="Stage “Xxx” is not allowed")
    query = f"?same={failed[0].pk}"
    names = ["A", "C", first.label] if of_job else [first.label, "C", "A"]
    start = f"/admin/sync-jobs/{job.pk}/results" if of_job else "/admin/sync-results/results"

    def content(extension: str) -> bytes:
        response = browser.get(f"{start}.{extension}{query}")
        assert f".{extension}" in response["Content-Disposition"]
        return b"".join(response.streaming_content)

    assert [row["Record"] for row in json.loads(content("json"))] == names
    lines = content("csv").decode("utf-8-sig").splitlines()
    assert ["'=1+1" in line for line in lines[1:]] == [name == first.label for name in names]
    sheet = load_workbook(io.BytesIO(content("xlsx"))).active
    assert sheet is not None
    assert [row[2] for row in sheet.iter_rows(min_row=2, values_only=True)] == [
        "'=1+1" if name == first.label else name for name in names
    ]
    assert set(Download.objects.values_list("what", "rows", "username")) == {("history", 3, "operator-user")}
    assert browser.get(f"{start}.pdf").status_code == 404


def test_a_file_says_reasons_and_fields_in_the_language_of_the_reader(browser, failed):
    pages.result(
        failed[0].job, status="FAILED", error="Marketo no longer had it.", diff=[["CloseDate", "", "2026-01-07"]]
    )
    address = "/admin/sync-results/results.json?q=no+longer"
    response = browser.get(address, headers={"accept-language": "ko"})
    (row,) = json.loads(b"".join(response.streaming_content))
    assert (row["이유"], row["변경"]) == ("Marketo에 더 이상 없었습니다.", "마감일: - → 2026-01-07")


def test_a_file_is_in_the_language_and_the_zone_that_its_reader_chose_not_in_those_of_the_browser(browser, failed):
    reader = User.objects.get(username="operator-user")
    PersonSettings.objects.create(user=reader, language="ko", time_zone="Asia/Seoul")
    job = failed[0].job
    with history_opened("asked for at a known time"):
        SyncJob.objects.filter(pk=job.pk).update(created_at=datetime(2026, 3, 1, 20, 30, tzinfo=UTC))
    response = browser.get(f"/admin/sync-jobs/{job.pk}/results.json?status=CREATED", headers={"accept-language": "en"})
    (row,) = json.loads(b"".join(response.streaming_content))
    assert row["상태"] == "생성됨"
    assert "05:30" in row["작업"]


def test_a_file_of_jobs_holds_those_of_the_list(browser, failed):
    pages.job(state=SyncJobState.STOPPED, username="bo")
    response = browser.get("/admin/sync-jobs/jobs.json?username=bo")
    (row,) = json.loads(b"".join(response.streaming_content))
    assert (row["State"], row["By"], row["Operation"]) == ("Stopped", "bo", "Automatic")


def test_a_job_that_sends_nothing_has_no_operation_in_the_list_and_in_its_file(browser):
    pages.job(action="delete", kind="OpportunityPersonRole")
    response = browser.get("/admin/sync-jobs/jobs.json")
    (row,) = json.loads(b"".join(response.streaming_content))
    assert row["Operation"] is None
    pages.job(action="undo")
    cells = pages.tree(browser.get("/admin/mobjects/syncjob/")).xpath("//td[contains(@class, 'field-operation_words')]")
    assert [cell.text_content().strip() for cell in cells] == ["Automatic", "-"]


# --- saved views ---


def test_a_view_is_saved_for_oneself_or_shared_by_permission_and_deleted(browser):
    colleague = pages.client("viewer")

    def names(client) -> list[str]:
        return [each["view"].name for each in client.get(RESULTS).context["saved"]["views"]]

    def save(client, name: str, **values):
        data = {"name": name, "query": "status=FAILED&after=7", **values}
        return client.post(reverse("mobjects:view-save", args=["results"]), data)

    assert save(browser, "Mine").url == f"{RESULTS}?status=FAILED"
    save(browser, "Mine", query="status=HELD")
    save(browser, "Ours", is_shared="on")
    save(colleague, "Hers", is_shared="on")
    assert (names(browser), names(colleague)) == (["Mine", "Ours"], ["Hers", "Ours"])
    assert SavedView.objects.get(name="Mine").query == "status=HELD"
    ours = reverse("mobjects:view-delete", args=["results", SavedView.objects.get(name="Ours").pk])
    mine = reverse("mobjects:view-delete", args=["results", SavedView.objects.get(name="Mine").pk])
    assert (colleague.post(ours).status_code, colleague.post(mine).status_code) == (404, 404)
    assert (browser.post(ours).status_code, browser.post(mine).status_code) == (302, 302)
    assert names(browser) == []
    assert save(browser, "").url == RESULTS
    assert browser.post(reverse("mobjects:view-save", args=["nonsense"]), {"name": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("action", "sent", "heading"),
    [
        ("send", True, "Sent"),
        ("undo", True, "Sent"),
        ("send", False, "To be sent"),
        ("dry_run", False, "To be sent"),
        ("pull", False, "In Marketo then"),
        ("compare", False, "In Marketo then"),
    ],
)
def test_what_was_only_read_or_planned_is_not_called_sent(browser, action, sent, heading):
    job = pages.job(action=action)
    diff = [["Stage", "Open", "Won"]]
    result = pages.result(job, batch=pages.batch(job) if sent or action == "pull" else None, status="HELD", diff=diff)
    page = html.fromstring(browser.get(result_url(result)).content.decode())
    table = page.xpath("//table[caption[starts-with(., 'Values')]]")[0]
    assert [cell.text_content() for cell in table.xpath(".//th[@scope='col']")][1:] == [
        "Accepted before",
        heading,
        "Accepted by now",
    ]


# --- values of a kind are for those who may see that kind ---


@pytest.mark.parametrize("rights", [["view_syncresult"], ["view_syncresult", "view_opportunity"]])
def test_values_in_the_history_are_for_those_who_may_see_the_kind(failed, client, rights):
    person = factories.user("watcher")
    person.user_permissions.add(*map(factories.permission, [*rights, "view_syncjob", "view_syncbatch"]))
    client.force_login(person)
    result = failed[0]
    history = reverse("mobjects:record-history", args=[result.kind, result.record_id])
    batch = pages.batch(result.job)
    pages.result(result.job, batch=batch, record_id=result.record_id, diff=result.diff)
    lists = [RESULTS, pages.job_url(result.job), reverse("admin:mobjects_syncbatch_change", args=[batch.pk])]
    for address in (result_url(result), history, *lists):
        page = client.get(address)
        assert page.status_code == 200
        shown = [" ".join(cell.text_content().split()) for cell in pages.tree(page).xpath("//td")]
        assert ("Won" in " ".join(shown)) is ("view_opportunity" in rights), address
    file = b"".join(client.get(f"/admin/sync-results/results.csv?kind={result.kind}").streaming_content).decode()
    assert ("Won → Wun" in file) is ("view_opportunity" in rights)
    Opportunity.objects.all().delete()
    gone = pages.text(client.get(result_url(result)))
    assert ("Values are shown to those who may see opportunities." in gone) is ("view_opportunity" not in rights)


def test_a_search_over_all_jobs_goes_through_so_many_texts_at_a_time_and_says_so(browser):
    job = pages.job()
    old = pages.result(job, status="FAILED", label="Old deal", error="No such stage: Winning")
    new = pages.result(job, status="FAILED", label="New deal", pk=old.pk + REACH + 5)
    first = browser.get(RESULTS, {"q": "winning"})
    assert "No result fits among these 50,000." in pages.words(first)
    (further,) = pages.tree(first).xpath("//a[@rel='next']/@href")
    found = pages.words(browser.get(f"{RESULTS}{further.partition('#')[0]}"))
    assert "Old deal" in found
    assert "is not searched yet" not in found
    both = browser.get(RESULTS, {"q": "deal"})
    assert "New deal" in pages.words(both)
    assert "Search further back" in pages.words(both)
    back = browser.get(RESULTS, {"q": "deal", "before": old.pk})
    assert new.label not in pages.words(back)
    assert pages.tree(back).xpath("//a[@rel='prev']")


def test_jobs_are_searched_by_a_name_in_so_many_of_the_newest_results(browser):
    old, new = pages.job(), pages.job()
    first = pages.result(old, label="Winter deal")
    pages.result(new, label="Summer deal", pk=first.pk + REACH)
    address = reverse("admin:mobjects_syncjob_changelist")
    found = pages.text(browser.get(address, {"q": "deal"}))
    assert pages.job_url(new) in found
    assert pages.job_url(old) not in found


def test_a_search_for_a_key_compares_results_with_ids_not_with_a_query(failed):
    """PostgreSQL reads all results, twenty million or not, where one of several conditions is a query of its own."""
    found = find_results(ResultFilter(search="K-B"))
    assert [row.label for row in found] == ["B"]
    assert "subplan" not in found.explain().lower()
    assert "subquery" not in found.explain().lower()


def test_results_of_a_time_are_those_of_its_jobs_with_bounds_for_their_ids(db):
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    jobs = {}
    # "long" is asked for in time and writes after "next", which is not.
    hours = {"old": (0, 1), "long": (100, 140), "in": (101, 102), "next": (130, 131), "new": (200, 201)}
    for name, (begun, ended) in hours.items():
        jobs[name] = pages.job(finished_at=moment + timedelta(hours=ended))
        with history_opened("as if it had been then"):
            SyncJob.objects.filter(pk=jobs[name].pk).update(created_at=moment + timedelta(hours=begun))
        first = pages.result(jobs[name], label=name)
        if name == "next":
            pages.result(jobs["long"], label="late")
    asked = ResultFilter(since=moment + timedelta(hours=90), until=moment + timedelta(hours=120))
    found = find_results(asked)
    assert [row.label for row in found] == ["late", "in", "long"]
    assert f'"id" < {first.pk}' in str(found.query)
