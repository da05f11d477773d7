"""Which row of a table holds the headers: often there are title lines above them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets.row_shape import cell_text, is_blank
from mobjects.spreadsheets.types import Cell, FileRefused

SEARCHED_ROWS = 20
"""Headers are looked for in so many rows."""
ENOUGH_NAMES = 2
"""A row with so many known names is the one with the headers."""

NameTest = Callable[[str], bool]
"""Whether a text is the name of a column that is known."""


class HeaderRow(NamedTuple):
    """Number of the row with the headers (0 if no row holds anything), and how many rows above it hold something."""

    number: int
    above: int

    @property
    def notes(self) -> list[str]:
        """What a person should know about it."""
        if not self.above:
            return []
        rows = "1 row" if self.above == 1 else f"{self.above} rows"
        return [
            _("The headers stand in row %(number)s; what stands above them (%(rows)s) is not read.")
            % {"number": self.number, "rows": rows}
        ]


def find_header_row(rows: Iterable[tuple[int, Sequence[Cell]]], is_name: NameTest, given: int = 0) -> HeaderRow:
    """Find the row with the headers: the first with two or more known names, else the first that holds anything.

    Args:
        rows: number and cells of each row, from the first.
        is_name: whether a text is the name of a known column.
        given: number of the row that a person chose; 0 if nobody did.
    """
    filled = []
    for number, cells in rows:
        if number > (given or SEARCHED_ROWS):
            break
        if all(is_blank(cell) for cell in cells):
            continue
        filled.append(number)
        if not given and count_names(cells, is_name) >= ENOUGH_NAMES:
            return HeaderRow(number, len(filled) - 1)
    if given:
        return HeaderRow(given, sum(number < given for number in filled))
    return HeaderRow(filled[0] if filled else 0, 0)


def count_names(cells: Sequence[Cell], is_name: NameTest) -> int:
    """How many cells are names of known columns, equal ones once."""
    return len({text for cell in cells if (text := cell_text(cell).strip()) and is_name(text)})


def blank_header(number: int) -> FileRefused:
    """The row that a person chose for the headers holds nothing."""
    return FileRefused(
        _("Row %(number)s holds nothing, so it cannot be the row with the headers.") % {"number": number}
    )
