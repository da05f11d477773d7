"""How much of Marketo's limits is used: figures, and what they mean for a job. See
:mod:`mobjects.sync.rate_limits.limiter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from mobjects.formatting import format_moment
from mobjects.kept_text import translate_kept


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
        quota: calls a day that Marketo allows to all its callers, by the settings.
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

    @property
    def used_up_text(self) -> str:
        """Why no further call may be made today, once none may, as a sentence."""
        return describe_used_up(share=self.share, quota=self.quota, elsewhere=self.elsewhere)

    def quota_warning(self, calls: int) -> str:
        """What happens to a job that needs more calls than are left, as sentences in the reader's language; "" if they
        are enough.

        Args:
            calls: how many the job needs at least.
        """
        if calls <= self.calls_left:
            return ""
        if _by_others(self.share, self.quota, self.elsewhere):
            why = translate_kept(self.used_up_text)
        else:
            why = gettext("Our share of today's calls to Marketo is not enough for this.")
        needed = ngettext("It needs %(calls)s call or more.", "It needs %(calls)s calls or more.", calls)
        left = gettext("None of %(share)s is left.")
        if self.calls_left:
            left = ngettext(
                "Only %(left)s of %(share)s is left.", "Only %(left)s of %(share)s are left.", self.calls_left
            )
        rest = gettext("The rest waits until %(reset_text)s and then goes out by itself.")
        said = {"calls": f"{calls:,}", "left": f"{self.calls_left:,}"}
        said |= {"share": f"{self.share:,}", "reset_text": self.reset_text}
        return " ".join((why, needed % said, left % said, rest % said))


def describe_used_up(*, share: int, quota: int, elsewhere: int) -> str:
    """Why no further call may be made today, as a sentence: what is known, and what only the settings say.

    Args:
        share: calls a day that are ours.
        quota: calls a day that Marketo allows to all its callers, by the settings.
        elsewhere: calls that other integrations made today, as far as Marketo has said.
    """
    if _by_others(share, quota, elsewhere):
        words = _(
            "Other integrations made %(elsewhere)s of the %(quota)s calls that MARKETO_DAILY_QUOTA says "
            "Marketo allows a day."
        )
    else:
        words = _(
            "Our share of today's calls is used up: %(share)s of the %(quota)s calls that "
            "MARKETO_DAILY_QUOTA says Marketo allows a day."
        )
    return words % {"share": f"{share:,}", "quota": f"{quota:,}", "elsewhere": f"{elsewhere:,}"}


def _by_others(share: int, quota: int, elsewhere: int) -> bool:
    """Whether other integrations leave less than our share."""
    return elsewhere > quota - share
