"""Two at once at a decision about many conflicts, and what others do meanwhile."""

from __future__ import annotations

import pytest

from mobjects.decisions import service
from mobjects.decisions.lifecycle import DECISION_STATES
from mobjects.models import ConflictDecision, ConflictDecisionState, EditSource, Opportunity, RecordEdit
from mobjects.sync.conflicts import alike
from tests import factories
from tests.decisions.support import disputes
from tests.support.concurrent import concurrently, postgresql

pytestmark = [pytest.mark.django_db(transaction=True), postgresql]
SAVING = 'UPDATE "mobjects_opportunity"'


def confirmed() -> ConflictDecision:
    """A decision for Marketo's side of all open conflicts that nobody is at yet."""
    found = alike.open_conflicts().order_by("pk")
    decision = service.ask_decision("Opportunity", found, {"Stage": "marketo"}, factories.user())
    DECISION_STATES.change(decision, ConflictDecisionState.DECIDING)
    return decision


def test_two_workers_decide_about_each_record_once():
    disputes(3)
    decision = confirmed()
    with concurrently(lambda: service.run_decision(decision.pk), before=SAVING):
        service.run_decision(decision.pk)
    decision.refresh_from_db()
    assert (decision.state, decision.position, decision.left) == ("decided", 3, [])
    assert RecordEdit.objects.filter(source=EditSource.DECISION).count() == 3


def test_an_edit_in_the_last_moment_is_not_lost():
    disputes(1)
    decision = confirmed()
    with concurrently(lambda: Opportunity.objects.update(next_step="Call"), before=SAVING) as edited:
        service.run_decision(decision.pk)
    found = Opportunity.objects.get()
    # It waits for the decision, and changes what that has left.
    assert (edited, found.stage, found.next_step, Opportunity.objects.dirty().count()) == ([1], "Won", "Call", 1)
