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
from urllib.parse import unquote
from xml.parsers import expat

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets.types import FileLimits, FileRefused
from mobjects.spreadsheets.workbooks.number_formats import BUILT_IN
from mobjects.spreadsheets.workbooks.xml_parsing import MAIN, SEPARATOR, UNREADABLE, Attributes, parse_elements

_RATIO, _RATIO_FROM = 500, 10_000_000
_WHOLE = 50_000_000  # Bytes of a part whose content is kept.
_MOST_LISTED = 100_000  # Sheets or cell formats; Excel allows 65,490 formats.
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (EOFError, LookupError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error, expat.ExpatError)
_TRUE, _FALSE = ("1", "true"), ("0", "false")
_RELATIONS = frozenset(
    {
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    }
)
_PACKAGE = frozenset({"http://schemas.openxmlformats.org/package/2006/relationships"})
SAME_PART = "Several sheets of the workbook are the same part of the file. Open it in Excel and save it anew."
"""Why a workbook is refused whose sheets, each read on its own, would be one part read over and over."""


@dataclass(slots=True)
class SheetInfo:
    """A sheet of cells."""

    name: str
    part: str
    is_hidden: bool


def part_key(name: str) -> str:
    """What a part is found by: programs differ in slashes and in upper and lower case, and Excel minds neither."""
    return name.replace("\\", "/").lstrip("/").lower()


@dataclass(slots=True)
class XlsxPackage:
    """An open workbook.

    Args:
        archive: the zip file.
        names: its entries by :func:`part_key`.
        sheets: sheets of cells in order; charts are none.
        formats: the number format code of each cell format.
        strings: the part with the shared strings, if any.
        is_1904: whether days are counted from 1904.
        is_uncalculated: whether the results of formulas are placeholders, which the next program is to calculate.
    """

    archive: zipfile.ZipFile
    names: Mapping[str, str]
    sheets: list[SheetInfo] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    strings: str = ""
    is_1904: bool = False
    is_uncalculated: bool = False

    @classmethod
    def of_archive(cls, archive: zipfile.ZipFile) -> XlsxPackage:
        """A workbook of which nothing has been read yet."""
        return cls(archive, {part_key(name): name for name in archive.namelist()})

    def has_part(self, part: str) -> bool:
        """Whether the archive has a part. A workbook may name one that it lacks; Excel minds only what it needs."""
        return part_key(part) in self.names

    def part_size(self, part: str) -> int:
        """Bytes of a part, as its entry in the archive declares."""
        return self.archive.getinfo(self.names[part_key(part)]).file_size

    def open_part(self, part: str) -> IO[bytes]:
        """A part as a stream of bytes. No more of it comes out than its entry in the archive declares."""
        return self.archive.open(self.names[part_key(part)])


@contextmanager
def refuse_damaged_file() -> Iterator[None]:
    """Whatever a damaged file trips means the same to people. Raises FileRefused."""
    try:
        yield
    except FileRefused:
        raise
    except BROKEN as error:
        raise FileRefused(UNREADABLE) from error


@contextmanager
def open_package(file: BinaryIO, limits: FileLimits) -> Iterator[XlsxPackage]:
    """Open a workbook and read what it says about its sheets.

    Raises:
        FileRefused: no workbook; protected by a password; or it unpacks to more than is read.
    """
    with refuse_damaged_file(), zipfile.ZipFile(file) as archive:
        check_archive(archive, limits)
        yield _book(archive)


def check_archive(archive: zipfile.ZipFile, limits: FileLimits) -> None:
    """Refuse an archive that cannot be read, or must not be. Raises FileRefused."""
    entries = archive.infolist()
    names = {part_key(entry.filename) for entry in entries}
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise FileRefused(_("This workbook is protected by a password; save it without one."))
    if len(names) < len(entries) or any(entry.compress_type not in _METHODS for entry in entries):
        raise FileRefused(UNREADABLE)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.unpacked:
        raise FileRefused(
            _(
                "The workbook unpacks to %(unpacked)s MB; at most %(most)s MB are read. Save the sheet as "
                "CSV, or split it."
            )
            % {"unpacked": f"{unpacked / 1000000.0:,.1f}", "most": f"{limits.unpacked / 1000000.0:,g}"}
        )
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > _RATIO_FROM and unpacked > packed * _RATIO:
        raise FileRefused(
            _(
                "The workbook unpacks to %(unpacked)s times its size; no table does so, and at most "
                "%(ratio)s times are read."
            )
            % {"unpacked": f"{unpacked / max(packed, 1):,.0f}", "ratio": _RATIO}
        )


