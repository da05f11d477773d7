"""The page about moving to another API: what is missing, lists of it, and the look-up of IDs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mobjects.marketo.registry import TRANSPORTS
from mobjects.models import MarketoField, Opportunity, OpportunityPersonRole, ProgramCost, SyncJob
from mobjects.presentation import navigation
from tests import factories
from tests.support import identify_transport
from tests.support.guids import deal, guid
from tests.support.identify_transport import Wire
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
PAGE = "/admin/moving/"


@pytest.fixture
def wire(settings):
    """The site over an API that calls objects by GUIDs, and what stands there."""
    wire = Wire()
    TRANSPORTS["wire"] = identify_transport.entry(wire)
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "wire", "WIRE_AT": "https://wire.example"}
    yield wire
    del TRANSPORTS["wire"]


@pytest.fixture
def browser(groups):
    return pages.client()


def sidebar():
    request = RequestFactory().get("/")
    request.user = factories.user("olivia", group="operator")
    return [item["title"] for group in navigation.build_navigation(request) for item in group["items"]]


def lines(response):
    return {line.gap.words: line for line in response.context["lines"]}


def ask(browser, **values):
    return browser.post(PAGE, {"kinds": ["Opportunity"], "start": "1", **values})


# --- what is missing ------------------------------------------------------------------------


def test_an_api_that_needs_nothing_more_is_not_moved_to(browser):
    assert "Moving to SOAP" not in sidebar()
    response = browser.get(PAGE)
    assert "Records need nothing more than they have: SOAP takes them as they are." in pages.text(response)
    assert "Look up IDs" not in pages.text(response)
    assert "Moving to" not in pages.text(browser.get(reverse("mobjects:connection")))


@pytest.mark.usefixtures("wire")
def test_the_page_is_in_the_sidebar_and_linked_from_the_connection(browser):
    assert "Moving to WIRE" in sidebar()
    assert f'<a href="{PAGE}">Moving to WIRE</a>' in pages.text(browser.get(reverse("mobjects:connection")))


@pytest.mark.usefixtures("wire")
def test_only_who_may_pull_sees_it(groups):
    response = pages.client("viewer").get(PAGE)
    assert response.status_code == 403
    assert "read records, fields and tags from Marketo" in pages.text(response)


@pytest.mark.usefixtures("wire")
def test_each_gap_tells_how_many_and_leads_to_exactly_those(browser):
    here = factories.opportunity(name="here", external_id="E-1", marketo_id=70)
    there = factories.opportunity(name="there", external_id=None, marketo_id=7)
    factories.role(here, role="")
    factories.role(there, person_key="L-1")
    factories.cost(factories.program(), amount=Decimal("10.50"))
    factories.cost(factories.program(marketo_id=1002), amount=Decimal("10.00"))
    response = browser.get(PAGE)
    counts = {words: line.count for words, line in lines(response).items()}
    assert counts == {
        "Opportunities without an external ID": 1,
        "Person roles without a role name": 1,
        "Person roles whose opportunity has no external ID": 1,
        "Person roles that give the person by key": 1,
        "Opportunities in Marketo without a Marketo GUID": 2,
        "Person roles in Marketo without a Marketo GUID": 0,
        "Period costs with decimals": 1,
    }
    shown = pages.text(response)
    for words, line in lines(response).items():
        listed = browser.get(line.address).context["cl"]
        assert listed.result_count == line.count
        assert not line.count or line.gap.cure in pages.words(response)
        assert (f'aria-label="{words}: {line.count}"' in shown) == bool(line.count)
    assert len(response.context["lines"]) == len(counts)


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("model", [Opportunity, OpportunityPersonRole, ProgramCost])
def test_a_list_says_by_what_it_is_filtered_and_only_then(browser, model):
    program, of = factories.program(), factories.opportunity(external_id=None, marketo_id=7)
    factories.cost(program, amount=Decimal("1.50"))
    factories.role(of, role="")
    name = {Opportunity: "external-id", OpportunityPersonRole: "role-name", ProgramCost: "decimals"}[model]
    address = reverse(f"admin:mobjects_{model._meta.model_name}_changelist")
    shown = [spec.title for spec in browser.get(address).context["cl"].filter_specs]
    assert "what is missing" not in shown
    filtered = browser.get(address, {"gap": name}).context["cl"]
    assert filtered.result_count == 1
    assert "what is missing" in [spec.title for spec in filtered.filter_specs]
    unknown = browser.get(address, {"gap": "nonsense"})
    assert unknown.context["cl"].result_count == 0
    assert "“nonsense” (nothing lacks this)" in pages.words(unknown)


def test_a_filter_that_the_api_in_use_does_not_know_lists_nothing(browser):
    factories.opportunity(external_id=None, marketo_id=7)
    found = browser.get(reverse("admin:mobjects_opportunity_changelist"), {"gap": "external-id"}).context["cl"]
    assert found.result_count == 0


@pytest.mark.usefixtures("wire")
def test_the_number_of_queries_does_not_grow(browser):
    browser.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        browser.get(PAGE)
    for number in range(20):
        factories.role(factories.opportunity(external_id=None, marketo_id=number + 1), role="")
    with CaptureQueriesContext(connection) as many:
        browser.get(PAGE)
    assert len(many) == len(few)


# --- looking up -----------------------------------------------------------------------------


@pytest.mark.usefixtures("wire")
def test_the_page_says_what_a_look_up_takes(browser):
    for number in range(4):
        factories.role(factories.opportunity(external_id=f"E-{number}"))
    shown = pages.text(browser.get(PAGE))
    assert "Needs at least 4 calls to Marketo. Used today: 0 of our 5,000." in shown
    assert "Changes no value on either side." in shown


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize(("setting", "offered"), [("OldKey", "OldKey"), ("", "externalOpportunityId")])
def test_the_field_of_the_settings_is_offered(browser, settings, setting, offered):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": setting}
    assert f'name="key_field" value="{offered}"' in pages.text(browser.get(PAGE))


@pytest.mark.django_db(transaction=True)
def test_the_button_makes_a_job_that_looks_up_and_leads_to_it(browser, wire, queue, work):
    factories.opportunity(external_id="E-1", name="Deal")
    factories.opportunity(external_id="E-2", name="Elsewhere")
    wire.objects = [deal(1, "X-1", OldKey="E-1")]
    response = ask(browser, key_field="OldKey", reason="Moving")
    job = SyncJob.objects.get()
    assert response.url == pages.job_url(job)
    assert (job.action, job.kind, job.reason) == ("identify", "Opportunity", "Moving")
    assert job.selection == {"kinds": ["Opportunity"], "ids": None, "key_field": "OldKey"}
    work()
    assert Opportunity.objects.get(name="Deal").marketo_guid == guid(1)
    shown = pages.words(browser.get(pages.job_url(job)))
    assert "Look-up of IDs" in shown
    assert "Finished: 2 records looked up; 1 not in Marketo, 1 taken from Marketo." in shown
    assert "All opportunities without an ID, by the field OldKey" in shown
    job.refresh_from_db()
    assert job.state == "succeeded"


@pytest.mark.usefixtures("wire")
def test_a_field_that_marketo_does_not_have_is_refused_with_those_near_it(browser):
    MarketoField.objects.create(kind="Opportunity", name="OldKey__c", custom=True, described_at=pages.MOMENT)
    MarketoField.objects.create(kind="OpportunityPersonRole", name="OldKey", custom=True, described_at=pages.MOMENT)
    response = ask(browser, key_field="OldKey")
    assert (response.status_code, SyncJob.objects.count()) == (400, 0)
    said = "Field with our external ID: Opportunities in Marketo have no field “OldKey”. Near it are: OldKey__c."
    assert said in pages.words(response)
    assert ask(browser, key_field="oldkey__C").status_code == 302


@pytest.mark.usefixtures("wire")
def test_the_field_in_use_is_kept_as_none(browser):
    MarketoField.objects.create(kind="Opportunity", name="Stage", described_at=pages.MOMENT)
    ask(browser, key_field="EXTERNALOPPORTUNITYID")
    assert SyncJob.objects.get().selection["key_field"] == ""


@pytest.mark.usefixtures("wire")
def test_without_a_kind_nothing_is_looked_up(browser):
    response = ask(browser, kinds=[])
    assert (response.status_code, SyncJob.objects.count()) == (400, 0)
    assert "Tick at least one kind." in pages.text(response)


def test_an_api_with_numbers_looks_up_nothing(browser):
    response = ask(browser)
    assert (response.status_code, SyncJob.objects.count()) == (400, 0)
    assert "there is nothing to look up" in pages.text(response)
