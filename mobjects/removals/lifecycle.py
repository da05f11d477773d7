"""The states of a deletion of many records and which may follow which."""

from __future__ import annotations

from django.dispatch import Signal

from mobjects.jobs.state_machine import StateMachine
from mobjects.models import BulkDeletion, BulkDeletionState

DELETION_CHANGES: dict[str, tuple[str, ...]] = {
    BulkDeletionState.ASKED: (BulkDeletionState.DELETING, BulkDeletionState.HELD),
    BulkDeletionState.HELD: (BulkDeletionState.DELETING, BulkDeletionState.ASKED),
    BulkDeletionState.DELETING: (BulkDeletionState.DELETED,),
    BulkDeletionState.DELETED: (BulkDeletionState.UNDOING,),
    BulkDeletionState.UNDOING: (BulkDeletionState.UNDONE,),
}

deletion_came_to_rest = Signal()
"""Sent when a deletion or its undo has ended: ``work``, ``old``, ``new``."""

DELETION_STATES = StateMachine(
    BulkDeletion, DELETION_CHANGES, lambda deletion: not deletion.is_working, deletion_came_to_rest
)
