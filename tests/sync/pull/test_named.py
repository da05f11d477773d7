"""Pulling where objects are called by GUIDs and cannot be listed: those held here, or those that a person names."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import Unavailable
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole
from mobjects.sync.paging import NamedBy
from mobjects.sync.pull.task import PullSelection, PullTask
from tests import factories
from tests.factories import fresh
from tests.support import guids, memory
from tests.support.guid_reading import KEYS, GuidMemory
from tests.support.guids import KEY, guid
from tests.support.pulls import diff, in_step, only, pull

pytestmark = pytest.mark.django_db


def pull_guids(transport, kind=Kind.OPPORTUNITY, **asked):
    return pull(transport, kind, KEYS, **asked)


def deal(number=None, key="E-1", **values):
    record = factories.opportunity(marketo_guid=guid(number) if number else None, external_id=key, **values)
    return in_step(record)


def ends(job):
    return sorted(job.results.values_list("label", "status", "marketo_guid"))


# --- held here ------------------------------------------------------------------------------


def test_records_held_here_are_read_by_their_guids_many_with_a_call():
    for number in range(1, 6):
        deal(number, f"E-{number}", name=f"Deal {number}")
    found = [guids.deal(number, f"E-{number}", Name=f"Deal {number}", Stage="Won") for number in range(1, 6)]
    transport = GuidMemory(*found)
    job = pull_guids(transport)
    assert [query.ids for query in transport.asked] == [(guid(1), guid(2), guid(3)), (guid(4), guid(5))]
    assert job.counts == {"TAKEN": 5}
    assert set(Opportunity.objects.values_list("stage", flat=True)) == {"Won"}


def test_a_record_without_a_guid_is_found_by_its_key_and_gets_its_guid():
    record = deal(key="E-1")
    transport = GuidMemory(guids.deal(1, "E-1"))
    row = only(pull_guids(transport))
    assert [key.value for key in transport.asked[0].keys] == ["E-1"]
    assert fresh(record).marketo_guid == guid(1)
    assert fresh(record).marketo_id is None
    assert (row.status, row.marketo_guid) == ("TAKEN", guid(1))
    assert diff(row)["Marketo GUID"] == ("", guid(1))
    assert pull_guids(transport).counts == {"SAME": 1}


def test_what_is_not_held_here_is_not_added_unless_it_is_named():
    deal(1, "E-1")
    transport = GuidMemory(guids.deal(1, "E-1"), guids.deal(2, "E-2"))
    pull_guids(transport)
    assert Opportunity.objects.count() == 1
    job = pull_guids(transport, named_by=NamedBy.KEY, names=("E-2",))
    assert job.counts == {"ADDED": 1}
    assert Opportunity.objects.get(marketo_guid=guid(2)).external_id == "E-2"


def test_missing_objects_are_said_whatever_they_are_found_by():
    deal(1, "E-1", name="Gone")
    deal(key="E-2", name="Never there")
    job = pull_guids(GuidMemory())
    assert job.counts == {"MISSING": 2}
    assert dict(job.results.values_list("label", "error")) == {
        "Gone": "Marketo has no object with this ID any more.",
        "Never there": "Marketo has no opportunity with this external ID.",
    }


def test_a_selected_record_with_nothing_to_look_for_is_said():
    parent = factories.opportunity(external_id=None, marketo_id=71, name="By number")
    other = deal(1, "E-1")
    job = pull_guids(GuidMemory(guids.deal(1, "E-1")), ids=(parent.pk, other.pk))
    assert job.counts == {"SAME": 1, "HELD": 1}
    held = job.results.get(status="HELD")
    assert held.error == "It has neither a Marketo GUID nor an external ID, so it cannot be looked for in Marketo."
    assert held.record_id == parent.pk


def test_only_selected_records_are_read():
    record, _ = deal(1, "E-1"), deal(2, "E-2")
    transport = GuidMemory()
    pull_guids(transport, ids=(record.pk,))
    assert [query.ids for query in transport.asked] == [(guid(1),)]


def test_a_change_here_is_kept_and_one_on_both_sides_waits():
    record = deal(1, "E-1", stage="Open", type="A")
    Opportunity.objects.update(stage="Won")
    job = pull_guids(GuidMemory(guids.deal(1, "E-1", Stage="Lost", Type="B")))
    assert job.counts == {"CONFLICT": 1}
    assert (fresh(record).stage, fresh(record).type) == ("Won", "B")


# --- named ----------------------------------------------------------------------------------


def test_guids_and_external_ids_can_be_named_and_missing_names_are_said():
    held = deal(9, "E-9", name="Held")
    transport = GuidMemory(guids.deal(1, "E-1", Name="New"))
    job = pull_guids(transport, named_by=NamedBy.ID, names=(guid(1), guid(7), guid(9)))
    assert ends(job) == [("Held", "MISSING", guid(9)), ("New", "ADDED", guid(1)), (guid(7), "MISSING", "")]
    assert job.results.get(label="Held").record_id == held.pk
    assert len(transport.asked) == 1


def test_named_ones_go_out_in_calls_of_what_one_may_name():
    names = tuple(f"E-{number}" for number in range(1, 8))
    transport = GuidMemory(*(guids.deal(number, f"E-{number}") for number in range(1, 8)))
    job = pull_guids(transport, named_by=NamedBy.KEY, names=names)
    assert [len(query.keys) for query in transport.asked] == [3, 3, 1]
    assert job.counts == {"ADDED": 7}


# --- roles ----------------------------------------------------------------------------------


def test_a_role_is_read_by_its_guid_and_its_opportunity_known_by_key():
    parent = deal(1, "E-1")
    in_step(factories.role(parent, marketo_guid=guid(81)))
    job = pull_guids(GuidMemory(guids.part(81, "E-1", IsPrimary="true")), Kind.ROLE)
    assert job.counts == {"TAKEN": 1}
    assert OpportunityPersonRole.objects.get().is_primary is True


def test_a_role_without_a_guid_is_found_by_its_opportunity_and_others_of_it_are_passed_over():
    parent = deal(1, "E-1")
    record = in_step(factories.role(parent))
    absent = in_step(factories.role(parent, person_id=77))
    transport = GuidMemory(guids.part(81, "E-1"), guids.part(82, "E-1", person=20))
    job = pull_guids(transport, Kind.ROLE)
    assert [link.key.value for link in transport.asked[0].opportunities] == ["E-1"]
    assert fresh(record).marketo_guid == guid(81)
    assert job.counts == {"TAKEN": 1, "MISSING": 1}
    missing = job.results.get(status="MISSING")
    assert (missing.record_id, missing.error) == (absent.pk, "Marketo has no such role of its opportunity.")
    assert OpportunityPersonRole.objects.count() == 2


def test_roles_of_named_opportunities_are_added_page_by_page():
    deal(1, "E-1")
    found = [guids.part(80 + number, "E-1", person=number) for number in range(1, 6)]
    transport = GuidMemory(*found, guids.part(99, "E-3"), page_size=2)
    job = pull_guids(transport, Kind.ROLE, named_by=NamedBy.OPPORTUNITY, names=("E-1", "E-2", "E-3"))
    assert job.counts == {"ADDED": 5, "HELD": 1, "MISSING": 1}
    assert len({query.opportunities for query in transport.asked}) == 1
    assert [row.label for row in job.results.filter(status="MISSING")] == ["E-2"]
    assert job.results.get(status="HELD").error == "Its opportunity is not here; pull opportunities first."
    assert job.results.get(status="HELD").marketo_guid == guid(99)


# --- cut off --------------------------------------------------------------------------------


def test_a_pull_that_was_cut_off_asks_for_the_same_again():
    for number in range(1, 5):
        deal(number, f"E-{number}")
    transport = GuidMemory(*(guids.deal(number, f"E-{number}", Stage="Won") for number in range(1, 5)))
    surroundings = memory.context(transport, PullSelection(Kind.OPPORTUNITY).to_json(), keys=KEYS)
    transport.failing = Unavailable("Nobody answers.")
    with pytest.raises(Unavailable):
        PullTask(surroundings).step()
    memory.finished(PullTask, surroundings)
    assert [query.ids[0] for query in transport.asked] == [guid(1), guid(1), guid(4)]
    assert Opportunity.objects.filter(stage="Won").count() == 4


def test_a_place_that_is_no_longer_known_begins_the_chunk_again_and_not_the_pull():
    for number in range(1, 6):
        deal(number, f"E-{number}")
    found = [guids.deal(number, f"E-{number}", Stage="Won") for number in range(1, 6)]
    transport = GuidMemory(*found, page_size=2)
    surroundings = memory.context(transport, PullSelection(Kind.OPPORTUNITY).to_json(), keys=KEYS)
    PullTask(surroundings).step()
    transport.stale = {"2"}
    PullTask(surroundings).step()
    transport.stale = set()
    memory.finished(PullTask, surroundings)
    assert Opportunity.objects.filter(stage="Won").count() == 5
    assert [query.ids[0] for query in transport.asked] == [guid(1)] * 4 + [guid(4)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"names": ("E-1",), "named_by": NamedBy.KEY, "ids": (1,)}, "one by one"),
        ({"names": ("E-1",), "named_by": NamedBy.KEY, "name": "x"}, "named"),
        ({"names": ("E-1",), "named_by": NamedBy.OPPORTUNITY}, "Opportunity: Marketo cannot be asked"),
    ],
)
def test_what_does_not_go_together_is_refused(asked, said):
    with pytest.raises(ValueError, match=said):
        PullSelection(Kind.OPPORTUNITY, **asked)


def test_the_key_is_the_same_attribute_above_and_below():
    assert KEYS.opportunity == KEY
