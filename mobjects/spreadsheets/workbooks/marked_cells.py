"""Cells of .xls, .xlsb and .ods files that python-calamine gives wrong: errors and formulas that were never calculated.

It gives nothing for ``#N/A``, which here would clear a field. And it makes a table of everything between the first cell
and the last, however far apart they are. So the cells are looked at here before it is asked for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets.types import Cell, FileRefused

_MOST_CELLS = 3_000_000
_FAR = _(
    "The cells of a sheet take up more than %(count)s places; save the workbook as .xlsx, "
    "or delete what stands far outside of the table."
) % {"count": f"{_MOST_CELLS:,}"}


class _Block(NamedTuple):
    """Equal cells beneath and beside each other, as an .ods file repeats them."""

    row: int
    end: int  # The first row below them.
    columns: range
    cell: Cell


@dataclass(slots=True)
class MarkedCells:
    """What is known of a sheet's cells. Rows and columns count from 0.

    Args:
        rows: as far as they hold anything.
        columns: the same.
    """

    rows: int = 0
    columns: int = 0
    _blocks: list[_Block] = field(default_factory=list)

    def add_cell(self, row: int, column: int, known: Cell = None, *, rows: int = 1, columns: int = 1) -> None:
        """A cell that holds something, repeated as often; what is known is to be read in its place.

        Raises:
            FileRefused: the table becomes too large.
        """
        self.rows, self.columns = max(self.rows, row + rows), max(self.columns, column + columns)
        if self.rows * self.columns > _MOST_CELLS:
            raise FileRefused(_FAR)
        if known is not None:
            self._blocks.append(_Block(row, row + rows, range(column, column + columns), known))

    def put_known(self, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
        """The rows of a sheet from its first one, with what is known in its places."""
        waiting = sorted(self._blocks, key=lambda block: -block.row)
        present: list[_Block] = []
        for number, row in enumerate(rows):
            while waiting and waiting[-1].row <= number:
                present.append(waiting.pop())
            if present:
                present = [block for block in present if block.end > number]
            for block in present:
                row.extend([None] * (block.columns.stop - len(row)))
                for column in block.columns:
                    row[column] = block.cell
            yield row
