"""Sending over an API with GUIDs and keys: which records go out, under what, and what they are called then."""

from __future__ import annotations

import pytest

from mobjects.marketo.types import Kind, Operation
from mobjects.models import Opportunity, OpportunityPersonRole, RecordState
from mobjects.sync.send.naming.key_conditions import has_changed_key
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.selection import OperationChoice, SyncSelection
from mobjects.sync.transport_factory import key_fields
from tests import factories
from tests.support.guid_transport import KEY

pytestmark = pytest.mark.django_db


def sent(marketo, number=-1):
    return marketo.sent[number]


def test_an_opportunity_goes_out_under_its_key_and_gets_its_guid(guid_marketo):
    record = factories.opportunity(external_id="E-1", amount="5.00")
    job = factories.sync(record)
    record = factories.fresh(record)
    assert (job.counts, sent(guid_marketo).operation) == ({"CREATED": 1}, Operation.UPSERT)
    (there,) = guid_marketo.kept(Kind.OPPORTUNITY)
    assert (record.marketo_guid, record.marketo_id) == (there.marketo_id, None)
    assert (record.current_state, there.values["Amount"]) == (RecordState.SYNCED, "5.00")
    result = job.results.get()
    assert (result.marketo_guid, result.marketo_id) == (there.marketo_id, None)


def test_a_known_opportunity_is_updated_by_its_guid_without_its_key_among_the_values(guid_marketo):
    record = factories.opportunity(external_id="E-1")
    factories.sync(record)
    Opportunity.objects.update(stage="Won")
    job = factories.sync(record, resend=True)
    (out,) = sent(guid_marketo).records
    assert (sent(guid_marketo).operation, out.external_key) == (Operation.UPDATE, None)
    assert out.marketo_id == factories.fresh(record).marketo_guid
    assert KEY not in out.values
    assert job.counts == {"UPDATED": 1}
    assert factories.fresh(record).accepted[KEY] == "E-1"
    assert factories.sync(record).counts == {}


def test_a_changed_key_holds_an_opportunity_back_with_what_would_be_right(guid_marketo):
    record = factories.opportunity(external_id="E-1")
    factories.sync(record)
    Opportunity.objects.update(external_id="E-2", stage="Won")
    job = factories.sync(record)
    assert job.results.get().error == (
        "Its external ID is “E-1” in Marketo and “E-2” here, and Marketo cannot change it: put “E-1” back, "
        "or delete it in Marketo and send it anew."
    )
    assert len(guid_marketo.sent) == 1


def test_an_opportunity_without_a_key_is_held_back_and_one_with_a_guid_is_not(guid_marketo):
    held = factories.opportunity(external_id=None, marketo_id=71)
    known = factories.opportunity(external_id=None, marketo_guid="abc")
    groups = forecast_groups(SyncSelection(kinds=(Kind.OPPORTUNITY,)), key_fields())
    assert {(group.operation, group.reason[:24]) for group in groups} == {
        (None, "it has no external ID, a"),
        (Operation.UPDATE, ""),
    }
    factories.sync(held, known)
    assert [out.marketo_id for out in sent(guid_marketo).records] == ["abc"]


def test_insert_is_asked_for_by_key(guid_marketo):
    record = factories.opportunity(external_id="E-1")
    factories.sync(record, operation=OperationChoice.INSERT)
    (out,) = sent(guid_marketo).records
    assert (sent(guid_marketo).operation, out.external_key.value) == (Operation.INSERT, "E-1")


def test_three_hundred_fit_a_batch(guid_marketo):
    for number in range(301):
        factories.opportunity(external_id=f"D-{number}")
    job = factories.sync()
    assert [batch.size for batch in job.batches.all()] == [300, 1]


# --- roles ---


@pytest.fixture
def deal(guid_marketo):
    record = factories.opportunity(external_id="E-1")
    factories.sync(record)
    return record


def test_a_role_names_its_opportunity_by_key(deal, guid_marketo):
    role = factories.role(deal)
    job = factories.sync(role)
    assert (job.counts, sent(guid_marketo).operation) == ({"CREATED": 1}, Operation.UPSERT)
    assert guid_marketo.role_keys() == {("E-1", "19", "Influencer")}
    assert factories.fresh(role).marketo_guid


def test_a_role_goes_with_its_opportunity_in_one_job(guid_marketo):
    factories.role(factories.opportunity(external_id="E-1"))
    assert factories.sync().counts == {"CREATED": 2}


