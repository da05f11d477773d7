"""Looking for differences without changing either side; and stopping an update that would overwrite one."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mobjects.marketo.types import Kind, Operation
from mobjects.models import Conflict, ConflictAnswer, Opportunity, Program, SyncBatch, SyncJobAction
from mobjects.sync.compare.task import MAX_ONE_BY_ONE, CompareSelection, CompareTask
from mobjects.sync.conflicts.alike import disputed_fields
from mobjects.sync.conflicts.both_changed import resolve_both_changed
from mobjects.sync.content.former_names import UNKNOWN_VALUE
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import KeyFields, Payload, build_payload, record_content
from mobjects.sync.pull.task import PullSelection, PullTask
from mobjects.sync.send.preflight import preflight_read
from tests import factories
from tests.factories import fresh
from tests.support import memory
from tests.support.memory import Memory, finished
from tests.support.pulls import diff, in_step, known_program, only

pytestmark = pytest.mark.django_db

COMPARE = SyncJobAction.COMPARE


def compare(transport, *kinds, ids=None):
    asked = CompareSelection(kinds or (Kind.OPPORTUNITY,), ids)
    return finished(CompareTask, memory.context(transport, asked.to_json(), COMPARE))


def deal(number=71, **values):
    return in_step(factories.opportunity(marketo_id=number, stage="Open", **values))


def test_what_is_in_step_is_counted_and_needs_no_row():
    record = deal()
    job = compare(Memory(memory.opportunity(Stage="Open")))
    assert (job.counts, job.results.count()) == ({"SAME": 1}, 0)
    assert fresh(record).read_at


def test_a_difference_shows_what_was_accepted_and_what_marketo_holds_now():
    record = deal()
    Opportunity.objects.update(stage="Won")
    before = Opportunity.objects.values("revision", "synced_revision", "accepted", "stage").get()
    row = only(compare(Memory(memory.opportunity(Stage="Lost", Type="A"))))
    assert (row.status, row.record_id) == ("DIFFERS", record.pk)
    assert diff(row) == {"Stage": ("Open", "Lost"), "Type": ("", "A")}
    assert row.error == "Here, not sent yet: Stage is “Won”."
    assert Opportunity.objects.values("revision", "synced_revision", "accepted", "stage").get() == before


def test_months_and_amounts_are_compared_by_meaning_and_extra_costs_are_told():
    record = known_program()
    cost = factories.cost(record, marketo_cost_id=5)
    in_step(record)
    assert compare(Memory(memory.program(costs=[(5, 6, "2000")])), Kind.PROGRAM).counts == {"SAME": 1}
    row = only(compare(Memory(memory.program(costs=[(5, 6, "2001"), (6, 7, "1", "new")])), Kind.PROGRAM))
    assert diff(row) == {
        cost.content_key: ("2026-06 2000.00", "2026-06 2001.00"),
        "Cost in Marketo, ID 6": ("", "2026-07 1.00 new"),
    }


def test_what_no_page_held_is_missing_in_marketo():
    here, gone, never_sent = deal(71), deal(72), factories.opportunity(marketo_id=73)
    assert not never_sent.accepted
    transport = Memory(memory.opportunity(Stage="Open"), memory.opportunity(99), page_size=1)
    job = compare(transport)
    assert job.counts == {"SAME": 1, "MISSING": 1}
    assert (only(job).record_id, only(job).status) == (gone.pk, "MISSING")
    assert fresh(here).read_at
    assert not fresh(gone).read_at


def test_a_record_that_came_into_being_while_pages_were_read_is_not_missing():
    transport = Memory()
    transport.before_answer = lambda: Opportunity.objects.filter(pk=deal().pk).update(last_synced_at=timezone.now())
    assert compare(transport).counts == {}


def test_kinds_are_compared_one_after_the_other_by_any_process():
    in_step(known_program())
    parent = deal()
    in_step(factories.role(parent, marketo_id=81))
    transport = Memory(memory.program(), memory.opportunity(Stage="Open"), memory.role(81))
    assert compare(transport, *Kind).counts == {"SAME": 3}
    assert [query.kind for query in transport.asked] == [Kind.PROGRAM, Kind.OPPORTUNITY, Kind.ROLE]
    assert transport.asked[0].archived


def test_a_few_records_are_read_one_by_one_and_many_by_pages():
    deals = [deal(number) for number in range(1, MAX_ONE_BY_ONE + 2)]
    found = [memory.opportunity(number, Stage="Open") for number in range(2, MAX_ONE_BY_ONE + 3)]
    few = Memory(*found)
    job = compare(few, ids=[record.pk for record in deals[:3]])
    assert (job.counts, len(few.asked)) == ({"SAME": 2, "MISSING": 1}, 3)
    many = Memory(*found)
    job = compare(many, ids=[record.pk for record in deals])
    assert (job.counts, len(many.asked)) == ({"SAME": MAX_ONE_BY_ONE, "MISSING": 1}, 1)


def test_a_record_that_is_being_sent_is_not_judged():
    deal()
    surroundings = memory.context(
        Memory(memory.opportunity(Stage="Lost")), CompareSelection((Kind.OPPORTUNITY,)).to_json(), COMPARE
    )
    batch = SyncBatch.objects.create(job=surroundings.job, sequence=99, kind="Opportunity", operation="UPDATE")
    Opportunity.objects.update(claimed_by=batch)
    assert finished(CompareTask, surroundings).counts == {"HELD": 1}


def test_a_record_that_is_sent_while_marketo_is_read_is_not_judged():
    deal()
    transport = Memory(memory.opportunity(Stage="Lost"))
    transport.before_answer = lambda: Opportunity.objects.update(last_synced_at=timezone.now())
    assert compare(transport).counts == {"HELD": 1}


def test_a_record_that_is_being_sent_is_not_missing():
    deal()
    surroundings = memory.context(Memory(), CompareSelection((Kind.OPPORTUNITY,)).to_json(), COMPARE)
    batch = SyncBatch.objects.create(job=surroundings.job, sequence=99, kind="Opportunity", operation="UPDATE")
    Opportunity.objects.update(claimed_by=batch)
    assert finished(CompareTask, surroundings).counts == {}


def test_a_kind_that_was_compared_is_not_begun_again_with_another():
    deal()
    transport = Memory(memory.program(), memory.opportunity(71), memory.opportunity(72), page_size=1)
    surroundings = memory.context(transport, CompareSelection((Kind.PROGRAM, Kind.OPPORTUNITY)).to_json(), COMPARE)
    transport.stale = {"71"}
    while CompareTask(surroundings).step():
        if surroundings.job.progress.get("begun_again"):
            transport.stale = set()
    assert [query.kind for query in transport.asked].count(Kind.PROGRAM) == 1


def test_a_value_that_was_sent_without_answer_is_no_difference():
    deal()
    Opportunity.objects.update(accepted={"Name": "Q1 2014", "Stage": UNKNOWN_VALUE})
    assert compare(Memory(memory.opportunity(Stage="Lost"))).counts == {"SAME": 1}


# --- reading before writing -----------------------------------------------------------------


def guarded(transport, *deals):
    surroundings = memory.context(transport, {}, SyncJobAction.SEND)
    return preflight_read(surroundings, Kind.OPPORTUNITY, [record.pk for record in deals]), surroundings.job


def test_a_change_in_marketo_to_a_field_that_is_about_to_be_sent_is_a_conflict():
    lost, elsewhere, equal, new = deal(71), deal(72), deal(73), factories.opportunity(stage="Open")
    Opportunity.objects.update(stage="Won")
    transport = Memory(
        memory.opportunity(71, Stage="Lost"),
        memory.opportunity(72, Stage="Open", Type="Changed there"),
        memory.opportunity(73, Stage="Won"),
    )
    stopped, job = guarded(transport, lost, elsewhere, equal, new)
    assert stopped == {lost.pk}
    assert [query.id for query in transport.asked] == [71, 72, 73]
    assert job.batches.count() == 3
    assert disputed_fields(Conflict.objects.get()) == [("Stage", "Open", "Won", "Lost")]
    # Nothing more is read of it until somebody has decided.
    assert guarded(transport, lost)[0] == {lost.pk}
    assert len(transport.asked) == 3


def test_a_record_that_is_deleted_while_marketo_is_asked_is_passed_over():
    record, transport = deal(71), Memory(memory.opportunity(71, Stage="Lost"))
    transport.before_answer = Opportunity.objects.all().delete
    assert guarded(transport, record)[0] == set()


def test_after_a_lost_answer_nobody_can_say_that_marketo_changed():
    record = deal(71)
    Opportunity.objects.update(stage="Won", accepted={"Name": "Q1 2014", "Stage": UNKNOWN_VALUE})
    stopped, _ = guarded(Memory(memory.opportunity(71, Stage="Lost")), record)
    assert (stopped, Conflict.objects.count()) == (set(), 0)


def test_a_cost_that_cannot_be_told_from_another_is_nothing_to_decide_about():
    record = known_program()
    cost = factories.cost(record)
    in_step(record)
    Program.objects.update(channel="Roadshow")
    type(cost).objects.update(amount=1)
    found = memory.program(costs=[(5, 6, "2500")], tags={"Channel": "Nurture"})
    surroundings = memory.context(Memory(found), {}, SyncJobAction.SEND)
    assert preflight_read(surroundings, Kind.PROGRAM, [record.pk]) == {record.pk}
    assert disputed_fields(Conflict.objects.get()) == [("Channel", "Webinar", "Roadshow", "Nurture")]
    finished(PullTask, memory.context(Memory(found), PullSelection(Kind.PROGRAM).to_json()))
    assert disputed_fields(Conflict.objects.get()) == [("Channel", "Webinar", "Roadshow", "Nurture")]
    cost.refresh_from_db()
    assert (cost.amount, cost.marketo_cost_id, record.costs.count()) == (1, None, 1)
    assert fresh(record).in_marketo["costs"][0]["id"] == 5


# --- a person's decision ---------------------------------------------------------------------


def both_changed(theirs=None, **mine):
    record = deal(type="A")
    Opportunity.objects.update(**{"stage": "Won", "type": "B", **mine})
    found = memory.opportunity(**(theirs or {"Stage": "Lost", "Type": "C"}))
    finished(PullTask, memory.context(Memory(found), PullSelection(Kind.OPPORTUNITY).to_json()))
    return record, Conflict.objects.get()


def test_either_side_can_be_right_field_by_field():
    record, conflict = both_changed()
    resolve_both_changed(conflict, {"Stage": "marketo", "Type": "here"}, factories.user())
    record = fresh(record)
    assert (record.stage, record.type, record.is_dirty) == ("Lost", "B", True)
    assert (record.accepted["Stage"], record.accepted["Type"]) == ("Lost", "C")
    (part,) = [
        build_payload(each, Operation.UPDATE, KeyFields()) for each in load_records(Kind.OPPORTUNITY, [record.pk])
    ]
    assert isinstance(part, Payload)
    assert part.diff == [("Type", "C", "B")]
    conflict = Conflict.objects.get()
    assert (conflict.answer, conflict.answer_text, conflict.username) == (
        ConflictAnswer.MERGED,
        "Taken from Marketo: Stage. Kept: Type.",
        "alice",
    )
    with pytest.raises(ValueError, match="already"):
        resolve_both_changed(conflict, {"Stage": "here", "Type": "here"}, None)


def test_what_is_all_taken_from_marketo_is_in_step():
    record, conflict = both_changed()
    resolve_both_changed(conflict, {"Stage": "marketo", "Type": "marketo"}, None)
    record = fresh(record)
    assert not record.is_dirty
    assert record.accepted == record_content(record, KeyFields())


def test_a_decision_about_what_has_changed_since_is_refused():
    record, conflict = both_changed()
    Opportunity.objects.update(next_step="call")
    with pytest.raises(ValueError, match="has changed since"):
        resolve_both_changed(conflict, {"Stage": "marketo", "Type": "here"}, None)
    assert fresh(record).stage == "Won"
    assert Conflict.objects.get().decided_at is None


def test_a_decision_about_a_record_that_is_being_sent_is_refused():
    _, conflict = both_changed()
    batch = SyncBatch.objects.create(job=conflict.job, sequence=99, kind="Opportunity", operation="UPDATE")
    Opportunity.objects.update(claimed_by=batch)
    with pytest.raises(ValueError, match="in a batch right now"):
        resolve_both_changed(conflict, {"Stage": "marketo", "Type": "here"}, None)


def test_every_field_has_to_be_decided():
    _, conflict = both_changed()
    with pytest.raises(ValueError, match="Type: choose"):
        resolve_both_changed(conflict, {"Stage": "marketo"}, None)


def test_a_value_that_cannot_be_kept_here_is_refused_by_name():
    record, conflict = both_changed({"Stage": "Lost", "Type": "A", "Probability": "180"}, probability=5)
    assert fresh(record).probability == 5
    with pytest.raises(ValueError, match="Probability: “180”"):
        resolve_both_changed(conflict, {"Stage": "marketo", "Probability": "marketo"}, None)
    assert fresh(record).stage == "Won"


def test_a_decision_about_a_record_that_is_gone_is_refused():
    record, conflict = both_changed()
    record.delete()
    with pytest.raises(ValueError, match="no longer here"):
        resolve_both_changed(conflict, {"Stage": "marketo", "Type": "here"}, None)


def test_a_cost_that_is_kept_here_and_gone_in_marketo_is_added_there_anew():
    record = known_program()
    cost = factories.cost(record, marketo_cost_id=5)
    in_step(record)
    type(cost).objects.update(amount=1)
    finished(PullTask, memory.context(Memory(memory.program()), PullSelection(Kind.PROGRAM).to_json()))
    conflict = Conflict.objects.get()
    assert disputed_fields(conflict) == [(cost.content_key, "2026-06 2000.00", "2026-06 1.00", "")]
    resolve_both_changed(conflict, {cost.content_key: "here"}, None)
    cost.refresh_from_db()
    assert cost.marketo_cost_id is None
    (part,) = [build_payload(each, Operation.UPDATE, KeyFields()) for each in load_records(Kind.PROGRAM, [record.pk])]
    assert isinstance(part, Payload)
    assert [(each.id, each.amount) for each in part.record.costs] == [(None, 1)]
    assert Program.objects.get().is_dirty
