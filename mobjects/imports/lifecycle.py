"""The states of an import and which may follow which. docs/data-flow.md prints the table."""

from __future__ import annotations

from django.dispatch import Signal

from mobjects.jobs.state_machine import StateMachine
from mobjects.models import Import

State = Import.State

IMPORT_CHANGES: dict[str, tuple[str, ...]] = {
    State.MAPPING: (State.MAPPING, State.CHECKING, State.REFUSED, State.DISCARDED),
    State.CHECKING: (State.REVIEW, State.MAPPING, State.REFUSED, State.DISCARDED),
    State.REVIEW: (
        *(State.REVIEW, State.MAPPING, State.CHECKING, State.COMMITTING),
        *(State.UNDOING, State.DISCARDED),  # undoing what a commit wrote before it was broken off
    ),
    State.COMMITTING: (State.COMMITTED, State.REVIEW),
    State.COMMITTED: (State.UNDOING,),
    State.UNDOING: (State.UNDONE, State.COMMITTED, State.REVIEW),
    State.REFUSED: (State.MAPPING, State.DISCARDED),
}

import_came_to_rest = Signal()
"""Sent when an import has ended or waits for a person: ``work``, ``old``, ``new``."""


def is_at_rest(imported: Import) -> bool:
    """Whether an import has ended, or only a person lets it go on."""
    return not imported.is_working


IMPORT_STATES = StateMachine(Import, IMPORT_CHANGES, is_at_rest, import_came_to_rest)
