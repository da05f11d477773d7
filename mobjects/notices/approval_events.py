"""Notices of what waits for approval, made in the transaction in which approvals change their state."""

from __future__ import annotations

from typing import Any

from mobjects.models import Approval, NoticeEvent, OpenCondition
from mobjects.notices.conditions import close_condition, open_condition

EVENT = NoticeEvent.APPROVAL_WAITS


def notice_asking(sender: Any, *, approval: Approval, **_kwargs: Any) -> None:
    """Make a notice of what can be approved from now on; for ``approval_asked``."""
    facts = {
        "approval": approval.pk,
        "work": approval.work,
        "planned": approval.count,
        "undoes": approval.is_undo,
        "rule": approval.rule_name,
        "asker": approval.username,
        "until": approval.expires_at.isoformat(),
    }
    if (job := approval.job) is not None:
        facts |= {"action": job.action, "kind": job.kind, "created_at": job.created_at.isoformat()}
    open_condition(EVENT, _about(approval), facts)


def notice_decision(sender: Any, *, work: Approval, new: str, **_kwargs: Any) -> None:
    """Make a notice of what does not wait any more; for ``approval_decided``."""
    for condition in OpenCondition.objects.filter(event=EVENT, about=_about(work)):
        condition.facts |= {"state": new, "by": work.decided_by, "reason": work.reason}
        close_condition(condition)


def _about(approval: Approval) -> str:
    return f"approval:{approval.pk}"
