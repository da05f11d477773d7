"""What python-calamine does not give of .ods files (OpenDocument 1.3, part 3, chapters 6 and 9).

Errors, uncalculated formulas, percentages and times; the tabs and line breaks within a paragraph, which it leaves out
("120" above "30" would be 12030); and a text without that of the shapes that are anchored to its cell.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import IO, BinaryIO

from mobjects.spreadsheets.types import Cell, DrawnNumber
from mobjects.spreadsheets.workbooks.marked_cells import MarkedCells
from mobjects.spreadsheets.workbooks.xlsx_values import FORMULA, parse_error, parse_iso_date, percent_text
from mobjects.spreadsheets.workbooks.xml_parsing import SEPARATOR, Attributes, XmlParser

_ODS = "urn:oasis:names:tc:opendocument:xmlns"
_TABLE, _OFFICE, _TEXT = f"{_ODS}:table:1.0", f"{_ODS}:office:1.0", f"{_ODS}:text:1.0"
_EXTENDED = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
_PIECE = 1 << 16
_MOST_REPEATED = 1 << 20
_LONGEST_TEXT = 1 << 17  # Characters that are kept of one; a cell of any format holds fewer.
_BREAKS = {"tab": "\t", "line-break": "\n"}
_DRAWING = ""  # The name of an element that is neither text nor a note.
_ERRORS = ("#", "Err:")
_MOST_SHOWN = 60
"""Characters of a cell's text that are looked at; keys are shorter."""
# Zeros in front, letters or dashes: what a format draws around the digits of a key. Not signs of money, units behind a
# number, or what stands between thousands.
_DRAWN = re.compile(r"0[0-9]+|[0-9]+(?:[-/][0-9]+)+|[^\W\d_]+[-_/#.:]?[0-9]+(?:[-/.][0-9]+)*")

_CONTENT = "content.xml"
# Between elements that hold no text of their own; within a paragraph it is text.
_INDENTS = re.compile(rb">[ \t\r\n]+(?=</?(?:table|office):|<text:p[ />])")


def mark_ods(stream: IO[bytes]) -> dict[str, MarkedCells]:
    """The cells of an .ods file, by sheet, from its part ``content.xml``."""
    found = _OdsCells()
    parser = XmlParser(found.start_element, found.end_element, found.add_text, frozenset({_TABLE, _OFFICE, _TEXT}))
    while piece := stream.read(_PIECE):
        parser.feed(piece)
    parser.close()
    return found.sheets


def without_indents(file: BinaryIO) -> BinaryIO:
    """A copy of an .ods file without line breaks between elements, which SheetJS writes and calamine 0.9.1 refuses."""
    copy = io.BytesIO()
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(copy, "w") as tidy:
        for name in archive.namelist():
            part = archive.read(name)
            tidy.writestr(name, _INDENTS.sub(b">", part) if name == _CONTENT else part)
    copy.seek(0)
    return copy


class _CellText:
    """The paragraphs of a cell."""

    def __init__(self) -> None:
        self.is_read_otherwise = False  # By calamine.
        self.is_inside = False  # Of a paragraph.
        self._pieces: list[str] = []
        self._length = self._paragraphs = 0

    def __str__(self) -> str:
        return "".join(self._pieces)

    def start_child(self, name: str) -> None:
        """An element right in the cell begins: a paragraph, or a note or drawing, whose text is not the cell's."""
        self.is_inside = name == "p"
        self.is_read_otherwise = self.is_read_otherwise or name == _DRAWING
        if self.is_inside:
            self.add("\n" * bool(self._paragraphs))
            self._paragraphs += 1

    def start_inner(self, name: str, attributes: Attributes) -> None:
        """An element in one of those begins."""
        if self.is_inside and name in _BREAKS:
            self.is_read_otherwise = True
            self.add(_BREAKS[name])
        elif self.is_inside and name == "s":
            self.add(" " * min(int(_attribute(attributes, _TEXT, "c") or 1), _LONGEST_TEXT))

    def add(self, text: str) -> None:
        """More of it."""
        if self._length < _LONGEST_TEXT:
            self._pieces.append(text)
            self._length += len(text)


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
        self._text = _CellText()
        self._depth = 0  # Inside of a cell.

    def start_element(self, path: str, attributes: Attributes) -> None:
        """See XmlParser."""
        name = path.rpartition("/")[2]
        if self._depth:
            self._depth += 1
            if self._depth == 2:
                self._text.start_child(name)
            else:
                self._text.start_inner(name, attributes)
        elif name == "table":
            self._sheet = self.sheets[_attribute(attributes, _TABLE, "name")] = MarkedCells()
            self._row = 0
        elif name == "table-row":
            self._column, self._cells = 0, []
            self._rows = _repeated(attributes, "number-rows-repeated")
        elif name in ("table-cell", "covered-table-cell"):
            self._columns = _repeated(attributes, "number-columns-repeated")
            self._attributes, self._shown, self._text, self._depth = attributes, "", _CellText(), 1

    def add_text(self, text: str) -> None:
        """See XmlParser."""
        if self._depth == 2 and len(self._shown) < _MOST_SHOWN:
            self._shown += text
        if self._text.is_inside:
            self._text.add(text)

    def end_element(self, path: str) -> None:
        """See XmlParser."""
        if self._depth:
            self._depth -= 1
            if self._depth == 1:
                self._text.is_inside = False
            elif not self._depth:
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
        if kind == "string" and self._text.is_read_otherwise:
            return _attribute(self._attributes, _OFFICE, "string-value") or str(self._text)
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
