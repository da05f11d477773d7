"""What to do when a call to Marketo fails: one table, whichever API and whichever kind of job.

The table is printed in docs/retries.md; a test compares the two.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from mobjects.marketo import errors
from mobjects.marketo.http_common import describe_wrong_clock
from mobjects.marking import gettext_noop as _

FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 300.0
WINDOW_SECONDS = 21.0
"""Marketo's window of 20 seconds, and one for what is still under way."""
RESET_ZONE = ZoneInfo("America/Chicago")
"""Marketo's days begin at midnight "CST"; Adobe does not say whether that moves with daylight saving time."""
RESET_LATE = timedelta(minutes=90)
"""Still used up so shortly after midnight: Marketo's clock is behind ours, or its day begins an hour later…"""
RESET_LATE_WAIT_SECONDS = 600.0
"""…and the reset is near, not a day away."""


class RetryAction(StrEnum):
    """What becomes of the batch and of its job."""

    AGAIN = "send again at once, freshly signed"
    WINDOW = "send again after the window"
    FEWER = "fewer calls at once, then send again after a growing wait"
    PARK = "wait until the quota is reset, then send again"
    BACKOFF = "send again after a growing wait"
    LOOK_UP = "go on after a growing wait; look up or resend when Marketo can no longer be working on it"
    HALVE = "send the two halves, until the bad record stands alone"
    REFUSE = "every record failed; go on with the next batch"
    HALT_KIND = "go on with other kinds of records; send none of this kind until a person has reset the connection"
    HALT = "stop the job, and send nothing until a person has reset the connection"


WAITING_TEXTS = {
    RetryAction.WINDOW: _("The batch is sent again in about 20 seconds."),
    RetryAction.FEWER: _("The batch is sent again after a short wait, with fewer calls at once."),
    RetryAction.PARK: _("The job goes on when Marketo begins to count the calls of a new day."),
    RetryAction.BACKOFF: _("The job goes on by itself."),
    RetryAction.LOOK_UP: _("The job goes on by itself, and asks Marketo later what became of it."),
}
"""What a job that waits says about it, after the error's own sentence."""


@dataclass(frozen=True, slots=True)
class RetryRule:
    """One line of the table: ``error`` (and ``trouble``, unless any will do) → ``action``.

    ``endless`` actions never make a job give up: Marketo itself says that waiting helps.
    """

    error: type[errors.MarketoError]
    trouble: errors.RefusalReason | None
    action: RetryAction
    endless: bool = False


RULES = (
    RetryRule(errors.AuthError, errors.RefusalReason.EXPIRED, RetryAction.AGAIN),
    RetryRule(errors.Unavailable, errors.RefusalReason.RATE, RetryAction.WINDOW, endless=True),
    RetryRule(errors.Unavailable, errors.RefusalReason.AT_ONCE, RetryAction.FEWER, endless=True),
    RetryRule(errors.Unavailable, errors.RefusalReason.QUOTA, RetryAction.PARK, endless=True),
    RetryRule(errors.Unavailable, None, RetryAction.BACKOFF),
    RetryRule(errors.OutcomeUnknown, None, RetryAction.LOOK_UP),
    RetryRule(errors.Rejected, errors.RefusalReason.UNSUPPORTED, RetryAction.REFUSE),
    RetryRule(errors.Rejected, None, RetryAction.HALVE),
    RetryRule(errors.AuthError, errors.RefusalReason.ACCESS, RetryAction.HALT_KIND),
    RetryRule(errors.AuthError, None, RetryAction.HALT),
    RetryRule(errors.ConfigError, None, RetryAction.HALT),
)
"""The first line that fits counts."""


def retry_rule_for(error: errors.MarketoError, *, expired_before: bool = False) -> RetryRule:
    """The line of the table for an error.

    Args:
        expired_before: the call before this one was refused as expired too. A fresh signature did not help then,
            so the clocks disagree and a person has to look.
    """
    for rule in RULES:
        if isinstance(error, rule.error) and rule.trouble in (None, error.trouble):
            if rule.action is RetryAction.AGAIN and expired_before:
                continue
            return rule
    return RetryRule(type(error), None, RetryAction.HALT)


def wait_seconds(
    action: RetryAction,
    failures: int,
    now: datetime,
    *,
    at_least: float = 0.0,
    draw: Callable[[float, float], float] = random.uniform,
) -> float:
    """How long the job waits before its next call.

    Args:
        failures: calls in a row without an answer, this one included.
        now: aware.
        at_least: how long the call would be in vain, where its error says so; counts up to ``LONGEST_WAIT_SECONDS``.
        draw: a random number between two others. Full jitter: many jobs that failed together come back apart.
    """
    if action is RetryAction.WINDOW:
        return WINDOW_SECONDS
    if action is RetryAction.PARK:
        if now - _midnight(now, days=0) < RESET_LATE:
            return RESET_LATE_WAIT_SECONDS
        return (next_quota_reset(now) - now).total_seconds()
    if action in (RetryAction.BACKOFF, RetryAction.FEWER, RetryAction.LOOK_UP):
        # The exponent is bounded because 2.0 ** 2000 is an OverflowError.
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(max(failures, 1) - 1, 30))
        in_vain = min(LONGEST_WAIT_SECONDS, at_least)
        return draw(0.0, longest) + in_vain
    return 0.0


def next_quota_reset(now: datetime) -> datetime:
    """The next midnight in US Central time, when Marketo begins to count the day's calls anew."""
    return _midnight(now, days=1)


def _midnight(now: datetime, *, days: int) -> datetime:
    return datetime.combine(now.astimezone(RESET_ZONE).date() + timedelta(days=days), time(), RESET_ZONE)


def describe_clock_offset(error: errors.MarketoError) -> str:
    """What an expired signature says about the clocks, as a sentence; "" if the answer did not tell the time."""
    offset = error.clock_offset_seconds
    if error.trouble is not errors.RefusalReason.EXPIRED:
        return ""
    # An answer's Date header has whole seconds, so less than two says nothing.
    if offset is None or abs(offset) < 2:
        return _("Two freshly signed calls in a row were refused as expired: check this machine's clock.")
    return describe_wrong_clock(offset)
