"""The settings that say how patient a job is."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings


def tries() -> int:
    """How many times in a row a call may fail before its job is stopped."""
    return int(settings.MARKETO["TRIES"])


def quiet() -> timedelta:
    """How long after a call without an answer Marketo may still be carrying it out."""
    return timedelta(seconds=settings.MARKETO["SETTLE_SECONDS"])


def lanes() -> int:
    """How many processes may work on one job: as many as calls may run at once."""
    return int(settings.MARKETO["CALLS_AT_ONCE"])
