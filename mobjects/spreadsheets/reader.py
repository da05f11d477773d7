"""Reading tables that people upload, row by row and without guessing in silence.

What cannot be read for certain is refused in one sentence (:class:`FileRefused`); what concerns one row or one cell
is said there and stops nothing.

``encoding`` finds out how a text file is written and ``csv_reader`` reads it; ``workbooks`` reads workbooks;
``row_shape`` is what both formats have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import BinaryIO

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets import csv_reader
from mobjects.spreadsheets.detection.header_row import NameTest
from mobjects.spreadsheets.row_shape import cell_text
from mobjects.spreadsheets.types import DetectedFile, FileLimits, FileRefused, ReadOptions, TableRow
from mobjects.spreadsheets.workbooks import xlsx_reader

EXTENSIONS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"), "xlsx"),
}
"""Format by the end of a file's name; ``xlsx`` stands for all workbooks."""
_KNOWN = (".numbers", ".xltx", ".xltm", ".fods", ".sxc")  # Programs that can save as .xlsx write these.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # Zip archives, and the containers of older Excel files.
_START = 4096
_MARKUP = re.compile(rb"<(?:!--|(?:!doctype html|html|head|meta|body|table|style|\?xml|\w+ xmlns)\b)")
_XML = re.compile(rb"<(?:\?xml|(?!html)\w+ xmlns)\b(?!.*<(?:!doctype )?html)", re.DOTALL)
_SPREADSHEET = b"urn:schemas-microsoft-com:office:spreadsheet"

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
        raise FileRefused(
            _("The file has %(size)s MB; at most %(most)s MB are read.")
            % {"size": f"{size / 1000000.0:,.1f}", "most": f"{limits.size / 1000000.0:,g}"}
        )
    reading = reading or ReadOptions("")
    found = _format(file, name)
    if (reading.format or found) == "xlsx":
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


def _format(file: BinaryIO, name: str) -> str:
    """The format that a file has by its content; names often say another one. Raises FileRefused."""
    suffix = PurePath(name).suffix.lower()
    if suffix not in EXTENSIONS:
        hint = _(" Save it as .xlsx.") if suffix in _KNOWN else ""
        raise FileRefused(
            _("“%(name)s” is neither CSV nor a workbook; its name must end in %(endings)s.%(hint)s")
            % {"name": name, "endings": ", ".join(EXTENSIONS), "hint": hint}
        )
    file.seek(0)
    start = file.read(_START)
    if not start:
        raise FileRefused(_("The file is empty."))
    if start.startswith(_WORKBOOKS):
        return "xlsx"
    _refuse_markup(start)
    # Programs of all kinds write text and name it .xls, so that Excel opens it.
    return "csv" if suffix == ".xls" else EXTENSIONS[suffix]


def _refuse_markup(start: bytes) -> None:
    """Refuse web pages and other XML, which many programs name .csv or .xls.

    Args:
        start: the first bytes of a file.

    Raises:
        FileRefused: it is one.
    """
    text = start.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").lstrip(b"\xff\xfe \t\r\n").lower()
    if not _MARKUP.match(text):
        return
    what = (
        _("an XML spreadsheet of 2003")
        if _SPREADSHEET in text
        else "XML"
        if _XML.match(text)
        else _("a web page (HTML)")
    )
    raise FileRefused(
        _("The file is %(what)s, whatever its name says; open it in Excel and save it as .xlsx.") % {"what": what}
    )
