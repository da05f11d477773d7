"""What may be kept or shown of a request: everything but its secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

MASK = "***"


Finder = tuple[str, re.Pattern[str]]
"""A word in small letters, and a pattern that finds nothing where that word is not. All of each request and answer is
looked through, and a pattern takes twenty times as long.
"""


def redact_secrets(text: str, secrets: Iterable[str], finders: Iterable[Finder] = ()) -> str:
    """Mask secrets wherever they stand in a text.

    Args:
        text: a request, an answer or a message, in any form.
        secrets: exact values, masked as they are and as XML, JSON, forms and addresses write them; empty ones are
            ignored.
        finders: see :attr:`mobjects.marketo.transport_entry.TransportEntry.masked`.

    Returns:
        The text with ``***`` in place of each secret.
    """
    for secret in filter(None, secrets):
        for spelling in _spellings(secret):
            text = text.replace(spelling, MASK)
    small = text.lower()
    for word, pattern in finders:
        if word in small:
            text = pattern.sub(rf"\1{MASK}", text)
    return text


@lru_cache(maxsize=32)
def _spellings(secret: str) -> list[str]:
    """How a secret may be written, the longest first: one spelling may be part of another."""
    plain = {secret, escape(secret), *_as_json(secret), quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return sorted(plain, key=len, reverse=True)


def _as_json(secret: str) -> set[str]:
    return {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
