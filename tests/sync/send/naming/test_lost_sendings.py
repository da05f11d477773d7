"""What becomes of lost sendings where Marketo lists nothing, and finds objects by what they are called."""

from __future__ import annotations

import pytest

from mobjects.marketo.types import Kind
from mobjects.models import Conflict, ConflictAnswer, Opportunity, OpportunityPersonRole, SyncJobState
from mobjects.sync.conflicts.ambiguous import resolve_ambiguous
from mobjects.sync.send.selection import OperationChoice
from tests import factories
from tests.support.guid_transport import KEY

pytestmark = pytest.mark.django_db


def lost(marketo, *records, how="after", **options):
    marketo.lose = how
    return factories.sync(*records, **options)


def deals(number):
    return [factories.opportunity(external_id=f"E-{each}", name=f"Deal {each}") for each in range(number)]


@pytest.mark.parametrize("how", ["before", "after"])
def test_what_was_sent_under_a_key_is_sent_again_without_looking(guid_marketo, how):
    job = factories.later(lost(guid_marketo, *deals(3), how=how))
    assert job.state == SyncJobState.SUCCEEDED
    assert (len(guid_marketo.kept(Kind.OPPORTUNITY)), guid_marketo.asked) == (3, [])
    assert Opportunity.objects.exclude(marketo_guid=None).count() == 3


@pytest.mark.parametrize("how", ["before", "after"])
def test_lost_inserts_are_looked_up_by_their_keys_with_one_call(guid_marketo, how):
    job = factories.later(lost(guid_marketo, *deals(5), how=how, operation=OperationChoice.INSERT))
    (query,) = guid_marketo.asked
    assert [key.value for key in query.keys] == [f"E-{number}" for number in range(5)]
    assert job.counts == {"CREATED": 5}
    assert len(guid_marketo.kept(Kind.OPPORTUNITY)) == 5
    assert {each.marketo_guid for each in Opportunity.objects.all()} == set(guid_marketo.objects)


def test_a_page_that_does_not_hold_all_that_was_named_is_asked_for_with_fewer_names(guid_marketo):
    guid_marketo.page_size = 3
    job = factories.later(lost(guid_marketo, *deals(5), operation=OperationChoice.INSERT))
    assert job.counts == {"CREATED": 5}
    assert not Conflict.objects.exists()


def test_an_opportunity_whose_key_was_changed_since_is_looked_up_under_the_old_one(guid_marketo):
    (record,) = deals(1)
    job = lost(guid_marketo, record)
    Opportunity.objects.update(external_id="E-new")
    job = factories.later(job)
    assert [key.value for key in guid_marketo.asked[0].keys] == ["E-0"]
    assert [each.values[KEY] for each in guid_marketo.kept(Kind.OPPORTUNITY)] == ["E-0"]
    assert "“E-0” in Marketo and “E-new” here" in job.results.get(status="HELD").error


def test_an_insert_that_holds_something_else_waits_for_a_person_who_gives_it_its_guid(guid_marketo):
    (record,) = deals(1)
    job = lost(guid_marketo, record, operation=OperationChoice.INSERT)
    ((guid, there),) = guid_marketo.objects.items()
    there.values["Name"] = "Somebody else's"
    factories.later(job)
    conflict = Conflict.objects.get()
    assert [each["id"] for each in conflict.candidates] == [guid]
    with pytest.raises(ValueError, match="Marketo GUID nonsense: it is not among"):
        resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, None, "nonsense")
    resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, None, guid)
    assert factories.fresh(record).marketo_guid == guid
    assert f"It is Marketo GUID {guid}." in Conflict.objects.get().answer_text


# --- roles ---


@pytest.fixture
def role(guid_marketo):
    deal = factories.opportunity(external_id="E-1")
    record = factories.role(deal, is_primary=True)
    factories.sync()
    return factories.fresh(record)


def change(record, /, **values):
    OpportunityPersonRole.objects.filter(pk=record.pk).update(**values)


@pytest.mark.parametrize("how", ["before", "deleted", "after"])
def test_a_role_that_was_being_made_anew_is_there_once_under_its_new_key(role, guid_marketo, how):
    change(role, role="Sponsor")
    job = factories.later(lost(guid_marketo, role, how=how))
    assert job.state == SyncJobState.SUCCEEDED
    assert guid_marketo.role_keys() == {("E-1", "19", "Sponsor")}
    (there,) = guid_marketo.kept(Kind.ROLE)
    now = factories.fresh(role)
    assert (now.marketo_guid, now.is_dirty) == (there.marketo_id, False)


@pytest.mark.parametrize("how", ["before", "deleted", "after"])
@pytest.mark.parametrize("then", ["Influencer", "Buyer"])
def test_a_role_whose_key_was_changed_once_more_leaves_nothing_behind(role, guid_marketo, how, then):
    change(role, role="Sponsor")
    job = lost(guid_marketo, role, how=how)
    change(role, role=then)
    factories.later(job)
    assert guid_marketo.role_keys() == {("E-1", "19", then)}
    (there,) = guid_marketo.kept(Kind.ROLE)
    now = factories.fresh(role)
    assert (now.marketo_guid, now.is_dirty) == (there.marketo_id, False)


def test_a_lost_update_of_a_role_that_keeps_its_key_is_an_update_again(role, guid_marketo):
    change(role, is_primary=False)
    factories.later(lost(guid_marketo, role))
    assert [out.replaced for batch in guid_marketo.sent[-2:] for out in batch.records] == [False, False]
    assert factories.fresh(role).marketo_guid == role.marketo_guid


def test_lost_roles_of_many_opportunities_are_looked_up_with_one_call(guid_marketo):
    for number in range(4):
        factories.role(factories.opportunity(external_id=f"E-{number}"))
    factories.sync(kinds=(Kind.OPPORTUNITY,))
    roles = list(OpportunityPersonRole.objects.all())
    job = factories.later(lost(guid_marketo, *roles, operation=OperationChoice.INSERT))
    (query,) = guid_marketo.asked
    assert [link.key.value for link in query.opportunities] == [f"E-{number}" for number in range(4)]
    assert (job.counts, len(guid_marketo.role_keys())) == ({"CREATED": 4}, 4)
