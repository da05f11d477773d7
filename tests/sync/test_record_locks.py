"""Records are held while something is decided about them or written into them: who edits them meanwhile waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from mobjects.jobs import requests
from mobjects.marketo.types import Kind
from mobjects.models import (
    Conflict,
    ConflictAnswer,
    ConflictReason,
    EditSource,
    Opportunity,
    Program,
    ProgramCost,
    RecordEdit,
    RecordStatus,
    SyncJobAction,
)
from mobjects.sync.conflicts import ambiguous
from mobjects.sync.conflicts.alike import disputed_fields
from mobjects.sync.conflicts.both_changed import resolve_both_changed
from mobjects.sync.content.payload import KeyFields, record_content
from mobjects.sync.delete.task import DeleteTask
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.send.preflight import preflight_read
from tests import factories
from tests.factories import fresh
from tests.support import memory
from tests.support.concurrent import concurrently
from tests.support.memory import Memory
from tests.support.pulls import in_step, pull
from tests.views import pages

pytestmark = pytest.mark.django_db(transaction=True)

SAVING = 'UPDATE "mobjects_opportunity"'


def edit(**values):
    """A form that somebody saves."""
    return lambda: Opportunity.objects.update(**values)


@pytest.fixture
def disputed():
    """An opportunity whose stage changed on both sides."""
    record = in_step(factories.opportunity(marketo_id=71, stage="New"))
    Opportunity.objects.update(stage="Open")
    pull(Memory(memory.opportunity(71, Stage="Won")), Kind.OPPORTUNITY)
    return fresh(record), Conflict.objects.get()


@pytest.fixture
def lost():
    """An opportunity that was sent without an answer, and what a person has to decide about it."""
    record = factories.opportunity()
    Opportunity.objects.update(last_status=RecordStatus.UNKNOWN, unknown_since=timezone.now() - timedelta(hours=1))
    here = record_content(fresh(record), KeyFields())
    reason, found = ConflictReason.AMBIGUOUS, [{"id": 71, "values": here}]
    return record, Conflict.objects.create(
        kind="Opportunity", record_id=record.pk, reason=reason, base=here, here=here, candidates=found
    )


def test_of_two_who_decide_at_once_the_second_is_told_that_it_is_decided(disputed):
    record, conflict = disputed

    def decide_too():
        with pytest.raises(ValueError, match="decided already"):
            resolve_both_changed(Conflict.objects.get(pk=conflict.pk), {"Stage": "here"}, None)

    with concurrently(decide_too, before=SAVING):
        resolve_both_changed(conflict, {"Stage": "marketo"}, None)
    assert fresh(record).stage == "Won"


def test_an_edit_while_a_decision_is_carried_out_is_not_lost(disputed):
    record, conflict = disputed
    with concurrently(edit(next_step="Call"), before=SAVING):
        resolve_both_changed(conflict, {"Stage": "marketo"}, None)
    assert (fresh(record).stage, fresh(record).next_step, fresh(record).is_dirty) == ("Won", "Call", True)


def test_a_record_that_is_being_sent_cannot_be_decided_about(disputed):
    record, conflict = disputed
    Opportunity.objects.update(claimed_by=pages.batch(pages.job()))
    with pytest.raises(ValueError, match="in a batch right now"):
        resolve_both_changed(conflict, {"Stage": "marketo"}, None)
    assert fresh(record).stage == "Open"


@pytest.mark.parametrize("since", [{"stage": "Lost"}, {"accepted": {"Name": "Q1 2014", "Stage": "Won"}}])
def test_a_record_that_was_edited_or_sent_since_has_to_be_looked_at_anew(disputed, since):
    _, conflict = disputed
    Opportunity.objects.update(**since)
    with pytest.raises(ValueError, match="has changed since this was found"):
        resolve_both_changed(conflict, {"Stage": "marketo"}, None)
    assert Conflict.objects.get().decided_at is None


def test_a_decision_is_kept_with_old_and_new_values(disputed):
    record, conflict = disputed
    resolve_both_changed(conflict, {"Stage": "marketo"}, factories.user("ann"))
    entry = RecordEdit.objects.filter(kind="Opportunity", record_id=record.pk).latest("pk")
    assert (entry.source, entry.username, entry.changes) == (EditSource.DECISION, "ann", [["Stage", "Open", "Won"]])


def test_a_decision_counts_only_for_the_values_that_were_looked_at(disputed):
    record, conflict = disputed
    seen = disputed_fields(conflict)
    pull(Memory(memory.opportunity(71, Stage="Lost")), Kind.OPPORTUNITY)
    with pytest.raises(ValueError, match="Marketo was read again"):
        resolve_both_changed(conflict, {"Stage": "marketo"}, None, seen=seen)
    assert fresh(record).stage == "Open"


def test_a_choice_among_objects_counts_only_for_what_was_looked_at(lost):
    record, conflict = lost
    seen = conflict.candidates
    Conflict.objects.update(candidates=[{"id": 71, "values": {"Stage": "Lost"}}])
    with pytest.raises(ValueError, match="Marketo was read again"):
        ambiguous.resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, None, 71, seen=seen)
    assert fresh(record).marketo_id is None


def test_an_id_cannot_come_in_while_a_person_gives_one(lost):
    record, conflict = lost

    def give_another():
        return Opportunity.objects.filter(marketo_id=None).update(marketo_id=80)

    with concurrently(give_another, before=SAVING) as given:
        ambiguous.resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, None, 71)
    assert (fresh(record).marketo_id, given) == (71, [0])


def test_an_edit_while_a_pull_is_saved_is_not_lost():
    record = in_step(factories.opportunity(marketo_id=71))
    with concurrently(edit(next_step="Call"), before=SAVING):
        pull(Memory(memory.opportunity(71, Stage="Won")), Kind.OPPORTUNITY)
    assert (fresh(record).stage, fresh(record).next_step, fresh(record).is_dirty) == ("Won", "Call", True)


def test_an_edit_while_a_record_is_read_before_it_is_sent_comes_after_the_look(disputed):
    record, conflict = disputed
    conflict.delete()
    here = memory.context(Memory(memory.opportunity(71, Stage="Won")), PullSelection(Kind.OPPORTUNITY).to_json())

    def edit_and_look():
        edit(stage="Lost")()
        return Conflict.objects.count()

    with concurrently(edit_and_look, before=SAVING) as found:
        preflight_read(here, Kind.OPPORTUNITY, [record.pk])
    assert found == [1]


def test_of_two_that_delete_the_same_record_at_once_one_does(sandbox, marketo_settings):
    record = factories.opportunity()
    factories.sync(record)
    selection = {"kind": "Opportunity", "ids": [record.pk]}
    first, second = (
        DeleteTask(factories.context(requests.create_job(SyncJobAction.DELETE, "Opportunity", selection)))
        for _ in range(2)
    )
    with concurrently(second.step, before=SAVING):
        first.step()
    assert [call.operation for call in sandbox.calls].count("deleteMObjects") == 1


def test_a_program_is_held_while_its_costs_get_their_ids(sandbox, marketo_settings):
    cost = factories.cost(factories.program())

    def look_as_an_import_does():
        with transaction.atomic():
            Program.objects.select_for_update().get()
            return ProgramCost.objects.get(pk=cost.pk).marketo_cost_id is not None

    with concurrently(look_as_an_import_does, before='UPDATE "mobjects_programcost"') as known:
        factories.sync(kinds=(Kind.PROGRAM,))
    assert known == [True]
