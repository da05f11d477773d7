"""Workbooks of other formats, read through python-calamine: its values, and cells that must not be taken from it."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from datetime import date, datetime

import pytest
import xlwt
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import LineBreak, P, S, Span, Tab

from mobjects.spreadsheets.types import BadCell, DrawnNumber, FileRefused
from mobjects.spreadsheets.workbooks.ods_cells import mark_ods
from tests.spreadsheets.reading_helpers import head, read, workbook

NOT_AVAILABLE = BadCell("#N/A", "The cell holds the error #N/A; correct the formula or type the value.")


def cells(data, name):
    return [tuple(row.cells) for row in read(data, name)[1]]


def saved(book):
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# --- .xls -----------------------------------------------------------------------------------


def xls(*lines, fill=None):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    for row, line in enumerate(lines):
        for column, value in enumerate(line):
            sheet.write(row, column, value)
    if fill:
        fill(book, sheet)
    return saved(book)


def test_an_xls_file_has_values_dates_and_a_note_of_what_it_does_not_tell():
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")

    def fill(book, sheet):
        sheet.write(1, 3, datetime(2026, 6, 30), day)
        sheet.write(2, 3, datetime(2026, 6, 30, 14, 30), day)

    data = xls(["Name", "Amount", "Won", "Day"], ["서울", 12.5, True], ["b", 7, False], fill=fill)
    found, rows = read(data, "in.xls")
    assert (found.options.sheet, found.headers) == ("Data", ["Name", "Amount", "Won", "Day"])
    assert [(row.number, tuple(row.cells)) for row in rows] == [
        (2, ("서울", 12.5, True, date(2026, 6, 30))),
        (3, ("b", 7, False, datetime(2026, 6, 30, 14, 30))),
    ]
    assert "80% is read as 0.8" in found.notes[0]
    assert "00124 is read as 124" in found.notes[0]


def test_errors_and_uncalculated_formulas_of_an_xls_file_are_bad_cells():
    def fill(book, sheet):
        sheet.row(1).set_cell_error(1, 0x2A)
        sheet.write(1, 2, xlwt.Formula("1+1"))

    [row] = cells(xls(["a", "b", "c"], [1], fill=fill), "in.xls")
    assert row[:2] == (1, NOT_AVAILABLE)
    assert "never calculated" in row[2].why


def test_cells_of_an_xls_file_keep_their_places():
    def fill(book, sheet):
        for row, column, value in [(3, 2, "a"), (3, 3, "b"), (5, 3, 1)]:
            sheet.write(row, column, value)
        sheet.write_merge(7, 8, 2, 3, "m")

    found, rows = read(xls(fill=fill), "in.xls")
    assert found.headers == ["", "", "a", "b"]
    assert [(row.number, row.cells) for row in rows] == [(6, [None, None, None, 1]), (8, [None, None, "m", None])]
    assert "C8:D9" in found.notes[1]


def test_cells_far_apart_are_refused_before_they_fill_the_memory():
    def fill(book, sheet):
        sheet.write(65_535, 255, 1)

    with pytest.raises(FileRefused, match="more than 3,000,000 places"):
        read(xls(["a"], fill=fill), "in.xls")


def test_text_named_xls_is_read_as_text():
    assert cells(b"a\tb\n1\t2\n", "in.xls") == [("1", "2")]


# --- .ods -----------------------------------------------------------------------------------


def ods_cell(kind=None, shown="", repeated=0, **values):
    more = {"numbercolumnsrepeated": repeated} if repeated else {}
    cell = TableCell(**({"valuetype": kind} if kind else {}), **values, **more)
    if shown:
        cell.addElement(P(text=shown))
    return cell


def ods(*lines, repeated=1):
    """Lines of cells below a header; the last line is repeated."""
    book = OpenDocumentSpreadsheet()
    table = Table(name="Data")
    book.spreadsheet.addElement(table)
    width = max(map(len, lines))
    for number, line in enumerate([[ods_cell("string", f"h{place}") for place in range(width)], *lines]):
        row = TableRow(**({"numberrowsrepeated": repeated} if number == len(lines) else {}))
        table.addElement(row)
        for cell in line:
            row.addElement(cell)
    return saved(book)


def test_an_ods_file_has_values_percentages_and_times():
    line = [
        ods_cell("string", "서울"),
        ods_cell("float", "12,5", value=12.5),
        ods_cell("percentage", "80%", value=0.8),
        ods_cell("date", "30.06.26", datevalue="2026-06-30"),
        ods_cell("boolean", "WAHR", booleanvalue="true"),
        ods_cell("time", "26:05", timevalue="PT26H05M00S"),
    ]
    found, [row] = read(ods(line), "in.ods")
    assert row.cells == ["서울", 12.5, "80%", date(2026, 6, 30), True, "26:05:00"]
    assert "what is hidden" in found.notes[0]
    assert not any(said in found.notes[0] for said in ("0.8", "00124"))


def test_a_number_of_an_ods_file_that_is_drawn_otherwise_is_what_a_person_sees_and_what_it_is():
    shown = {
        "00124": (124, DrawnNumber(124, "00124")),
        "OPP-00042": (42, DrawnNumber(42, "OPP-00042")),
        "012-34-56789": (123456789, DrawnNumber(123456789, "012-34-56789")),
        "1,234": (1234, 1234),
        "1 234 567": (1234567, 1234567),
        "₩1,000": (1000, 1000),
        "1,000 EUR": (1000, 1000),
        "-5": (-5, -5),
        "0.50": (0.5, 0.5),
        "5.00": (5, 5),
        "13": (12.7, 12.7),
        "0": (0, 0),
        "1.5E+03": (1500, 1500),
        "2 Stück": (2, 2),
    }
    line = [ods_cell("float", text, value=number) for text, (number, _) in shown.items()]
    [row] = cells(ods(line), "in.ods")
    assert dict(zip(shown, row, strict=True)) == {text: read for text, (_, read) in shown.items()}


def test_errors_and_uncalculated_formulas_of_an_ods_file_are_bad_cells():
    line = [
        ods_cell("string", "#N/A", formula="of:=NA()", stringvalue=""),
        ods_cell("float", "#N/A", formula="of:=NA()", value=0),
        ods_cell(formula="of:=1+1"),
        ods_cell("string", "#N/A"),
    ]
    [row] = cells(ods(line), "in.ods")
    assert row[:2] == (NOT_AVAILABLE, NOT_AVAILABLE)
    assert row[2].text == "(formula)"
    assert row[3] == "#N/A"


def ods_text(*paragraphs, **values):
    """A cell of text; what is no text in a paragraph is an element."""
    cell = TableCell(valuetype="string", **values)
    note = Annotation()
    note.addElement(P(text="a note"))
    cell.addElement(note)
    for paragraph in paragraphs:
        made = P()
        for piece in paragraph:
            made.addText(piece) if isinstance(piece, str) else made.addElement(piece)
        cell.addElement(made)
    return cell


def test_tabs_and_breaks_within_a_paragraph_of_an_ods_file_part_words():
    bold = Span(text="won")
    bold.addElement(Tab())
    line = [
        ods_text(["OPP", Tab(), "7"]),
        ods_text(["120", LineBreak(), "30"]),
        ods_text(["a", S(c=2), "b", LineBreak()], [bold, "c", S(), "d"]),
        ods_text(["shown", Tab()], stringvalue="meant"),
        ods_text(["one"], ["two", S(c=2), "three"]),
    ]
    assert cells(ods(line), "in.ods") == [("OPP\t7", "120\n30", "a  b\n\nwon\tc d", "meant", "one\ntwo  three")]


def test_a_text_of_an_ods_file_that_spaces_make_too_long_is_a_bad_cell():
    [[cell]] = cells(ods([ods_text([Tab(), *(S(c=1_000_000) for _ in range(9))])]), "in.ods")
    assert "longer than 32,767 characters" in cell.why


def test_repeated_cells_and_rows_of_an_ods_file_are_as_many():
    line = [ods_cell("float", "1", value=1), ods_cell("percentage", "5%", value=0.05, repeated=2)]
    assert cells(ods([ods_cell("string", "x") for _ in range(3)], line, repeated=2), "in.ods") == [
        ("x", "x", "x"),
        (1, "5%", "5%"),
        (1, "5%", "5%"),
    ]


def test_an_ods_file_that_repeats_without_end_is_refused_at_once():
    with pytest.raises(FileRefused, match="more than 3,000,000 places"):
        read(ods([ods_cell("float", "1", value=1, repeated=16_000)], repeated=1_000_000), "in.ods")


def test_empty_rows_to_the_end_of_an_ods_sheet_are_none():
    assert cells(ods([ods_cell("string", "x")], [ods_cell(repeated=16_384)], repeated=1_048_000), "in.ods") == [("x",)]


# --- .xlsb ----------------------------------------------------------------------------------


def record(kind, data=b""):
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return head + bytes([len(data)]) + data


def wide(text):
    return struct.pack("<L", len(text)) + text.encode("utf-16-le")


def xlsb(*lines, column=0, calculation=None):
    """A binary workbook: texts, numbers, errors given as bytes of one code, and formulas as tuples of their result.

    ``calculation`` are the flags that say how far its formulas are calculated; ``None`` leaves that out.
    """
    sheet = [record(129), record(148, bytes(16)), record(145)]
    for number, line in enumerate(lines):
        sheet.append(record(0, struct.pack("<LLHBBB", number, 0, 300, 0, 0, 0)))
        for place, value in enumerate(line, column):
            start = struct.pack("<LL", place, 0)
            if isinstance(value, bytes):
                sheet.append(record(3, start + value))
            elif isinstance(value, str):
                sheet.append(record(6, start + wide(value)))
            elif isinstance(value, tuple):
                is_text = isinstance(value[0], str)
                result = wide(value[0]) if is_text else struct.pack("<d", value[0])
                sheet.append(record(8 if is_text else 9, start + result + bytes(10)))
            else:
                sheet.append(record(5, start + struct.pack("<d", value)))
    sheet += [record(146), record(130)]
    book = [record(131), record(143), record(156, struct.pack("<LL", 0, 1) + wide("rId1") + wide("Data"))]
    book.append(record(144))
    if calculation is not None:
        book.append(record(157, struct.pack("<LLLdLH", 191029, 1, 100, 0.001, 1, calculation)))
    book.append(record(132))
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{office}/{{}}" Target="{{}}"/></Relationships>'
    )
    parts = {
        "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": relations.format("officeDocument", "xl/workbook.bin").encode(),
        "xl/workbook.bin": b"".join(book),
        "xl/_rels/workbook.bin.rels": relations.format("worksheet", "worksheets/sheet1.bin").encode(),
        "xl/worksheets/sheet1.bin": b"".join(sheet),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_an_xlsb_file_has_values_and_bad_cells():
    found, rows = read(xlsb(["a", "b"], ["서울", 12.5], [1.0, b"\x2a"]), "in.xlsb")
    assert [(row.number, row.cells) for row in rows] == [(2, ["서울", 12.5]), (3, [1, NOT_AVAILABLE])]
    assert found.notes[0].startswith("Of .xlsb workbooks")


@pytest.mark.parametrize("calculation", [0x6B, 0x7A], ids=["all are to be calculated", "some are not calculated"])
def test_formulas_of_an_xlsb_file_that_were_never_calculated_are_bad_cells(calculation):
    lines = (["a", "b", "c", "d", "e"], [(0.0,), ("",), (2.5,), ("x",), 0.0])
    [row] = cells(xlsb(*lines, calculation=calculation), "in.xlsb")
    assert [cell.why.partition(",")[0] for cell in row[:2]] == [
        "The cell holds a formula that was never calculated"
    ] * 2
    assert row[2:] == (2.5, "x", 0)


@pytest.mark.parametrize("calculation", [0x6A, None], ids=["all are calculated", "nothing is said"])
def test_formulas_of_an_xlsb_file_may_give_zero(calculation):
    assert cells(xlsb(["a", "b"], [(0.0,), (2.5,)], calculation=calculation), "in.xlsb") == [(0, 2.5)]


def test_an_xlsb_file_that_names_far_columns_is_refused():
    with pytest.raises(FileRefused, match="more than 3,000,000 places"):
        read(xlsb(["a"], ["b"], column=2_000_000), "in.xlsb")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (xls(["a"], ["b"], fill=lambda book, sheet: sheet.write(1, 200, 1)), "in.xls"),
        (ods([ods_cell("float", "1", value=1), ods_cell(repeated=199), ods_cell("float", "1", value=1)]), "in.ods"),
        (xlsb(["a"], ["b"], column=200), "in.xlsb"),
    ],
)
def test_a_cell_beyond_the_columns_that_are_read_is_refused_before_the_sheet_is(data, name):
    with pytest.raises(FileRefused, match=r"A cell stands in column GS; at most 200 columns are read\."):
        read(data, name)


def test_repeated_errors_of_an_ods_file_are_known_once():
    line = [ods_cell("string", "#N/A", formula="of:=NA()", stringvalue="", repeated=200)]
    data = ods([ods_cell("string", "x") for _ in range(200)], line, repeated=14_000)
    content = zipfile.ZipFile(io.BytesIO(data)).read("content.xml")
    tracemalloc.start()
    marked = mark_ods(io.BytesIO(content))["Data"]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (marked.rows, marked.columns) == (14_002, 200)
    assert most < 2_000_000


# --- what a file is, and what is none -------------------------------------------------------


@pytest.mark.parametrize(("data", "name"), [(xls(["a"], ["b"]), "a.csv"), (workbook(["a"], ["b"]), "a.xls")])
def test_the_content_of_a_file_says_what_it_is(data, name):
    found, [row] = read(data, name)
    assert (found.options.format, row.cells) == ("xlsx", ["b"])


def test_a_workbook_with_macros_is_read():
    assert cells(workbook(["a"], ["b"]), "in.xlsm") == [("b",)]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<html><body><table><tr><td>a</td></tr></table></body></html>", r"a web page \(HTML\)"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", r"a web page \(HTML\)"),
        ("<table><tr><th>a".encode("utf-16"), r"a web page \(HTML\)"),
        (b'<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>', r"a web page \(HTML\)"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "spreadsheet of 2003",
        ),
        (b'<?xml version="1.0"?><rows><row/></rows>', "is XML"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.xls"])
def test_markup_is_called_what_it_is(data, what, name):
    with pytest.raises(FileRefused, match=f"{what}, whatever its name says"):
        head(data, name)


def test_text_that_begins_with_a_bracket_is_text():
    assert cells(b"<a>,b\n1,2\n", "a.csv") == [("1", "2")]


@pytest.mark.parametrize("name", ["a.numbers", "a.xltx"])
def test_other_files_of_spreadsheets_get_a_hint(name):
    with pytest.raises(FileRefused, match=r"Save it as \.xlsx"):
        head(b"x", name)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.95])
@pytest.mark.parametrize(
    "make",
    [lambda: xls(["a"], ["b"]), lambda: ods([ods_cell("string", "x")]), lambda: xlsb(["a"], ["b"])],
    ids=["xls", "ods", "xlsb"],
)
def test_half_a_workbook_is_refused(make, cut):
    data = make()
    with pytest.raises(FileRefused):
        read(data[: int(len(data) * cut)], "in.ods")


def test_an_archive_of_a_later_version_is_refused():
    data = bytearray(workbook(["a"], [1]))
    data[data.index(b"PK\x01\x02") + 6] = 64  # What its first entry says it takes to unpack it.
    with pytest.raises(FileRefused, match="not a readable XLSX workbook"):
        head(bytes(data), "a.xlsx")
