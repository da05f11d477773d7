"""Numbers, times and sentences as text, where more than one layer writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def format_count(count: int, noun: str) -> str:
    """``1 call``, ``1,234 calls``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_moment(at: datetime) -> str:
    """A time to the minute with its zone, ``2026-03-01 06:00 UTC``."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def format_span(seconds: float) -> str:
    """A span of time to the second, without its sign: ``45 s``, ``20 min 3 s``."""
    minutes, rest = divmod(round(abs(seconds)), 60)
    return f"{minutes:,} min {rest} s" if minutes else f"{rest} s"


def to_sentence(reason: str) -> str:
    """A reason, which begins small and has no full stop, as a sentence."""
    return f"{reason[0].upper()}{reason[1:]}."
