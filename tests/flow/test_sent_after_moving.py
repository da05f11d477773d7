"""Records that Marketo accepted over SOAP, whose key field REST calls otherwise: they are sent, compared and undone."""

from __future__ import annotations

import pytest

from mobjects.jobs.requests import create_job, request_undo
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import CustomField, Opportunity, SyncJobAction
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.pull.identify.task import IdentifySelection
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import key_fields
from mobjects.timeline.restoring import find_restored
from tests import factories
from tests.factories import fresh
from tests.support.rest_site import rest_settings

# Real transactions: the tests of this folder work as the processes do.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("over_soap")]
SOAP_KEY, ELSEWHERE = "ExternalOpportunityId", "ContractMonths"


@pytest.fixture
def over_soap(marketo_settings, settings):
    """The site over SOAP, with a key field of opportunities."""

    def use(key):
        settings.MARKETO = {**marketo_settings, "OPPORTUNITY_KEY_FIELD": key}

    use(SOAP_KEY)
    return use


@pytest.fixture
def over_rest(over_soap, sandbox, settings):
    """Have the site go on over REST; its settings of key fields stay, as docs/moving-to-rest.md says."""

    def use():
        settings.MARKETO = {**settings.MARKETO, **rest_settings(sandbox)}

    return use


def done(job):
    run_job(job)
    job.refresh_from_db()
    return job


def look_up(key_field=""):
    asked = IdentifySelection((Kind.OPPORTUNITY,), key_field=key_field)
    return done(create_job(SyncJobAction.IDENTIFY, asked.kind_of_job, asked.to_json()))


def compare():
    asked = CompareSelection((Kind.OPPORTUNITY,), None)
    return done(create_job(SyncJobAction.COMPARE, asked.kind_of_job, asked.to_json()))


def edited(deal, **values):
    Opportunity.objects.filter(pk=deal.pk).update(**values)
    return fresh(deal)


def foreseen():
    """Of all changed opportunities: operation or reason to be held back, and how many values would be cleared."""
    groups = forecast_groups(SyncSelection((Kind.OPPORTUNITY,)), key_fields())
    return [(group.operation and group.operation.value, group.reason, group.count, group.cleared) for group in groups]


def said(job):
    return [(row.status, row.error) for row in job.results.order_by("pk")]


def in_marketo(sandbox, deal):
    return sandbox.store.opportunities[fresh(deal).marketo_id].values


def test_an_edit_goes_to_what_soap_made(sandbox, over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal", stage="Open")
    factories.sync(deal)
    over_rest()
    look_up()
    deal = edited(deal, stage="Won")
    assert foreseen() == [("UPDATE", "", 1, 0)]
    job = factories.sync(deal)
    assert said(job) == [("UPDATED", "")]
    assert job.results.get().diff == [["Stage", "Open", "Won"]]
    assert in_marketo(sandbox, deal) == {"Name": "Deal", "Stage": "Won", SOAP_KEY: "E-1"}
    assert fresh(deal).is_dirty is False


def test_an_edit_goes_by_key_where_no_guid_was_looked_up(sandbox, over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal", stage="Open")
    factories.sync(deal)
    over_rest()
    deal = edited(deal, stage="Won")
    assert said(factories.sync(deal)) == [("UPDATED", "")]
    assert in_marketo(sandbox, deal) == {"Name": "Deal", "Stage": "Won", SOAP_KEY: "E-1"}
    assert len(sandbox.store.opportunities) == 1


def test_another_key_than_soap_sent_is_held_back_with_both(over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal")
    factories.sync(deal)
    over_rest()
    look_up()
    deal = edited(deal, external_id="E-2")
    assert [(operation, count) for operation, _, count, _ in foreseen()] == [(None, 1)]
    job = factories.sync(deal)
    assert "“E-1”" in job.results.get().error
    assert "“E-2”" in job.results.get().error


def test_nothing_differs_after_the_move(over_rest):
    factories.sync(factories.opportunity(external_id="E-1", name="Deal"))
    over_rest()
    look_up()
    assert compare().counts == {"SAME": 1}


def test_what_soap_sent_without_an_answer_stands_once_in_marketo(sandbox, over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal")
    sandbox.faults.add("cut_after", operation="syncMObjects")
    job = factories.sync(deal)
    assert fresh(deal).last_status == "UNKNOWN"
    over_rest()
    factories.later(job)
    deal = fresh(deal)
    assert (deal.last_status, deal.is_dirty) == ("UPDATED", False)
    assert len(sandbox.store.opportunities) == 1


def test_a_key_in_another_field_is_neither_emptied_nor_believed_to_be_the_key_of_rest(sandbox, over_soap, over_rest):
    over_soap(ELSEWHERE)
    deal = factories.opportunity(external_id="7", name="Deal", stage="Open")
    factories.sync(deal)
    over_rest()
    CustomField.objects.create(name=ELSEWHERE, data_type="integer")  # As reading the fields over REST would.
    assert look_up(ELSEWHERE).counts == {"TAKEN": 1}
    deal = edited(deal, stage="Won")
    assert foreseen() == [("UPDATE", "", 1, 0)]
    assert said(factories.sync(deal)) == [("UPDATED", "")]
    assert in_marketo(sandbox, deal) == {"Name": "Deal", "Stage": "Won", ELSEWHERE: "7"}
    assert "externalOpportunityId" not in fresh(deal).accepted
    deal = edited(deal, stage="Lost")
    assert said(factories.sync(deal)) == [("UPDATED", "")]


def test_the_way_back_to_soap(sandbox, over_soap, over_rest):
    over_rest()
    deal = factories.opportunity(external_id="E-1", name="Deal", stage="Open")
    factories.sync(deal)
    over_soap(SOAP_KEY)
    deal = edited(deal, stage="Won")
    job = factories.sync(deal)
    assert said(job) == [("UPDATED", "")]
    assert job.results.get().diff == [["Stage", "Open", "Won"]]


def test_a_sending_that_changed_the_key_is_taken_back_but_for_the_key(sandbox, over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal", stage="Open")
    factories.sync(deal)
    job = factories.sync(edited(deal, external_id="E-2", stage="Won"))
    over_rest()
    look_up()
    undoing = done(request_undo(job, read_first=False, user=factories.user()))
    assert said(undoing) == [("RESTORED", f"Not taken back: {SOAP_KEY}."), ("UPDATED", "")]
    assert in_marketo(sandbox, deal) == {"Name": "Deal", "Stage": "Open", SOAP_KEY: "E-2"}
    result = job.results.get()
    assert find_restored(Kind.OPPORTUNITY, deal.pk, f"result-{result.pk}") == [
        ("Stage", "Won", ""),
        ("External ID", "E-2", ""),
    ]
