"""Reading .xls, .xlsb and .ods workbooks through python-calamine: whole sheets at once, with what it cannot tell noted.

It holds a sheet in memory and gives values without their formats. :mod:`~mobjects.spreadsheets.workbooks.marked_cells`
says which cells must not be taken from it.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO

from openpyxl.utils import get_column_letter
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets.row_shape import cell_text, check_text
from mobjects.spreadsheets.types import BadCell, Cell, FileLimits, FileRefused
from mobjects.spreadsheets.workbooks.binary_cells import is_xlsb_uncalculated, list_xlsb_sheets, mark_xls, mark_xlsb
from mobjects.spreadsheets.workbooks.cell_readers import NumberedRow
from mobjects.spreadsheets.workbooks.marked_cells import MarkedCells
from mobjects.spreadsheets.workbooks.ods_cells import mark_ods, without_indents
from mobjects.spreadsheets.workbooks.serial_dates import FIRST_SURE_DAY
from mobjects.spreadsheets.workbooks.xlsx_package import (
    BROKEN,
    SAME_PART,
    SheetInfo,
    XlsxPackage,
    check_archive,
    part_key,
    read_relations,
)
from mobjects.spreadsheets.workbooks.xlsx_values import OUTSIDE, duration_text

_OLD = b"\xd0\xcf\x11\xe0"
_XLSB = "xl/workbook.bin"
_UNREADABLE = _("This %(format)s workbook cannot be read; open it in Excel or LibreOffice and save it as .xlsx.")
_WIDE = _(
    "A cell stands in column %(column)s; at most %(most)s columns are read. Delete what stands far outside of the "
    "table, or save the workbook as .xlsx."
)


@dataclass(slots=True)
class CalamineBook:
    """An open workbook.

    Args:
        format: such as ``.ods``.
        sheets: sheets of cells in order.
        workbook: reads them.
        mark_cells: says which cells of a sheet, given by its name, must not be taken from it.
    """

    format: str
    sheets: list[SheetInfo]
    workbook: CalamineWorkbook
    mark_cells: Callable[[str], MarkedCells]

    def iter_rows(self, sheet: SheetInfo, limits: FileLimits) -> Iterator[NumberedRow]:
        """The rows of a sheet, each with its number; blank cells are ``None``.

        Raises:
            FileRefused: the sheet is damaged or too large.
        """
        marked = self.mark_cells(sheet.name)
        if marked.columns > limits.columns:  # What is read here makes cells of all places up to the last one.
            raise FileRefused(_WIDE % {"column": get_column_letter(marked.columns), "most": f"{limits.columns:,}"})
        with _refuse_damaged_file(self.format):
            table = self.workbook.get_sheet_by_name(sheet.name)
            before: list[Cell] = [None] * table.start[1] if table.start else []
            rows = marked.put_known([*before, *values] for values in table.iter_rows())
            to_cell = _cell if self.format == ".ods" else _counted_cell  # Days of .ods are written out.
            yield from enumerate(([to_cell(value, limits) for value in row] for row in rows), 1)

    @property
    def note(self) -> str:
        """What a person should know about how it is read."""
        if self.format == ".ods":
            said = _(
                "Of %(format)s workbooks it cannot be told what is hidden. Save the file as .xlsx where that matters."
            )
        else:
            said = _(
                "Of %(format)s workbooks it cannot be told which numbers are percentages (80%% is read as 0.8) or "
                "which have leading zeros (00124 is read as 124), nor what is hidden. Save the file as .xlsx where "
                "that matters."
            )
        return said % {"format": self.format}

    def merged_ranges(self, sheet: SheetInfo) -> list[str]:
        """The ranges of merged cells, such as ``A2:B2``; none where the format does not tell."""
        with _refuse_damaged_file(self.format):
            found = self.workbook.get_sheet_by_name(sheet.name).merged_cell_ranges or []
        return [":".join(f"{get_column_letter(column + 1)}{row + 1}" for row, column in corners) for corners in found]


def find_format(file: BinaryIO) -> str:
    """Which of these formats a file has by its content: ``.xls``, ``.xlsb`` or ``.ods``; empty for any other."""
    file.seek(0)
    if file.read(len(_OLD)) == _OLD:
        return ".xls"
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except BROKEN:
        return ""
    return ".xlsb" if "xl/workbook.bin" in names else ".ods" if "content.xml" in names else ""


@contextmanager
def open_calamine(file: BinaryIO, kind: str, limits: FileLimits) -> Iterator[CalamineBook]:
    """Open a workbook.

    Args:
        file: seekable.
        kind: its format, from :func:`find_format`.
        limits: the most that is read.

    Raises:
        FileRefused: it is damaged, too large, or protected by a password.
    """
    with _refuse_damaged_file(kind):
        mark_cells = _MARKERS[kind](file, limits)
        file.seek(0)
        with _load(file, kind) as workbook:
            sheets = [
                SheetInfo(sheet.name, "", sheet.visible is not SheetVisibleEnum.Visible)
                for sheet in workbook.sheets_metadata
                if sheet.typ is SheetTypeEnum.WorkSheet
            ]
            yield CalamineBook(kind, sheets, workbook, mark_cells)


def _load(file: BinaryIO, kind: str) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(file)
    except CalamineError:
        if kind != ".ods":
            raise
        return CalamineWorkbook.from_filelike(without_indents(file))


def _mark_xls(file: BinaryIO, limits: FileLimits) -> Callable[[str], MarkedCells]:
    return mark_xls(file).__getitem__


def _mark_xlsb(file: BinaryIO, limits: FileLimits) -> Callable[[str], MarkedCells]:
    with zipfile.ZipFile(file) as archive:
        check_archive(archive, limits)
        book = XlsxPackage.of_archive(archive)
        with book.open_part(_XLSB) as stream:
            workbook = stream.read()
        sheets, is_uncalculated = list_xlsb_sheets(workbook), is_xlsb_uncalculated(workbook)
        targets = read_relations(book, _XLSB)
    parts = {name: targets[relation][1] for name, relation in sheets.items() if relation in targets}
    if len(set(map(part_key, parts.values()))) < len(parts):
        raise FileRefused(SAME_PART)

    def mark_sheet(name: str) -> MarkedCells:
        with zipfile.ZipFile(file) as archive, XlsxPackage.of_archive(archive).open_part(parts[name]) as stream:
            return mark_xlsb(stream.read(), is_uncalculated=is_uncalculated)

    return mark_sheet


def _mark_ods(file: BinaryIO, limits: FileLimits) -> Callable[[str], MarkedCells]:
    with zipfile.ZipFile(file) as archive:
        check_archive(archive, limits)
        with archive.open("content.xml") as stream:
            return mark_ods(stream).__getitem__


_MARKERS = {".xls": _mark_xls, ".xlsb": _mark_xlsb, ".ods": _mark_ods}


def _cell(value: Cell | timedelta, limits: FileLimits) -> Cell:
    if isinstance(value, str):
        return check_text(value, limits) if value else None
    return duration_text(value) if isinstance(value, timedelta) else value


def _counted_cell(value: Cell | timedelta, limits: FileLimits) -> Cell:
    if isinstance(value, date) and (value.date() if isinstance(value, datetime) else value) < FIRST_SURE_DAY:
        return BadCell(cell_text(value), OUTSIDE)
    return _cell(value, limits)


@contextmanager
def _refuse_damaged_file(kind: str) -> Iterator[None]:
    """Whatever a damaged file trips means the same to people. Raises FileRefused."""
    try:
        yield
    except FileRefused:
        raise
    except PasswordError as error:
        raise FileRefused(_("This workbook is protected by a password; save it without one.")) from error
    except (CalamineError, struct.error, *BROKEN) as error:
        raise FileRefused(_UNREADABLE % {"format": kind}) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # What its Rust code could not go on with; it has no name here.
            raise
        raise FileRefused(_UNREADABLE % {"format": kind}) from error
