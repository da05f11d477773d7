"""Errors, uncalculated formulas, percentages and times in .ods files (OpenDocument 1.3, part 3, chapter 9)."""

from __future__ import annotations

import re
from typing import IO

from mobjects.spreadsheets.types import Cell, DrawnNumber
from mobjects.spreadsheets.workbooks.marked_cells import MarkedCells
from mobjects.spreadsheets.workbooks.xlsx_values import FORMULA, parse_error, parse_iso_date, percent_text
from mobjects.spreadsheets.workbooks.xml_parsing import SEPARATOR, Attributes, XmlParser

_ODS = "urn:oasis:names:tc:opendocument:xmlns"
_TABLE, _OFFICE, _TEXT = f"{_ODS}:table:1.0", f"{_ODS}:office:1.0", f"{_ODS}:text:1.0"
_EXTENDED = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
_PIECE = 1 << 16
_MOST_REPEATED = 1 << 20
_ERRORS = ("#", "Err:")
_MOST_SHOWN = 60
"""Characters of a cell's text that are looked at; keys are shorter."""
# Zeros in front, letters or dashes: what a format draws around the digits of a key. Not signs of money, units behind a
# number, or what stands between thousands.
_DRAWN = re.compile(r"0[0-9]+|[0-9]+(?:[-/][0-9]+)+|[^\W\d_]+[-_/#.:]?[0-9]+(?:[-/.][0-9]+)*")


def mark_ods(stream: IO[bytes]) -> dict[str, MarkedCells]:
    """The cells of an .ods file, by sheet, from its part ``content.xml``."""
    found = _OdsCells()
    parser = XmlParser(found.start_element, found.end_element, found.add_text, frozenset({_TABLE, _OFFICE, _TEXT}))
    while piece := stream.read(_PIECE):
        parser.feed(piece)
    parser.close()
    return found.sheets


class _OdsCells:
    """Handlers of a parser; a cell and a row may stand for many equal ones."""

    def __init__(self) -> None:
        self.sheets: dict[str, MarkedCells] = {}
        self._sheet = MarkedCells()
        self._row = self._column = 0
        self._rows = self._columns = 1  # How often the present ones are repeated.
        self._cells: list[tuple[int, int, Cell]] = []  # Of the row: first column, how many, what is known.
        self._attributes: Attributes = {}
        self._shown = ""
        self._depth = 0  # Inside of a cell.

    def start_element(self, path: str, attributes: Attributes) -> None:
        """See XmlParser."""
        name = path.rpartition("/")[2]
        if self._depth:
            self._depth += 1
        elif name == "table":
            self._sheet = self.sheets[_attribute(attributes, _TABLE, "name")] = MarkedCells()
            self._row = 0
        elif name == "table-row":
            self._column, self._cells = 0, []
            self._rows = _repeated(attributes, "number-rows-repeated")
        elif name in ("table-cell", "covered-table-cell"):
            self._columns = _repeated(attributes, "number-columns-repeated")
            self._attributes, self._shown, self._depth = attributes, "", 1

    def add_text(self, text: str) -> None:
        """See XmlParser."""
        if self._depth == 2 and len(self._shown) < _MOST_SHOWN:
            self._shown += text

    def end_element(self, path: str) -> None:
        """See XmlParser."""
        if self._depth:
            self._depth -= 1
            if not self._depth:
                self._end_cell()
        elif path.endswith("/table-row"):
            for column, count, known in self._cells:
                self._sheet.add_cell(self._row, column, known, rows=self._rows, columns=count)
            self._row += self._rows

    def _end_cell(self) -> None:
        kind, known = _attribute(self._attributes, _OFFICE, "value-type"), self._known()
        if kind or known is not None or self._shown:
            self._cells.append((self._column, self._columns, known))
        self._column += self._columns

    def _known(self) -> Cell:
        kind = _attribute(self._attributes, _OFFICE, "value-type")
        formula = _attribute(self._attributes, _TABLE, "formula")
        is_error = _attribute(self._attributes, _EXTENDED, "value-type") == "error"
        if is_error or (formula and self._shown.startswith(_ERRORS)):
            return parse_error(self._shown or "#ERROR!")
        if formula and not kind:
            return FORMULA
        if kind == "percentage":
            return percent_text(float(_attribute(self._attributes, _OFFICE, "value")))
        if kind == "float":
            return _drawn_number(_attribute(self._attributes, _OFFICE, "value"), self._shown)
        return parse_iso_date(_attribute(self._attributes, _OFFICE, "time-value")) if kind == "time" else None


def _drawn_number(value: str, shown: str) -> Cell:
    """A whole number whose digits are shown with more around them; ``None`` for any other, which is read as it is."""
    digits = re.sub("[^0-9]", "", shown)
    if not _DRAWN.fullmatch(shown) or not value.isdecimal() or digits.lstrip("0") != value.lstrip("0"):
        return None
    return DrawnNumber(int(value), shown)


def _attribute(attributes: Attributes, namespace: str, name: str) -> str:
    start = f"{namespace}{SEPARATOR}{name}{SEPARATOR}"
    return next((value for key, value in attributes.items() if key.startswith(start)), "")


def _repeated(attributes: Attributes, name: str) -> int:
    return min(max(int(_attribute(attributes, _TABLE, name) or 1), 1), _MOST_REPEATED)
