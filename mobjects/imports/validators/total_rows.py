"""Rows at the end of a file that sum up those above them: they mean no record, and are left out with a note."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence

from django.utils.translation import gettext_noop as _

from mobjects.spreadsheets.row_shape import cell_text
from mobjects.spreadsheets.types import Cell, TableRow

LEFT_OUT = _("looks like a total: it names no record. It is left out.")

_TOTALS = frozenset(
    (
        *("total", "totals", "subtotal", "subtotals", "sum", "sums", "합계", "총계", "소계", "총합계", "누계", "계"),
        *("合計", "総計", "小計", "合计", "总计", "小计", "summe", "gesamt", "gesamtsumme", "zwischensumme", "somme"),
        *("totaux", "totale", "totales", "suma", "razem", "celkem", "összesen", "итого", "всего"),
    )
)
_WITH = frozenset(("grand", "sub", "overall", "of", "all", "records", "rows", "count", "amount", "général", "general"))
_WORDS = re.compile(r"[^\W\d_]+")
_MOST = 20
"""So many rows at the end can be totals."""


class TotalRows:
    """Leaves out the totals at the end of a file.

    Args:
        mapping: for each column of the file the name of ours that it means.
        keys: names of those that say which record a row means.
    """

    def __init__(self, mapping: Sequence[str | None], keys: Collection[str]) -> None:
        self.left_out: list[int] = []
        """Numbers of the rows that were left out, once all are read."""
        # An amount is part of a cost's key, and what a total is about.
        self._keys = [place for place, name in enumerate(mapping) if name in keys and name != "Amount"]

    def leave_out(self, rows: Iterable[TableRow]) -> Iterator[TableRow]:
        """The rows without the totals at their end; those between other rows stay."""
        tail: deque[TableRow] = deque()  # Only the last rows are looked at, so that most cost nothing.
        for row in rows:
            if len(tail) == _MOST:
                yield tail.popleft()
            tail.append(row)
        self.left_out = []
        while tail and self._is_total(tail[-1].cells):
            self.left_out.insert(0, tail.pop().number)
        yield from tail

    def _is_total(self, cells: Sequence[Cell]) -> bool:
        """Whether a row begins with a word for a total, holds but numbers, and has no key."""
        for place in self._keys:
            cell = cells[place]
            if cell and not _is_total_word(cell_text(cell)):
                return False
        filled = [text for cell in cells if (text := cell_text(cell).strip())]
        return (
            bool(filled)
            and _is_total_word(filled[0])
            and all(any(char.isdigit() for char in text) or _is_total_word(text) for text in filled[1:])
        )


def _is_total_word(text: str) -> bool:
    words = {word.casefold() for word in _WORDS.findall(text)}
    return not words.isdisjoint(_TOTALS) and words <= _TOTALS | _WITH
