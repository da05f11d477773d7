"""From the reasons of a job to the lists of the records that still have them, where many are corrected at once."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobjects.models import Opportunity, SyncJobAction, SyncJobState
from mobjects.presentation.job_titles import job_title
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]
REASON = "“{}” is not allowed for Stage"


@pytest.fixture
def browser():
    return pages.client()


def failed(job, record, reason=REASON, status="FAILED"):
    Opportunity.objects.filter(pk=record.pk).update(last_status="FAILED", answered_revision=record.revision)
    return pages.result(
        job,
        kind=record.KIND.value,
        record_id=record.pk,
        revision=record.revision,
        label=str(record),
        status=status,
        error=reason.format(record.pk),
    )


def list_links(browser, job):
    found = pages.tree(browser.get(pages.job_url(job))).xpath("//*[@class='mo-groups']//a[contains(., 'in the list')]")
    return {" ".join(link.xpath("string(text())").split()): link.get("href") for link in found}


def listed(browser, address):
    return [str(record) for record in browser.get(address).context["cl"].result_list]


def chips(browser, address):
    found = pages.tree(browser.get(address)).xpath("//*[@class='mo-chip']/span/text()")
    return [" ".join(text.split()) for text in found]


@pytest.fixture
def job():
    return pages.job(state=SyncJobState.PROBLEMS, planned=5, counts={"FAILED": 5})


def test_a_group_leads_to_the_list_of_exactly_its_records_that_nobody_corrected(browser, job):
    one, two, corrected, sent = (factories.opportunity(name=name) for name in ("One", "Two", "Corrected", "Sent"))
    for record in (one, two, corrected, sent):
        failed(job, record)
    failed(job, factories.opportunity(name="Other reason"), "Amount is missing")
    failed(pages.job(state=SyncJobState.PROBLEMS), factories.opportunity(name="Other job"))
    Opportunity.objects.filter(pk=corrected.pk).update(stage="Won")
    later = pages.job(state=SyncJobState.SUCCEEDED)
    pages.result(later, record_id=sent.pk, revision=sent.revision, status="UPDATED")
    Opportunity.objects.filter(pk=sent.pk).update(synced_revision=sent.revision, last_status="UPDATED")
    links = list_links(browser, job)
    assert sorted(links) == ["Open 1 opportunity in the list", "Open 2 opportunities in the list"]
    address = links["Open 2 opportunities in the list"]
    assert listed(browser, address) == ["Two", "One"]
    assert chips(browser, address) == [
        f"Not accepted by a job and not corrected since: {job_title(job)}: Failed: “…” is not allowed for Stage"
    ]
    assert listed(browser, links["Open 1 opportunity in the list"]) == ["Other reason"]


def test_bulk_edit_is_about_exactly_these(browser, job):
    one, two = factories.opportunity(name="One"), factories.opportunity(name="Two")
    failed(job, one)
    failed(job, two)
    factories.opportunity(name="Good")
    address = list_links(browser, job)["Open 2 opportunities in the list"]
    pressed = {"action": "edit_selected", "_selected_action": [one.pk], "select_across": "1"}
    answer = browser.post(address, pressed, follow=True)
    assert "2 opportunities" in pages.words(answer)


def test_what_a_job_of_several_kinds_left_is_listed_kind_by_kind(browser):
    job = pages.job(kind="several", state=SyncJobState.PROBLEMS, counts={"HELD": 3})
    opportunity, program = factories.opportunity(name="Deal"), factories.program(name="Webinar")
    role = factories.role(opportunity, role="Buyer")
    for record in (opportunity, program, role):
        failed(job, record, "it waits", status="HELD")
    links = list_links(browser, job)
    assert list(links) == [
        "Open 1 program in the list",
        "Open 1 opportunity in the list",
        "Open 1 person role in the list",
    ]
    assert listed(browser, links["Open 1 program in the list"]) == ["Webinar"]
    assert listed(browser, links["Open 1 person role in the list"]) == [str(role)]
    factories.cost(program)
    assert list(list_links(browser, job)) == list(links)[1:]


@pytest.mark.parametrize(
    ("action", "resend", "shown"),
    [
        (SyncJobAction.SEND, False, []),
        (SyncJobAction.SEND, True, ["Open 1 opportunity in the list"]),
        (SyncJobAction.DELETE, False, ["Open 1 opportunity in the list"]),
    ],
)
def test_what_marketo_has_as_it_is_counts_only_for_jobs_that_are_not_about_changes(browser, action, resend, shown):
    selection = {**pages.SELECTION, "resend": resend}
    job = pages.job(action=action, selection=selection, state=SyncJobState.PROBLEMS, counts={"FAILED": 1})
    record = factories.opportunity(name="As in Marketo")
    failed(job, record)
    Opportunity.objects.filter(pk=record.pk).update(synced_revision=record.revision)
    links = list_links(browser, job)
    assert list(links) == shown
    assert [listed(browser, address) for address in links.values()] == [["As in Marketo"]] * len(shown)


def test_who_may_not_see_the_records_is_not_led_to_them(job):
    failed(job, factories.opportunity())
    browser = pages.client("viewer")
    person = factories.user("history-only", group=None)
    person.is_staff = True
    person.save()
    person.user_permissions.add(factories.permission("view_syncjob"), factories.permission("view_syncresult"))
    assert list(list_links(browser, job)) == ["Open 1 opportunity in the list"]
    browser.force_login(person)
    assert list_links(browser, job) == {}


def test_the_list_takes_at_most_twelve_statements(browser, job):
    failed(job, factories.opportunity())
    (address,) = list_links(browser, job).values()
    browser.get(address)
    with CaptureQueriesContext(connection) as caught:
        browser.get(address)
    assert len(caught) <= 12, "\n".join(query["sql"][:150] for query in caught)
