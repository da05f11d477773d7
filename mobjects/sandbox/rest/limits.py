"""How many calls are let through: in 20 s, at the same time, in a day.

Adobe's error codes page marks 601, 602, 604, 605, 608 and 611 as not counted, so calls that are refused with 606,
607 or 615 are. Here whatever fails before the limits (token, address, right, form) is not counted, all else is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from mobjects.sandbox.call_log import WINDOW
from mobjects.sandbox.rest.instance import RestInstance

CENTRAL = ZoneInfo("America/Chicago")


class LimitExceeded(Exception):
    """A limit is reached; the values are Marketo's code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RestLimits:
    """Counts the calls of one instance; safe to use from several threads."""

    def __init__(self, instance: RestInstance) -> None:
        self._instance = instance
        self._lock = Lock()
        self._running = 0
        self.clear()

    def clear(self) -> None:
        """Forget what was counted; calls under way stay."""
        self._recent: deque[datetime] = deque()
        self._days: Counter[date] = Counter()

    @contextmanager
    def admit_call(self, now: datetime) -> Iterator[None]:
        """Count a call and keep its place among those at the same time.

        Raises:
            LimitExceeded: 607, 606 or 615.
        """
        with self._lock:
            self._running += 1
            self._recent.append(now)
            self._days[central_day(now)] += 1
        try:
            self._check(now)
            yield
        finally:
            with self._lock:
                self._running -= 1

    def calls_on(self, day: date) -> int:
        """How many calls were counted on a day of Central time."""
        with self._lock:
            return self._days[day]

    def _check(self, now: datetime) -> None:
        limits = self._instance
        with self._lock:
            while self._recent and now - self._recent[0] >= WINDOW:
                self._recent.popleft()
            today = self._days[central_day(now)] + limits.calls_of_others
            if 0 < limits.calls_per_day < today:
                raise LimitExceeded("607", "Daily quota reached")
            if 0 < limits.calls_per_window < len(self._recent):
                raise LimitExceeded("606", f"Max rate limit '{limits.calls_per_window}' exceeded with in '20' secs")
            if 0 < limits.calls_at_once < self._running:
                raise LimitExceeded("615", "Concurrent access limit reached")


def central_day(moment: datetime) -> date:
    """The day on which Marketo counts a call: its quota starts anew at midnight Central time."""
    return moment.astimezone(CENTRAL).date()


def list_days(until: date, number: int) -> list[date]:
    """The last days, newest first."""
    return [until - timedelta(days=back) for back in range(number)]
