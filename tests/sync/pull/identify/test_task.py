"""Looking up what records are called in Marketo: kept where it is clear, and only there."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import Rejected, Unavailable
from mobjects.marketo.types import ExternalKey, Kind
from mobjects.models import Opportunity, OpportunityPersonRole, RecordStatus, SyncJobAction
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.pull.identify import matching
from mobjects.sync.pull.identify.task import IdentifySelection, IdentifyTask
from tests import factories
from tests.factories import fresh
from tests.support import memory
from tests.support.guids import KEY, deal, guid, part
from tests.support.identify_transport import KEYS, TRAITS, Wire
from tests.support.memory import finished
from tests.support.pulls import diff, in_step, only

pytestmark = pytest.mark.django_db
OPPORTUNITIES = (Kind.OPPORTUNITY,)


def surroundings(wire, kinds=OPPORTUNITIES, ids=None, key_field="", keys=KEYS):
    asked = IdentifySelection(kinds, ids, key_field)
    return memory.context(wire, asked.to_json(), SyncJobAction.IDENTIFY, keys)


def look_up(wire, kinds=OPPORTUNITIES, **options):
    return finished(IdentifyTask, surroundings(wire, kinds, **options))


def roles(*found, **options):
    return look_up(Wire(*found), (Kind.ROLE,), **options)


def results(job):
    return {row.label: (row.status, row.error) for row in job.results.all()}


def known():
    """The records that have an id, by name."""
    return dict(Opportunity.objects.filter(marketo_guid__isnull=False).values_list("name", "marketo_guid"))


# --- opportunities --------------------------------------------------------------------------


def test_what_is_found_once_has_its_id_from_then_on():
    record = factories.opportunity(external_id="E-1", marketo_id=7)
    job = look_up(Wire(deal(1, "E-1"), deal(2, "E-2")))
    row = only(job)
    assert (fresh(record).marketo_guid, fresh(record).marketo_id) == (guid(1), 7)
    assert (row.status, row.marketo_guid, row.error) == ("TAKEN", guid(1), "")
    assert diff(row) == {"Marketo GUID": ("", guid(1))}
    assert (row.batch.size, row.batch.operation, row.position) == (1, "GET", 1)


def test_no_value_changes_and_nothing_becomes_changed():
    record = in_step(factories.opportunity(external_id="E-1", stage="Open"))
    look_up(Wire(deal(1, "E-1", Stage="Won")))
    now = fresh(record)
    assert (now.stage, now.revision, now.accepted) == ("Open", record.revision, record.accepted)
    assert not now.is_dirty


def test_what_is_found_twice_is_left_to_a_person():
    factories.opportunity(external_id="E-1", name="Deal")
    job = look_up(Wire(deal(1, "E-1"), deal(2, "e-1")))
    (status, words) = results(job)["Deal"]
    assert (status, known()) == ("HELD", {})
    assert words.startswith(f"Marketo has 2 opportunities whose {KEY} is “E-1”: {guid(1)}, {guid(2)}.")


def test_twins_on_different_pages_are_twins():
    factories.opportunity(external_id="E-1", name="Deal")
    job = look_up(Wire(deal(1, "E-1"), deal(2, "E-1"), page_size=1))
    assert (job.counts, known()) == ({"HELD": 1}, {})


def test_an_id_that_another_record_has_is_not_taken_from_it():
    other = factories.opportunity(name="Other", external_id=None, marketo_guid=guid(1))
    factories.opportunity(external_id="E-1", name="Deal")
    job = look_up(Wire(deal(1, "E-1")))
    said = f"Marketo has it as {guid(1)}, and “Other” (our no. {other.pk}) has that Marketo GUID already."
    assert results(job) == {"Deal": ("HELD", said)}
    assert known() == {"Other": guid(1)}


def test_an_id_that_another_record_gets_in_this_moment_is_not_taken_from_it():
    other = factories.opportunity(name="Other", external_id=None, marketo_id=7)
    factories.opportunity(external_id="E-1", name="Deal")
    wire = Wire(deal(1, "E-1"))
    wire.before_answer = lambda: Opportunity.objects.filter(pk=other.pk).update(marketo_guid=guid(1))
    assert (look_up(wire).counts, known()) == ({"HELD": 1}, {"Other": guid(1)})


def test_two_records_whose_keys_differ_in_letters_only_do_not_share_an_id():
    factories.opportunity(external_id="e-1", name="small")
    factories.opportunity(external_id="E-1", name="exact")
    job = look_up(Wire(deal(1, "E-1")))
    assert known() == {"exact": guid(1)}
    status, words = results(job)["small"]
    assert status == "HELD"
    assert "which is exactly the external ID of “exact”" in words


def test_letters_and_blanks_do_not_matter_where_it_is_clear():
    factories.opportunity(external_id="e-1 ", name="Deal")
    wire = Wire(deal(1, "E-1 "))
    look_up(wire)
    assert known() == {"Deal": guid(1)}


def test_what_is_not_found_is_missing():
    factories.opportunity(external_id="E-1", name="Deal")
    job = look_up(Wire(deal(2, "E-2")))
    assert results(job) == {"Deal": ("MISSING", f"Marketo has no opportunity whose {KEY} is “E-1”.")}


def test_records_without_a_key_or_with_an_id_are_not_asked_about():
    factories.opportunity(external_id=None, marketo_id=7)
    factories.opportunity(external_id="E-2", marketo_guid=guid(2))
    wire = Wire()
    assert (look_up(wire).counts, wire.asked) == ({}, [])


def test_only_selected_records_are_asked_about():
    factories.opportunity(external_id="E-1")
    record = factories.opportunity(external_id="E-2")
    wire = Wire()
    look_up(wire, ids=[record.pk])
    assert wire.named == [["E-2"]]


def test_the_key_may_have_been_kept_in_a_custom_field():
    factories.opportunity(external_id="E-1", name="same")
    factories.opportunity(external_id="E-2", name="other")
    factories.opportunity(external_id="E-3", name="none")
    found = [deal(1, "e-1", OLDKEY="E-1"), deal(2, "X-2", OLDKEY="E-2"), deal(3, "", OLDKEY="E-3")]
    wire = Wire(*found)
    job = look_up(wire, key_field="OldKey")
    assert {key.field for key in wire.asked[0].keys} == {"OldKey"}
    assert known() == {"same": guid(1), "other": guid(2), "none": guid(3)}
    assert results(job) == {
        "same": ("TAKEN", ""),
        "other": ("TAKEN", f"In Marketo its {KEY} is “X-2”; its roles are found by that alone."),
        "none": ("TAKEN", f"In Marketo its {KEY} is empty; its roles are found by that alone."),
    }


@pytest.mark.parametrize("busy", ["claimed", "unknown"])
def test_what_is_being_sent_is_left_alone(busy):
    record = factories.opportunity(external_id="E-1", name="Deal")
    around = surroundings(Wire(deal(1, "E-1")))
    if busy == "claimed":
        batch = around.job.batches.create(sequence=99, kind="Opportunity", operation="INSERT")
        Opportunity.objects.update(claimed_by=batch)
    else:
        Opportunity.objects.update(last_status=RecordStatus.UNKNOWN)
    job = finished(IdentifyTask, around)
    assert results(job) == {"Deal": ("HELD", matching.UNDER_WAY_HERE)}
    assert fresh(record).marketo_guid is None


def test_a_key_that_was_changed_while_marketo_was_asked_is_not_judged_by_the_old_one():
    factories.opportunity(external_id="E-1", name="Deal")
    wire = Wire(deal(1, "E-1"))
    wire.before_answer = lambda: Opportunity.objects.update(external_id="E-9")
    assert results(look_up(wire)) == {"Deal": ("HELD", matching.CHANGED_HERE)}
    assert known() == {}


def test_an_id_that_came_meanwhile_is_left_as_it_is():
    factories.opportunity(external_id="E-1", name="Deal")
    wire = Wire(deal(1, "E-1"))
    wire.before_answer = lambda: Opportunity.objects.update(marketo_guid=guid(5))
    assert (look_up(wire).counts, known()) == ({}, {"Deal": guid(5)})


# --- roles ----------------------------------------------------------------------------------


def test_a_role_is_found_by_opportunity_person_and_name():
    of = factories.opportunity(external_id="E-1")
    record = factories.role(of, role="Champion", marketo_id=81)
    job = roles(part(1, "E-1", 19, "Influencer"), part(2, "E-1", 20, "Champion"), part(3, "e-1", 19, "champion"))
    row = only(job)
    assert (fresh(record).marketo_guid, row.status, diff(row)) == (
        guid(3),
        "TAKEN",
        {"Marketo GUID": ("", guid(3))},
    )


def test_each_opportunity_is_named_once():
    of = factories.opportunity(external_id="E-1")
    for number in range(3):
        factories.role(of, role=f"Role {number}")
    wire = Wire()
    look_up(wire, (Kind.ROLE,))
    assert wire.named == [["E-1"]]


def test_a_role_that_marketo_does_not_have_says_so():
    factories.role(factories.opportunity(external_id="E-1", name="Deal"))
    (row,) = roles(part(1, "E-1", 20)).results.all()
    said = f"Marketo has no role “Influencer” of person 19 in the opportunity whose {KEY} is “E-1”."
    assert (row.status, row.error) == ("MISSING", said)


def test_roles_without_a_name_or_without_a_key_of_their_opportunity_are_not_asked_about():
    factories.role(factories.opportunity(external_id="E-1"), role="")
    factories.role(factories.opportunity(external_id=None, marketo_id=7))
    wire = Wire(part(1, "E-1", name=""))
    assert (look_up(wire, (Kind.ROLE,)).counts, wire.asked) == ({}, [])


def test_a_person_by_key_is_compared_with_keys_alone():
    of = factories.opportunity(external_id="E-1")
    record = factories.role(of, person_key="L-1")
    assert only(roles(part(1, "E-1", 19))).error == matching.PERSON_UNCLEAR
    keys = KeyFields(KEY, person="leadKey", traits=TRAITS)
    assert only(roles(part(1, "E-1", ExternalKey("otherKey", "L-1")), keys=keys)).error == matching.PERSON_UNCLEAR
    assert OpportunityPersonRole.objects.get().marketo_guid is None
    roles(part(1, "E-1", ExternalKey("leadKey", "L-1")), keys=keys)
    assert fresh(record).marketo_guid == guid(1)


def test_a_person_by_id_is_not_compared_with_a_key():
    factories.role(factories.opportunity(external_id="E-1"))
    assert only(roles(part(1, "E-1", ExternalKey("leadKey", "L-1")))).error == matching.PERSON_UNCLEAR


# --- the way through ------------------------------------------------------------------------


def test_many_are_asked_about_in_one_call_and_kinds_one_after_the_other():
    deals = [factories.opportunity(external_id=f"E-{number}") for number in range(1, 6)]
    factories.role(deals[0])
    wire = Wire(*(deal(number, f"E-{number}") for number in range(1, 6)), part(9, "E-1"))
    job = look_up(wire, (Kind.OPPORTUNITY, Kind.ROLE))
    assert wire.named == [["E-1", "E-2", "E-3"], ["E-4", "E-5"], ["E-1"]]
    assert job.counts == {"TAKEN": 6}


def test_an_api_with_numbers_has_nothing_to_look_up():
    factories.opportunity(external_id="E-1")
    wire = Wire()
    job = look_up(wire, (Kind.OPPORTUNITY, Kind.ROLE), keys=KeyFields("Key"))
    assert (job.counts, wire.asked) == ({}, [])


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_call_that_fails_is_made_again_and_nothing_is_told_twice(lost):
    for number in range(1, 5):
        factories.opportunity(external_id=f"E-{number}")
    wire = Wire(*(deal(number, f"E-{number}") for number in range(1, 5)), page_size=1)
    around = surroundings(wire)
    for _ in range(lost - 1):
        IdentifyTask(around).step()
    wire.failing = Unavailable("Not now.")
    with pytest.raises(Unavailable):
        finished(IdentifyTask, around)
    job = finished(IdentifyTask, around)
    assert (job.counts, job.results.count()) == ({"TAKEN": 4}, 4)
    assert set(Opportunity.objects.values_list("marketo_guid", flat=True)) == {guid(number) for number in range(1, 5)}


def test_all_pages_are_asked_for_in_the_same_words():
    for number in range(1, 4):
        factories.opportunity(external_id=f"E-{number}")
    wire = Wire(*(deal(number, f"E-{number}") for number in range(1, 4)), page_size=1)
    wire.before_answer = lambda: Opportunity.objects.filter(external_id="E-1").update(marketo_guid=guid(1))
    job = look_up(wire)
    assert wire.named == [["E-1", "E-2", "E-3"]] * 3
    assert job.counts == {"TAKEN": 2}


def test_reading_that_has_to_begin_again_counts_nothing_twice():
    for number in range(1, 4):
        factories.opportunity(external_id=f"E-{number}")
    wire = Wire(*(deal(number, f"E-{number}") for number in range(1, 4)), page_size=1)
    around = surroundings(wire)
    wire.stale = {"2"}
    for _ in range(3):
        IdentifyTask(around).step()
    wire.stale = set()
    assert finished(IdentifyTask, around).counts == {"TAKEN": 3}


def test_a_key_that_marketo_does_not_take_stands_alone_in_the_end():
    for number in range(1, 6):
        factories.opportunity(external_id=f"E-{number}", name=f"Deal {number}")
    wire = Wire(*(deal(number, f"E-{number}") for number in range(1, 6)))
    wire.refused = {"E-2", "E-3"}
    job = look_up(wire)
    assert job.counts == {"TAKEN": 3, "HELD": 2}
    assert results(job)["Deal 2"] == ("HELD", "the value “E-2” is not taken.")
    assert wire.named[-1] == ["E-4", "E-5"]


def test_what_is_refused_for_every_record_ends_the_job():
    for number in range(1, 9):
        factories.opportunity(external_id=f"E-{number}")
    wire = Wire()
    wire.refused, wire.refusal = {f"E-{number}" for number in range(1, 9)}, "There is no such field."
    around = surroundings(wire)
    with pytest.raises(Rejected, match="There is no such field"):
        finished(IdentifyTask, around)
    around.job.refresh_from_db()
    assert around.job.counts == {"HELD": 1}