# --- workbook, relationships, styles --------------------------------------------------------


def _book(archive: zipfile.ZipFile) -> XlsxPackage:
    book = XlsxPackage.of_archive(archive)
    main = next((target for type_, target in read_relations(book, "").values() if type_ == "officeDocument"), "")
    main = main if book.has_part(main) else "xl/workbook.xml"
    relations = read_relations(book, main)
    by_type, parts = dict(relations.values()), set[str]()
    book.strings = by_type.get("sharedStrings", "")

    def begin_sheet(attributes: Attributes) -> None:
        type_, target = relations.get(_relation_id(attributes), ("", ""))
        if type_ == "worksheet" and book.has_part(target) and len(book.sheets) < _MOST_LISTED:
            if part_key(target) in parts:
                raise FileRefused(SAME_PART)
            parts.add(part_key(target))
            book.sheets.append(SheetInfo(attributes["name"], target, attributes.get("state", "visible") != "visible"))

    def read_properties(attributes: Attributes) -> None:
        book.is_1904 = attributes.get("date1904") in _TRUE

    def read_calculation(attributes: Attributes) -> None:
        # Who writes a workbook without calculating it asks for that so.
        book.is_uncalculated = attributes.get("fullCalcOnLoad") in _TRUE or attributes.get("calcCompleted") in _FALSE

    _read(
        book,
        main,
        {
            "workbook/workbookPr": read_properties,
            "workbook/sheets/sheet": begin_sheet,
            "workbook/calcPr": read_calculation,
        },
    )
    if book.has_part(by_type.get("styles", "")):
        book.formats = _formats(book, by_type["styles"])
    return book


def _relation_id(attributes: Attributes) -> str:
    for name, value in attributes.items():
        namespace, _, rest = name.partition(SEPARATOR)
        if namespace in _RELATIONS and rest.partition(SEPARATOR)[0] == "id":
            return value
    return ""


def read_relations(book: XlsxPackage, part: str) -> dict[str, tuple[str, str]]:
    """Type and target of what a part refers to, by id; a part without relationships refers to nothing."""
    folder, name = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def begin_relation(attributes: Attributes) -> None:
        namespace, _, type_ = attributes["Type"].rpartition("/")
        if namespace in _RELATIONS and attributes.get("TargetMode") != "External" and len(found) < _MOST_LISTED:
            target = unquote(attributes["Target"]).replace("\\", "/")
            found[attributes["Id"]] = (type_, posixpath.normpath(posixpath.join("/", folder, target)))

    relations = f"{folder}/_rels/{name}.rels"
    if book.has_part(relations):
        _read(book, relations, {"Relationships/Relationship": begin_relation}, _PACKAGE)
    return found


def _formats(book: XlsxPackage, part: str) -> list[str]:
    codes: dict[str, str] = {}
    formats: list[str] = []

    def begin_code(attributes: Attributes) -> None:
        if len(codes) < _MOST_LISTED:
            codes[attributes["numFmtId"]] = attributes["formatCode"]

    def begin_format(attributes: Attributes) -> None:
        if len(formats) < _MOST_LISTED:
            formats.append(attributes.get("numFmtId", "0"))

    _read(book, part, {"styleSheet/numFmts/numFmt": begin_code, "styleSheet/cellXfs/xf": begin_format})
    return [codes.get(identifier, f"{BUILT_IN}{int(identifier)}") for identifier in formats]


def _read(
    book: XlsxPackage,
    part: str,
    found: Mapping[str, Callable[[Attributes], None]],
    namespaces: frozenset[str] = MAIN,
) -> None:
    with book.open_part(part) as stream:
        if book.part_size(part) > _WHOLE:
            raise FileRefused(UNREADABLE)
        parse_elements(stream, found, namespaces)
