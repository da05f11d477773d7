"""The cells of a sheet, from its XML, a row at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO

from openpyxl.utils import column_index_from_string

from mobjects.spreadsheets.row_shape import too_long_cell
from mobjects.spreadsheets.types import Cell, FileLimits, FileRefused
from mobjects.spreadsheets.workbooks import xlsx_values
from mobjects.spreadsheets.workbooks.xlsx_package import UNREADABLE, Attributes, LocalNames, XlsxPackage, parse_xml
from mobjects.spreadsheets.workbooks.xlsx_shared_strings import SharedStrings, unescape_text

_MOST_COLUMNS, _MOST_ROWS = 16_384, 1_048_576
_DIGITS = "0123456789"
_CONTENT = ("v", "t")

NumberedRow = tuple[int, list[Cell]]


class _ColumnIndexes(dict[str, int]):
    """Position of a column by its letters, from 0."""

    def __missing__(self, letters: str) -> int:
        column = column_index_from_string(letters) - 1
        if column >= _MOST_COLUMNS:
            raise FileRefused(UNREADABLE)
        self[letters] = column
        return column


class SheetReader:
    """Makes rows of the events of a sheet's XML. The two busiest of its methods decide what a workbook costs.

    Args:
        book: tells the cell formats.
        strings: the shared strings.
        limits: the most that is read.
    """

    def __init__(self, book: XlsxPackage, strings: SharedStrings, limits: FileLimits) -> None:
        self._strings, self._limits = strings, limits
        self._columns = _ColumnIndexes()
        self._numbers = xlsx_values.build_readers(book.formats, is_1904=book.is_1904)
        self._readers: dict[str, Callable[[str], Cell]] = {
            "str": self._string,
            "inlineStr": self._string,
            "b": xlsx_values.parse_boolean,
            "e": xlsx_values.parse_error,
            "d": xlsx_values.parse_iso_date,
        }
        self._done: list[NumberedRow] = []
        self._number = 0
        self._row: list[Cell] = []
        self._column = 0
        self._names = LocalNames()
        self._attributes: Attributes = {}
        self._formula = False
        self._content = ""
        self._wanted = False
        self._depth = 0  # Inside of phonetic hints, which are no content.

    def iter_rows(self, stream: IO[bytes]) -> Iterator[NumberedRow]:
        """The rows that the XML has, each with its number; blank cells are ``None``."""
        for _ in parse_xml(stream, self._start, self._end, self._text):
            done, self._done = self._done, []
            yield from done

    def _start(self, name: str, attributes: Attributes) -> None:
        name = self._names[name]
        if name == "c":
            place = attributes.get("r")
            self._column = self._columns[place.rstrip(_DIGITS)] if place else len(self._row)
            self._attributes = attributes
            self._formula = False
            self._content = ""
        elif name in _CONTENT:
            self._wanted = not self._depth
        elif name == "f":
            self._formula = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "rPh":
            self._depth += 1

    def _begin_row(self, attributes: Attributes) -> None:
        number = int(attributes.get("r", self._number + 1))
        if not self._number < number <= _MOST_ROWS:
            raise FileRefused(UNREADABLE)
        self._number, self._row = number, []

    def _end(self, name: str) -> None:
        name = self._names[name]
        if name in _CONTENT:
            self._wanted = False
        elif name == "c":
            row = self._row
            missing = self._column - len(row)
            if missing:
                if missing < 0:
                    raise FileRefused(UNREADABLE)
                row.extend([None] * missing)
            row.append(self._value())
        elif name == "row":
            self._done.append((self._number, self._row))
        elif name == "rPh":
            self._depth -= 1

    def _text(self, text: str) -> None:
        if self._wanted and len(self._content) <= self._limits.cell:
            self._content += text

    def _value(self) -> Cell:
        text, kind = self._content, self._attributes.get("t", "n")
        if not text:
            # A text formula that gives "" has the type of text; one that was never calculated has none.
            return xlsx_values.FORMULA if self._formula and kind != "str" else None
        if kind == "s":
            return self._limit_text(self._strings[int(text)])
        if kind == "n":
            return self._numbers[int(self._attributes.get("s", 0))](text)
        reader = self._readers.get(kind)
        if reader is None:
            raise FileRefused(UNREADABLE)
        return reader(text)

    def _string(self, text: str) -> Cell:
        return self._limit_text(unescape_text(text))

    def _limit_text(self, text: str) -> Cell:
        return text if len(text) <= self._limits.cell else too_long_cell(text, self._limits)
