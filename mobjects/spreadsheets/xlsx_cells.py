"""The cells of a sheet, from its XML, a row at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO

from openpyxl.utils import column_index_from_string

from mobjects.spreadsheets import xlsx_values
from mobjects.spreadsheets.row_shape import too_long
from mobjects.spreadsheets.types import Cell, FileRefused, Limits
from mobjects.spreadsheets.xlsx_package import UNREADABLE, Attributes, Book, Names, parse
from mobjects.spreadsheets.xlsx_shared_strings import SharedStrings, unescape

_MOST_COLUMNS, _MOST_ROWS = 16_384, 1_048_576
_DIGITS = "0123456789"
_CONTENT = ("v", "t")

Numbered = tuple[int, list[Cell]]


class _Columns(dict[str, int]):
    """Position of a column by its letters, from 0."""

    def __missing__(self, letters: str) -> int:
        column = column_index_from_string(letters) - 1
        if column >= _MOST_COLUMNS:
            raise FileRefused(UNREADABLE)
        self[letters] = column
        return column


class SheetCells:
    """Makes rows of the events of a sheet's XML. The two busiest of its methods decide what a workbook costs.

    Args:
        book: tells the cell formats.
        strings: the shared strings.
        limits: the most that is read.
    """

    def __init__(self, book: Book, strings: SharedStrings, limits: Limits) -> None:
        self._strings, self._limits = strings, limits
        self._columns = _Columns()
        self._numbers = xlsx_values.readers(book.formats, is_1904=book.is_1904)
        self._readers: dict[str, Callable[[str], Cell]] = {
            "str": self._string,
            "inlineStr": self._string,
            "b": xlsx_values.boolean,
            "e": xlsx_values.error,
            "d": xlsx_values.iso_date,
        }
        self._done: list[Numbered] = []
        self._number = 0
        self._row: list[Cell] = []
        self._column = 0
        self._names = Names()
        self._attributes: Attributes = {}
        self._formula = False
        self._content = ""
        self._wanted = False
        self._depth = 0  # Inside of phonetic hints, which are no content.

    def read(self, stream: IO[bytes]) -> Iterator[Numbered]:
        """The rows that the XML has, each with its number; blank cells are ``None``."""
        for _ in parse(stream, self._start, self._end, self._text):
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
            return self._fitting(self._strings[int(text)])
        if kind == "n":
            return self._numbers[int(self._attributes.get("s", 0))](text)
        reader = self._readers.get(kind)
        if reader is None:
            raise FileRefused(UNREADABLE)
        return reader(text)

    def _string(self, text: str) -> Cell:
        return self._fitting(unescape(text))

    def _fitting(self, text: str) -> Cell:
        return text if len(text) <= self._limits.cell else too_long(text, self._limits)
