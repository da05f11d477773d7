"""Text as people see it."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 100
"""Characters. No number or date is longer, and the patterns take long to find that out."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable_text(text: str) -> str:
    """Text as every database can keep it."""
    return text if text.isprintable() else _UNSTORABLE.sub("\ufffd", text)


def tidy_text(text: str) -> str:
    """Text without what cannot be seen, full-width digits made plain; empty if it is too long for a number or date."""
    if len(text) > LONGEST:
        return ""
    if text.isascii():
        return text.strip()
    plain = unicodedata.normalize("NFKC", text)
    return "".join(char for char in plain if unicodedata.category(char) != "Cf").strip()
