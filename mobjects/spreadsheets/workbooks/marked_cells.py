"""Cells of .xls, .xlsb and .ods files that python-calamine gives wrong: errors and formulas that were never calculated.

It gives nothing for ``#N/A``, which here would clear a field. And it makes a table of everything between the first cell
and the last, however far apart they are. So the cells are looked at here before it is asked for them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from mobjects.spreadsheets.marking import gettext_noop as _
from mobjects.spreadsheets.types import Cell, FileRefused

_MOST_CELLS = 3_000_000
_FAR = _(
    "The cells of a sheet take up more than %(count)s places; save the workbook as .xlsx, "
    "or delete what stands far outside of the table."
) % {"count": f"{_MOST_CELLS:,}"}


@dataclass(slots=True)
class MarkedCells:
    """What is known of a sheet's cells. Rows and columns count from 0.

    Args:
        known: what is to be read in its place, by row and column.
        rows: as far as they hold anything.
        columns: the same.
    """

    known: defaultdict[int, dict[int, Cell]] = field(default_factory=lambda: defaultdict(dict))
    rows: int = 0
    columns: int = 0

    def add_cell(self, row: int, column: int, known: Cell = None) -> None:
        """A cell that holds something. Raises FileRefused where the table becomes too large."""
        self.rows, self.columns = max(self.rows, row + 1), max(self.columns, column + 1)
        if self.rows * self.columns > _MOST_CELLS:
            raise FileRefused(_FAR)
        if known is not None:
            self.known[row][column] = known
