"""The batch page and a record's own history: calls, attempts, halves, and steps on the way."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects.models import Conflict, Opportunity, SyncBatchState
from mobjects.views.sync.batch_detail import pretty_body, pretty_xml
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(groups):
    return pages.client()


def batch_url(batch) -> str:
    return reverse("admin:mobjects_syncbatch_change", args=[batch.pk])


def test_the_batch_page_shows_each_member_with_its_answer_in_the_order_sent(browser):
    job = pages.job()
    identity = {"Called as": "api_user", "Signed time": "2026-03-01T12:00:00+00:00"}
    batch = pages.batch(job, size=2, identity=identity, http_status=200)
    pages.result(job, batch=batch, position=2, label="Second", status="FAILED", error="Bad stage")
    pages.result(job, batch=batch, position=1, label="First", marketo_id=500001)
    response = browser.get(reverse("admin:mobjects_syncbatch_change", args=[batch.pk]))
    assert [member.label for member in response.context["members"]] == ["First", "Second"]
    shown = pages.text(response)
    assert "INSERT of 2 records (opportunities): 1 failed · 1 created." in shown
    assert "<dt>Called as</dt><dd>api_user</dd>" in shown
    assert "2026-03-01T12:00:00+00:00" in shown


def test_batches_lead_to_the_ones_before_and_after(browser):
    job = pages.job()
    first, second, third = (pages.batch(job, sequence=number) for number in (1, 2, 3))
    shown = pages.text(browser.get(reverse("admin:mobjects_syncbatch_change", args=[second.pk])))
    assert f'/{first.pk}/change/" rel="prev"' in shown
    assert f'/{third.pk}/change/" rel="next"' in shown
    assert 'rel="next"' not in pages.text(browser.get(reverse("admin:mobjects_syncbatch_change", args=[third.pk])))


def test_payloads_are_indented_and_escaped(browser):
    batch = pages.batch(pages.job(), request="<a><b>1</b></a>", response="<html>502 Bad gateway")
    shown = browser.get(reverse("admin:mobjects_syncbatch_change", args=[batch.pk])).content.decode()
    assert "&lt;a&gt;\n  &lt;b&gt;1&lt;/b&gt;\n&lt;/a&gt;" in shown
    assert "&lt;html&gt;502 Bad gateway" in shown


def test_a_refused_batch_says_why(browser):
    refused = SyncBatchState.REFUSED
    batch = pages.batch(pages.job(), state=refused, fault_code="20012", fault_text="Invalid <request>")
    shown = pages.text(browser.get(reverse("admin:mobjects_syncbatch_change", args=[batch.pk])))
    assert "Fault 20012:" in shown
    assert "Invalid &lt;request&gt;" in shown


def test_payloads_need_their_own_permission(groups):
    viewer = pages.client("viewer")
    batch = pages.batch(pages.job(), request="<top-secret/>", response="<answer/>")
    shown = pages.text(viewer.get(reverse("admin:mobjects_syncbatch_change", args=[batch.pk])))
    assert "top-secret" not in shown
    assert "You are not allowed to see requests and answers" in shown
    assert viewer.get(reverse("mobjects:batch-payload", args=[batch.pk, "request"])).status_code == 403


def test_payloads_are_downloaded_as_plain_text_as_they_were_kept(browser):
    batch = pages.batch(pages.job(), request="<a><b/></a>", response="<한국어/>")
    response = browser.get(reverse("mobjects:batch-payload", args=[batch.pk, "response"]))
    assert response.content.decode() == "<한국어/>"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment;")
    assert browser.get(f"/admin/sync-batches/{batch.pk}/headers.txt").status_code == 404


@pytest.mark.parametrize("pk", ["999999", "nonsense", "9" * 30])
def test_a_batch_that_does_not_exist_is_not_found(browser, pk):
    assert browser.get(f"/admin/mobjects/syncbatch/{pk}/change/").status_code == 404


# --- attempts and halves ---


def test_a_batch_shows_all_attempts_at_it(browser):
    job = pages.job()
    first = pages.batch(job, state=SyncBatchState.NOT_SENT, fault_code="20023", fault_text="Too many calls.")
    second = pages.batch(job, attempt=2, cause="Too many calls.")
    shown = pages.text(browser.get(batch_url(second)))
    assert "Batch 1, attempt 2" in shown
    assert "Why this call was made: Too many calls." in shown
    assert f'<a href="{batch_url(first)}">Batch 1</a>' in shown
    assert f'<a href="{batch_url(second)}">Batch 1, attempt 2</a>' in pages.text(browser.get(batch_url(first)))
    assert "Batches that belong together" not in pages.text(browser.get(batch_url(pages.batch(job, sequence=2))))


def test_a_batch_leads_to_its_halves_and_to_all_that_it_is_a_half_of(browser):
    job = pages.job()
    whole = pages.batch(job, size=4, state=SyncBatchState.REFUSED)
    half = pages.batch(job, sequence=2, size=2, part_of=whole, state=SyncBatchState.REFUSED)
    quarter = pages.batch(job, sequence=3, part_of=half)
    response = browser.get(batch_url(half))
    assert response.context["halves"] == [quarter]
    assert browser.get(batch_url(quarter)).context["wholes"] == [half, whole]
    assert f'<a href="{batch_url(quarter)}">Batch 3</a>' in pages.text(response)
    assert "half of batch 1" in pages.text(browser.get(pages.job_url(job)))


def test_a_batch_that_waits_says_that_it_is_still_to_be_sent(browser):
    batch = pages.batch(pages.job(), state=SyncBatchState.WAITING, size=50)
    shown = pages.text(browser.get(batch_url(batch)))
    assert "INSERT of 50 records (opportunities), still to be sent." in shown
    assert "Its records are listed once it is sent." in shown


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("GET", "Reading of opportunities: 7 records."),
        ("DESCRIBE", "Reading what Marketo knows about opportunities."),
        ("DELETE", "DELETE of 7 records (opportunities)."),
    ],
)
def test_calls_of_other_kinds_are_said_in_words(browser, operation, said):
    assert said in pages.text(browser.get(batch_url(pages.batch(pages.job(), operation=operation, size=7))))


def test_the_file_of_a_further_attempt_has_a_name_of_its_own(browser):
    batch = pages.batch(pages.job(), attempt=2, request="<a/>")
    response = browser.get(reverse("mobjects:batch-payload", args=[batch.pk, "request"]))
    assert "-batch-1-attempt-2-request.txt" in response["Content-Disposition"]


def test_steps_on_the_way_are_shown_as_such_everywhere(browser):
    opportunity, job = factories.opportunity(), pages.job(counts={"CREATED": 1})
    lost = pages.batch(job, state=SyncBatchState.UNKNOWN)
    pages.result(job, batch=lost, record_id=opportunity.pk, status="RETRIED", error="Lost on the way.")
    pages.result(job, batch=pages.batch(job, sequence=2), record_id=opportunity.pk)
    history = reverse("mobjects:record-history", args=["Opportunity", opportunity.pk])
    for address in (pages.job_url(job), history):
        shown = pages.text(browser.get(address))
        assert shown.count('<tr class="mo-step"') == 1
        assert "step on the way" in shown
        assert "Lost on the way." in shown
    assert '<tr class="mo-step">' in pages.text(browser.get(batch_url(lost)))
    steps = browser.get(pages.job_url(job, "?status=steps"))
    assert [row.status for row in steps.context["rows"]] == ["RETRIED"]


def test_a_record_about_which_a_person_has_to_decide_leads_there(browser):
    opportunity, job = factories.opportunity(), pages.job(counts={"CONFLICT": 1})
    batch = pages.batch(job)
    pages.result(job, batch=batch, record_id=opportunity.pk, status="CONFLICT")
    about = {"kind": "Opportunity", "record_id": opportunity.pk, "label": "Deal", "reason": "both"}
    conflict = Conflict.objects.create(**about)
    link = f'href="{reverse("admin:mobjects_conflict_change", args=[conflict.pk])}"'
    history = reverse("mobjects:record-history", args=["Opportunity", opportunity.pk])
    for address in (pages.job_url(job), history, batch_url(batch)):
        assert link in pages.text(browser.get(address))
    Conflict.objects.update(decided_at="2026-03-01T12:00:00Z")
    assert link not in pages.text(browser.get(pages.job_url(job)))


# --- one record's history ---


def test_a_record_has_its_own_history_newest_first(browser):
    opportunity = factories.opportunity(name="Deal")
    for reason in ("Bad stage", ""):
        job = pages.job(username="alice")
        status = "FAILED" if reason else "CREATED"
        pages.result(job, batch=pages.batch(job), record_id=opportunity.pk, status=status, error=reason)
    response = browser.get(reverse("mobjects:record-history", args=["opportunity", opportunity.pk]))
    entries = response.context["page"].entries
    assert [entry.result.status for entry in entries if entry.result] == ["CREATED", "FAILED"]
    shown = pages.text(response)
    assert "Bad stage" in shown
    assert "alice" in shown
    assert "deleted here" not in shown


def test_a_deleted_record_keeps_its_history(browser):
    opportunity = factories.opportunity(name="Deal")
    pages.result(pages.job(), record_id=opportunity.pk, label="Deal")
    pk = opportunity.pk
    Opportunity.objects.all().delete()
    shown = pages.text(browser.get(reverse("mobjects:record-history", args=["Opportunity", pk])))
    assert "History of Deal" in shown
    assert "was deleted here" in shown


@pytest.mark.parametrize("address", ["Opportunity/12345", "Nonsense/1", "Opportunity/99999999999999999999"])
def test_the_history_of_nothing_is_not_found(browser, address):
    assert browser.get(f"/admin/sync-history/{address}/").status_code == 404


def test_pretty_xml_indents_and_keeps_values():
    assert pretty_xml("<?xml version='1.0' encoding='utf-8'?><a><b> x </b><c></c></a>") == (
        "<a>\n  <b> x </b>\n  <c/>\n</a>\n"
    )


@pytest.mark.parametrize("text", ["", "Bad Gateway", "<p>one<p>", "<!DOCTYPE a><a><b/></a>", "<a>\ud800</a>"])
def test_what_is_not_plain_xml_is_left_alone_when_made_pretty(text):
    assert pretty_xml(text) == text


def test_json_is_indented_behind_the_line_of_the_call():
    assert pretty_body('POST /rest/v1/x.json\n\n{"a":[1,"é"]}') == (
        'POST /rest/v1/x.json\n\n{\n  "a": [\n    1,\n    "é"\n  ]\n}'
    )


@pytest.mark.parametrize("text", ['{"a":1.10}', '{"a":1,"a":2}', '{"a":', "GET /x.json", "", "POST /x\n\na=%7B"])
def test_what_would_not_read_the_same_stays_as_it_is(text):
    assert pretty_body(text) == text
