"""Reading tables that people upload, row by row and without guessing in silence.

What cannot be read for certain is refused in one sentence (:class:`FileRefused`); what concerns one row or one cell
is said there and stops nothing.

``encoding`` finds out how a text file is written and ``csv_reader`` reads it; ``xlsx_reader`` reads workbooks, with
their parts (``xlsx_package``), shared strings, cells and values; ``row_shape`` is what both formats have in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import BinaryIO

from mobjects.spreadsheets import csv_reader
from mobjects.spreadsheets.detection.header_row import NameTest
from mobjects.spreadsheets.row_shape import cell_text
from mobjects.spreadsheets.types import DetectedFile, FileLimits, FileRefused, ReadOptions, TableRow
from mobjects.spreadsheets.workbooks import xlsx_reader

EXTENSIONS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".xlsx": "xlsx"}
"""Format by the end of a file's name."""

_OTHER_WORKBOOKS = (".xls", ".xlsb", ".xlsm", ".xltx", ".xltm", ".ods", ".numbers")

__all__ = ["EXTENSIONS", "cell_text", "detect_file", "iter_rows"]


def detect_file(
    file: BinaryIO,
    name: str,
    limits: FileLimits,
    reading: ReadOptions | None = None,
    is_name: NameTest = lambda text: False,
) -> DetectedFile:
    """Find out how a file is read, and its headers.

    Args:
        file: seekable; is read from its beginning and not closed.
        name: of the file; its end tells the format.
        limits: the most that is read.
        reading: what a person decided; empty parts are found out.
        is_name: whether a text is the name of a known column, which tells the row with the headers.

    Raises:
        FileRefused: the file cannot be read for certain.
    """
    size = file.seek(0, 2)
    if size > limits.size:
        raise FileRefused(f"The file has {size / 1e6:,.1f} MB; at most {limits.size / 1e6:,g} MB are read.")
    reading = reading or ReadOptions("")
    if (reading.format or _format(name)) == "xlsx":
        return xlsx_reader.detect_workbook(file, reading, limits, is_name)
    return csv_reader.detect_csv(file, reading, limits, is_name)


def iter_rows(file: BinaryIO, reading: ReadOptions, limits: FileLimits) -> Iterator[TableRow]:
    """The rows below the header, blank ones left out.

    Args:
        file: seekable; is read from its beginning and not closed.
        reading: complete, from :func:`detect_file`.
        limits: the most that is read.

    Raises:
        FileRefused: the file cannot be read on for certain; rows before that were given already.
    """
    if reading.format == "xlsx":
        return xlsx_reader.iter_workbook_rows(file, reading, limits)
    return csv_reader.iter_csv_rows(file, reading, limits)


def _format(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    if suffix not in EXTENSIONS:
        old = " Save it as .xlsx." if suffix in _OTHER_WORKBOOKS else ""
        raise FileRefused(f"“{name}” is neither CSV nor XLSX; its name must end in {', '.join(EXTENSIONS)}.{old}")
    return EXTENSIONS[suffix]
