"""What a look-up makes of a sending that was not answered: found, surely absent, or a person has to decide."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from mobjects.models import (
    Conflict,
    ConflictReason,
    Opportunity,
    OpportunityPersonRole,
    ProgramCost,
    RecordStatus,
    SyncJob,
    SyncJobState,
)
from mobjects.sync.send.selection import OperationChoice
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]

KEY = "ExternalOpportunityId"


@pytest.fixture
def keyed(settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": KEY, "PERSON_KEY_FIELD": "ExternalPersonId"}


def lost(sandbox, *records, applied=True, **options) -> SyncJob:
    """Send without getting an answer."""
    sandbox.faults.add("cut_after" if applied else "cut_before", operation="syncMObjects")
    job = factories.sync(*records, **options)
    assert [factories.fresh(record).last_status for record in records] == [RecordStatus.UNKNOWN] * len(records)
    return job


def said(job) -> list[tuple[str, str]]:
    """What its look-ups found."""
    return list(job.results.filter(batch__operation="GET").order_by("pk").values_list("status", "error"))


def sends(sandbox) -> int:
    return sum(call.operation == "syncMObjects" for call in sandbox.calls)


def asked(sandbox) -> str:
    return [call for call in sandbox.calls if call.operation == "getMObjects"][-1].request


# --- opportunities --------------------------------------------------------------------------


def test_what_arrived_is_found_by_its_name_and_its_id_taken(sandbox):
    record = factories.opportunity(stage="Open")
    job = factories.later(lost(sandbox, record))
    record = factories.fresh(record)
    assert record.marketo_id in sandbox.store.opportunities
    assert (record.is_dirty, record.last_status, record.unknown_since) == (False, "CREATED", None)
    assert said(job) == [("CREATED", f"It arrived: found in Marketo as ID {record.marketo_id}.")]
    assert (job.state, job.counts, sends(sandbox)) == (SyncJobState.SUCCEEDED, {"CREATED": 1}, 1)


def test_what_did_not_arrive_is_sent_again(sandbox):
    record = factories.opportunity()
    job = factories.later(lost(sandbox, record, applied=False))
    assert said(job) == [("LOOKED_UP", "It did not arrive: Marketo does not have it. It is sent again.")]
    assert (job.counts, len(sandbox.store.opportunities)) == ({"CREATED": 1}, 1)
    assert not factories.fresh(record).is_dirty


def test_a_record_renamed_since_is_found_by_the_name_that_was_sent(sandbox):
    record = factories.opportunity(name="Before")
    job = lost(sandbox, record)
    Opportunity.objects.update(name="After")
    job = factories.later(job)
    (stored,) = sandbox.store.opportunities.values()
    assert stored.values["Name"] == "After"
    assert said(job)[0][1].endswith("What differs is sent again.")
    assert [call.sync_operation for call in sandbox.calls if call.sync_operation] == ["INSERT", "UPDATE"]
    assert not factories.fresh(record).is_dirty


def test_a_namesake_from_long_before_is_not_taken_for_it(sandbox):
    with sandbox.store.lock:
        old = sandbox.store.create_object("Opportunity", {"Name": "Q1 2014"})
        old.created_at -= timedelta(days=1)
    record = factories.opportunity()
    job = factories.later(lost(sandbox, record))
    assert job.counts == {"CREATED": 1}
    assert factories.fresh(record).marketo_id != old.id


def test_two_that_may_be_it_wait_for_a_person(sandbox):
    record = factories.opportunity()
    job = lost(sandbox, record)
    other = sandbox.store.create_object("Opportunity", {"Name": "Q1 2014"})
    job = factories.later(job)
    conflict = Conflict.objects.get()
    assert (conflict.reason, conflict.base, conflict.decided_at) == (
        ConflictReason.AMBIGUOUS,
        {"Name": "Q1 2014"},
        None,
    )
    assert [each["id"] for each in conflict.candidates] == sorted(sandbox.store.opportunities)
    assert other.id in [each["id"] for each in conflict.candidates]
    assert said(job)[0] == ("LOOKED_UP", "Not clear: 2 objects in Marketo may be it. A person has to decide.")
    assert (job.state, job.counts, sends(sandbox)) == (SyncJobState.PROBLEMS, {"HELD": 1}, 1)
    assert factories.fresh(record).is_dirty


def test_one_that_holds_something_else_waits_for_a_person(sandbox):
    record = factories.opportunity(stage="Open")
    job = lost(sandbox, record, applied=False)
    sandbox.store.create_object("Opportunity", {"Name": "Q1 2014", "Stage": "Won"})
    factories.later(job)
    (candidate,) = Conflict.objects.get().candidates
    assert candidate["values"] == {"Name": "Q1 2014", "Stage": "Won"}
    assert candidate["created_at"]
    assert sends(sandbox) == 1


def test_what_another_record_is_known_to_be_is_no_candidate(sandbox):
    known = factories.opportunity()
    factories.sync(known)
    record = factories.opportunity()
    factories.later(lost(sandbox, record, applied=False))
    assert len(sandbox.store.opportunities) == 2
    assert factories.fresh(record).marketo_id not in (None, factories.fresh(known).marketo_id)


def test_what_became_another_record_since_stays_that_one_and_a_person_decides(sandbox):
    record = factories.opportunity()
    job = lost(sandbox, record)
    (arrived,) = sandbox.store.opportunities
    copy = factories.opportunity(marketo_id=arrived)  # By an import, after the sending.
    job = factories.later(job)
    assert [factories.fresh(each).marketo_id for each in (record, copy)] == [None, arrived]
    assert [each["id"] for each in Conflict.objects.get().candidates] == [arrived]
    assert (job.state, sends(sandbox)) == (SyncJobState.PROBLEMS, 1)


@pytest.mark.parametrize("count", [1, 3], ids=["by name", "gathered"])
def test_what_arrived_is_found_though_marketos_clock_is_behind(sandbox, count):
    records = [factories.opportunity(name=f"Deal {number}") for number in range(count)]
    job = lost(sandbox, *records)
    with sandbox.store.lock:
        for stored in sandbox.store.opportunities.values():
            stored.created_at -= timedelta(minutes=9)
    assert factories.later(job).counts == {"CREATED": count}
    assert (len(sandbox.store.opportunities), sends(sandbox)) == (count, 1)


def test_an_insert_with_a_key_is_looked_up_by_the_key(sandbox, keyed):
    record = factories.opportunity(external_id="E-77")
    sandbox.store.create_object("Opportunity", {"Name": "Q1 2014"})
    job = factories.later(lost(sandbox, record, operation=OperationChoice.INSERT))
    assert "E-77" in asked(sandbox)
    assert job.counts == {"CREATED": 1}
    assert sandbox.store.opportunities[factories.fresh(record).marketo_id].values[KEY] == "E-77"


def test_an_upsert_with_a_key_needs_no_look_up(sandbox, keyed):
    record = factories.opportunity()
    job = factories.later(lost(sandbox, record))
    assert (said(job), len(sandbox.store.opportunities)) == ([], 1)
    assert not factories.fresh(record).is_dirty


def test_a_job_with_an_old_unknown_result_has_one_result_after_another_job_settled_it(sandbox):
    record = factories.opportunity()
    factories.sync(record)
    first = lost(sandbox, record, resend=True)
    other = factories.later(factories.sync(record))
    assert (other.state, other.counts) == (SyncJobState.SUCCEEDED, {"UNCHANGED": 1})
    first = factories.later(first)
    assert (first.state, first.counts) == (SyncJobState.SUCCEEDED, {"EQUAL": 1})
    assert first.results.exclude(status="RETRIED").count() == 1


# --- roles ----------------------------------------------------------------------------------


@pytest.fixture
def parent(sandbox):
    record = factories.opportunity()
    factories.sync(record)
    return factories.fresh(record)


def test_a_role_is_found_by_its_opportunity(sandbox, parent):
    other = factories.role(parent, person_id=20)
    factories.sync(other)
    record = factories.role(parent)
    job = factories.later(lost(sandbox, record))
    assert str(parent.marketo_id) in asked(sandbox)
    assert (job.counts, len(sandbox.store.roles)) == ({"CREATED": 1}, 2)
    assert factories.fresh(record).marketo_id == max(sandbox.store.roles)


def test_a_role_that_did_not_arrive_is_sent_again(sandbox, parent):
    # Another person's role of the same name is not it.
    sandbox.store.create_object(
        "OpportunityPersonRole", {"OpportunityId": str(parent.marketo_id), "PersonId": "20", "Role": "Influencer"}
    )
    record = factories.role(parent)
    job = factories.later(lost(sandbox, record, applied=False))
    assert (job.counts, len(sandbox.store.roles)) == ({"CREATED": 1}, 2)


def test_a_role_whose_person_is_given_by_key_cannot_be_compared_and_waits(sandbox, keyed, parent):
    # Somebody else's role of the same name: taking it for ours would lose ours.
    sandbox.store.create_object(
        "OpportunityPersonRole", {"OpportunityId": str(parent.marketo_id), "PersonId": "20", "Role": "Influencer"}
    )
    record = factories.role(parent, person_key="P-0002")
    job = factories.later(lost(sandbox, record, applied=False))
    assert Conflict.objects.get().record_id == record.pk
    assert (job.counts, sends(sandbox)) == ({"HELD": 1}, 2)


def test_a_role_edited_since_is_found_as_it_was_sent_and_then_changed(sandbox, parent):
    record = factories.role(parent, role="Influencer")
    job = lost(sandbox, record)
    OpportunityPersonRole.objects.update(role="Owner")
    factories.later(job)
    (stored,) = sandbox.store.roles.values()
    assert stored.values["Role"] == "Owner"
    assert not factories.fresh(record).is_dirty


def test_a_role_that_marketo_cannot_be_asked_for_waits_for_a_person(sandbox, parent):
    record = factories.role(parent)
    job = lost(sandbox, record, applied=False)
    Opportunity.objects.update(marketo_id=None, synced_revision=1)
    factories.later(job)
    conflict = Conflict.objects.get()
    assert (conflict.record_id, conflict.candidates) == (record.pk, [])
    assert len(sandbox.store.roles) == 0


# --- costs ----------------------------------------------------------------------------------


@pytest.fixture
def program(sandbox):
    record = factories.program()
    sandbox.store.programs[1001].costs.clear()
    return record


def costs(sandbox) -> list[tuple[int, str]]:
    return [(cost.id, cost.amount) for cost in sandbox.store.programs[1001].costs.values()]


def test_a_cost_that_arrived_gets_its_id(sandbox, program):
    cost = factories.cost(program)
    job = factories.later(lost(sandbox, program))
    cost.refresh_from_db()
    assert costs(sandbox) == [(cost.marketo_cost_id, "2000.00")]
    assert (job.counts, sends(sandbox)) == ({"UPDATED": 1}, 1)


def test_a_cost_that_did_not_arrive_is_sent_again(sandbox, program):
    cost = factories.cost(program)
    factories.later(lost(sandbox, program, applied=False))
    cost.refresh_from_db()
    assert costs(sandbox) == [(cost.marketo_cost_id, "2000.00")]
    assert not factories.fresh(program).is_dirty


@pytest.mark.parametrize("applied", [True, False])
def test_a_cost_edited_since_is_not_added_twice(sandbox, program, applied):
    cost = factories.cost(program)
    job = lost(sandbox, program, applied=applied)
    ProgramCost.objects.update(amount=Decimal("5.00"))
    factories.later(job)
    cost.refresh_from_db()
    assert costs(sandbox) == [(cost.marketo_cost_id, "5.00")]
    assert not factories.fresh(program).is_dirty


def test_of_two_equal_costs_of_which_one_was_there_before_one_is_added(sandbox, program):
    first = factories.cost(program)
    factories.sync(program)
    second = factories.cost(program)
    factories.later(lost(sandbox, program, applied=False))
    first.refresh_from_db()
    second.refresh_from_db()
    assert sorted(number for number, _ in costs(sandbox)) == sorted([first.marketo_cost_id, second.marketo_cost_id])


def test_a_program_that_marketo_no_longer_has_is_sent_again_and_then_skipped(sandbox, program):
    factories.cost(program)
    job = lost(sandbox, program, applied=False)
    del sandbox.store.programs[1001]
    job = factories.later(job)
    assert job.counts == {"SKIPPED": 1}
    assert factories.fresh(program).is_dirty


def test_a_cost_whose_id_was_never_learned_is_held_back_once_and_sent_with_its_id_next(sandbox, program):
    cost = factories.cost(program)
    factories.sync(program)
    ProgramCost.objects.update(marketo_cost_id=None)  # As if the job had been cancelled before it could ask.
    ProgramCost.objects.update(amount=Decimal("5.00"))
    assert factories.sync(program).counts == {"HELD": 1}
    assert factories.sync(program).counts == {"UPDATED": 1}
    cost.refresh_from_db()
    assert costs(sandbox) == [(cost.marketo_cost_id, "5.00")]
