"""A time that only moves when a test moves it, and hosts whose clocks are off from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import time_machine
from django.utils import timezone

from mobjects.sandbox import SandboxServer
from tests.support.database_clock import DATABASE_CLOCK


class World:
    """The true time, which database and Marketo go by.

    Args:
        sandbox: the Marketo.
        marketo_seconds: how far its clock is ahead.
    """

    def __init__(self, sandbox: SandboxServer, marketo_seconds: float = 0) -> None:
        self.now, self._marketo = timezone.now(), sandbox.store.clock
        self._marketo.freeze(self.now + timedelta(seconds=marketo_seconds))
        DATABASE_CLOCK.source = lambda: self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        self._marketo.advance(seconds)

    @contextmanager
    def host(self, minutes: float = 0) -> Iterator[None]:
        """Be a host whose clock is so much ahead."""
        with time_machine.travel(self.now + timedelta(minutes=minutes), tick=False):
            yield