def test_roles_that_lack_a_part_of_their_key_are_held_back_with_the_reason(deal, guid_marketo):
    factories.role(deal, role="")
    factories.role(factories.opportunity(external_id=None, marketo_guid="abc"))
    groups = forecast_groups(SyncSelection(kinds=(Kind.ROLE,)), key_fields())
    assert {group.reason for group in groups} == {
        "it has no role name, and Marketo finds roles by opportunity, person and role name; give it one",
        "its opportunity has no external ID, by which Marketo's API names it; give the opportunity one",
    }


def test_a_role_waits_for_an_opportunity_without_a_guid(guid_marketo):
    role = factories.role(factories.opportunity())
    assert "no Marketo GUID yet" in factories.sync(role).results.get().error


@pytest.fixture
def role(deal):
    record = factories.role(deal, is_primary=True)
    factories.sync(record)
    return factories.fresh(record)


def change(record, /, **values):
    OpportunityPersonRole.objects.filter(pk=record.pk).update(**values)


def test_a_role_that_keeps_its_key_is_updated_by_its_guid(role, guid_marketo):
    change(role, is_primary=False)
    factories.sync(role)
    (out,) = sent(guid_marketo).records
    assert (out.marketo_id, out.replaced, set(out.values)) == (role.marketo_guid, False, {"IsPrimary"})
    assert factories.fresh(role).marketo_guid == role.marketo_guid


@pytest.mark.parametrize("values", [{"role": "Sponsor"}, {"person_id": 20}, {"person_id": None, "person_key": "p@x"}])
def test_a_role_whose_key_changed_is_made_anew_and_gets_the_new_guid(role, guid_marketo, settings, values):
    settings.MARKETO = {**settings.MARKETO, "PERSON_KEY_FIELD": "Email"}
    change(role, **values)
    assert OpportunityPersonRole.objects.filter(has_changed_key(key_fields())).exists()
    job = factories.sync(role)
    (out,) = sent(guid_marketo).records
    assert (out.marketo_id, out.replaced, out.values["IsPrimary"]) == (role.marketo_guid, True, True)
    (there,) = guid_marketo.kept(Kind.ROLE)
    now = factories.fresh(role)
    assert now.marketo_guid == there.marketo_id != role.marketo_guid
    assert (job.counts, now.is_dirty, now.last_error) == ({"CREATED": 1}, False, "")
    assert "deleted and made anew in Marketo, because its key changed" in job.results.get().error
    assert not OpportunityPersonRole.objects.filter(has_changed_key(key_fields())).exists()
    assert factories.sync(role).counts == {}


def test_a_role_in_another_opportunity_is_made_anew(role, guid_marketo):
    other = factories.opportunity(external_id="E-2")
    factories.sync(other)
    change(role, opportunity=other)
    factories.sync(role)
    assert guid_marketo.role_keys() == {("E-2", "19", "Influencer")}


def test_where_the_new_one_was_refused_the_old_key_is_made_anew_as_well(role, guid_marketo):
    guid_marketo.refused = {"Sponsor"}
    change(role, role="Sponsor")
    assert factories.sync(role).counts == {"FAILED": 1}
    assert guid_marketo.role_keys() == set()
    change(role, role="Influencer")
    assert factories.sync(role).counts == {"CREATED": 1}
    assert guid_marketo.role_keys() == {("E-1", "19", "Influencer")}


def test_a_note_on_an_accepted_record_is_no_error_of_it(guid_marketo):
    guid_marketo.note = "The e-mail address stands there twice."
    record = factories.opportunity()
    job = factories.sync(record)
    assert job.results.get().error == "The e-mail address stands there twice."
    assert factories.fresh(record).last_error == ""


def test_what_was_accepted_over_another_api_goes_out_whole_until_its_guid_is_known(deal, guid_marketo):
    role = factories.role(deal, marketo_id=81, is_primary=False)
    accepted = {"Opportunity": f"our no. {deal.pk}", "Person ID": "19", "Role": "Influencer", "IsPrimary": "true"}
    OpportunityPersonRole.objects.update(accepted=accepted)
    factories.sync(role)
    (out,) = sent(guid_marketo).records
    assert (out.marketo_id, set(out.values)) == (None, {"Role", "IsPrimary"})
    assert factories.fresh(role).marketo_guid
