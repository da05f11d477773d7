"""How long each kind is kept, as the settings say."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings

from mobjects.models import PurgeKind

OTHERS = {PurgeKind.DECISIONS: PurgeKind.RESULTS, PurgeKind.BULK_EDITS: PurgeKind.DELETIONS}
"""Kinds whose period is that of another one."""


def days_of(kind: PurgeKind) -> int | None:
    """The period of a kind in days.

    Args:
        kind: of what is kept.

    Returns:
        ``None`` if it is kept for ever; 0 for sessions, which say themselves when they are over.
    """
    if kind == PurgeKind.SESSIONS:
        return 0
    return settings.RETENTION_DAYS[OTHERS.get(kind, kind).value] or None


def days_of_notice() -> int:
    """So many days a notice stands before a kind goes by itself for the first time."""
    days: int = settings.RETENTION_NOTICE_DAYS
    return days


def end_of_period(kind: PurgeKind, now: datetime) -> datetime | None:
    """The moment before which something of a kind has to have ended to go; ``None`` if it is kept for ever."""
    days = days_of(kind)
    return None if days is None else now - timedelta(days=days)


def session_model() -> Any:
    """The model of sessions that the settings choose."""
    return import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
