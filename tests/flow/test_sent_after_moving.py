"""Records that Marketo accepted over SOAP, whose key field REST calls otherwise: they are sent, compared and undone."""

from __future__ import annotations

import pytest

from mobjects.jobs.requests import create_job, request_undo
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import CustomField, Opportunity, SyncJobAction, SyncResult
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.pull.identify.task import IdentifySelection
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.preview.record_plans import judged_records, plan_records
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import key_fields
from mobjects.timeline.restoring import find_restored
from tests import factories
from tests.factories import fresh
from tests.support.rest_site import rest_settings
from tests.views import pages

# Real transactions: the tests of this folder work as the processes do.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("over_soap")]
SOAP_KEY, REST_KEY, ELSEWHERE = "ExternalOpportunityId", "externalOpportunityId", "ContractMonths"


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


def in_marketo(sandbox):
    """What the only opportunity holds there; the sandbox names the key as SOAP does."""
    (only,) = sandbox.store.opportunities.values()
    return only.values


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
    assert in_marketo(sandbox) == {"Name": "Deal", "Stage": "Won", SOAP_KEY: "E-1"}
    assert fresh(deal).is_dirty is False


def test_an_edit_goes_by_key_where_no_guid_was_looked_up(sandbox, over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal", stage="Open")
    factories.sync(deal)
    over_rest()
    deal = edited(deal, stage="Won")
    assert said(factories.sync(deal)) == [("UPDATED", "")]
    assert in_marketo(sandbox) == {"Name": "Deal", "Stage": "Won", SOAP_KEY: "E-1"}
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


def test_what_soap_sent_without_an_answer_is_looked_up_before_another_key_is_sent(sandbox, over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal")
    sandbox.faults.add("cut_after", operation="syncMObjects")
    job = factories.sync(deal)
    over_rest()
    edited(deal, external_id="E-2")
    factories.later(job)
    assert in_marketo(sandbox)[SOAP_KEY] == "E-1"


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
    assert in_marketo(sandbox) == {"Name": "Deal", "Stage": "Won", ELSEWHERE: "7"}
    assert fresh(deal).accepted[REST_KEY] == "(not known)"
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
    assert in_marketo(sandbox) == {"Name": "Deal", "Stage": "Open", SOAP_KEY: "E-2"}
    result = job.results.get()
    assert find_restored(Kind.OPPORTUNITY, deal.pk, f"result-{result.pk}") == [
        ("Stage", "Won", ""),
        ("External ID", "E-2", ""),
    ]


@pytest.fixture
def in_custom_field(sandbox, over_soap, over_rest):
    """A record that SOAP sent with its external ID in a custom field, looked up over REST, which defines that field."""
    over_soap(ELSEWHERE)
    deal = factories.opportunity(external_id="7", name="Deal", stage="Open")
    factories.sync(deal)
    over_rest()
    CustomField.objects.create(name=ELSEWHERE, data_type="integer")
    look_up(ELSEWHERE)
    return fresh(deal)


def pull(deal):
    asked = PullSelection(Kind.OPPORTUNITY, ids=[deal.pk])
    return done(create_job(SyncJobAction.PULL, Kind.OPPORTUNITY.value, asked.to_json()))


def test_a_custom_field_that_was_the_key_over_soap_is_cleared_like_any_other(sandbox, over_soap, over_rest):
    over_soap(ELSEWHERE)
    over_rest()
    CustomField.objects.create(name=ELSEWHERE, data_type="integer")
    deal = factories.opportunity(external_id="7", name="Deal", custom_attributes={ELSEWHERE: 9})
    factories.sync(deal)
    assert in_marketo(sandbox) == {"Name": "Deal", SOAP_KEY: "7", ELSEWHERE: "9"}
    deal = edited(deal, custom_attributes={})
    assert foreseen() == [("UPDATE", "", 1, 1)]
    assert said(factories.sync(deal)) == [("UPDATED", "")]
    assert in_marketo(sandbox) == {"Name": "Deal", SOAP_KEY: "7"}
    assert fresh(deal).accepted == {"Name": "Deal", REST_KEY: "7"}


def test_the_key_of_before_gets_a_value_as_a_custom_field_and_loses_it(sandbox, in_custom_field):
    deal = edited(in_custom_field, custom_attributes={ELSEWHERE: 9})
    assert foreseen() == [("UPDATE", "", 1, 0)]
    job = factories.sync(deal)
    assert said(job) == [("UPDATED", "")]
    assert job.results.get().sent == {ELSEWHERE: "9"}
    assert in_marketo(sandbox)[ELSEWHERE] == "9"
    deal = edited(deal, custom_attributes={})
    assert foreseen() == [("UPDATE", "", 1, 1)]
    assert said(factories.sync(deal)) == [("UPDATED", "")]
    assert ELSEWHERE not in in_marketo(sandbox)
    assert fresh(deal).accepted == {"Name": "Deal", "Stage": "Open", REST_KEY: "(not known)"}


def test_a_record_that_was_sent_again_over_rest_keeps_the_key_of_before(sandbox, in_custom_field):
    deal = edited(in_custom_field, stage="Won")
    factories.sync(deal)
    deal = edited(deal, stage="Lost")
    assert foreseen() == [("UPDATE", "", 1, 0)]
    factories.sync(deal)
    assert in_marketo(sandbox) == {"Name": "Deal", "Stage": "Lost", ELSEWHERE: "7"}
    assert said(factories.sync(deal, resend=True)) == [("UPDATED", "")]
    assert fresh(deal).accepted[REST_KEY] == "(not known)"


def test_a_pull_that_finds_the_key_empty_makes_that_known(sandbox, in_custom_field):
    assert compare().counts == {"SAME": 1}
    pull(in_custom_field)
    deal = fresh(in_custom_field)
    assert (deal.external_id, deal.custom_attributes) == ("7", {ELSEWHERE: "7"})
    assert deal.accepted == {"Name": "Deal", "Stage": "Open", ELSEWHERE: "7", REST_KEY: ""}
    assert compare().counts == {"SAME": 1}
    assert pull(deal).counts == {"SAME": 1}
    deal = edited(deal, stage="Won")
    assert [(operation, count) for operation, _, count, _ in foreseen()] == [(None, 1)]
    assert "is empty in Marketo" in factories.sync(deal).results.get().error
    deal = edited(deal, external_id=None, custom_attributes={})
    assert foreseen() == [("UPDATE", "", 1, 1)]
    assert said(factories.sync(deal)) == [("UPDATED", "")]
    assert in_marketo(sandbox) == {"Name": "Deal", "Stage": "Won"}


@pytest.mark.parametrize("resend", [False, True])
def test_that_the_key_is_empty_stays_known_when_other_fields_are_sent(sandbox, in_custom_field, resend):
    deal = edited(in_custom_field, external_id=None)
    pull(deal)
    deal = edited(deal, stage="Won")
    assert said(factories.sync(deal, resend=resend)) == [("UPDATED", "")]
    deal = edited(deal, custom_attributes={})
    assert foreseen() == [("UPDATE", "", 1, 1)]
    assert said(factories.sync(deal)) == [("UPDATED", "")]
    assert in_marketo(sandbox) == {"Name": "Deal", "Stage": "Won"}


def test_what_rest_sent_of_that_field_is_restored_and_undone_as_one_of_its_own(sandbox, in_custom_field):
    deal = edited(in_custom_field, custom_attributes={ELSEWHERE: 8})
    factories.sync(deal)
    job = factories.sync(edited(deal, custom_attributes={ELSEWHERE: 9}))
    result = job.results.get()
    assert find_restored(Kind.OPPORTUNITY, deal.pk, f"result-{result.pk}") == [(ELSEWHERE, "9", "")]
    undoing = done(request_undo(job, read_first=False, user=factories.user()))
    assert said(undoing) == [("RESTORED", ""), ("UPDATED", "")]
    assert in_marketo(sandbox)[ELSEWHERE] == "8"
    assert fresh(deal).external_id == "7"


def test_what_soap_sent_is_restored_as_the_key(in_custom_field):
    result = SyncResult.objects.get(sent__has_key=ELSEWHERE)
    restored = find_restored(Kind.OPPORTUNITY, in_custom_field.pk, f"result-{result.pk}")
    assert ("External ID", "7", "") in restored
    assert ELSEWHERE not in [name for name, *_ in restored]


def test_a_resend_shows_the_key_as_accepted_and_keeps_it_known_without_an_answer(sandbox, over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal")
    factories.sync(deal)
    over_rest()
    look_up()
    selection, keys = SyncSelection((Kind.OPPORTUNITY,), resend=True), key_fields()
    judged = list(judged_records(Kind.OPPORTUNITY, selection, keys))
    (plan,) = plan_records(judged, selection, keys, None)
    assert (REST_KEY, "E-1", "E-1") in plan.changes
    sandbox.faults.add("cut_after", path="/rest/v1/opportunities.json")
    factories.sync(deal, resend=True)
    assert fresh(deal).last_status == "UNKNOWN"
    assert fresh(deal).accepted == {"Name": "(not known)", REST_KEY: "E-1"}


@pytest.mark.usefixtures("groups")
def test_what_soap_sent_as_the_key_is_shown_as_accepted_after_rest_sent_again(over_rest):
    deal = factories.opportunity(external_id="E-1", name="Deal")
    (result,) = factories.sync(deal).results.all()
    over_rest()
    look_up()
    factories.sync(edited(deal, stage="Won"))
    page = pages.client().get(f"/admin/sync-results/{result.pk}/")
    assert [(each.sent, each.accepted) for each in page.context["fields"] if each.sent == "E-1"] == [("E-1", "E-1")]


def test_where_only_the_key_is_not_known_no_company_is_spoken_of(over_rest):
    over_rest()
    deal = factories.opportunity(external_id="E-1", name="Deal")
    factories.sync(deal)
    Opportunity.objects.update(accepted={"Name": "Deal", REST_KEY: "(not known)"}, synced_revision=0)
    assert [error for _, error in said(factories.sync(fresh(deal)))] == [""]
    assert fresh(deal).is_dirty is False
    assert fresh(deal).accepted[REST_KEY] == "(not known)"
