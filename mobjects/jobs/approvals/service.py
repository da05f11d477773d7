"""What people do about work that waits for approval, and what the clock does.

An approval is locked before its job here, and a job before its approval where jobs change. One of two that meet is
tried again by the database's word.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.audit.events import record_event
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.approvals.gate import close, withdraw_if_changed
from mobjects.jobs.approvals.lifecycle import APPROVAL_STATES, HELD_WORK
from mobjects.models import Approval, ApprovalState, EventKind

REFUSED = _("Refused by %(name)s: %(reason)s")
REFUSED_SILENTLY = _("Refused by %(name)s.")
WITHDRAWN_BY = _("Withdrawn by %(name)s.")
TOO_OLD = _("Nobody approved it in time.")
APPROVE_WORK = "mobjects.approve_work"

logger = logging.getLogger(__name__)


class Decision(StrEnum):
    """What became of a press."""

    DONE = "done"
    OWN = "own"
    NOT_ALLOWED = "not allowed"
    TOO_LATE = "too late"
    CHANGED = "changed"
    EXPIRED = "expired"


def is_own(approval: Approval, user: User) -> bool:
    """Whether a person asked for it: by this account, by a token of it, or by another account of the same address."""
    if user.pk == approval.user_id or user.get_username().casefold() == approval.username.casefold():
        return True
    asked_by = approval.user.email.strip().casefold() if approval.user else ""
    return bool(asked_by) and asked_by == user.email.strip().casefold()


def may_decide(approval: Approval, user: User) -> bool:
    """Whether a person may approve or refuse it."""
    return user.has_perm(APPROVE_WORK) and not is_own(approval, user)


@retry_on_database_error
def approve(approval: Approval, user: User) -> Decision:
    """Let the work be done exactly as it is shown. Of two that press at once, one approves.

    Args:
        approval: its row is read anew.
        user: who presses.
    """
    with transaction.atomic():
        refused = _lock(approval, user)
        if refused is not None:
            return refused
        if withdraw_if_changed(approval):
            return Decision.CHANGED
        given: dict[str, Any] = {"decided_at": clock.now(), "decided_by": user.get_username()}
        if not APPROVAL_STATES.change(approval, ApprovalState.APPROVED, only_from=(ApprovalState.WAITING,), **given):
            return Decision.TOO_LATE
        record_event(EventKind.APPROVED, on=approval.held, user=user, detail={"rule": approval.rule_name})
        HELD_WORK[approval.work].release(approval)
    return Decision.DONE


@retry_on_database_error
def refuse(approval: Approval, user: User, reason: str) -> Decision:
    """Refuse it; its job is cancelled. Arguments as for :func:`approve`, with why."""
    with transaction.atomic():
        refused = _lock(approval, user)
        if refused is not None:
            return refused
        name = user.get_username()
        words = (REFUSED if reason else REFUSED_SILENTLY) % {"name": name, "reason": reason}
        done = close(approval, ApprovalState.REFUSED, EventKind.APPROVAL_REFUSED, words, by=name, reason=reason)
        return Decision.DONE if done else Decision.TOO_LATE


@retry_on_database_error
def withdraw_own(approval: Approval, user: User) -> Decision:
    """Withdraw what one has asked for oneself."""
    with transaction.atomic():
        approval.refresh_from_db(from_queryset=Approval.objects.select_for_update())
        if not is_own(approval, user):
            return Decision.NOT_ALLOWED
        if not approval.is_open:
            return Decision.TOO_LATE
        name = user.get_username()
        close(approval, ApprovalState.WITHDRAWN, EventKind.APPROVAL_WITHDRAWN, WITHDRAWN_BY % {"name": name}, by=name)
    return Decision.DONE


def _lock(approval: Approval, user: User) -> Decision | None:
    """Hold it until the transaction ends; why it cannot be decided by this person now, or ``None``."""
    approval.refresh_from_db(from_queryset=Approval.objects.select_for_update())
    if not user.is_active or not user.has_perm(APPROVE_WORK):
        return Decision.NOT_ALLOWED
    if is_own(approval, user):
        return Decision.OWN
    if approval.state != ApprovalState.WAITING:
        return Decision.TOO_LATE
    return Decision.EXPIRED if _expire(approval) else None


def _expire(approval: Approval) -> bool:
    if approval.expires_at > clock.now():
        return False
    return close(approval, ApprovalState.EXPIRED, EventKind.APPROVAL_EXPIRED, TOO_OLD)


def sweep_approvals() -> None:
    """Cancel what nobody approved in time. Safe at any time, from anywhere."""
    over = Approval.objects.filter(state__in=Approval.OPEN_STATES, expires_at__lte=clock.now())
    for approval in over.order_by("pk"):
        if _expire_open(approval):
            logger.info("Approval %s has expired", approval.pk)


@retry_on_database_error
def _expire_open(approval: Approval) -> bool:
    with transaction.atomic():
        approval.refresh_from_db(from_queryset=Approval.objects.select_for_update())
        return approval.is_open and _expire(approval)
