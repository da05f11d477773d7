"""How much of Marketo's limits is used: figures, and what they mean for a job. See
:mod:`mobjects.sync.rate_limits.limiter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext_noop as _

from mobjects.formatting import format_count, format_moment


@dataclass(frozen=True, slots=True)
class UnknownUsage:
    """That nobody knows how much is used; false where a :class:`LimitUsage` is true.

    Args:
        problem: what is wrong with Redis, as the end of a sentence that begins with "Redis".
    """

    problem: str

    def __bool__(self) -> Literal[False]:
        return False


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """What the shared limits say at one moment.

    Args:
        used_today: calls since Marketo last began to count anew.
        share: calls a day that are ours.
        quota: calls a day that Marketo allows to all its callers.
        resets_at: when counting begins anew; aware.
        in_window: calls within the moving window.
        window_limit: how many there may be.
        elsewhere: calls that other integrations made today, as far as Marketo has said.
        slots: calls that may run at once now…
        slots_set: …and by the settings. Fewer for some minutes after Marketo said that too many ran at once.
    """

    used_today: int
    share: int
    quota: int
    resets_at: datetime
    in_window: int
    window_limit: int
    slots: int
    slots_set: int
    elsewhere: int = 0

    @property
    def calls_left(self) -> int:
        """Calls that may still be made today."""
        return max(0, min(self.share, self.quota - self.elsewhere) - self.used_today)

    @property
    def reset_text(self) -> str:
        """When counting begins anew, as text."""
        return format_moment(self.resets_at)

    def quota_warning(self, calls: int) -> str:
        """What happens to a job that needs more calls than are left, as sentences; "" if they are enough.

        Args:
            calls: how many the job needs at least.
        """
        if calls <= self.calls_left:
            return ""
        one = self.calls_left == 1
        some = (_("only %(count)s is") if one else _("only %(count)s are")) % {"count": f"{self.calls_left:,}"}
        left = some if self.calls_left else _("none is")
        return _(
            "Today's share of Marketo's quota is not enough for this: it needs %(calls)s or more, and "
            "%(left)s left of %(share)s. The rest waits until %(reset_text)s and then goes out by itself."
        ) % {
            "calls": format_count(calls, "call"),
            "left": left,
            "share": f"{self.share:,}",
            "reset_text": self.reset_text,
        }
