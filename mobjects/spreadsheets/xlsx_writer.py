"""Writing XLSX workbooks piece by piece: the zip archive comes into being while it is sent.

Libraries finish a workbook before its first byte can be had, which takes minutes for a million rows. The part of the
format that a table needs is small: ECMA-376, part 1, sections 18.2 (workbook), 18.3 (sheet) and 18.8 (styles).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain, islice
from typing import IO

from openpyxl.utils import get_column_letter

from mobjects.spreadsheets.formula_escaping import Month, escape_formula
from mobjects.spreadsheets.types import BadCell, Cell, DrawnNumber
from mobjects.spreadsheets.workbooks.xlsx_values import FORMULA, UNCALCULATED

MAX_CELL_CHARACTERS = 32_767
"""Characters in a cell (Microsoft's "Excel specifications and limits")."""
MAX_SHEET_ROWS = 1_048_576
_MOST_BYTES = 2_000_000_000  # Of a part of the archive; from 2 GiB on it would need ZIP64, which Excel refuses.
_BATCH = 250

_FIRST_DAY = date(1900, 3, 1)  # Excel counts a 29 February 1900; earlier dates are off by one.
_DAY_ZERO = date(1899, 12, 30)
_NOT_XML = re.compile("[^\\t\\n\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_SPECIAL = re.compile("[&<>]|_(?=x[0-9A-Fa-f]{4}_)|[^\\t\\n\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "_": "_x005F_"}

# Positions in cellXfs below.
_TEXT, _BOLD, _DATE, _MONTH, _MOMENT, _TIME = range(1, 7)

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = f"""{_HEAD}<styleSheet {_MAIN}>\
<numFmts count="4"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="yyyy\\-mm"/>\
<numFmt numFmtId="166" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/><numFmt numFmtId="167" formatCode="hh:mm:ss"/></numFmts>\
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill></fills>\
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>\
<cellXfs count="7"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>\
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>\
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="167" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"""


class _WriteBuffer:
    """A file that can only be written, and gives away what was written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def pop_bytes(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


@dataclass(slots=True)
class _XlsxWriter:
    """A workbook in the making."""

    headers: Sequence[str]
    text_headers: Collection[str]
    title: str
    safe: bool
    titles: list[str] = field(default_factory=list)

    def sheet_start(self) -> bytes:
        """Everything of a sheet before its second row; also counts the sheet."""
        self.titles.append(self.title if not self.titles else f"{self.title[:25]} {len(self.titles) + 1}")
        letters = _letters(self.headers)
        columns = "".join(
            f'<col min="{number}" max="{number}" width="{max(12, len(header) + 4)}" '
            f'style="{_TEXT if header in self.text_headers else 0}" customWidth="1"/>'
            for number, header in enumerate(self.headers, 1)
        )
        first = "".join(
            string_cell(f"{letter}1", header, _BOLD)
            for letter, header in zip(letters, self.headers, strict=True)
            if header
        )
        return (
            f'{_HEAD}<worksheet {_MAIN}><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
            'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f'{f"<cols>{columns}</cols>" if columns else ""}<sheetData><row r="1">{first}</row>'
        ).encode()

    def rows_xml(self, rows: Iterable[Sequence[Cell]], number: int) -> bytes:
        """The XML of rows, the first of which has a number."""
        letters, safe = _letters(self.headers), self.safe
        lines = []
        for row_number, row in enumerate(rows, number):
            cells = [cell_xml(f"{letter}{row_number}", value, safe) for letter, value in zip(letters, row, strict=True)]
            lines.append(f'<row r="{row_number}">{"".join(cells)}</row>')
        return "".join(lines).encode(errors="replace")

    def package_parts(self) -> Iterator[tuple[str, str]]:
        """Name and content of everything but the sheets."""
        numbers = range(1, len(self.titles) + 1)
        sheets = "".join(
            f'<sheet name="{_escaped(title)}" sheetId="{number}" r:id="rId{number}"/>'
            for number, title in zip(numbers, self.titles, strict=True)
        )
        links = "".join(
            f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
            for number in numbers
        )
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
            for number in numbers
        )
        yield "xl/workbook.xml", f'{_HEAD}<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
        yield (
            "xl/_rels/workbook.xml.rels",
            (
                f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{links}'
                f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
            ),
        )
        yield "xl/styles.xml", _STYLES
        yield (
            "_rels/.rels",
            (
                f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
                f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            ),
        )
        yield (
            "[Content_Types].xml",
            (
                f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
                'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                '<Default Extension="xml" ContentType="application/xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
                f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>{overrides}</Types>'
            ),
        )


def xlsx_pieces(
    headers: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    title: str = "Export",
    text_headers: Collection[str] = (),
    safe: bool = True,
    most_rows: int = MAX_SHEET_ROWS,
) -> Iterator[bytes]:
    """A workbook with one sheet, or more where there are more rows than a sheet holds.

    Strings are written as text whatever they look like, so nothing is ever calculated.

    Args:
        headers: the first row, of every sheet.
        rows: as wide as the headers.
        title: of the sheet; further ones get a number.
        text_headers: columns whose cells have the format Text, so that spreadsheets keep leading zeros.
        safe: whether text that looks like a formula gets an apostrophe in front, as in CSV.
        most_rows: of a sheet, its header row included.
    """
    book, pipe, source = _XlsxWriter(headers, text_headers, title, safe), _WriteBuffer(), iter(rows)
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:  # type: ignore[call-overload]
        more = True
        while more:
            with archive.open(f"xl/worksheets/sheet{len(book.titles) + 1}.xml", "w") as sheet:
                for _ in _fill(book, sheet, source, most_rows):
                    yield pipe.pop_bytes()
            ahead = list(islice(source, 1))
            source, more = chain(ahead, source), bool(ahead)
        for name, content in book.package_parts():
            archive.writestr(name, content.encode())
    yield pipe.pop_bytes()


def _fill(book: _XlsxWriter, sheet: IO[bytes], rows: Iterator[Sequence[Cell]], most_rows: int) -> Iterator[None]:
    """Write rows into a sheet until it is full or there are no more; pause after each batch."""
    size, number = sheet.write(book.sheet_start()), 2
    while size < _MOST_BYTES and (batch := list(islice(rows, min(_BATCH, most_rows - number + 1)))):
        size += sheet.write(book.rows_xml(batch, number))
        number += len(batch)
        yield
    sheet.write(b"</sheetData></worksheet>")


def _letters(headers: Sequence[str]) -> list[str]:
    return [get_column_letter(number) for number in range(1, len(headers) + 1)]


# --- cells ----------------------------------------------------------------------------------


def cell_xml(place: str, value: Cell, safe: bool) -> str:
    """One cell.

    Args:
        place: such as ``B7``.
        value: what it holds.
        safe: see :func:`xlsx_pieces`.
    """
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return string_cell(place, escape_formula(value) if safe else value, _TEXT)
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{value:d}</v></c>'
    if isinstance(value, Decimal):
        return f'<c r="{place}"><v>{value:f}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    if isinstance(value, BadCell):
        return _bad_cell(place, value)
    if isinstance(value, DrawnNumber):
        return string_cell(place, value.text, _TEXT)
    return _moment_cell(place, value)


def string_cell(place: str, text: str, style: int) -> str:
    """A cell of text."""
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t{space}>{_escaped(text)}</t></is></c>'


def _bad_cell(place: str, cell: BadCell) -> str:
    """An error stays one. So becomes a formula that was never calculated: elsewhere it would mean other cells."""
    if cell.text.startswith("#"):
        return f'<c r="{place}" t="e"><v>{_escaped(cell.text)}</v></c>'
    if cell in (FORMULA, UNCALCULATED):
        return f'<c r="{place}" t="e"><v>#N/A</v></c>'
    return string_cell(place, cell.text, _TEXT)


def _moment_cell(place: str, value: datetime | date | time) -> str:
    if isinstance(value, time):
        return _number_cell(place, _seconds(value) / 86_400, _TIME)
    if isinstance(value, datetime):
        if value.tzinfo is not None or value.date() < _FIRST_DAY:
            # Excel's times have no zone; ISO 8601 says it.
            text = value.isoformat(timespec="seconds") if value.tzinfo else value.isoformat(" ")
            return string_cell(place, text, _TEXT)
        return _number_cell(place, (value.date() - _DAY_ZERO).days + _seconds(value.time()) / 86_400, _MOMENT)
    if value < _FIRST_DAY:
        return string_cell(place, value.isoformat(), _TEXT)
    return _number_cell(place, (value - _DAY_ZERO).days, _MONTH if isinstance(value, Month) else _DATE)


def _number_cell(place: str, number: float, style: int) -> str:
    return f'<c r="{place}" s="{style}"><v>{number!r}</v></c>'


def _seconds(value: time) -> float:
    return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1_000_000


def written_length(text: str) -> int:
    """How many characters a text takes in a cell, as it is written."""
    return len(_NOT_XML.sub("_x0000_", escape_formula(text))) + 6 * len(re.findall("_(?=x[0-9A-Fa-f]{4}_)", text))


def _escaped(text: str) -> str:
    """Text as XML. A character that XML cannot hold is written as _xHHHH_, as Office Open XML has it."""
    return _SPECIAL.sub(_escape_character, text) if _SPECIAL.search(text) else text


def _escape_character(match: re.Match[str]) -> str:
    character = match.group()
    return _MARKUP.get(character) or f"_x{ord(character):04X}_"
