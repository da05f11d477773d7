"""Carrying out one decision about many conflicts, and taking it back."""

from __future__ import annotations

import pytest

from mobjects.decisions import service
from mobjects.models import Conflict, EditSource, Opportunity, RecordEdit
from mobjects.sync.conflicts import alike
from tests import factories
from tests.decisions.support import disputes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue", "groups")]


@pytest.fixture
def person():
    return factories.user("olga", group="operator")


def ask(person, **choices):
    return service.ask_decision("Opportunity", alike.open_conflicts().order_by("pk"), choices, person)


def stages():
    return dict(Opportunity.objects.values_list("name", "stage"))


def dirty():
    return Opportunity.objects.dirty().count()


def test_nothing_is_decided_before_it_is_confirmed(person):
    disputes(2)
    ask(person, Stage="marketo")
    assert alike.open_conflicts().count() == 2
    assert set(stages().values()) == {"Open"}


def test_marketos_side_is_taken_into_all_of_them_and_they_are_in_step(person):
    disputes(3)
    decision = ask(person, Stage="marketo")
    assert service.confirm_decision(decision)
    assert stages() == {"Deal 1": "Won", "Deal 2": "Won", "Deal 3": "Won"}
    assert (dirty(), decision.left, decision.state) == (0, [], "decided")
    assert [each.username for each in decision.conflicts.all()] == ["olga"] * 3
    assert RecordEdit.objects.filter(source=EditSource.DECISION, username="olga").count() == 3


def test_ours_are_kept_and_stay_to_be_sent(person):
    disputes(2)
    service.confirm_decision(ask(person, Stage="here"))
    assert set(stages().values()) == {"Open"}
    assert dirty() == 2
    assert alike.open_conflicts().count() == 0


def test_what_changed_since_it_was_shown_is_left_alone_and_named(person):
    first, second, third, fourth = disputes(4)
    decision = ask(person, Stage="marketo")
    Opportunity.objects.filter(pk=first.record_id).update(stage="Call again")
    Conflict.objects.filter(pk=second.pk).update(candidates=[{"id": 2, "values": {"Name": "Deal 2", "Stage": "Lost"}}])
    Opportunity.objects.filter(pk=third.record_id).delete()
    service.confirm_decision(decision)
    assert stages() == {"Deal 1": "Call again", "Deal 2": "Open", "Deal 4": "Won"}
    assert [(pk, label) for pk, label, _why in decision.left] == [
        (first.pk, "Deal 1"),
        (second.pk, "Deal 2"),
        (third.pk, "Deal 3"),
    ]
    assert "changed since this was found" in decision.left[0][2]
    assert "read again" in decision.left[1][2]
    assert list(decision.conflicts.values_list("pk", flat=True)) == [fourth.pk]


@pytest.mark.parametrize("side", ["marketo", "here"])
def test_an_undo_gives_back_the_values_and_opens_the_conflicts(person, side):
    before = {conflict.pk: conflict.here for conflict in disputes(2)}
    decision = ask(person, Stage=side)
    service.confirm_decision(decision)
    assert service.undo_decision(decision, person)
    assert (set(stages().values()), dirty(), decision.state) == ({"Open"}, 2, "undone")
    opened = {conflict.pk: conflict.here for conflict in alike.open_conflicts()}
    assert opened == before
    accepted = Opportunity.objects.values_list("accepted", flat=True)
    assert [each["Stage"] for each in accepted] == ["New", "New"]
    # And can be decided about anew.
    again = ask(person, Stage="marketo")
    service.confirm_decision(again)
    assert (set(stages().values()), again.left) == ({"Won"}, [])


def test_an_undo_leaves_what_was_changed_or_sent_since(person):
    first, second, third = disputes(3)
    decision = ask(person, Stage="marketo")
    service.confirm_decision(decision)
    Opportunity.objects.filter(pk=first.record_id).update(stage="Lost")
    Opportunity.objects.filter(pk=second.record_id).update(accepted={"Name": "Deal 2", "Stage": "Lost"})
    service.undo_decision(decision, person)
    assert stages() == {"Deal 1": "Lost", "Deal 2": "Won", "Deal 3": "Open"}
    assert [label for _pk, label, _why in decision.kept] == ["Deal 1", "Deal 2"]
    assert [conflict.pk for conflict in alike.open_conflicts()] == [third.pk]


def test_two_who_press_at_once_decide_once(person):
    disputes(1)
    decision = ask(person, Stage="marketo")
    assert service.confirm_decision(decision)
    assert not service.confirm_decision(decision)


def test_many_are_left_to_a_worker(person, queue, django_capture_on_commit_callbacks, monkeypatch):
    disputes(3)
    decision = ask(person, Stage="marketo")
    decision.asked = decision.asked * 40
    decision.save()
    with django_capture_on_commit_callbacks(execute=True):
        service.confirm_decision(decision)
    assert [job.func_name for job in queue.jobs] == [service.RUNNER]
    assert alike.open_conflicts().count() == 3
    service.run_decision(decision.pk)
    decision.refresh_from_db()
    assert (decision.state, decision.position, set(stages().values())) == ("decided", 120, {"Won"})


def test_a_field_that_is_not_defined_any_more_is_left_alone_and_the_decision_ends(person):
    (conflict,) = disputes(1)
    # Cleared here, changed in Marketo; then its custom field was deleted.
    base = {**conflict.base, "Words": "old"}
    candidate = conflict.candidates[0]
    remote = {**candidate, "values": {**candidate["values"], "Words": "new"}}
    Conflict.objects.update(base=base, candidates=[remote])
    Opportunity.objects.update(accepted=base)
    decision = ask(person, Stage="marketo", Words="marketo")
    assert service.confirm_decision(decision)
    assert decision.state == "decided"
    assert decision.left == [[conflict.pk, "Deal 1", "Words: there is no such custom field any more."]]
    assert stages() == {"Deal 1": "Open"}
