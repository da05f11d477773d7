"""Filling the local copies from Marketo: what is taken, what is kept, what waits for a person."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, RecordAssociation, RemoteObject
from mobjects.models import (
    Conflict,
    ConflictReason,
    CustomField,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    RecordState,
    SyncBatch,
)
from mobjects.sync.content.payload import KeyFields, record_content
from mobjects.sync.pull.task import PullSelection, PullTask
from tests import factories
from tests.factories import fresh
from tests.support import memory
from tests.support.memory import Memory, finished
from tests.support.pulls import diff, in_step, known_program, only, pull

pytestmark = pytest.mark.django_db

KEYS = KeyFields(opportunity="Key", person="PersonKey")

# --- new here -------------------------------------------------------------------------------


def test_a_new_program_comes_with_its_costs_and_tags_and_is_in_step():
    found = memory.program(costs=[(5, 6, "2000", "Booth"), (6, 7, "10")], tags={"Region": "EMEA"})
    job = pull(Memory(found))
    record = Program.objects.get()
    assert (record.marketo_id, record.name, record.type, record.workspace, record.channel) == (
        1001,
        "Webinar",
        "Marketing Event",
        "Default",
        "Webinar",
    )
    costs = record.costs.values_list("marketo_cost_id", "amount", "note")
    assert list(costs) == [(5, Decimal("2000.00"), "Booth"), (6, Decimal("10.00"), "")]
    assert [(tag.type, tag.value) for tag in record.tags.all()] == [("Region", "EMEA")]
    assert not record.is_dirty
    assert record.accepted == record_content(record, KEYS)
    assert record.read_at
    assert job.counts == {"ADDED": 1}
    assert diff(only(job))["Tag Region"] == ("", "EMEA")


def test_a_new_opportunity_takes_its_external_id_from_the_key_field():
    CustomField.objects.create(kind="Opportunity", name="Months", data_type="integer")
    found = memory.opportunity(
        71, RecordAssociation(LinkTarget.COMPANY, id=7), Key="E-9", Months="12", Stage="Open", Extra="x"
    )
    pull(Memory(found), Kind.OPPORTUNITY, KEYS)
    record = Opportunity.objects.get()
    assert (record.external_id, record.stage, record.company_id, record.custom_attributes) == (
        "E-9",
        "Open",
        7,
        {"Months": "12"},
    )
    assert record.in_marketo == {"attributes": {"Extra": "x"}}
    assert not record.is_dirty


def test_a_role_comes_only_with_its_opportunity():
    parent = factories.opportunity(marketo_id=71)
    job = pull(Memory(memory.role(81, IsPrimary="true"), memory.role(82, opportunity=72)), Kind.ROLE)
    record = OpportunityPersonRole.objects.get()
    assert (record.marketo_id, record.opportunity, record.person_id, record.is_primary) == (81, parent, 19, True)
    assert not record.is_dirty
    held = job.results.get(status="HELD")
    assert (held.marketo_id, held.label) == (82, "Influencer (82)")
    assert held.error == "Its opportunity is not here; pull opportunities first."


def test_pulling_twice_changes_nothing_and_doubles_nothing():
    transport = Memory(memory.program(costs=[(5, 6, "2000")], tags={"Region": "EMEA"}), memory.program(1002))
    pull(transport)
    before = list(Program.objects.order_by("pk").values("revision", "accepted"))
    job = pull(transport)
    assert job.counts == {"SAME": 2}
    assert list(Program.objects.order_by("pk").values("revision", "accepted")) == before
    assert ProgramCost.objects.count() == ProgramTag.objects.count() == 1


# --- known here -----------------------------------------------------------------------------


def test_a_record_without_local_changes_takes_all_that_changed_in_marketo():
    record = factories.program(name="Old", channel="Webinar")
    gone, changed = factories.cost(record, marketo_cost_id=5), factories.cost(record, marketo_cost_id=6)
    factories.tag(record)
    in_step(record)
    found = memory.program(costs=[(6, 6, "99", "late"), (7, 8, "1")], tags={"Region": "APAC", "Channel": "Roadshow"})
    job = pull(Memory(found))
    record = fresh(record)
    assert (record.name, record.channel, record.tags.get().value) == ("Webinar", "Roadshow", "APAC")
    assert set(record.costs.values_list("marketo_cost_id", "amount", "note")) == {
        (6, Decimal("99.00"), "late"),
        (7, Decimal("1.00"), ""),
    }
    assert not record.is_dirty
    row = only(job)
    assert row.status == "TAKEN"
    assert diff(row)["Name"] == ("Old", "Webinar")
    assert diff(row)[gone.content_key] == ("2026-06 2000.00", "")
    assert diff(row)[changed.content_key] == ("2026-06 2000.00", "2026-06 99.00 late")


def test_a_field_that_marketo_cleared_is_cleared_here():
    record = in_step(factories.opportunity(marketo_id=71, stage="Open", probability=10))
    pull(Memory(memory.opportunity(Probability="10")), Kind.OPPORTUNITY)
    assert (fresh(record).stage, fresh(record).probability) == ("", 10)


def test_an_unsent_change_is_kept_and_another_field_is_taken():
    record = in_step(factories.opportunity(marketo_id=71, stage="Open", type="A"))
    Opportunity.objects.update(stage="Won")
    job = pull(Memory(memory.opportunity(Stage="Open", Type="B")), Kind.OPPORTUNITY)
    record = fresh(record)
    assert (record.stage, record.type, record.is_dirty) == ("Won", "B", True)
    assert (record.accepted["Stage"], record.accepted["Type"]) == ("Open", "B")
    row = only(job)
    assert (row.status, row.error) == ("TAKEN", "Changed here and not sent yet: Stage.")


def test_a_change_on_both_sides_waits_for_a_person():
    record = in_step(factories.opportunity(marketo_id=71, stage="Open", type="A"))
    Opportunity.objects.update(stage="Won")
    transport = Memory(memory.opportunity(Stage="Lost", Type="B"))
    job = pull(transport, Kind.OPPORTUNITY)
    record = fresh(record)
    assert (record.stage, record.type, record.accepted["Stage"], record.is_dirty) == ("Won", "B", "Open", True)
    row = only(job)
    assert (row.status, diff(row)["Stage"], diff(row)["Type"]) == ("CONFLICT", ("Won", "Lost"), ("A", "B"))
    conflict = Conflict.objects.get()
    assert (conflict.reason, conflict.job, conflict.base["Stage"], conflict.here["Stage"]) == (
        ConflictReason.BOTH_CHANGED,
        job,
        "Open",
        "Won",
    )
    assert (conflict.candidates[0]["id"], conflict.candidates[0]["values"]["Stage"]) == (71, "Lost")
    # The same question is not asked twice, but kept up to date …
    transport.put(memory.opportunity(Stage="On hold", Type="B"))
    pull(transport, Kind.OPPORTUNITY)
    assert Conflict.objects.get().candidates[0]["values"]["Stage"] == "On hold"
    # … and goes away when both sides agree.
    transport.put(memory.opportunity(Stage="Won", Type="B"))
    assert pull(transport, Kind.OPPORTUNITY).counts == {"SAME": 1}
    assert Conflict.objects.get().decided_at
    assert not fresh(record).is_dirty


def test_a_failed_change_that_marketo_holds_by_now_is_done():
    record = in_step(factories.opportunity(marketo_id=71, stage="Open"))
    Opportunity.objects.update(stage="Won", last_status="FAILED", last_error="no")
    pull(Memory(memory.opportunity(Stage="Won")), Kind.OPPORTUNITY)
    record = fresh(record)
    assert (record.is_dirty, record.last_status, record.last_error) == (False, "FAILED", "")
    assert record.current_state == RecordState.SYNCED


def test_what_was_removed_here_stays_removed_and_is_shown_as_held_by_marketo():
    record = known_program()
    cost, tag = factories.cost(record, marketo_cost_id=5), factories.tag(record)
    accepted = in_step(record).accepted
    cost.delete()
    tag.delete()
    # Sent since: there was nothing that the API could have removed.
    in_step(record, **accepted)
    transport = Memory(memory.program(costs=[(5, 6, "2000")], tags={"Region": "EMEA"}))
    job = pull(transport)
    record = fresh(record)
    assert not record.costs.exists()
    assert not record.tags.exists()
    assert not record.is_dirty
    assert record.in_marketo == {
        "costs": [{"id": 5, "month": "2026-06", "amount": "2000", "note": ""}],
        "tags": {"Region": "EMEA"},
    }
    assert only(job).status == "SAME"
    transport.put(memory.program())
    pull(transport)
    assert fresh(record).in_marketo == {}


def test_costs_learn_their_marketo_id():
    record = known_program()
    cost = factories.cost(record)
    in_step(record)
    job = pull(Memory(memory.program(costs=[(5, 6, "2000")])))
    cost.refresh_from_db()
    assert (cost.marketo_cost_id, only(job).status, fresh(record).is_dirty) == (5, "SAME", False)


def test_a_cost_that_is_not_sent_yet_stays():
    record = in_step(known_program())
    cost = factories.cost(record)
    pull(Memory(memory.program(costs=[(5, 7, "1")])))
    assert set(record.costs.values_list("marketo_cost_id", flat=True)) == {None, 5}
    record = fresh(record)
    assert record.is_dirty
    assert cost.content_key not in record.accepted


def test_an_opportunity_without_id_is_found_by_its_key():
    record = factories.opportunity(external_id="E-1", stage="Open")
    job = pull(Memory(memory.opportunity(Key="E-1", Stage="Open", Type="A")), Kind.OPPORTUNITY, KEYS)
    record = fresh(record)
    assert (record.marketo_id, record.type, record.is_dirty) == (71, "A", False)
    assert diff(only(job))["Marketo ID"] == ("", "71")


def test_a_key_that_marketo_was_never_told_is_not_lost():
    record = in_step(factories.opportunity(marketo_id=71, external_id="E-1"))
    pull(Memory(memory.opportunity()), Kind.OPPORTUNITY, KEYS)
    assert fresh(record).external_id == "E-1"


def test_of_two_objects_with_one_key_only_the_first_is_taken_for_the_record():
    factories.opportunity(external_id="E-1")
    job = pull(Memory(memory.opportunity(71, Key="E-1"), memory.opportunity(72, Key="E-1")), Kind.OPPORTUNITY, KEYS)
    assert job.counts == {"TAKEN": 1, "HELD": 1}
    assert "External id “E-1”" in job.results.get(status="HELD").error
    assert Opportunity.objects.get().marketo_id == 71


def test_a_role_without_id_is_found_by_opportunity_person_and_role():
    parent = factories.opportunity(marketo_id=71)
    record, other = factories.role(parent), factories.role(parent, person_id=20)
    pull(Memory(memory.role(81)), Kind.ROLE)
    assert (fresh(record).marketo_id, fresh(other).marketo_id) == (81, None)


def test_a_role_by_person_key_is_found_by_it():
    parent = factories.opportunity(external_id="E-1")
    record = factories.role(parent, person_key="P-1")
    links = (
        RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey("Key", "E-1")),
        RecordAssociation(LinkTarget.LEAD, key=ExternalKey("PersonKey", "P-1")),
    )
    pull(Memory(RemoteObject(Kind.ROLE, 81, {"Role": "Influencer"}, links)), Kind.ROLE, KEYS)
    record = fresh(record)
    assert (record.marketo_id, record.person_key, record.is_dirty) == (81, "P-1", False)


# --- held back ------------------------------------------------------------------------------


def test_a_record_in_a_batch_is_left_alone():
    record = in_step(factories.opportunity(marketo_id=71, stage="Open"))
    transport = Memory(memory.opportunity(Stage="Lost"))
    surroundings = memory.context(transport, PullSelection(Kind.OPPORTUNITY).to_json())
    batch = SyncBatch.objects.create(job=surroundings.job, sequence=99, kind="Opportunity", operation="UPDATE")
    Opportunity.objects.update(claimed_by=batch)
    row = only(finished(PullTask, surroundings))
    assert (row.status, row.error) == ("HELD", "It is in a batch right now; pull it again afterwards.")
    assert fresh(record).stage == "Open"


def test_a_record_that_was_sent_while_the_page_was_on_its_way_is_not_set_back():
    record = in_step(factories.opportunity(marketo_id=71, stage="Won"))
    transport = Memory(memory.opportunity(Stage="Open"))
    transport.before_answer = lambda: Opportunity.objects.update(last_synced_at=timezone.now())
    row = only(pull(transport, Kind.OPPORTUNITY))
    assert (row.status, fresh(record).stage) == ("HELD", "Won")


@pytest.mark.parametrize("doubt", ["UNKNOWN", "claimed"])
def test_what_may_be_a_lost_insert_is_not_taken_for_a_new_record(doubt):
    factories.opportunity(name="Q1 2014")
    surroundings = memory.context(Memory(memory.opportunity()), PullSelection(Kind.OPPORTUNITY).to_json())
    if doubt == "claimed":
        batch = SyncBatch.objects.create(job=surroundings.job, sequence=99, kind="Opportunity", operation="INSERT")
        Opportunity.objects.update(claimed_by=batch)
    else:
        Opportunity.objects.update(last_status="UNKNOWN")
    row = only(finished(PullTask, surroundings))
    assert (row.status, Opportunity.objects.count()) == ("HELD", 1)
    assert "“Q1 2014”" in row.error


@pytest.mark.parametrize(
    ("person", "held"), [({"person_key": "P-1"}, 1), ({"person_id": 19}, 1), ({"person_id": 20}, 0)]
)
def test_a_role_that_may_be_a_lost_insert_is_not_taken_for_a_new_one(person, held):
    factories.role(factories.opportunity(marketo_id=71), **person)
    OpportunityPersonRole.objects.update(last_status="UNKNOWN")
    pull(Memory(memory.role(81)), Kind.ROLE)
    assert OpportunityPersonRole.objects.count() == 2 - held


def test_a_record_about_which_a_person_has_to_decide_is_left_alone():
    record = in_step(factories.opportunity(marketo_id=71, stage="Open"))
    conflict = Conflict.objects.create(kind="Opportunity", record_id=record.pk, reason=ConflictReason.AMBIGUOUS)
    row = only(pull(Memory(memory.opportunity(Stage="Lost")), Kind.OPPORTUNITY))
    assert (row.status, fresh(record).stage) == ("HELD", "Open")
    conflict.refresh_from_db()
    assert conflict.decided_at is None


def test_a_lost_update_is_looked_up_before_anything_is_taken():
    record = in_step(factories.opportunity(marketo_id=71, stage="Open"))
    Opportunity.objects.update(last_status="UNKNOWN")
    row = only(pull(Memory(memory.opportunity(Stage="Lost")), Kind.OPPORTUNITY))
    assert (row.status, fresh(record).stage) == ("HELD", "Open")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"Probability": "180"}, "Probability: “180” is not between 0 and 100 percent."),
        ({"Type": "x" * 256}, "Type: “xxx"),
        ({"FiscalQuarter": "9"}, "FiscalQuarter “9”: "),
        ({"Amount": "a lot"}, "Amount: “a lot” is not a number"),
        ({"Name": ""}, "Name: "),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_value_that_cannot_be_kept_holds_back_its_record_only(values, words, known):
    if known:
        in_step(factories.opportunity(marketo_id=71, stage="Open"))
    bad = memory.opportunity(71, **{"Stage": "Lost", **values})
    job = pull(Memory(bad, memory.opportunity(72)), Kind.OPPORTUNITY)
    assert job.counts == {"HELD": 1, "ADDED": 1}
    held = job.results.get(status="HELD")
    assert held.error.startswith(f"Not taken. {words}")
    assert held.marketo_id == 71
    assert not Opportunity.objects.filter(stage="Lost").exists()


def test_a_cost_that_cannot_be_kept_holds_back_its_whole_program():
    record = in_step(known_program())
    job = pull(Memory(memory.program(costs=[(5, 6, "1"), (6, 6, "-1")], tags={"Region": "EMEA"})))
    assert only(job).error.startswith("Not taken. Amount “-1”: ")
    assert not record.costs.exists()
    assert not record.tags.exists()


def test_a_role_that_moved_to_an_opportunity_we_do_not_have_stays_as_it_is():
    record = in_step(factories.role(factories.opportunity(marketo_id=71), marketo_id=81))
    row = only(pull(Memory(memory.role(81, opportunity=72, Role="Other")), Kind.ROLE))
    assert (row.status, row.record_id, row.error) == (
        "HELD",
        record.pk,
        "Its opportunity is not here; pull opportunities first.",
    )
    assert fresh(record).role == "Influencer"


def test_a_custom_value_that_is_not_of_its_type_is_named():
    CustomField.objects.create(kind="Opportunity", name="Months", data_type="integer")
    row = only(pull(Memory(memory.opportunity(Months="many")), Kind.OPPORTUNITY))
    assert row.error.startswith("Not taken. Months: “many” is not a whole number")
