"""From one API to the other: what SOAP sent is found over REST, has its GUIDs from then on, and is not sent again."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, SyncJobAction
from mobjects.sandbox import CLIENT_ID, CLIENT_SECRET
from mobjects.sync.content.gaps import list_gaps
from mobjects.sync.pull.identify.task import IdentifySelection
from mobjects.sync.transport_factory import key_fields
from tests import factories
from tests.factories import fresh

# Real transactions: the tests of this folder work as the processes do.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings")]
SOAP_KEY = "ExternalOpportunityId"


@pytest.fixture
def over_rest(sandbox, settings):
    """Have the site go on over REST."""

    def switch():
        parts = urlsplit(sandbox.rest_endpoint)
        rest = {
            "TRANSPORT": "rest",
            "REST_ENDPOINT": f"{parts.scheme}://{parts.netloc}/rest",
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
        }
        settings.MARKETO = {**settings.MARKETO, **rest}

    return switch


def look_up(*kinds):
    asked = IdentifySelection(kinds)
    job = create_job(SyncJobAction.IDENTIFY, asked.kind_of_job, asked.to_json())
    run_job(job)
    job.refresh_from_db()
    return job


def counts():
    return {gap.words: count for gap in list_gaps(key_fields()) if (count := gap.count_rows())}


def test_what_was_sent_over_soap_has_its_guids_after_a_look_up(settings, sandbox, over_rest):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": SOAP_KEY}
    deals = [factories.opportunity(external_id=f"E-{number}", name=f"Deal {number}") for number in range(3)]
    for deal in deals:
        factories.role(deal)
    factories.sync()
    elsewhere = factories.opportunity(external_id="E-9", name="Never sent")
    before = {each.pk: (each.revision, each.marketo_id) for each in map(fresh, deals)}
    over_rest()
    assert counts() == {
        "Opportunities in Marketo without a Marketo GUID": 3,
        "Person roles in Marketo without a Marketo GUID": 3,
    }
    job = look_up(Kind.OPPORTUNITY, Kind.ROLE)
    assert (job.state, job.counts) == ("succeeded", {"TAKEN": 6, "MISSING": 1})
    assert counts() == {}
    assert {each.pk: (each.revision, each.marketo_id) for each in map(fresh, deals)} == before
    guids = [*Opportunity.objects.exclude(pk=elsewhere.pk), *OpportunityPersonRole.objects.all()]
    assert len({each.marketo_guid for each in guids}) == 6
    assert fresh(elsewhere).marketo_guid is None
    assert Opportunity.objects.dirty().get() == elsewhere
    secrets = [text for batch in job.batches.all() for text in (batch.request, batch.response, str(batch.identity))]
    assert CLIENT_SECRET not in "".join(secrets)


def test_a_key_that_rest_cannot_ask_for_is_held_back_alone(settings, over_rest):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": SOAP_KEY}
    for key in ("E-1", "E,2", "E-3"):
        factories.opportunity(external_id=key, name=f"Deal {key}")
    factories.sync()
    over_rest()
    job = look_up(Kind.OPPORTUNITY)
    assert job.counts == {"TAKEN": 2, "HELD": 1}
    held = job.results.get(status="HELD")
    assert held.label == "Deal E,2"
    assert "“E,2” has a comma, which separates values" in held.error


def test_a_field_that_the_instance_does_not_have_ends_the_job_in_words(over_rest):
    for number in range(5):
        factories.opportunity(external_id=f"E-{number}")
    over_rest()
    asked = IdentifySelection((Kind.OPPORTUNITY,), key_field="NoSuchField")
    job = create_job(SyncJobAction.IDENTIFY, asked.kind_of_job, asked.to_json())
    run_job(job)
    job.refresh_from_db()
    assert job.state == "stopped"
    assert "NoSuchField" in job.problem_text
