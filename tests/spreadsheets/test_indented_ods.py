"""Workbooks of .ods with more in their XML than cells: line breaks between elements, and what is drawn on a cell."""

from __future__ import annotations

import io
import zipfile

from odf.draw import CustomShape, Frame, TextBox
from odf.text import P, Span

from mobjects.spreadsheets.types import DrawnNumber
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


def drawn_on(cell, *texts):
    """The cell with a shape and a text box for each text anchored to it, as LibreOffice writes them."""
    for text in texts:
        shape, frame, box = CustomShape(), Frame(), TextBox()
        shape.addElement(P(text=text))
        box.addElement(P(text=text))
        frame.addElement(box)
        cell.addElement(shape)
        cell.addElement(frame)
    return cell


def test_what_is_drawn_on_a_cell_of_an_ods_file_is_not_read():
    line = [
        drawn_on(ods_cell("string", "OPP-1"), "call first", "ask Kim"),
        drawn_on(ods_cell("string"), "call first"),
        drawn_on(ods_cell(), "call first"),
        drawn_on(ods_cell("string", "shown", stringvalue="meant"), "call first"),
        drawn_on(ods_cell("float", "00124", value=124), "call first"),
        drawn_on(ods_cell("percentage", "80%", value=0.8), "call first"),
        ods_cell("string", "end"),
    ]
    assert cells(ods(line), "in.ods") == [("OPP-1", None, None, "meant", DrawnNumber(124, "00124"), "80%", "end")]
