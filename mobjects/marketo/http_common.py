"""What an HTTP answer tells, whichever API it belongs to and whichever client received it."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

USER_AGENT = "marketo-admin"
NOT_SURE = "Whether it was applied is not known."
MAX_STORED_CHARACTERS = 1_000_000

NOT_HERE = frozenset({301, 307, 308, 404, 405, 410, 501})
"""By these HTTP says that no such resource is here, that it takes no such method, or that it lives elsewhere (RFC 9110,
section 15), so nothing that could have applied a change was reached. Anything else that does not speak Marketo's
language may come from a gateway in front of a Marketo that did the work."""


def first_cause(error: BaseException) -> BaseException:
    """What the operating system said under three layers of HTTP libraries."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # one of them is set
    return error


def clock_offset_seconds(date: str, now: datetime) -> float | None:
    """The other side's clock minus ours, in whole seconds; ``None`` if the answer has no usable date.

    Args:
        date: the Date header of the answer, or "".
        now: aware; when the answer came.
    """
    try:
        return round((parsedate_to_datetime(date) - now).total_seconds(), 1)
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return None


def stored_text(content: bytes) -> str:
    """An answer as text that any database takes: cut to a bearable length, and without NUL."""
    text = content[: 4 * MAX_STORED_CHARACTERS].decode("utf-8", "replace").replace("\0", "\ufffd")
    if len(text) <= MAX_STORED_CHARACTERS:
        return text
    return f"{text[:MAX_STORED_CHARACTERS]}\n(cut: the answer had {len(content)} bytes)"
