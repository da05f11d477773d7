"""What a person decided about a record that was sent without an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from mobjects.marketo.types import Kind
from mobjects.models import (
    Conflict,
    ConflictAnswer,
    ConflictReason,
    Opportunity,
    RecordState,
    RecordStatus,
    SyncBatchState,
    SyncJob,
    records_of_kind,
)
from mobjects.sync.conflicts.ambiguous import close_orphaned_conflicts, resolve_ambiguous
from mobjects.sync.content.payload import KeyFields, record_content
from tests import factories
from tests.factories import fresh
from tests.views import pages

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, 14, 30, tzinfo=UTC)


def lost(**values):
    """An opportunity that was sent without an answer, and what a person has to decide about it."""
    record = factories.opportunity(name="Q1 2014", **values)
    unknown = {"last_status": RecordStatus.UNKNOWN, "unknown_since": timezone.now() - timedelta(hours=1)}
    records_of_kind(Kind.OPPORTUNITY).filter(pk=record.pk).update(last_error="Timed out.", **unknown)
    record = fresh(record)
    here = record_content(record, KeyFields())
    conflict = Conflict.objects.create(
        kind=Kind.OPPORTUNITY,
        record_id=record.pk,
        label=str(record),
        reason=ConflictReason.AMBIGUOUS,
        base=here,
        here=here,
        candidates=[{"id": 71, "values": dict(here)}, {"id": 72, "values": {**here, "Stage": "Won"}}],
    )
    return record, conflict


def refused(conflict, answer, candidate_id=None):
    before = Conflict.objects.filter(pk=conflict.pk).values().get()
    with pytest.raises(ValueError, match=r".\.$") as caught:
        resolve_ambiguous(conflict, answer, None, candidate_id)
    assert Conflict.objects.filter(pk=conflict.pk).values().get() == before
    return str(caught.value)


def test_it_is_this_one_takes_the_id_and_leaves_nothing_to_send():
    record, conflict = lost()
    with time_machine.travel(NOW, tick=False):
        resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, factories.user(), 71)
    record = fresh(record)
    assert (record.marketo_id, record.current_state, record.last_status, record.unknown_since, record.last_error) == (
        71,
        RecordState.SYNCED,
        "CREATED",
        None,
        "",
    )
    assert record.accepted == {"Name": "Q1 2014"}
    conflict.refresh_from_db()
    assert (conflict.answer, conflict.decided_at, conflict.username) == ("is_this", NOW, "alice")
    assert conflict.answer_text == "2026-03-31 14:30 UTC, alice: It is Marketo ID 71. Nothing differs."


def test_where_it_differs_the_record_stays_to_be_sent():
    record, conflict = lost()
    resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, None, 72)
    record = fresh(record)
    assert (record.marketo_id, record.is_dirty) == (72, True)
    assert record.accepted == {"Name": "Q1 2014", "Stage": "Won"}
    conflict.refresh_from_db()
    assert "What differs here stays changed and is sent next." in conflict.answer_text


def test_what_was_edited_meanwhile_stays_to_be_sent():
    record, conflict = lost()
    Opportunity.objects.filter(pk=record.pk).update(stage="Open")
    resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, None, 71)
    record = fresh(record)
    assert (record.stage, record.is_dirty, "Stage" in record.accepted) == ("Open", True, False)


def test_an_object_that_belongs_to_another_record_is_refused():
    _, conflict = lost()
    factories.opportunity(name="Other", marketo_id=71)
    assert "Marketo ID 71: it belongs to “Other” by now" in refused(conflict, ConflictAnswer.IS_THIS, 71)


def test_an_id_that_was_not_found_is_refused():
    _, conflict = lost()
    assert (
        refused(conflict, ConflictAnswer.IS_THIS, 99)
        == "Marketo ID 99: it is not among those that were found (71, 72)."
    )


def test_a_record_that_has_another_id_by_now_is_refused():
    record, conflict = lost()
    records_of_kind(Kind.OPPORTUNITY).filter(pk=record.pk).update(marketo_id=80)
    assert "has Marketo ID 80 by now" in refused(conflict, ConflictAnswer.IS_THIS, 71)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_send_it_again_lets_the_next_sync_send_it_as_new(sandbox):
    record, conflict = lost()
    assert factories.sync().counts == {"HELD": 1}
    resolve_ambiguous(conflict, ConflictAnswer.SEND, None)
    assert factories.sync().counts == {"CREATED": 1}
    assert fresh(record).current_state == RecordState.SYNCED
    assert len(sandbox.store.opportunities) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_left_it_stays_out_of_every_sync_and_can_be_decided_later(sandbox):
    record, conflict = lost()
    resolve_ambiguous(conflict, ConflictAnswer.LEAVE, factories.user())
    job = factories.sync(include_unknown=True)
    assert job.counts == {"HELD": 1}
    assert sandbox.store.opportunities == {}
    conflict.refresh_from_db()
    assert (conflict.answer, conflict.decided_at) == ("leave", None)
    resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, factories.user("bob"), 71)
    conflict.refresh_from_db()
    first, second = conflict.answer_text.splitlines()
    assert ("alice: Left" in first, "bob: It is Marketo ID 71" in second) == (True, True)
    assert fresh(record).marketo_id == 71


def test_who_decides_second_is_told_who_was_first():
    record, conflict = lost()
    stale = Conflict.objects.get()
    with time_machine.travel(NOW, tick=False):
        resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, factories.user(), 71)
    said = refused(stale, ConflictAnswer.IS_THIS, 72)
    assert said.startswith("alice was first, on 2026-03-31 14:30 UTC.")
    assert "It is Marketo ID 71." in said
    assert fresh(record).marketo_id == 71


def test_a_record_in_a_batch_cannot_be_decided_about():
    record, conflict = lost()
    batch = pages.batch(pages.job(), state=SyncBatchState.SENDING)
    records_of_kind(Kind.OPPORTUNITY).filter(pk=record.pk).update(claimed_by=batch)
    assert "is in a batch right now" in refused(conflict, ConflictAnswer.SEND)


def test_a_deleted_record_cannot_be_decided_about_but_closed():
    record, conflict = lost()
    lost()
    Opportunity.objects.filter(pk=record.pk).update(last_status="")  # By a statement of its own, past our guard.
    factories.fresh(record).delete()
    assert "is no longer here" in refused(conflict, ConflictAnswer.SEND)
    assert close_orphaned_conflicts(factories.user()) == 1
    conflict.refresh_from_db()
    assert (conflict.answer_text, conflict.username) == ("The record was deleted here.", "alice")
    assert Conflict.objects.filter(decided_at=None).count() == 1


def test_a_record_changed_on_both_sides_is_not_settled_like_this():
    _, conflict = lost()
    Conflict.objects.update(reason=ConflictReason.BOTH_CHANGED)
    assert "choose between its values" in refused(conflict, ConflictAnswer.SEND)


def test_another_answer_is_refused():
    _, conflict = lost()
    assert "is no answer here" in refused(conflict, ConflictAnswer.MERGED)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_sending_of_which_two_objects_may_be_the_result_is_decided_and_not_asked_again(sandbox):
    twin = factories.opportunity(name="Twin")
    factories.sync(twin)
    known = fresh(twin).marketo_id
    twin.delete()
    record = factories.opportunity(name="Twin")
    sandbox.faults.add("cut_after", operation="syncMObjects")
    factories.later(factories.sync(record))
    conflict = Conflict.objects.get()
    assert known in [each["id"] for each in conflict.candidates]
    assert len(conflict.candidates) == 2
    (mine,) = (each["id"] for each in conflict.candidates if each["id"] != known)
    resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, None, mine)
    assert SyncJob.objects.count() == 2
    assert factories.sync(record).counts in ({}, {"EQUAL": 1})
    assert not Conflict.objects.filter(decided_at=None).exists()
    assert len(sandbox.store.opportunities) == 2
