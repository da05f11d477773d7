"""Errors and uncalculated formulas among the records of binary workbooks (Microsoft's MS-XLS and MS-XLSB)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import olefile

from mobjects.marking import gettext_noop
from mobjects.spreadsheets.types import BadCell, FileRefused
from mobjects.spreadsheets.workbooks.marked_cells import MarkedCells
from mobjects.spreadsheets.workbooks.xlsx_values import FORMULA, UNCALCULATED, parse_error

_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_Record = tuple[int, bytes]

# Records of .xls files.
_XLS_SHEET, _XLS_PASSWORD, _XLS_CALCULATED, _XLS_START, _XLS_END = 0x0085, 0x002F, 0x01C1, 0x0809, 0x000A
_XLS_FORMULA, _XLS_STRING, _XLS_ERROR = 0x0006, 0x0207, 0x0205
_XLS_SHARED = (0x04BC, 0x0221, 0x0236)  # What may stand between a formula and its text.
_XLS_CELLS = frozenset({0x0203, 0x0204, 0x00D6, 0x027E, 0x00FD, 0x00BD, _XLS_FORMULA, _XLS_ERROR})
_CALCULATE_LATER = 2  # The bit of a formula whose program left it to be calculated by the next one.
_ZERO, _EMPTY = bytes(8), b"\3\0\0\0\0\0\xff\xff"  # Results of formulas that none were calculated for.

# Records of .xlsb files.
_XLSB_SHEET, _XLSB_ROW, _XLSB_CELLS, _XLSB_ERRORS = 156, 0, range(2, 12), (3, 11)
_XLSB_CALCULATION, _XLSB_TEXT_FORMULA, _XLSB_NUMBER_FORMULA = 157, 8, 9
_CALCULATE_ALL, _SOME_UNCALCULATED = 0x01, 0x10  # fFullCalcOnLoad and fSomeUncalced of BrtCalcProp.


def mark_xls(file: BinaryIO) -> dict[str, MarkedCells]:
    """The cells of an .xls file, by sheet.

    Raises:
        FileRefused: it is protected by a password; or a sheet is too large.
    """
    file.seek(0)
    with olefile.OleFileIO(file) as container:
        name = next((name for name in ("Workbook", "Book") if container.exists(name)), "")
        if not name:
            raise FileRefused(gettext_noop("This workbook is protected by a password; save it without one."))
        data = container.openstream(name).read()
    sheets: dict[str, MarkedCells] = {}
    # Excel says which version of it has calculated a workbook; other programs may have done so or not.
    is_calculated = any(kind == _XLS_CALCULATED for kind, _ in _xls_records(data, 0))
    for kind, record in _xls_records(data, 0):
        if kind == _XLS_PASSWORD:
            raise FileRefused(gettext_noop("This workbook is protected by a password; save it without one."))
        if kind == _XLS_SHEET and len(record) > 8:
            place, length, is_wide = struct.unpack_from("<L", record)[0], record[6], record[7] & 1
            name = record[8 : 8 + length * (1 + is_wide)].decode("utf-16-le" if is_wide else "latin-1")
            sheets[name] = _mark_sheet(data, place, is_calculated=is_calculated)
    return sheets


def _xls_records(data: bytes, start: int) -> Iterator[_Record]:
    while start + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, start)
        yield kind, data[start + 4 : start + 4 + length]
        start += 4 + length


def _mark_sheet(data: bytes, place: int, *, is_calculated: bool) -> MarkedCells:
    found, depth = MarkedCells(), 0
    waiting: tuple[int, int] | None = None  # The formula whose text has to come next.
    for kind, record in _xls_records(data, place):
        depth += (kind == _XLS_START) - (kind == _XLS_END)
        if waiting and kind not in _XLS_SHARED:
            if kind != _XLS_STRING:
                found.add_cell(*waiting, FORMULA)
            waiting = None
        if kind in _XLS_CELLS and depth == 1:
            row, column = struct.unpack_from("<HH", record)
            found.add_cell(row, column, _xls_problem(kind, record, is_calculated=is_calculated))
            if kind == _XLS_FORMULA and record[12:14] == b"\xff\xff" and record[6] == 0:
                waiting = row, column
        if depth == 0:
            break
    return found


def _xls_problem(kind: int, record: bytes, *, is_calculated: bool) -> BadCell | None:
    if kind == _XLS_ERROR and record[7]:
        return _error(record[6])
    if kind == _XLS_FORMULA:
        if record[12:14] == b"\xff\xff" and record[6] == 2:
            return _error(record[8])
        result, later = record[6:14], record[14] & _CALCULATE_LATER
        if (result in (_ZERO, _EMPTY) and later) or (result == _EMPTY and not is_calculated):
            return UNCALCULATED
    return None


def list_xlsb_sheets(workbook: bytes) -> dict[str, str]:
    """Id of the relationship of each sheet of an .xlsb file, by its name, from the part ``xl/workbook.bin``."""
    sheets = {}
    for kind, record in _xlsb_records(workbook):
        if kind == _XLSB_SHEET:
            relation, at = _wide_text(record, 8)
            sheets[_wide_text(record, at)[0]] = relation
    return sheets


def is_xlsb_uncalculated(workbook: bytes) -> bool:
    """Whether results of formulas of an .xlsb file are placeholders, from the part ``xl/workbook.bin``."""
    for kind, record in _xlsb_records(workbook):
        if kind == _XLSB_CALCULATION:
            (flags,) = struct.unpack_from("<H", record, 24)
            return bool(flags & (_CALCULATE_ALL | _SOME_UNCALCULATED))
    return False


def _wide_text(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<L", data, at)
    end = at + 4 + 2 * length
    return data[at + 4 : end].decode("utf-16-le"), end


def mark_xlsb(sheet: bytes, *, is_uncalculated: bool) -> MarkedCells:
    """The cells of a sheet's part of an .xlsb file.

    Args:
        sheet: the part.
        is_uncalculated: what :func:`is_xlsb_uncalculated` says of the workbook.
    """
    found, row = MarkedCells(), 0
    for kind, record in _xlsb_records(sheet):
        if kind == _XLSB_ROW:
            (row,) = struct.unpack_from("<L", record)
        elif kind in _XLSB_CELLS:
            (column,) = struct.unpack_from("<L", record)
            found.add_cell(row, column, _xlsb_problem(kind, record, is_uncalculated=is_uncalculated))
    return found


def _xlsb_problem(kind: int, record: bytes, *, is_uncalculated: bool) -> BadCell | None:
    if kind in _XLSB_ERRORS:
        return _error(record[8])
    # As in other workbooks: where some are not calculated, a zero and an empty text are what stands for a result.
    empty = {_XLSB_NUMBER_FORMULA: record[8:16] == bytes(8), _XLSB_TEXT_FORMULA: record[8:12] == bytes(4)}
    return UNCALCULATED if is_uncalculated and empty.get(kind) else None


def _xlsb_records(data: bytes) -> Iterator[_Record]:
    at = 0
    while at < len(data):
        kind, at = _variable(data, at, 2)
        length, at = _variable(data, at, 4)
        yield kind, data[at : at + length]
        at += length


def _variable(data: bytes, at: int, most: int) -> tuple[int, int]:
    """A number in up to so many bytes, seven bits of it in each, and where it ends."""
    number = 0
    for place in range(most):
        number |= (data[at] & 0x7F) << 7 * place
        at += 1
        if data[at - 1] < 0x80:
            break
    return number, at


def _error(code: int) -> BadCell:
    return parse_error(_ERRORS.get(code, "#ERROR!"))
