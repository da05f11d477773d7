"""The states of an approval, and what tells others of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.dispatch import Signal

from mobjects.jobs.state_machine import StateMachine
from mobjects.models import Approval, ApprovalState

_ENDS = (ApprovalState.REFUSED, ApprovalState.WITHDRAWN, ApprovalState.EXPIRED)
APPROVAL_CHANGES: dict[str, tuple[str, ...]] = {
    ApprovalState.PREPARING: (ApprovalState.WAITING, *_ENDS),
    ApprovalState.WAITING: (ApprovalState.APPROVED, *_ENDS),
    # Its records changed before it was begun.
    ApprovalState.APPROVED: (ApprovalState.WITHDRAWN,),
}

approval_asked = Signal()
"""Sent when something waits for approval and its preview is there: ``approval``."""

approval_decided = Signal()
"""Sent when an approval was given, refused or withdrawn, or has expired: ``work`` (the approval), ``old``, ``new``."""

APPROVAL_STATES = StateMachine(Approval, APPROVAL_CHANGES, lambda approval: not approval.is_open, approval_decided)


@dataclass(frozen=True, slots=True)
class HeldWork:
    """What is done to a sort of work once its approval is decided, in the transaction of that.

    Args:
        release: lets it be done.
        cancel: ends it, or gives it back to who asked; with words that say why, in English.
    """

    release: Callable[[Approval], None]
    cancel: Callable[[Approval, str], None]


HELD_WORK: dict[str, HeldWork] = {}
"""By :class:`~mobjects.models.ApprovedWork`; each sort of work is added where it is defined."""
