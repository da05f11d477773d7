"""The pages that ask before Marketo is read: pull and drift report."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from mobjects.models import AllowedTag, Kind, Opportunity, Program, SyncJob, SyncJobState
from mobjects.views.marketo.pull import confirm_compare, confirm_pull
from tests import factories
from tests.factories import fresh
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
PULL, COMPARE = "/admin/pull/", "/admin/compare/"
LISTS = {
    Kind.PROGRAM: "admin:mobjects_program_changelist",
    Kind.OPPORTUNITY: "admin:mobjects_opportunity_changelist",
}


@pytest.fixture
def browser(groups):
    return pages.client()


def start(browser, address=PULL, **values):
    return browser.post(address, {"kind": "Program", "start": "1", **values})


def choose(browser, action, *rows):
    """Press "Go" for an action of a list."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0"}
    return browser.post(reverse(LISTS[rows[0].KIND]), chosen, follow=True)


# --- pull -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("Program", {"name", "workspace", "tag_type", "tag_value", "updated_since", "archived", "reason"}),
        ("Opportunity", {"name", "updated_since", "reason"}),
        ("OpportunityPersonRole", {"updated_since", "reason"}),
    ],
)
def test_only_what_marketo_can_look_for_is_offered(browser, kind, offered):
    form = browser.get(f"{PULL}?kind={kind}").context["form"]
    assert {field.name for field in form.visible_fields()} == offered


def test_the_page_says_that_what_was_not_sent_is_never_overwritten(browser):
    shown = pages.text(browser.get(PULL))
    assert "Changes nothing in Marketo." in shown
    assert "A change that was not sent yet is never overwritten." in shown
    assert "Used today: 0 of our 5,000." in shown


def test_known_tags_are_suggested(browser):
    AllowedTag.objects.create(type="Region", value="EMEA", described_at=timezone.now())
    assert '<option value="EMEA"' in pages.text(browser.get(PULL))


def test_an_unknown_kind_is_refused(browser):
    response = browser.get(f"{PULL}?kind=Nonsense")
    assert response.status_code == 400
    assert "Nonsense is not one of the available choices" in pages.text(response)


def test_pulling_makes_a_job_with_what_was_asked_and_leads_to_it(browser):
    response = start(
        browser, name="Webinar", workspace="EU", tag_type="Region", tag_value="EMEA", archived="on", reason="Monday"
    )
    job = SyncJob.objects.get()
    assert response.url == pages.job_url(job)
    assert (job.action, job.kind, job.username, job.reason) == ("pull", "Program", "operator-user", "Monday")
    assert job.selection == {
        "kind": "Program",
        "name": "Webinar",
        "workspace": "EU",
        "tag_type": "Region",
        "tag_value": "EMEA",
        "updated_since": None,
        "archived": True,
        "ids": None,
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-03-31", "2026-03-31T00:00:00+00:00"),
        ("2026-03-31 14:30", "2026-03-31T14:30:00+00:00"),
        ("2026-03-31T14:30+02:00", "2026-03-31T14:30:00+02:00"),
    ],
)
def test_a_day_or_a_time_since_is_in_utc_unless_it_says_otherwise(browser, given, kept):
    start(browser, kind="Opportunity", updated_since=given)
    since = SyncJob.objects.get().selection["updated_since"]
    assert since == kept
    assert datetime.fromisoformat(since).tzinfo


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"updated_since": "31.3.2026"}, "Updated since (UTC): “31.3.2026” is no day or time. Write it as 2026-03-31"),
        ({"updated_since": f"{timezone.now() + timedelta(days=2):%Y-%m-%d}"}, "is in the future"),
        ({"tag_type": "Region"}, "Tag: give its type and its value, or neither."),
        ({"tag_type": "Region", "tag_value": "EMEA", "updated_since": "2026-01-01"}, "only one of them at a time"),
        ({"kind": "Opportunity", "workspace": "EU"}, "Workspace “EU”: Marketo cannot look for this here."),
        ({"kind": "OpportunityPersonRole", "name": "Ann"}, "Name “Ann”: Marketo cannot look for this here."),
        ({"name": "a\x0bb"}, "Name: “a"),
        ({"ids": "1,x"}, "The list of records is damaged"),
        ({"ids": "1", "name": "Webinar"}, "Name “Webinar”: Marketo cannot look for this here."),
    ],
)
def test_what_does_not_fit_is_refused_in_words(browser, given, said):
    response = start(browser, **given)
    assert response.status_code == 400
    assert said in pages.text(response)
    assert not SyncJob.objects.exists()


