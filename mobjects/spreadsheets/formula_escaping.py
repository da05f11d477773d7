"""Cells that need care in spreadsheets: months, and text that looks like a formula."""

from __future__ import annotations

import re
from datetime import date

# Where a cell may begin: a spreadsheet that splits at another sign than the file does begins one behind that sign,
# whatever stands in quotation marks. Full-width signs count: some spreadsheets read them as the plain ones.
_CELL_BEGINS = r"(^|[;|\t\r\n])"
_SIGNS = "[=+\\-@＝＋－＠]"
_FORMULA_LIKE = re.compile(rf"^(?='*[\t\r\n])|{_CELL_BEGINS}(?='*{_SIGNS})")
_NEUTRALISED = re.compile(rf"^'(?='*[\t\r\n])|{_CELL_BEGINS}'(?='*{_SIGNS})")


class Month(date):
    """A month, kept as its first day."""

    def isoformat(self) -> str:
        """As files show it: YYYY-MM."""
        return super().isoformat()[:7]


def escape_formula(text: str) -> str:
    """Put one apostrophe before each place where a spreadsheet, wherever it splits cells, could begin a formula."""
    return _FORMULA_LIKE.sub(r"\1'", text)


def unescape_formula(text: str) -> str:
    """Undo :func:`escape_formula`. Text that it would not have written is left as it is."""
    return _NEUTRALISED.sub(r"\1", text) if "'" in text else text
