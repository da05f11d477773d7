"""Undoing a sending: old values go back, what changed since stays, what cannot go back is said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from mobjects.jobs.requests import request_undo
from mobjects.jobs.runner import run_job
from mobjects.models import CustomField, Opportunity, ProgramCost, RecordEdit, SyncJob
from mobjects.sync.send.undo.verdicts import undo_groups
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def undo(job: SyncJob) -> SyncJob:
    undoing = request_undo(
        job, read_first=False, user=User.objects.filter(username="olga").first() or factories.user("olga")
    )
    run_job(undoing)
    undoing.refresh_from_db()
    return undoing


def outcomes(job: SyncJob) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for row in job.results.order_by("pk"):
        found.setdefault(row.record_id, []).append((row.status, row.error))
    return found


def test_old_values_are_sent_back_and_what_moved_on_is_left_alone(sandbox):
    back, moved, lost = (factories.opportunity(name=f"O{number}", stage="Open") for number in range(3))
    factories.sync(back, moved, lost)
    Opportunity.objects.update(stage="Won", amount=Decimal(5))
    created = factories.opportunity(name="Created")
    job = factories.sync(back, moved, lost, created)
    Opportunity.objects.filter(pk=moved.pk).update(stage="Lost")
    lost_pk = lost.pk
    lost.delete()
    assert {group.reason: group.count for group in undo_groups(job)} == {
        "": 1,
        "it was changed here since": 1,
        "it was deleted here": 1,
        "this sending created it in Marketo; to take that back, delete it there": 1,
    }

    undoing = undo(job)

    assert outcomes(undoing) == {
        back.pk: [("RESTORED", ""), ("UPDATED", "")],
        moved.pk: [("HELD", "It was changed here since.")],
        lost_pk: [("HELD", "It was deleted here.")],
        created.pk: [("HELD", "This sending created it in Marketo; to take that back, delete it there.")],
    }
    back = factories.fresh(back)
    assert (back.stage, back.amount, back.is_dirty) == ("Open", None, False)
    held = sandbox.store.opportunities[back.marketo_id].values
    assert held["Stage"] == "Open"
    assert not held.get("Amount")
    assert factories.fresh(moved).stage == "Lost"
    edit = RecordEdit.objects.get(record_id=back.pk, source="undo")
    assert (edit.username, edit.changes) == ("olga", [["Stage", "Won", "Open"], ["Amount", "5.00", ""]])
    assert undoing.origin == job


def test_an_undo_can_be_undone():
    record = factories.opportunity(stage="Open")
    factories.sync(record)
    Opportunity.objects.update(stage="Won")
    undo(undo(factories.sync(record)))
    assert factories.fresh(record).stage == "Won"


def test_what_marketo_held_before_an_id_was_entered_is_not_known():
    record = factories.opportunity()
    factories.sync(record)
    marketo_id = factories.fresh(record).marketo_id
    record.delete()
    entered = factories.opportunity(marketo_id=marketo_id, stage="Won")
    job = factories.sync(entered)
    assert [(group.count, group.reason.partition(":")[0]) for group in undo_groups(job)] == [
        (1, "what Marketo held before is not known")
    ]


def test_costs_and_tags_that_the_api_cannot_take_away_stay_and_are_named():
    program = factories.program(channel="Webinar")
    cost = factories.cost(program, amount=Decimal(10))
    factories.sync(program)
    ProgramCost.objects.filter(pk=cost.pk).update(amount=Decimal(20))
    factories.cost(program, amount=Decimal(30))
    factories.tag(program)
    undoing = undo(factories.sync(program))
    ((restored, said), sent) = outcomes(undoing)[program.pk]
    assert (restored, sent) == ("RESTORED", ("UPDATED", ""))
    assert said == "Not taken back: Tag Region, the cost 2026-06 30.00."
    assert [each.amount for each in program.costs.order_by("pk")] == [10, 30]


def test_a_value_whose_field_is_not_defined_any_more_is_left_alone_and_the_rest_is_taken_back():
    field = CustomField.objects.create(name="ContractMonths", data_type="integer")
    lost = factories.opportunity(custom_attributes={"ContractMonths": "12"}, stage="Open")
    back = factories.opportunity(stage="Open")
    factories.sync(lost, back)
    Opportunity.objects.update(custom_attributes={}, stage="Won")
    job = factories.sync(lost, back)
    field.delete()
    assert outcomes(undo(job)) == {
        lost.pk: [("HELD", "ContractMonths: there is no such custom field any more.")],
        back.pk: [("RESTORED", ""), ("UPDATED", "")],
    }
