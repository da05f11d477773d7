"""The cells of a sheet, from its XML, a row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from mobjects.spreadsheets.types import Cell, FileLimits, FileRefused
from mobjects.spreadsheets.workbooks.cell_readers import CellReaders, NumberedRow, put_cell
from mobjects.spreadsheets.workbooks.plain_rows import PlainRows
from mobjects.spreadsheets.workbooks.xlsx_package import XlsxPackage
from mobjects.spreadsheets.workbooks.xlsx_shared_strings import SharedStrings
from mobjects.spreadsheets.workbooks.xml_parsing import UNREADABLE, Attributes, XmlParser, has_controls, parse_list

ROWS = "worksheet/sheetData"
_ROW, _CELL = f"{ROWS}/row", f"{ROWS}/row/c"
_VALUE, _FORMULA = f"{_CELL}/v", f"{_CELL}/f"
_INLINE = (f"{_CELL}/is/t", f"{_CELL}/is/r/t")  # Phonetic hints (rPh) are no content.


class SheetReader:
    """Makes rows of a sheet's XML. What is written plainly is read by patterns, the rest element by element.

    Args:
        book: tells the cell formats.
        strings: the shared strings.
        limits: the most that is read.
    """

    def __init__(self, book: XlsxPackage, strings: SharedStrings, limits: FileLimits) -> None:
        self._limits = limits
        self._readers = CellReaders(book, strings, limits)
        self._plain = PlainRows(self._readers)
        self._parser = XmlParser(self._start, self._end, self._text)
        self._done: list[NumberedRow] = []
        self._number = 0
        self._row: list[Cell] = []
        self._column = self._following = 0  # Of the present cell, and the first one where it may stand.
        self._attributes: Attributes = {}
        self._formula = False
        self._value: str | None = None
        self._inline: str | None = None

    def iter_rows(self, stream: IO[bytes]) -> Iterator[NumberedRow]:
        """The rows that the XML has, each with its number; blank cells are ``None``."""
        last: NumberedRow | None = None
        for _ in parse_list(stream, self._parser, ROWS, "row", self._add_plain):
            done, self._done = self._done, []
            for row in done:
                if last is not None:
                    if row[0] == last[0]:
                        _join(last[1], row[1])
                        continue
                    yield last
                last = row
        if last is not None:
            yield last

    def _add_plain(self, chunk: bytes, prefix: str) -> bool:
        rows = None if has_controls(chunk) else self._plain.parse_rows(chunk.decode(), prefix, self._number)
        if rows is None:
            return False
        self._done += rows
        self._number = rows[-1][0]
        return True

    def _start(self, path: str, attributes: Attributes) -> None:
        if path == _CELL:
            place = attributes.get("r")
            self._column = self._readers.column(place) if place else self._following
            self._attributes = attributes
            self._formula, self._value, self._inline = False, None, None
        elif path == _VALUE:
            self._value = ""
        elif path == _FORMULA:
            self._formula = True
        elif path in _INLINE:
            self._inline = self._inline or ""
        elif path == _ROW:
            self._number, self._row = self._readers.row_number(attributes.get("r"), self._number), []
            self._following = 0

    def _end(self, path: str) -> None:
        if path == _CELL:
            if self._column < self._following:
                raise FileRefused(UNREADABLE)
            self._following = self._column + 1
            put_cell(self._row, self._column, self._cell(), self._limits.columns)
        elif path == _ROW:
            self._done.append((self._number, self._row))

    def _text(self, text: str) -> None:
        path = self._parser.path
        if path == _VALUE:
            if len(self._value or "") <= self._limits.cell:
                self._value = f"{self._value}{text}"
        elif path in _INLINE and len(self._inline or "") <= self._limits.cell:
            self._inline = f"{self._inline}{text}"

    def _cell(self) -> Cell:
        kind, style = self._attributes.get("t", "n"), self._attributes.get("s", "")
        # Some programs write a text twice.
        first, second = (self._inline, self._value) if kind == "inlineStr" else (self._value, self._inline)
        text = second if first is None else first
        return self._readers.read_cell(kind, style, text or "", has_formula=self._formula)


def _join(row: list[Cell], more: list[Cell]) -> None:
    """Put the cells of a further ``row`` element of the same number behind those of the first."""
    if any(cell is not None for cell in more[: len(row)]):
        raise FileRefused(UNREADABLE)
    row += more[len(row) :]
