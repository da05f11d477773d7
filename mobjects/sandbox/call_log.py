"""What arrived and what was answered, and how hard the sandbox was being called."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from threading import Lock

MAX_LOGGED_CALLS = 500
WINDOW = timedelta(seconds=20)
"""Marketo's rate limit counts calls within 20 s."""


@dataclass(slots=True)
class LoggedCall:
    """One call. Filled in by the thread that answers it.

    Args:
        api: ``SOAP`` or ``REST``.
        operation: ``syncMObjects`` and so on; over REST ``POST /rest/v1/opportunities.json``.
        sync_operation: ``INSERT`` and so on; over REST ``createOnly`` and so on.
        signature: ``ok``, ``refused`` or ``not checked`` (the call failed before that); over REST of the token.
        request, response: bodies as text; signature, tokens and client secret are masked.
        scripted: kind of the scripted fault that was used, or ``""``.
        finished: whether an answer was sent or the line was cut.
    """

    sequence: int
    at: datetime
    api: str = "SOAP"
    operation: str = ""
    timestamp: str = ""
    user_id: str = ""
    signature: str = "not checked"
    sync_operation: str = ""
    object_count: int = 0
    types: Sequence[str] = ()
    statuses: Sequence[str] = ()
    fault: str = ""
    scripted: str = ""
    http_status: int | None = None
    request: str = ""
    response: str = ""
    finished: bool = False
    counted: bool = True

    def as_json(self) -> dict[str, object]:
        """The call as JSON-ready values."""
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(slots=True)
class CallLoad:
    """How hard the sandbox was called since the last reset.

    Args:
        calls: all calls, but not those for a token, which Marketo does not count.
        busiest_window: most calls within any 20 s.
        most_at_once: most calls being answered at the same time.
    """

    calls: int = 0
    busiest_window: int = 0
    most_at_once: int = 0


class CallLog:
    """The last 500 calls, oldest first, and the load."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0
        self._sequence = 0
        self._recent: deque[datetime] = deque()
        self._calls: deque[LoggedCall] = deque(maxlen=MAX_LOGGED_CALLS)
        self.load = CallLoad()

    def begin_call(self, at: datetime, *, counted: bool = True) -> LoggedCall:
        """Note that a call has arrived; ``counted`` tells whether it is part of the load."""
        with self._lock:
            self._sequence += 1
            call = LoggedCall(self._sequence, at, counted=counted)
            self._calls.append(call)
            if counted:
                self.load.calls += 1
                self._running += 1
                self.load.most_at_once = max(self.load.most_at_once, self._running)
                self._count_window(at)
            return call

    def end_call(self, call: LoggedCall) -> None:
        """Note that it has been answered, or cut."""
        with self._lock:
            call.finished = True
            self._running -= call.counted

    def list_calls(self) -> list[LoggedCall]:
        """All calls that are kept, oldest first."""
        with self._lock:
            return list(self._calls)

    def find_call(self, sequence: int) -> LoggedCall | None:
        """One call, ``None`` if unknown or no longer kept."""
        return next((call for call in self.list_calls() if call.sequence == sequence), None)

    def clear(self) -> None:
        """Forget calls and load; calls under way still count as being answered."""
        with self._lock:
            self._calls.clear()
            self._sequence = 0
            self._recent.clear()
            self.load = CallLoad(most_at_once=self._running)

    def _count_window(self, at: datetime) -> None:
        self._recent.append(at)
        while at - self._recent[0] >= WINDOW:
            self._recent.popleft()
        self.load.busiest_window = max(self.load.busiest_window, len(self._recent))
