"""Reading small files the way an import does, and making workbooks."""

from __future__ import annotations

import io
import warnings
import zipfile

from openpyxl import Workbook

from mobjects.spreadsheets.reader import detect_file, iter_rows
from mobjects.spreadsheets.types import FileLimits, ReadOptions

LIMITS = FileLimits(size=150_000_000, columns=200, cell=32_767, unpacked=200_000_000)


def head(data, name="a.csv", reading=None, limits=LIMITS):
    return detect_file(io.BytesIO(data), name, limits, reading)


def read(data, name="a.csv", reading=None, limits=LIMITS):
    """Head and rows of a file."""
    file = io.BytesIO(data)
    found = detect_file(file, name, limits, reading)
    read_rows = list(iter_rows(file, found.options, limits))
    assert not file.closed
    return found, read_rows


def cells(data, name="a.csv", **kwargs):
    return [tuple(row.cells) for row in read(data, name, **kwargs)[1]]


def csv_as(encoding, *, delimiter=""):
    return ReadOptions("csv", encoding, delimiter)


def workbook(*lines, change=None):
    """An XLSX file of these rows, as openpyxl writes it."""
    book = Workbook()
    for line in lines:
        book.active.append(line)
    if change:
        change(book.active)
    stream = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # openpyxl calls datetime.utcnow()
        book.save(stream)
    return stream.getvalue()


def edited(data, change, **more):
    """A copy of an XLSX file; ``change`` gets each part's name and bytes, and gives the new bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name, content in {**{name: source.read(name) for name in source.namelist()}, **more}.items():
            copy.writestr(name, change(name, content))
    return target.getvalue()


def with_sheet(sheet, data=None):
    """An XLSX file whose first sheet has this XML between its sheetData tags."""
    xml = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"{sheet}</sheetData></worksheet>"
    )
    return edited(data or workbook(["a"]), lambda name, old: xml.encode() if name.endswith("sheet1.xml") else old)


def with_strings(*items):
    """An XLSX file with a header and one column of these si elements, which are shared strings as Excel writes them."""
    cells = "".join(f'<row><c t="s"><v>{number}</v></c></row>' for number in range(len(items) + 1))
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>a</t></si>'
        f"{''.join(items)}</sst>"
    )
    relation = (
        '<Relationship Id="strings" Target="sharedStrings.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
    )
    return edited(
        with_sheet(cells),
        lambda name, old: old.replace(b"</Relationships>", relation.encode()) if "workbook.xml.rels" in name else old,
        **{"xl/sharedStrings.xml": strings.encode()},
    )
