"""The lists of jobs, batches and results: for looking only."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mobjects.models import SyncBatch, SyncJob, SyncJobState, SyncResult
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db
MODELS = ("syncjob", "syncbatch", "syncresult")


@pytest.fixture
def browser(groups):
    return pages.client("viewer")


def listed(response):
    return list(response.context["cl"].result_list)


def test_the_list_says_state_who_and_counts_in_words(browser):
    pages.job(state=SyncJobState.PROBLEMS, username="alice", counts={"CREATED": 412, "FAILED": 15}, reason="x" * 100)
    shown = pages.text(browser.get(reverse("admin:mobjects_syncjob_changelist")))
    for words in (
        "Finished with problems",
        "alice",
        "15 failed",
        "412 created",
        "Automatic",
        "x" * 80 + "…",
        "Sync of 427 opportunities, ",
    ):
        assert words in shown


def test_a_search_says_how_far_names_of_records_are_looked_for(browser):
    pages.job()
    address, words = reverse("admin:mobjects_syncjob_changelist"), "in the newest 50,000 results only"
    assert words in pages.text(browser.get(address, {"q": "Deal"}))
    assert words not in pages.text(browser.get(address))


def test_jobs_are_found_by_the_error_of_a_record_and_by_what_stopped_them(browser):
    failed, stopped = pages.job(state=SyncJobState.PROBLEMS), pages.job(problem_text="Marketo refused the signature.")
    pages.result(failed, status="FAILED", error="“Wun” is not allowed for Stage")
    address = reverse("admin:mobjects_syncjob_changelist")
    assert listed(browser.get(address, {"q": "wun” is not"})) == [failed]
    assert listed(browser.get(address, {"q": "refused the signature"})) == [stopped]
    assert listed(browser.get(address, {"q": "no such error"})) == []


@pytest.mark.parametrize("model", MODELS)
def test_nobody_can_add_change_or_delete_history(model, admin_client):
    job = pages.job()
    pages.result(job, batch=pages.batch(job))
    row = {"syncjob": SyncJob, "syncbatch": SyncBatch, "syncresult": SyncResult}[model].objects.get()
    address = f"admin:mobjects_{model}"
    assert admin_client.get(reverse(f"{address}_add")).status_code == 403
    assert admin_client.post(reverse(f"{address}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    admin_client.post(reverse(f"{address}_change", args=[row.pk]), {"state": "x", "status": "x"})
    delete = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post(reverse(f"{address}_changelist"), delete)
    kept = type(row).objects.get()
    assert {name: value for name, value in vars(kept).items() if name != "_state"} == {
        name: value for name, value in vars(row).items() if name != "_state"
    }


@pytest.mark.parametrize("model", MODELS)
def test_lists_need_the_permission(model, groups):
    stranger = Client()
    stranger.force_login(factories.user("nobody"))
    assert stranger.get(reverse(f"admin:mobjects_{model}_changelist")).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_the_number_of_queries_does_not_grow_with_rows(model, browser, django_assert_max_num_queries):
    def more(count):
        for _ in range(count):
            job = pages.job(username="alice")
            pages.result(job, batch=pages.batch(job))

    address = reverse(f"admin:mobjects_{model}_changelist")
    more(1)
    with django_assert_max_num_queries(11):
        browser.get(address)
    more(20)
    with django_assert_max_num_queries(11):
        browser.get(address)


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("alice", {"by alice"}),
        ("quarter", {"Quarter end"}),
        ("acme", {"touched"}),
        ("500077", {"touched"}),
        ("nothing like this", set()),
        ("99999999999999999999", set()),
        ("%00", {"by alice", "Quarter end", "touched"}),
    ],
)
def test_jobs_are_found_by_user_reason_and_the_records_they_touched(browser, term, found):
    pages.job(username="alice", reason="by alice")
    pages.job(reason="Quarter end")
    touched = pages.job(reason="touched")
    for _ in range(2):
        pages.result(touched, label="ACME renewal", marketo_id=500077)
    response = browser.get(f"{reverse('admin:mobjects_syncjob_changelist')}?q={term}")
    assert sorted(job.reason for job in listed(response)) == sorted(found)


def test_a_job_is_found_by_its_number(browser):
    job, _ = pages.job(), pages.job()
    for number in (str(job.pk), str(job.pk)[:8]):
        assert listed(browser.get(f"{reverse('admin:mobjects_syncjob_changelist')}?q={number}")) == [job]


@pytest.mark.parametrize(
    "query", ["state__exact=stopped", "kind__exact=Program", "operation__exact=UPSERT", "username=al"]
)
def test_jobs_are_filtered(browser, query):
    job = pages.job(state=SyncJobState.STOPPED, kind="Program", operation="UPSERT", username="al")
    pages.job(username="bo")
    assert listed(browser.get(f"{reverse('admin:mobjects_syncjob_changelist')}?{query}")) == [job]


def test_jobs_are_listed_by_a_record_that_they_touched(browser):
    record = factories.opportunity(name="ACME", external_id="K-1")
    job, _ = pages.job(), pages.job()
    pages.result(job, record_id=record.pk)
    address = reverse("admin:mobjects_syncjob_changelist")
    assert listed(browser.get(f"{address}?touched=Opportunity-{record.pk}")) == [job]
    assert listed(browser.get(f"{address}?q=K-1")) == [job]
    assert listed(browser.get(f"{address}?touched=nonsense")) == []


def test_history_outlives_its_user(browser):
    user = factories.user("temp")
    job = pages.job(user=user, username="temp")
    user.delete()
    assert "temp" in pages.text(browser.get(pages.job_url(job)))


def test_filters_do_not_tell_what_a_payload_holds(browser):
    pages.batch(pages.job())
    assert browser.get(reverse("admin:mobjects_syncbatch_changelist"), {"request__contains": "a"}).status_code == 400
