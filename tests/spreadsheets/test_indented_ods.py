"""Workbooks of .ods whose elements are set apart by line breaks."""

from __future__ import annotations

import io
import zipfile

from odf.text import P, Span

from tests.spreadsheets.test_other_workbooks import cells, ods, ods_cell


def indented(data):
    """The same file, its elements set apart by line breaks, as SheetJS and people who look into it write it."""
    copy = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(copy, "w") as changed:
        for name in archive.namelist():
            part = archive.read(name)
            for element in (b"<table:", b"</table:", b"<office:", b"</office:", b"<text:p"):
                part = part.replace(element, b"\n    " + element) if name == "content.xml" else part
            changed.writestr(name, part)
    return copy.getvalue()


def test_an_ods_file_whose_elements_are_set_apart_is_read_as_any_other():
    between = ods_cell("string")
    paragraph = P()
    for element in (Span(text="two"), Span(text=" "), Span(text="words")):
        paragraph.addElement(element)
    between.addElement(paragraph)
    data = ods([ods_cell("string", "서울"), between, ods_cell("float", "12,5", value=12.5)])
    assert cells(indented(data), "in.ods") == cells(data, "in.ods") == [("서울", "two words", 12.5)]
