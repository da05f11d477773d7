"""The states of an approval, and what tells others of them."""

from __future__ import annotations

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
