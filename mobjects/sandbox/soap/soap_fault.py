"""Faults of a whole call, with Marketo's codes (Adobe's error code page)."""

from __future__ import annotations

SHORT_TEXTS = {
    "10001": "Internal error",
    "20011": "Internal error",
    "20012": "Request not understood",
    "20013": "Access denied",
    "20014": "Authentication failed",
    "20015": "Request limit exceeded",
    "20016": "Request expired",
    "20017": "Invalid request",
    "20018": "Bad encoding",
    "20019": "Unsupported operation",
    "20023": "Rate limit exceeded",
    "20024": "Concurrency limit exceeded",
    "20109": "Parameter required",
    "20110": "Bad parameter",
    "20122": "Bad stream position",
    "20123": "Stream position at end",
}


class SoapFault(Exception):
    """The call is refused as a whole; nothing was applied.

    Args:
        code: one of Marketo's codes as text.
        message: the specific text; the code is added to it on the wire.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message

    @property
    def short_text(self) -> str:
        return SHORT_TEXTS.get(self.code, "Error")
