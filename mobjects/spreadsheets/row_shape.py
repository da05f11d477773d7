"""What reading CSV and reading workbooks have in common: headers, widths, samples, and the sentences about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal

from openpyxl.utils import get_column_letter

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets.types import BadCell, Cell, DrawnNumber, FileLimits, FileRefused, TableRow

SAMPLE_VALUES = 3
SAMPLED_ROWS = 200
"""Rows below the header that are looked at for samples."""
_SHOWN = 200  # Characters of a bad cell that are kept.


def cell_text(cell: Cell) -> str:
    """A cell as the text that people see, and that fixes are found by.

    Dates are ISO 8601, numbers have at most the 15 digits that a spreadsheet keeps and no exponent, booleans are
    ``TRUE`` and ``FALSE`` as in a spreadsheet.
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, BadCell | DrawnNumber):
        return cell.text
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return format(Decimal(f"{cell:.15g}"), "f")
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() and not cell.tzinfo else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def is_blank(cell: Cell) -> bool:
    """Whether a cell holds nothing but spaces."""
    return cell is None or (isinstance(cell, str) and (not cell or cell.isspace()))


def parse_headers(cells: Sequence[Cell], limits: FileLimits) -> list[str]:
    """Make headers of the first row that holds anything.

    Raises:
        FileRefused: too many of them, or one without a usable text.
    """
    texts = [cell_text(cell).strip() for cell in cells]
    while texts and not texts[-1] and not isinstance(cells[len(texts) - 1], BadCell):
        texts.pop()
    if len(texts) > limits.columns:
        raise FileRefused(
            _("The file has more than %(columns)s columns, the most that are read.")
            % {"columns": f"{limits.columns:,}"}
        )
    for column, text in enumerate(texts, 1):
        cell = cells[column - 1]
        if isinstance(cell, BadCell) or len(text) > limits.cell or "\0" in text:
            why = cell.why if isinstance(cell, BadCell) else _("It is no text that can be a column's name.")
            raise FileRefused(
                _("The header of column %(letter)s cannot be read. %(why)s")
                % {"letter": get_column_letter(column), "why": why}
            )
    return texts


def check_text(text: str, limits: FileLimits) -> str | BadCell:
    """The text of a cell, if it can be read."""
    if len(text) > limits.cell:
        why = _("The text is longer than %(count)s characters, the most that is read.") % {"count": f"{limits.cell:,}"}
        return BadCell(f"{text[:_SHOWN]}…", why)
    if "\0" in text:
        return BadCell(text.replace("\0", "\ufffd"), _("The text holds a NUL character."))
    return text


class RowNormaliser:
    """Brings rows to the header's width, and says what is wrong with those that do not fit.

    Args:
        headers: as :func:`parse_headers` gives them.
        limits: the most that is read.
        is_workbook: a row may lack cells at its end, since a workbook leaves empty ones out; and no cell holds
            too much, since those are never read whole.
    """

    def __init__(self, headers: Sequence[str], limits: FileLimits, *, is_workbook: bool) -> None:
        self.width = len(headers)
        self.limits = limits
        self.is_workbook = is_workbook
        self.unnamed = [column for column, header in enumerate(headers) if not header]

    def normalise_row(self, number: int, cells: Sequence[Cell]) -> TableRow | None:
        """Make a row; ``None`` if it holds nothing.

        Raises:
            FileRefused: a value stands in a column without a name.
        """
        if all(map(is_blank, cells)):
            return None
        fitted = list(cells[: self.width])
        if not self.is_workbook:
            fitted = [check_text(cell, self.limits) if isinstance(cell, str) else cell for cell in fitted]
        fitted += [None] * (self.width - len(fitted))
        for column in self.unnamed:
            if not is_blank(fitted[column]):
                raise FileRefused(
                    _(
                        "Column %(letter)s holds values (row %(number)s) but has no name in the header "
                        "row. Give it a name, or delete it."
                    )
                    % {"letter": get_column_letter(column + 1), "number": number}
                )
        return TableRow(number, fitted, self._problem(cells))

    def _problem(self, cells: Sequence[Cell]) -> str:
        if len(cells) > self.width and not all(map(is_blank, cells[self.width :])):
            most = self.limits.columns  # Readers of workbooks keep one cell for all beyond them.
            if self.is_workbook and len(cells) > most:
                return _("The row has more than %(count)s cells, the header row only %(width)s.") % {
                    "count": most,
                    "width": self.width,
                }
            return _("The row has %(count)s cells, the header row only %(width)s.") % {
                "count": len(cells),
                "width": self.width,
            }
        if len(cells) < self.width and not self.is_workbook:
            # Reading what is missing as empty would clear those fields.
            return _("The row has only %(count)s cells, the header row %(width)s; is the file complete?") % {
                "count": len(cells),
                "width": self.width,
            }
        return ""


def collect_samples(width: int, rows: Iterable[TableRow]) -> list[list[str]]:
    """For each column its first values, as text."""
    samples: list[list[str]] = [[] for _ in range(width)]
    for row in rows:
        for found, cell in zip(samples, row.cells, strict=True):
            if len(found) < SAMPLE_VALUES and not is_blank(cell):
                found.append(cell_text(cell)[:_SHOWN])
    return samples
