"""What may be stored or shown of a request: everything but its secrets."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

MASK = "***"

_SIGNATURE = re.compile(r"(<(?:[\w.-]+:)?requestSignature\b[^<>]*>)[^<]*")


def redact(text: str, *secrets: str) -> str:
    """Mask the request signature, and any secret given, wherever they stand in a text.

    Args:
        text: a request, an answer or a message; need not be well-formed XML.
        secrets: exact values to mask too, both as they are and as XML writes them; empty ones are ignored.

    Returns:
        The text with ``***`` in place of each secret.
    """
    for secret in filter(None, secrets):
        text = text.replace(secret, MASK).replace(escape(secret), MASK)
    # The search takes longer than reading an answer does, and answers have no signature.
    return _SIGNATURE.sub(rf"\1{MASK}", text) if "requestSignature" in text else text
