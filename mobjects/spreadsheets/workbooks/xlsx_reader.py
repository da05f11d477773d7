"""Reading workbooks row by row: native dates and numbers, text that stays text, nothing calculated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO

from openpyxl.utils.cell import coordinate_to_tuple

from mobjects.marking import gettext_noop
from mobjects.spreadsheets.detection.header_row import NameTest, blank_header, find_header_row
from mobjects.spreadsheets.encoding import looks_mangled
from mobjects.spreadsheets.row_shape import SAMPLED_ROWS, RowNormaliser, collect_samples, is_blank, parse_headers
from mobjects.spreadsheets.types import DetectedFile, FileLimits, FileRefused, ReadOptions, TableRow
from mobjects.spreadsheets.workbooks.calamine_reader import CalamineBook, find_format, open_calamine
from mobjects.spreadsheets.workbooks.cell_readers import NumberedRow
from mobjects.spreadsheets.workbooks.sheet_notes import SheetNotes
from mobjects.spreadsheets.workbooks.xlsx_cells import SheetReader
from mobjects.spreadsheets.workbooks.xlsx_package import SheetInfo, XlsxPackage, open_package, refuse_damaged_file
from mobjects.spreadsheets.workbooks.xlsx_shared_strings import SharedStrings

Book = XlsxPackage | CalamineBook


def detect_workbook(file: BinaryIO, given: ReadOptions, limits: FileLimits, is_name: NameTest) -> DetectedFile:
    """Find out sheet, headers and samples.

    Args:
        file: seekable.
        given: the sheet that a person chose; else the first visible one with rows is read.
        limits: the most that is read.
        is_name: whether a text is the name of a known column.

    Raises:
        FileRefused: the file cannot be read for certain.
    """
    with _open_book(file, limits) as book:
        names = [sheet.name for sheet in book.sheets]
        sheet = _named(book, given.sheet) if given.sheet else _first_filled_sheet(book, limits)
        with _records(book, sheet, limits) as records:
            header = find_header_row(records, is_name, given.header)
        with _records(book, sheet, limits) as records:
            headers = _header(records, sheet, limits, header.number)
            found = list(islice(_fitted(records, headers, limits), SAMPLED_ROWS))
        if not found:
            raise FileRefused(
                gettext_noop("The sheet “%(name)s” has a header row but no rows below it.") % {"name": sheet.name}
            )
        notes = [*header.notes, *_notes(book, sheet, header.number)]
    samples = collect_samples(len(headers), found)
    if any(looks_mangled(cell) for row in found for cell in row.cells if isinstance(cell, str)):
        notes.append(gettext_noop("Some letters look like UTF-8 that was read as Windows-1252, “Ã¼” in place of “ü”."))
    return DetectedFile(ReadOptions("xlsx", sheet=sheet.name, header=header.number), names, headers, samples, notes)


def iter_workbook_rows(file: BinaryIO, reading: ReadOptions, limits: FileLimits) -> Iterator[TableRow]:
    """The rows below the header.

    Args:
        file: seekable; is not closed.
        reading: complete, from :func:`detect_workbook`.
        limits: the most that is read.

    Raises:
        FileRefused: the workbook is damaged; or a value stands in a column without a name.
    """
    with _open_book(file, limits) as book:
        sheet = _named(book, reading.sheet)
        with _records(book, sheet, limits) as records:
            headers = _header(records, sheet, limits, reading.header)
            yield from _fitted(records, headers, limits)


@contextmanager
def _open_book(file: BinaryIO, limits: FileLimits) -> Iterator[Book]:
    """Open a workbook of any format, which its content tells: names often say another one."""
    kind = find_format(file)
    with open_calamine(file, kind, limits) if kind else open_package(file, limits) as book:
        yield book


def _named(book: Book, name: str) -> SheetInfo:
    found = next((sheet for sheet in book.sheets if sheet.name == name), None)
    if found is None:
        names = ", ".join(f"“{sheet.name}”" for sheet in book.sheets[:20])
        raise FileRefused(
            gettext_noop("The workbook has no sheet “%(name)s”; it has %(names)s.")
            % {"name": name, "names": names or "none"}
        )
    return found


def _first_filled_sheet(book: Book, limits: FileLimits) -> SheetInfo:
    """The first visible sheet with a header and a row, else the first visible one with cells."""
    with_cells = None
    for sheet in book.sheets:
        if sheet.is_hidden:
            continue
        with _records(book, sheet, limits) as records:
            filled = len(list(islice((1 for _, cells in records if not all(map(is_blank, cells))), 2)))
        if filled > 1:
            return sheet
        if filled and with_cells is None:
            with_cells = sheet
    if with_cells is None:
        raise FileRefused(gettext_noop("The workbook has no visible sheet with cells."))
    return with_cells


def _header(records: Iterator[NumberedRow], sheet: SheetInfo, limits: FileLimits, at: int) -> list[str]:
    """The headers in row ``at``, of which the sheet has others before; 0 is the first row that holds anything."""
    for number, cells in records:
        if number < at or (not at and all(map(is_blank, cells))):
            continue
        if number > at > 0 or all(map(is_blank, cells)):
            raise blank_header(at)
        return parse_headers(cells, limits)
    if at:
        raise blank_header(at)
    raise FileRefused(gettext_noop("The sheet “%(name)s” has no cells.") % {"name": sheet.name})


def _fitted(records: Iterator[NumberedRow], headers: Sequence[str], limits: FileLimits) -> Iterator[TableRow]:
    fitter = RowNormaliser(headers, limits, is_workbook=True)
    for number, cells in records:
        row = fitter.normalise_row(number, cells)
        if row is not None:
            yield row


def _notes(book: Book, sheet: SheetInfo, header: int) -> list[str]:
    """What a person should know about the sheet."""
    merged: list[str] = []

    def add_merged(cells: str) -> None:
        _check_header(cells, header)
        if not merged:
            merged.append(cells)

    notes, found = [], SheetNotes(add_merged)
    if isinstance(book, CalamineBook):
        notes.append(book.note)
        for cells in book.merged_ranges(sheet):
            add_merged(cells)
    else:
        with book.open_part(sheet.part) as stream:
            found.read_sheet(stream)
    if merged:
        notes.append(
            gettext_noop(
                "Cells are merged (for example %(merged)s). Only the first of them holds the value, the "
                "others are read as empty."
            )
            % {"merged": merged[0]}
        )
    if found.has_hidden:
        notes.append(gettext_noop("Rows or columns that are hidden in the workbook are read as well."))
    return notes


def _check_header(merged: str, header: int) -> None:
    first, last = (coordinate_to_tuple(corner)[0] for corner in merged.split(":"))
    if first <= header <= last:
        raise FileRefused(
            gettext_noop(
                "Cells of the header row are merged (%(merged)s). Unmerge them, and give each column a name of its own."
            )
            % {"merged": merged}
        )


# --- cells ----------------------------------------------------------------------------------


@contextmanager
def _records(book: Book, sheet: SheetInfo, limits: FileLimits) -> Iterator[Iterator[NumberedRow]]:
    """The rows of a sheet that its XML has, each with its number."""
    if isinstance(book, CalamineBook):
        yield book.iter_rows(sheet, limits)
        return
    with refuse_damaged_file(), book.open_part(sheet.part) as stream:
        source = book.open_part(book.strings) if book.has_part(book.strings) else None
        strings = SharedStrings(source, limits)
        try:
            yield SheetReader(book, strings, limits).iter_rows(stream)
        finally:
            strings.close()
            if source is not None:
                source.close()
