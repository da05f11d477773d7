"""Comparing and deleting where objects are called by GUIDs and cannot be listed."""

from __future__ import annotations

import pytest

from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, SyncJobAction
from mobjects.sync.compare.task import CompareSelection, CompareTask
from mobjects.sync.delete.task import HAS_ROLES, DeleteTask, records_to_delete
from tests import factories
from tests.factories import fresh
from tests.support import guids, memory
from tests.support.guid_reading import KEYS, GuidMemory
from tests.support.guids import guid
from tests.support.pulls import diff, in_step, only

pytestmark = pytest.mark.django_db


def compare(transport, *kinds, ids=None):
    asked = CompareSelection(kinds or (Kind.OPPORTUNITY,), ids).to_json()
    return memory.finished(CompareTask, memory.context(transport, asked, SyncJobAction.COMPARE, keys=KEYS))


def deal(number, **values):
    key = f"E-{number}"
    return in_step(factories.opportunity(marketo_guid=guid(number), external_id=key, stage="Open", **values))


def found(number, **values):
    return guids.deal(number, f"E-{number}", **{"Stage": "Open", **values})


# --- comparing ------------------------------------------------------------------------------


def test_records_are_compared_by_their_guids_many_with_a_call():
    for number in range(1, 6):
        deal(number)
    # What was accepted before the external ID could be sent is no difference of Marketo's.
    for record in Opportunity.objects.all():
        in_step(record, Name="Q1 2014", Stage="Open", externalOpportunityId=record.external_id)
    transport = GuidMemory(found(1), found(2, Stage="Lost"), found(3), found(4))
    job = compare(transport)
    assert [query.ids for query in transport.asked] == [(guid(1), guid(2), guid(3)), (guid(4), guid(5))]
    assert job.counts == {"SAME": 3, "DIFFERS": 1, "MISSING": 1}
    row = job.results.get(status="DIFFERS")
    assert (diff(row), row.marketo_guid) == ({"Stage": ("Open", "Lost")}, guid(2))
    assert job.results.get(status="MISSING").marketo_guid == guid(5)
    assert fresh(Opportunity.objects.get(marketo_guid=guid(1))).read_at


def test_further_pages_of_a_chunk_are_read_before_anything_is_missing():
    for number in range(1, 4):
        deal(number)
    transport = GuidMemory(found(1), found(2), page_size=1)
    assert compare(transport).counts["MISSING"] == 1
    assert len(transport.asked) == 2


def test_a_record_that_came_to_another_guid_meanwhile_is_not_missing():
    record = deal(1)
    transport = GuidMemory()
    transport.before_answer = lambda: Opportunity.objects.filter(pk=record.pk).update(marketo_guid=guid(2))
    assert compare(transport).counts == {}


def test_selected_records_and_several_kinds_are_compared_in_turn():
    parent = deal(1)
    role = in_step(factories.role(parent, marketo_guid=guid(81)))
    transport = GuidMemory(found(1), guids.part(81, "E-1", IsPrimary="true"))
    job = compare(transport, Kind.OPPORTUNITY, Kind.ROLE)
    assert [query.kind for query in transport.asked] == [Kind.OPPORTUNITY, Kind.ROLE]
    assert job.results.get(kind="OpportunityPersonRole").record_id == role.pk
    transport.asked.clear()
    compare(transport, Kind.ROLE, ids=(role.pk,))
    assert [query.ids for query in transport.asked] == [(guid(81),)]


def test_a_record_that_is_known_by_number_only_is_left_out():
    in_step(factories.opportunity(marketo_id=71))
    transport = GuidMemory()
    assert (compare(transport).counts, transport.asked) == ({}, [])


# --- deleting -------------------------------------------------------------------------------


def delete(transport, *rows):
    kind = rows[0].KIND.value
    selection = {"kind": kind, "ids": [row.pk for row in rows]}
    surroundings = memory.context(transport, selection, SyncJobAction.DELETE, keys=KEYS)
    return memory.finished(DeleteTask, surroundings)


def test_objects_are_deleted_by_guid_roles_first():
    parent = deal(1)
    in_step(factories.role(parent, marketo_guid=guid(81)))
    transport = GuidMemory()
    job = delete(transport, parent)
    assert (transport.deleted, job.counts) == ([guid(81), guid(1)], {"DELETED": 2})
    assert not Opportunity.objects.exists()
    assert set(job.results.values_list("marketo_guid", flat=True)) == {guid(81), guid(1)}


def test_an_opportunity_with_a_role_that_is_known_by_number_only_stays():
    parent = deal(1)
    in_step(factories.role(parent, marketo_id=81))
    transport = GuidMemory()
    row = only(delete(transport, parent))
    assert (transport.deleted, row.status, row.error) == ([], "HELD", HAS_ROLES)
    assert OpportunityPersonRole.objects.count() == 1


def test_only_what_has_a_guid_is_to_be_deleted():
    known, unknown = deal(1), factories.opportunity(marketo_id=71)
    selection = {"kind": "Opportunity", "ids": [known.pk, unknown.pk]}
    assert list(records_to_delete(Kind.OPPORTUNITY, selection, KEYS.id_column)) == [known]
