"""Listening to what jobs and imports say when they come to rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.dispatch import Signal


@contextmanager
def heard(signal: Signal) -> Iterator[list[tuple[str, str]]]:
    """The old and the new state of each time that something comes to rest while the block runs."""
    changes: list[tuple[str, str]] = []

    def listener(work, old, new, **_):
        assert work.state == new
        changes.append((old, new))

    signal.connect(listener)
    try:
        yield changes
    finally:
        signal.disconnect(listener)
