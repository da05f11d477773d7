"""What the cells of a workbook mean, by their type and format; for whatever reads its XML."""

from __future__ import annotations

from collections.abc import Callable

from openpyxl.utils import column_index_from_string

from mobjects.spreadsheets.row_shape import check_text
from mobjects.spreadsheets.types import Cell, FileLimits, FileRefused
from mobjects.spreadsheets.workbooks import xlsx_values
from mobjects.spreadsheets.workbooks.number_formats import BUILT_IN
from mobjects.spreadsheets.workbooks.xlsx_package import XlsxPackage
from mobjects.spreadsheets.workbooks.xlsx_shared_strings import SharedStrings, unescape_text
from mobjects.spreadsheets.workbooks.xml_parsing import UNREADABLE

_MOST_COLUMNS = 16_384
_MOST_ROWS = 1_048_576
_DIGITS = "0123456789"
_PLACEHOLDERS = ("", "0", "0.0")

NumberedRow = tuple[int, list[Cell]]


def put_cell(row: list[Cell], column: int, value: Cell, most: int) -> None:
    """Put a value into its column; those left out before it are blank.

    Args:
        row: its cells so far.
        column: from 0.
        value: what the cell holds.
        most: columns that are read. All cells beyond them share one place, so that a row never takes more memory.
    """
    place = min(column, most)
    row.extend([None] * (place + 1 - len(row)))
    if value is not None:
        row[place] = value


class _ColumnIndexes(dict[str, int]):
    """Position of a column by its letters, from 0."""

    def __missing__(self, letters: str) -> int:
        column = column_index_from_string(letters) - 1
        if column >= _MOST_COLUMNS:
            raise FileRefused(UNREADABLE)
        self[letters] = column
        return column


class CellReaders(dict[tuple[str, str], Callable[[str], Cell]]):
    """What makes a value of a cell's text, by the cell's type and format.

    Args:
        book: tells the cell formats.
        strings: the shared strings.
        limits: the most that is read.
    """

    def __init__(self, book: XlsxPackage, strings: SharedStrings, limits: FileLimits) -> None:
        super().__init__()
        self._book, self._limits = book, limits
        self.longest, self.most = limits.cell, limits.columns
        self.columns = _ColumnIndexes()
        self._numbers: dict[str, Callable[[str], Cell]] = {}
        self._others: dict[str, Callable[[str], Cell]] = {
            "s": strings.__getitem__,
            "str": self.read_text,
            "inlineStr": self.read_text,
            "b": xlsx_values.RememberedCells(xlsx_values.parse_boolean).__getitem__,
            "e": xlsx_values.RememberedCells(xlsx_values.parse_error).__getitem__,
            "d": xlsx_values.RememberedCells(xlsx_values.parse_iso_date).__getitem__,
        }

    def __missing__(self, key: tuple[str, str]) -> Callable[[str], Cell]:
        kind, style = key
        reader = self._others.get(kind) if kind != "n" else self._number_reader(style)
        if reader is None:
            raise FileRefused(UNREADABLE)
        self[key] = reader
        return reader

    def read_cell(self, kind: str, style: str, text: str, *, has_formula: bool) -> Cell:
        """A cell's value.

        Args:
            kind: the attribute ``t``.
            style: the attribute ``s``.
            text: the content.
            has_formula: whether it was calculated, or should have been.
        """
        if has_formula:
            if not text and kind != "str":
                # A text formula that gives "" has the type of text; one that was never calculated has none.
                return xlsx_values.FORMULA
            if self._book.is_uncalculated and text in _PLACEHOLDERS and kind in ("n", "str"):
                return xlsx_values.UNCALCULATED
        return self[kind, style](text) if text else None

    def read_text(self, text: str) -> Cell:
        """Text that stands in the cell itself."""
        return check_text(unescape_text(text), self._limits) if text else None

    def column(self, place: str) -> int:
        """Position of a cell such as ``B7`` in its row, from 0."""
        return self.columns[place.rstrip(_DIGITS)]

    def row_number(self, given: str | None, before: int) -> int:
        """Number of a row; one that is not given follows the one before. Several elements may be one row."""
        number = int(given) if given else before + 1
        if not max(before, 1) <= number <= _MOST_ROWS:
            raise FileRefused(UNREADABLE)
        return number

    def _number_reader(self, style: str) -> Callable[[str], Cell]:
        formats = self._book.formats or [f"{BUILT_IN}0"]
        code = formats[int(style or 0)]
        if code not in self._numbers:
            read = xlsx_values.build_number_reader(code, is_1904=self._book.is_1904)
            self._numbers[code] = xlsx_values.RememberedCells(read).__getitem__
        return self._numbers[code]
