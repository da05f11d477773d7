"""Cells that need care in spreadsheets: months, and text that looks like a formula."""

from __future__ import annotations

import re
from datetime import date

_FORMULA_LIKE = re.compile(r"'*[=+\-@\t\r]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")


class Month(date):
    """A month, kept as its first day."""

    def isoformat(self) -> str:
        """As files show it: YYYY-MM."""
        return super().isoformat()[:7]


def escape_formula(text: str) -> str:
    """Put one apostrophe before text that a spreadsheet would take for a formula; see :func:`unescape_formula`."""
    return f"'{text}" if _FORMULA_LIKE.match(text) else text


def unescape_formula(text: str) -> str:
    """Undo :func:`escape_formula`. Text that it would not have written is left as it is."""
    return text[1:] if _NEUTRALISED.match(text) else text
