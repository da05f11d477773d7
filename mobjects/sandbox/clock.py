"""The sandbox's own clock, so that tests move time instead of waiting for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """The machine's clock plus an offset, or a moment that stands still.

    ``offset_seconds`` may be set at any time; positive means that the sandbox is ahead.
    """

    def __init__(self) -> None:
        self.offset_seconds = 0.0
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """The sandbox's time, aware, in UTC."""
        base = self._frozen or datetime.now(UTC)
        return base + timedelta(seconds=self.offset_seconds)

    def freeze(self, moment: datetime) -> None:
        """Stand still at ``moment`` (aware); :meth:`advance` still moves on."""
        self.offset_seconds = 0.0
        self._frozen = moment.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Move forward (or back, if negative)."""
        self.offset_seconds += seconds

    def reset(self) -> None:
        """Back to the machine's time."""
        self.offset_seconds = 0.0
        self._frozen = None
