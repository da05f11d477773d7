"""The states of a decision of many conflicts and which may follow which."""

from __future__ import annotations

from django.dispatch import Signal

from mobjects.jobs.state_machine import StateMachine
from mobjects.models import ConflictDecision, ConflictDecisionState

DECISION_CHANGES: dict[str, tuple[str, ...]] = {
    ConflictDecisionState.ASKED: (ConflictDecisionState.DECIDING,),
    ConflictDecisionState.DECIDING: (ConflictDecisionState.DECIDED,),
    ConflictDecisionState.DECIDED: (ConflictDecisionState.UNDOING,),
    ConflictDecisionState.UNDOING: (ConflictDecisionState.UNDONE,),
}

decision_came_to_rest = Signal()
"""Sent when a decision or its undo has ended: ``work``, ``old``, ``new``."""

DECISION_STATES = StateMachine(
    ConflictDecision, DECISION_CHANGES, lambda decision: not decision.is_working, decision_came_to_rest
)
