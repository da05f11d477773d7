"""Whether a kind may go by itself. The first purge waits: for somebody who has seen what would go, or for a notice.

A period that was made shorter is a first one again: much more would go than anybody has agreed to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mobjects import clock
from mobjects.models import Purge, PurgeKind, PurgeLeave
from mobjects.retention.periods import days_of, days_of_notice


@dataclass(frozen=True, slots=True)
class WaitingKind:
    """A kind whose first purge waits.

    Args:
        kind: which.
        until: when it begins by itself if nobody gives leave before.
    """

    kind: PurgeKind
    until: datetime


def has_leave(kind: PurgeKind, now: datetime) -> bool:
    """Whether a kind of which something is due may go by itself; where nobody was asked yet, the notice begins."""
    days = days_of(kind)
    if kind == PurgeKind.SESSIONS:
        return True  # What is over cannot be used by anybody.
    if days is None:
        return False
    if Purge.objects.filter(kind=kind, days__lte=days).exists():
        return True
    leave, _made = PurgeLeave.objects.get_or_create(kind=kind, defaults={"days": days, "noticed_at": now})
    if leave.days > days:
        leave.days, leave.noticed_at, leave.given_at, leave.username = days, now, None, ""
        leave.save()
    return leave.given_at is not None or leave.noticed_at + _notice() <= now


def give_leave(kinds: Iterable[PurgeKind], username: str) -> int:
    """Let kinds go by themselves from now on. How many waited for it."""
    waiting = PurgeLeave.objects.filter(kind__in=list(kinds), given_at=None)
    return waiting.update(given_at=clock.now(), username=username)


def list_waiting_kinds() -> list[WaitingKind]:
    """The kinds whose first purge waits, in the order of pages."""
    found = dict(PurgeLeave.objects.filter(given_at=None).values_list("kind", "noticed_at"))
    return [WaitingKind(kind, found[kind] + _notice()) for kind in PurgeKind if kind in found and days_of(kind)]


def _notice() -> timedelta:
    return timedelta(days=days_of_notice())
