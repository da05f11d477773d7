"""The sign of life of a process that works on a job."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import Error, connection
from django.utils import timezone

from mobjects.models import SyncLane

BEAT_SECONDS = 10.0
SILENCE = timedelta(seconds=40)
"""A lane that has not been heard of for so long is dead; four beats, so that a slow database kills none."""

logger = logging.getLogger(__name__)


def dead_lanes(now: datetime) -> Iterator[SyncLane]:
    """Lanes that have not been heard of for too long."""
    return SyncLane.objects.filter(beat_at__lt=now - SILENCE).select_related("job").iterator()


@contextmanager
def beating(lane: SyncLane, *, every_seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Sign the lane's sign of life, from a thread of its own, while the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(lane.pk, over, every_seconds), daemon=True, name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(pk: int, over: threading.Event, every_seconds: float) -> None:
    try:
        while not over.wait(every_seconds):
            sign(pk)
    finally:
        connection.close()


def sign(pk: int) -> None:
    """Save a lane's sign of life."""
    try:
        connection.close_if_unusable_or_obsolete()
        SyncLane.objects.filter(pk=pk).update(beat_at=timezone.now())
    except Error as error:
        # The next beat may get through; until then the lane is as silent as it looks.
        logger.warning("A heartbeat could not be saved: %s", type(error).__name__)
