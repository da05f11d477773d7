"""One small workbook for each thing that was once read wrong, or refused though Excel opens it."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime, time

import pytest
import xlsxwriter

from mobjects.spreadsheets.row_shape import cell_text
from mobjects.spreadsheets.types import BadCell, DrawnNumber, FileRefused
from mobjects.spreadsheets.workbooks.serial_dates import possible_moment
from tests.spreadsheets.reading_helpers import edited, head, read, with_sheet, with_strings, workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"


def cells(data, name="a.xlsx"):
    return [tuple(row.cells) for row in read(data, name)[1]]


def changed(data, part, old, new):
    """A copy in which a part has other bytes; the old ones have to be there."""

    def change(name, content):
        if name != part:
            return content
        assert old in content, content
        return content.replace(old, new)

    return edited(data, change)


def formatted(number, code):
    """What a number of this format is read as."""

    def change(page):
        page["A2"].number_format = code

    [[cell]] = cells(workbook(["a"], [number], change=change))
    return cell


def built_in(number, identifier):
    """What a number of a built-in format is read as."""
    data = workbook(["a"], [number], change=lambda page: setattr(page["A2"], "number_format", "0.0000"))
    [[cell]] = cells(changed(data, "xl/styles.xml", b'numFmtId="164" fontId', b'numFmtId="%d" fontId' % identifier))
    return cell


def from_xlsxwriter(fill):
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet()
    fill(book, sheet)
    book.close()
    return stream.getvalue()


# --- elements by namespace and place --------------------------------------------------------


@pytest.mark.parametrize("extension", ["x14", "x15"])
def test_a_workbook_of_1904_stays_one_with_the_properties_of_an_extension(extension):
    data = workbook(["a"], [44741], change=lambda page: setattr(page["A2"], "number_format", "yyyy-mm-dd"))
    data = changed(data, "xl/workbook.xml", b"<workbookPr/>", b'<workbookPr date1904="1"/>')
    year = {"x14": b"2009", "x15": b"2010"}[extension]
    more = (
        b'<extLst><ext uri="{x}"><%b:workbookPr chartTrackingRefBase="1" '
        b'xmlns:%b="http://schemas.microsoft.com/office/spreadsheetml/%b/11/main"/></ext></extLst></workbook>'
    ) % (extension.encode(), extension.encode(), year)
    assert cells(changed(data, "xl/workbook.xml", b"</workbook>", more)) == [(datetime(2026, 6, 30),)]


def test_a_number_without_a_format_says_that_its_workbook_counts_from_1904():
    data = changed(workbook(["a"], [44741]), "xl/workbook.xml", b"<workbookPr/>", b'<workbookPr date1904="1"/>')
    [[cell]] = cells(data)
    assert cell == DrawnNumber(44741, "44741", is_1904=True)
    assert possible_moment(cell) == datetime(2026, 6, 30)
    assert possible_moment(46203) == datetime(2026, 6, 30)
    assert [possible_moment(other) for other in (3, 1e9, True, "46203", None, 0.5)] == [None] * 6


@pytest.mark.parametrize("code", [b"yyyy\\-mm\\-dd", b"0.00"])
def test_number_formats_of_conditional_formats_are_not_those_of_cells(code):
    data = workbook(["a"], [1], change=lambda page: setattr(page["A2"], "number_format", "0.0%"))
    more = b'<dxfs count="1"><dxf><numFmt numFmtId="164" formatCode="%b"/></dxf></dxfs></styleSheet>' % code
    data = edited(
        data, lambda name, old: re.sub(rb"<tableStyles.*</styleSheet>", more, old) if "styles" in name else old
    )
    assert cells(data) == [("100%",)]


def test_rows_cells_and_values_of_other_namespaces_are_none():
    sheet = (
        '<row r="1"><c r="A1" t="str"><v>a</v></c></row>'
        '<row r="2"><c r="A2" t="str"><x:v xmlns:x="urn:x">no</x:v><v>yes</v>'
        '<extLst><ext xmlns:x="urn:x"><x:c r="Z2"><x:v>no</x:v></x:c><v>no</v></ext></extLst></c></row>'
        '<row xmlns="urn:x" r="3"><c r="A3" t="str"><v>no</v></c></row>'
        '<row r="4"><c r="A4" xmlns="urn:x" t="str"><v>no</v></c></row>'
        '<row r="5"><c r="A5" t="str"><v>yes</v></c></row>'
    )
    assert [(row.number, row.cells) for row in read(with_sheet(sheet), "a.xlsx")[1]] == [(2, ["yes"]), (5, ["yes"])]


@pytest.mark.parametrize("namespace", [MAIN, STRICT])
@pytest.mark.parametrize("prefix", ["", "x", "x-1.a"])
def test_a_sheet_is_read_whatever_its_prefix_and_edition(namespace, prefix):
    data = with_strings("<si><t>b</t></si>", "<si><t>c &amp; d</t></si>")

    def change(name, old):
        if not re.search("sheet1|sharedStrings", name):
            return old
        old = old.replace(MAIN.encode(), namespace.encode())
        if prefix:
            tag = prefix.encode() + b":"
            old = (
                old.replace(b"<", b"<" + tag)
                .replace(b"<" + tag + b"/", b"</" + tag)
                .replace(b"xmlns=", b"xmlns:" + tag[:-1] + b"=")
            )
        return old

    assert cells(edited(data, change)) == [("b",), ("c & d",)]


def test_merged_cells_and_hidden_columns_of_other_namespaces_are_not_noted():
    more = b'</sheetData><x:mergeCells xmlns:x="urn:x"><x:mergeCell ref="A1:B1"/></x:mergeCells></worksheet>'
    data = changed(
        with_sheet('<row><c t="str"><v>a</v></c></row><row><c><v>1</v></c></row>'),
        "xl/worksheets/sheet1.xml",
        b"</sheetData></worksheet>",
        more,
    )
    assert head(data, "a.xlsx").notes == []


# --- formulas that were never calculated ----------------------------------------------------


def test_formulas_that_xlsxwriter_wrote_with_a_placeholder_are_refused_by_cell():
    def fill(book, sheet):
        sheet.write_row(0, 0, ["a", "b", "c", "d"])
        sheet.write_formula(1, 0, "=1+1")
        sheet.write_formula(1, 1, "=1+1", None, 2)
        sheet.write_formula(1, 2, '="x"', None, "")
        sheet.write_number(1, 3, 0)

    [[zero, given, empty, number]] = cells(from_xlsxwriter(fill))
    assert (given, number) == (2, 0)
    for cell in (zero, empty):
        assert (cell.__class__, cell.text) == (BadCell, "(formula)")
    assert "was never calculated" in zero.why


def test_a_calculated_formula_may_be_zero():
    data = with_sheet('<row><c t="str"><v>a</v></c></row><row><c><f>1-1</f><v>0</v></c></row>')
    assert cells(changed(data, "xl/workbook.xml", b' fullCalcOnLoad="1"', b"")) == [(0,)]
    [[cell]] = cells(changed(data, "xl/workbook.xml", b' fullCalcOnLoad="1"', b' calcCompleted="0"'))
    assert isinstance(cell, BadCell)


# --- dates ----------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", [*range(27, 37), *range(50, 59), *range(71, 78), 81, 14, 22])
def test_built_in_dates_of_east_asian_excel_have_no_code_of_their_own(identifier):
    assert built_in(46203, identifier) == datetime(2026, 6, 30)
    assert built_in(46203.75, identifier) == datetime(2026, 6, 30, 18)


@pytest.mark.parametrize(
    ("identifier", "expected"), [(32, time(14, 30)), (55, time(14, 30)), (79, "14:30:00"), (0, 0.6041666666666666)]
)
def test_built_in_times_of_east_asian_excel_are_times(identifier, expected):
    assert built_in(14.5 / 24, identifier) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('[$-411]ggge"年"m"月"d"日"', datetime(2026, 6, 30)),
        ("[$-411]ge", datetime(2026, 6, 30)),
        ('yyyy"년" m"월" d"일";@', datetime(2026, 6, 30)),
        ("yyyy년 m월 d일", datetime(2026, 6, 30)),
        ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", datetime(2026, 6, 30)),
        ("[Red]0", 46203),
        ('0.0" days"', 46203),
        ("0.00E+00", 46203),
        ("#,##0_);[Red](#,##0)", 46203),
        ("\\d0.0", 46203),
        (";;;", 46203),
        ("[<1]0.0;[>=1]#,##0", 46203),
    ],
)
def test_what_makes_a_date_is_not_in_quotes(code, expected):
    assert formatted(46203, code) == expected


def test_days_of_historic_zones_and_of_utc_come_as_they_are():
    """Midnight in Seoul: by its clocks of 1899, which are 52 seconds off, and in UTC."""
    assert formatted(46202 + 86348 / 86400, "yyyy-mm-dd") == datetime(2026, 6, 29, 23, 59, 8)
    assert formatted(46202.625, "yyyy-mm-dd") == datetime(2026, 6, 29, 15)


# --- what the person sees -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (42, '"OPP-"00000', "OPP-00042"),
        (123456789, "000-00-00000", "012-34-56789"),
        (1234567890, "000-00-00000", "123-45-67890"),
        (42, '"OPP-"General', "OPP-42"),
        (4.5, '"OPP-"General', "OPP-4.5"),
        (42, '0"%"', "42%"),
        (1000, "[$₩-412]0", "₩1000"),
        (-5, '"K"00', "-K05"),
        (1234567, '"K"00', "K1234567"),
        (5551234, "[<=9999999]###-####;(###) ###-####", "555-1234"),
        (2065551234, "[<=9999999]###-####;(###) ###-####", "(206) 555-1234"),
        (7, "00000", "00007"),
        (7, "#000", "007"),
        (0, '"K"00;"K"-00;"none"', "none"),
        (7.5, '"K"00', "7.5"),
        (7, '#,##0 "EUR"', "7"),
        (7, "0_);(0)", "7"),
        (-7, "0_);(0)", "-7"),
    ],
)
def test_a_key_is_what_its_format_draws(number, code, text):
    cell = formatted(number, code)
    assert cell_text(cell) == text
    assert getattr(cell, "number", number) == number


# --- text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a_x000B_b", "a\vb"),
        ("a_x000d_\nb", "a\nb"),
        ("a_x000D_b", "a\nb"),
        ("a_x0009_b", "a\tb"),
        ("a_x000a_b", "a\nb"),
        ("_x005F_x0041_", "_x0041_"),
        ("_x005f_x000d_", "_x000d_"),
        ("_x0041__x0042_", "AB"),
        ("_xD83D__xDE00_", "😀"),
        ("_xD83D_", "\ufffd"),
        ("_x41_ _X0041_ x0041_", "_x41_ _X0041_ x0041_"),
    ],
)
def test_escapes_are_undone_in_shared_and_inline_text(written, text):
    assert cells(with_strings(f"<si><t>{written}</t></si>")) == [(text,)]
    sheet = f'<row><c t="str"><v>a</v></c></row><row><c t="inlineStr"><is><t>{written}</t></is></c></row>'
    assert cells(with_sheet(sheet)) == [(text,)]


def test_an_escaped_nul_is_a_bad_cell():
    [[cell]] = cells(with_strings("<si><t>a_x0000_b</t></si>"))
    assert cell == BadCell("a\ufffdb", "The text holds a NUL character.")


@pytest.mark.parametrize("kind", ["inlineStr", "str"])
def test_a_text_that_is_written_twice_is_read_once(kind):
    sheet = f'<row><c t="str"><v>a</v></c></row><row><c t="{kind}"><is><t>x</t></is><v>x</v></c></row>'
    assert cells(with_sheet(sheet)) == [("x",)]


# --- strict workbooks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [("PT26H5M", "26:05:00"), ("PT0S", "0:00:00"), ("2026-06-30", date(2026, 6, 30)), ("14:30:00", time(14, 30))],
)
def test_a_duration_that_is_written_out_is_text(written, expected):
    [[cell]] = cells(with_sheet(f'<row><c t="str"><v>a</v></c></row><row><c t="d"><v>{written}</v></c></row>'))
    assert cell == expected


# --- what Excel opens -----------------------------------------------------------------------


def renamed(data, rename):
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            copy.writestr(rename(name), source.read(name))
    return target.getvalue()


@pytest.mark.parametrize(
    "rename", [lambda name: name.replace("/", "\\"), str.upper, lambda name: f"/{name}"], ids=["slash", "case", "root"]
)
def test_parts_may_be_named_with_other_slashes_and_other_case(rename):
    assert cells(renamed(workbook(["a"], ["b"]), rename)) == [("b",)]


def without(data, *parts):
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in set(source.namelist()) - set(parts):
            copy.writestr(name, source.read(name))
    return target.getvalue()


@pytest.mark.parametrize(
    "part", ["xl/styles.xml", "xl/theme/theme1.xml", "docProps/app.xml", "[Content_Types].xml", "_rels/.rels"]
)
def test_parts_that_no_cell_needs_may_be_missing(part):
    assert cells(without(workbook(["a"], ["b"], [1]), part)) == [("b",), (1,)]


def test_strings_and_sheets_may_be_missing_until_they_are_needed():
    data = with_strings("<si><t>b</t></si>")
    with pytest.raises(FileRefused, match="not a readable XLSX"):
        read(without(data, "xl/sharedStrings.xml"), "a.xlsx")
    numbers = edited(data, lambda name, old: re.sub(rb't="s"', b"", old) if "sheet1" in name else old)
    assert cells(without(numbers, "xl/sharedStrings.xml")) == [(1,)]
    two = workbook(["a"], ["b"], change=lambda page: page.parent.create_sheet("Gone"))
    found = head(without(two, "xl/worksheets/sheet2.xml"), "a.xlsx")
    assert (list(found.sheets), found.headers) == (["Sheet"], ["a"])


def test_several_row_elements_of_one_number_are_one_row():
    sheet = (
        '<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="1"><c r="B1" t="str"><v>b</v></c></row>'
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="2"><c r="B2"><v>2</v></c></row>'
        '<row r="3"><c r="B3"><v>3</v></c></row>'
    )
    assert [(row.number, row.cells) for row in read(with_sheet(sheet), "a.xlsx")[1]] == [(2, [1, 2]), (3, [None, 3])]


def test_an_empty_style_is_none():
    assert cells(with_sheet('<row><c t="str"><v>a</v></c></row><row><c s=""><v>1</v></c></row>')) == [(1,)]
