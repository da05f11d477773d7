"""The states of a bulk edit and which may follow which."""

from __future__ import annotations

from django.dispatch import Signal

from mobjects.jobs.state_machine import StateMachine
from mobjects.models import BulkEdit, BulkEditState

EDIT_CHANGES: dict[str, tuple[str, ...]] = {
    BulkEditState.CHOOSING: (BulkEditState.PLANNING,),
    BulkEditState.PLANNING: (BulkEditState.REVIEW, BulkEditState.CHOOSING),
    BulkEditState.REVIEW: (BulkEditState.APPLYING, BulkEditState.HELD, BulkEditState.PLANNING),
    BulkEditState.HELD: (BulkEditState.APPLYING, BulkEditState.REVIEW, BulkEditState.UNDOING, BulkEditState.APPLIED),
    BulkEditState.APPLYING: (BulkEditState.APPLIED,),
    BulkEditState.APPLIED: (BulkEditState.UNDOING, BulkEditState.HELD),
    BulkEditState.UNDOING: (BulkEditState.UNDONE,),
}

bulk_edit_came_to_rest = Signal()
"""Sent when a bulk edit waits for a person, or it or its undo has ended: ``work``, ``old``, ``new``."""

EDIT_STATES = StateMachine(BulkEdit, EDIT_CHANGES, lambda asked: not asked.is_working, bulk_edit_came_to_rest)