def test_a_queue_that_is_down_is_said(browser, settings, django_capture_on_commit_callbacks):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:9/0"}}
    with django_capture_on_commit_callbacks(execute=True):
        start(browser)
    assert SyncJob.objects.get().state == SyncJobState.NOT_QUEUED


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_pull_by_tag_fills_an_empty_list(browser, work, sandbox):
    start(browser, tag_type="Region", tag_value="EMEA")
    work()
    job = SyncJob.objects.get()
    assert job.state == SyncJobState.SUCCEEDED
    assert 0 < Program.objects.count() < len(sandbox.store.programs)
    assert browser.get(pages.job_url(job)).status_code == 200


# --- selected records -----------------------------------------------------------------------


def test_selected_records_are_pulled_after_a_question(browser):
    known, unknown = factories.opportunity(marketo_id=7), factories.opportunity()
    response = choose(browser, "pull_selected", known, unknown)
    shown = pages.text(response)
    assert "Reads 2 selected opportunities from Marketo" in shown
    assert "Needs at least 1 call to Marketo." in shown
    assert not SyncJob.objects.exists()
    start(browser, kind="Opportunity", ids=response.context["form"].data["ids"])
    assert SyncJob.objects.get().selection["ids"] == sorted([known.pk, unknown.pk])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_look_again_on_a_records_page_takes_what_changed_in_marketo(browser, work, sandbox):
    record = factories.opportunity()
    factories.sync(record)
    number = fresh(record).marketo_id
    sandbox.store.opportunities[number].values["Stage"] = "Won"
    shown = pages.text(browser.get(reverse("admin:mobjects_opportunity_change", args=[record.pk])))
    assert "Look again in Marketo" in shown
    start(browser, kind="Opportunity", ids=str(record.pk))
    work()
    assert fresh(record).stage == "Won"


def test_without_a_marketo_id_there_is_nothing_to_look_for(browser):
    record = factories.opportunity()
    shown = pages.text(browser.get(reverse("admin:mobjects_opportunity_change", args=[record.pk])))
    assert "Look again in Marketo" not in shown


def test_an_empty_selection_never_means_everything(groups):
    request = RequestFactory().get("/")
    request.user = factories.user("olivia", group="operator")
    request._messages = CookieStorage(request)
    for confirm in (confirm_pull, confirm_compare):
        assert confirm(request, Kind.OPPORTUNITY, []).url == reverse(LISTS[Kind.OPPORTUNITY])


# --- drift report ---------------------------------------------------------------------------


def test_comparing_makes_a_job_about_the_ticked_kinds(browser):
    browser.post(COMPARE, {"kinds": ["Program", "Opportunity"], "start": "1"})
    job = SyncJob.objects.get()
    assert (job.action, job.kind) == ("compare", "several")
    assert job.selection == {"kinds": ["Program", "Opportunity"], "ids": None}


def test_all_kinds_are_ticked_at_first_and_the_calls_are_counted(browser):
    response = browser.get(COMPARE)
    assert response.context["form"]["kinds"].value() == list(Kind)
    assert "Needs at least 3 calls to Marketo." in pages.text(response)


def test_selected_records_are_compared_after_a_question(browser):
    record = factories.program()
    response = choose(browser, "compare_selected", record)
    assert "1 selected program. Changes neither side." in pages.text(response)
    browser.post(COMPARE, {"kinds": ["Program"], "ids": response.context["form"].data["ids"], "start": "1"})
    assert SyncJob.objects.get().selection == {"kinds": ["Program"], "ids": [record.pk]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Kinds: Tick at least one kind."),
        ({"kinds": ["Program", "Opportunity"], "ids": "1"}, "Selected records are of one kind"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused_in_words(browser, given, said):
    response = browser.post(COMPARE, {"start": "1", **given})
    assert response.status_code == 400
    assert said in pages.text(response)
    assert not SyncJob.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_the_report_names_the_record_that_differs(browser, work, sandbox):
    record = factories.opportunity(name="Drifted")
    factories.sync(record)
    sandbox.store.opportunities[fresh(record).marketo_id].values["Stage"] = "Won"
    browser.post(COMPARE, {"kinds": ["Opportunity"], "start": "1"})
    work()
    job = SyncJob.objects.get(action="compare")
    assert job.counts == {"DIFFERS": 1}
    shown = pages.text(browser.get(pages.job_url(job)))
    assert "Drifted" in shown
    assert Opportunity.objects.get().stage == ""


# --- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [PULL, COMPARE])
@pytest.mark.parametrize("group", ["viewer", "editor"])
def test_only_operators_read_from_marketo(groups, address, group):
    browser = pages.client(group)
    assert browser.get(address).status_code == 403
    response = start(browser, address, kinds=["Program"])
    assert "You are not allowed to read records" in pages.text(response)
    assert not SyncJob.objects.exists()


def test_others_are_not_offered_the_actions(groups):
    factories.opportunity(marketo_id=7)
    shown = pages.text(pages.client("editor").get(reverse(LISTS[Kind.OPPORTUNITY])))
    assert "pull_selected" not in shown
    assert "compare_selected" not in shown
