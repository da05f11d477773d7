"""The parts of an XLSX file: a zip archive of XML, opened so that it can neither unpack nor expand without end.

openpyxl keeps an element for every row it has read and every shared string, and does not tell a formula without a
result from an empty cell. The part of the format that reading a table needs is small: ECMA-376, part 1, sections 18.2
(workbook), 18.3 (sheet), 18.4 (shared strings) and 18.8 (styles).
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, BinaryIO
from xml.parsers import expat

from mobjects.spreadsheets.types import FileLimits, FileRefused

Attributes = Mapping[str, str]

_OLD = b"\xd0\xcf\x11\xe0"
_PIECE = 1 << 16
_PENDING = 1 << 23  # Bytes of one tag; those of tables have a hundred.
_RATIO, _RATIO_FROM = 500, 10_000_000
_WHOLE = 50_000_000  # Bytes of a part whose content is kept.
_MOST_LISTED = 100_000  # Sheets or cell formats; Excel allows 65,490 formats.
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (EOFError, LookupError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error, expat.ExpatError)
UNREADABLE = "This is not a readable XLSX workbook; open it in Excel and save it again."


class LocalNames(dict[str, str]):
    """Names without their prefix: programs differ in prefixes, and “strict” workbooks in the namespaces behind them."""

    def __missing__(self, name: str) -> str:
        if len(self) > 1000:
            raise FileRefused(UNREADABLE)
        local = self[name] = name.rpartition(":")[2]
        return local


@dataclass(slots=True)
class SheetInfo:
    """A sheet of cells."""

    name: str
    part: str
    is_hidden: bool


@dataclass(slots=True)
class XlsxPackage:
    """An open workbook.

    Args:
        archive: the zip file.
        sheets: sheets of cells in order; charts are none.
        formats: the number format code of each cell format.
        strings: the part with the shared strings, if any.
        is_1904: whether days are counted from 1904.
    """

    archive: zipfile.ZipFile
    sheets: list[SheetInfo] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    strings: str = ""
    is_1904: bool = False

    def open_part(self, part: str) -> IO[bytes]:
        """A part as a stream of bytes. No more of it comes out than its entry in the archive declares."""
        return self.archive.open(part)


@contextmanager
def refuse_damaged_file() -> Iterator[None]:
    """Whatever a damaged file trips means the same to people. Raises FileRefused."""
    try:
        yield
    except FileRefused:
        raise
    except _BROKEN as error:
        raise FileRefused(UNREADABLE) from error


@contextmanager
def open_package(file: BinaryIO, limits: FileLimits) -> Iterator[XlsxPackage]:
    """Open a workbook and read what it says about its sheets.

    Raises:
        FileRefused: no workbook; protected by a password; or it unpacks to more than is read.
    """
    file.seek(0)
    start = file.read(len(_OLD))
    if not start:
        raise FileRefused("The file is empty.")
    if start == _OLD:
        raise FileRefused("This is an old or password-protected Excel file; save it as .xlsx without a password.")
    with refuse_damaged_file(), zipfile.ZipFile(file) as archive:
        _check_archive(archive, limits)
        yield _book(archive)


def _check_archive(archive: zipfile.ZipFile, limits: FileLimits) -> None:
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise FileRefused("This workbook is protected by a password; save it without one.")
    if "xl/workbook.bin" in names:
        raise FileRefused("This is a binary workbook (.xlsb); save it as .xlsx.")
    if len(names) < len(entries) or any(entry.compress_type not in _METHODS for entry in entries):
        raise FileRefused(UNREADABLE)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.unpacked:
        raise FileRefused(
            f"The workbook unpacks to {unpacked / 1e6:,.1f} MB; at most {limits.unpacked / 1e6:,g} MB are read. "
            "Save the sheet as CSV, or split it."
        )
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > _RATIO_FROM and unpacked > packed * _RATIO:
        raise FileRefused(
            f"The workbook unpacks to {unpacked / max(packed, 1):,.0f} times its size; no table does so, and at most "
            f"{_RATIO} times are read."
        )


# --- XML ------------------------------------------------------------------------------------


def parse_xml(
    stream: IO[bytes],
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Parse XML piece by piece; gives control back after each piece.

    Args:
        stream: the XML.
        start: is called with each element's name and attributes; the name has the prefix that stands in the file.
        end: is called with each element's name.
        text: is called with pieces of text.

    Raises:
        FileRefused: it has a document type, which no workbook has and which can define entities without end; or a
            tag of many megabytes.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    fed = 0
    while piece := stream.read(_PIECE):
        parser.Parse(piece, False)
        fed += len(piece)
        if fed - parser.CurrentByteIndex > _PENDING:
            raise FileRefused(UNREADABLE)
        yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_: object) -> None:
    raise FileRefused("The workbook holds a document type definition, which no spreadsheet program writes.")


# --- workbook, relationships, styles --------------------------------------------------------


def _book(archive: zipfile.ZipFile) -> XlsxPackage:
    book = XlsxPackage(archive)
    part = next((target for type_, target in _relations(archive, "").values() if type_ == "officeDocument"), "")
    part = part or "xl/workbook.xml"
    relations = _relations(archive, part)
    by_type = dict(relations.values())
    book.strings = by_type.get("sharedStrings", "")

    def start_element(name: str, attributes: Attributes) -> None:
        if name == "workbookPr":
            book.is_1904 = attributes.get("date1904") in ("1", "true")
        elif name == "sheet" and len(book.sheets) < _MOST_LISTED:
            identifier = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            type_, target = relations.get(identifier, ("", ""))
            if type_ == "worksheet":
                book.sheets.append(
                    SheetInfo(attributes["name"], target, attributes.get("state", "visible") != "visible")
                )

    _read(archive, part, start_element)
    if "styles" in by_type:
        book.formats = _formats(archive, by_type["styles"])
    return book


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Type and target of what a part refers to, by id."""
    folder, name = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def start_element(tag: str, attributes: Attributes) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External" and len(found) < _MOST_LISTED:
            target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"])).lstrip("/")
            found[attributes["Id"]] = (attributes["Type"].rpartition("/")[2], target)

    _read(archive, f"{folder}/_rels/{name}.rels".lstrip("/"), start_element)
    return found


def _formats(archive: zipfile.ZipFile, part: str) -> list[str]:
    codes: dict[str, str] = {}
    formats: list[str] = []
    inside = [False]

    def start_element(name: str, attributes: Attributes) -> None:
        if name == "numFmt" and len(codes) < _MOST_LISTED:
            codes[attributes["numFmtId"]] = attributes["formatCode"]
        elif name == "cellXfs":
            inside[0] = True
        elif name == "xf" and inside[0] and len(formats) < _MOST_LISTED:
            formats.append(attributes.get("numFmtId", "0"))

    def end_element(name: str) -> None:
        if name == "cellXfs":
            inside[0] = False

    _read(archive, part, start_element, end_element)
    return [codes.get(identifier, f"#{identifier}") for identifier in formats]


def _read(
    archive: zipfile.ZipFile,
    part: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
) -> None:
    if archive.getinfo(part).file_size > _WHOLE:
        raise FileRefused(UNREADABLE)
    names = LocalNames()
    with archive.open(part) as stream:
        for _ in parse_xml(
            stream,
            lambda name, attributes: start(names[name], attributes),
            (lambda name: end(names[name])) if end else None,
        ):
            pass
