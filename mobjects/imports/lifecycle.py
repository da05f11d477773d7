"""The states of an import and which may follow which. docs/data-flow.md prints the table."""

from __future__ import annotations

from django.dispatch import Signal

from mobjects.jobs.state_machine import StateMachine
from mobjects.models import Import, ImportState


class InvalidState(Exception):
    """The import is not in a state for this; the text is a sentence for the person who asked."""


IMPORT_CHANGES: dict[str, tuple[str, ...]] = {
    ImportState.MAPPING: (ImportState.MAPPING, ImportState.CHECKING, ImportState.REFUSED, ImportState.DISCARDED),
    ImportState.CHECKING: (ImportState.REVIEW, ImportState.MAPPING, ImportState.REFUSED, ImportState.DISCARDED),
    ImportState.REVIEW: (
        *(ImportState.REVIEW, ImportState.MAPPING, ImportState.CHECKING, ImportState.COMMITTING),
        ImportState.HELD,
        *(ImportState.UNDOING, ImportState.DISCARDED),  # undoing what a commit wrote before it was broken off
    ),
    ImportState.HELD: (ImportState.COMMITTING, ImportState.REVIEW, ImportState.UNDOING, ImportState.COMMITTED),
    ImportState.COMMITTING: (ImportState.COMMITTED, ImportState.REVIEW, ImportState.MAPPING),
    ImportState.COMMITTED: (ImportState.UNDOING, ImportState.HELD),
    ImportState.UNDOING: (ImportState.UNDONE, ImportState.COMMITTED, ImportState.REVIEW),
    ImportState.REFUSED: (ImportState.MAPPING, ImportState.DISCARDED),
}

import_came_to_rest = Signal()
"""Sent when an import has ended or waits for a person: ``work``, ``old``, ``new``."""


IMPORT_STATES = StateMachine(Import, IMPORT_CHANGES, lambda imported: not imported.is_working, import_came_to_rest)
