"""Reading and writing XLSX workbooks: native dates and numbers, text that stays text, nothing calculated."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from mobjects.marketo.text import to_text
from mobjects.tabular import FileRefused, Limits, Sheet, build, neutralise

_UNPACKED = 200_000_000  # A workbook is a zip; a small one can unpack to far more than any real table.
_LONGEST = 32_767  # Characters in a cell (Microsoft's "Excel specifications and limits").
_FIRST_DAY = date(1900, 3, 1)  # Excel counts a 29 February 1900; earlier dates are off by one.
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
# Office Open XML writes a character that XML cannot hold as _xHHHH_, and a literal "_x0041_" as "_x005F_x0041_".
_ESCAPED = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)|_x000D_(?:\n)?")
_LITERAL = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    InvalidFileException,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,  # ElementTree's ParseError
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class Month(date):
    """A month, kept as its first day, which files show as YYYY-MM."""


def read_xlsx(data: bytes, limits: Limits | None = None) -> Sheet:
    """Read the first sheet of a workbook.

    Raises:
        FileRefused: not a workbook; an error value or a formula without a result in a cell; no rows.
    """
    if not data:
        raise FileRefused("The file is empty.")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileRefused("This is an old or password-protected Excel file; save it as .xlsx without a password.")
    with _refusing():
        has_formulas = _inspect(data, limits)
    uncached = _formula_cells(data) if has_formulas else frozenset()
    with _refusing():
        return build(_rows(data, uncached), limits, ragged=True)


@contextmanager
def _refusing() -> Iterator[None]:
    """openpyxl raises whatever a damaged file happens to trip; all of it means the same to the user."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Parts of a workbook that openpyxl does not support.
            yield
    except FileRefused:
        raise
    except _BROKEN as error:
        raise FileRefused("This is not a readable XLSX workbook; open it in Excel and save it again.") from error


def _inspect(data: bytes, limits: Limits | None) -> bool:
    """Refuse a zip bomb; tell whether any sheet holds a formula."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if limits is not None and sum(entry.file_size for entry in archive.infolist()) > _UNPACKED:
            raise FileRefused(f"The workbook unpacks to more than {_UNPACKED // 1_000_000} MB.")
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_FORMULA.search(archive.read(name)) for name in names)


def _formula_cells(data: bytes) -> frozenset[tuple[int, int]]:
    """(row, column) of every formula, counted from 1."""
    with _refusing():
        return frozenset(
            (number, column)
            for number, cells in enumerate(_cells(data, data_only=False), 1)
            for column, cell in enumerate(cells, 1)
            if cell.data_type == "f"
        )


def _cells(data: bytes, *, data_only: bool) -> Iterator[tuple[Any, ...]]:
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=data_only)
    try:
        if not book.worksheets:
            raise FileRefused("The workbook has no sheet with cells.")
        sheet = book.worksheets[0]
        # Programs other than Excel write a wrong size here, which would cut the table.
        sheet.reset_dimensions()
        yield from sheet.iter_rows()
    finally:
        book.close()


def _rows(data: bytes, formulas: frozenset[tuple[int, int]]) -> Iterator[list[Any]]:
    for number, cells in enumerate(_cells(data, data_only=True), 1):
        yield [_value(cell, (number, column), formulas) for column, cell in enumerate(cells, 1)]


def _value(cell: Any, place: tuple[int, int], formulas: frozenset[tuple[int, int]]) -> Any:
    value, kind = cell.value, cell.data_type
    where = f"{get_column_letter(place[1])}{place[0]}"
    if kind == "e":
        raise FileRefused(f"Cell {where} holds the error {value}.")
    if value is None:
        # A text formula that gives "" has the type of text; one that was never calculated has none.
        if place in formulas and kind != "str":
            raise FileRefused(f"Cell {where} holds a formula without a result; open the file in Excel and save it.")
        return None
    if isinstance(value, str):
        return _ESCAPED.sub(lambda match: "_" if "5F" in match.group() else "\n", value)
    if kind == "n" and "%" in cell.number_format:
        return f"{value * 100:.15g}%"  # Excel keeps 80% as 0.8.
    return value


def write_xlsx(sheet: Sheet, title: str) -> bytes:
    """Write a sheet as a workbook.

    Strings are written as text whatever they look like; columns of text get the cell format Text, so that
    spreadsheets keep leading zeros.

    Raises:
        ValueError: a value that a workbook cannot hold, in words.
    """
    for row in sheet:  # Before the first row is written: openpyxl does not survive being stopped halfway.
        for header, value in zip(sheet.headers, row, strict=True):
            if isinstance(value, str):
                _check_text(value, header)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # openpyxl 3.1 calls datetime.utcnow()
        return _written(sheet, title)


def _check_text(text: str, header: str) -> None:
    # An apostrophe may be put before it, and an underscore written as seven characters.
    if 1 + len(text) + 6 * text.count("_") > _LONGEST:
        raise ValueError(f"A value of {header} has {len(text):,} characters; a cell holds {_LONGEST:,}. Export as CSV.")
    if ILLEGAL_CHARACTERS_RE.search(text):
        raise ValueError(f"A value of {header} has a control character, which a workbook cannot hold.")


def _written(sheet: Sheet, title: str) -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet(title)
    page.freeze_panes = "A2"
    for number, header in enumerate(sheet.headers, 1):
        dimension = page.column_dimensions[get_column_letter(number)]
        dimension.width = max(12, len(header) + 4)
        if header in sheet.text_headers:
            dimension.number_format = "@"
    page.append([_header_cell(page, header) for header in sheet.headers])
    for row in sheet:
        page.append([_written_cell(page, value) for value in row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _header_cell(page: Any, header: str) -> Any:
    cell = WriteOnlyCell(page, header)
    cell.font = Font(bold=True)
    return cell


def _written_cell(page: Any, value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _text_cell(page, neutralise(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return _date_cell(page, value)
    if isinstance(value, bool | int | float | Decimal):
        return value
    return _text_cell(page, to_text(value))  # Excel's times have no zone; ISO 8601 says it.


def _text_cell(page: Any, text: str) -> Any:
    cell = WriteOnlyCell(page, _LITERAL.sub("_x005F_", text))
    cell.data_type = "s"  # Whatever it looks like: a formula, or an error such as #N/A.
    cell.number_format = "@"
    return cell


def _date_cell(page: Any, value: date) -> Any:
    is_month = isinstance(value, Month)
    if value < _FIRST_DAY:
        return WriteOnlyCell(page, value.isoformat()[:7] if is_month else value.isoformat())
    cell = WriteOnlyCell(page, datetime.combine(value, time()))
    cell.number_format = "yyyy-mm" if is_month else "yyyy-mm-dd"
    return cell
