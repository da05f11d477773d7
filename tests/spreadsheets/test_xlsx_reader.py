"""What the cells of a workbook mean, and which sheet is read."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
import xlwt
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from mobjects.spreadsheets.types import BadCell, DrawnNumber, FileRefused, ReadOptions
from tests.spreadsheets.reading_helpers import LIMITS, edited, head, read, with_sheet, with_strings, workbook

FORMULA = "The cell holds a formula without a result; open the file in Excel and save it."


def cells(data, **kwargs):
    return [tuple(row.cells) for row in read(data, "a.xlsx", **kwargs)[1]]


def value(number, number_format, **kwargs):
    """What a number in a cell of this format is read as."""

    def change(page):
        page["A2"].number_format = number_format
        for name, setting in kwargs.items():
            setattr(page.parent, name, setting)

    [[cell]] = cells(workbook(["a"], [number], change=change))
    return cell


def xml_cells(*given):
    """What these c elements below a header are read as, in a workbook that was calculated."""
    header = "".join(f'<c t="inlineStr"><is><t>h{number}</t></is></c>' for number, _ in enumerate(given))
    data = with_sheet(f"<row>{header}</row><row>{''.join(given)}</row>")
    return cells(edited(data, lambda _, old: old.replace(b' fullCalcOnLoad="1"', b"")))[0]


def test_rows_have_native_values_and_their_numbers():
    data = workbook(
        ["Name", "Date", "Yes", "Code", None],
        ["서울", datetime(2026, 6, 30), True, "007"],
        [None, None],
        [" ", None, None, None],
        ["b", datetime(2026, 6, 30, 14, 0, 1), False, 7, None],
    )
    found, rows = read(data, "a.xlsx")
    assert (found.options, found.headers) == (
        ReadOptions("xlsx", sheet="Sheet", header=1),
        ["Name", "Date", "Yes", "Code"],
    )
    assert [(row.number, row.cells, row.problem) for row in rows] == [
        (2, ["서울", datetime(2026, 6, 30), True, "007"], ""),
        (5, ["b", datetime(2026, 6, 30, 14, 0, 1), False, 7], ""),
    ]
    assert found.samples == [["서울", "b"], ["2026-06-30", "2026-06-30 14:00:01"], ["TRUE", "FALSE"], ["007", "7"]]


@pytest.mark.parametrize(
    ("number", "number_format", "expected"),
    [
        (0.8, "0%", "80%"),
        (0.07, "0.00%", "7%"),
        (1.255, "0%", "125.5%"),
        (80, '0"%"', DrawnNumber(80, "80%")),
        (7, "00000", "00007"),
        (-7, "000", "-007"),
        (1234567, "00000", "1234567"),
        (7.5, "00000", 7.5),
        (7, "0", 7),
        (7, "0.00", 7),
        (7.25, "#,##0.00", 7.25),
        (7, "0000;[Red]-0000", "0007"),
        (time(14, 30), "hh:mm", time(14, 30)),
        (timedelta(hours=26, minutes=5), "[h]:mm:ss", "26:05:00"),
        (46203, "yyyy-mm-dd", datetime(2026, 6, 30)),
        (46203, '[$-409]d" of "mmm', datetime(2026, 6, 30)),
        (46203, '0.00 "day"', 46203),
        (61, "yyyy-mm-dd", datetime(1900, 3, 1)),
        (0.5, "hh:mm", time(12, 0)),
        (1e16, "General", 1e16),
    ],
)
def test_the_format_of_a_cell_says_what_its_number_means(number, number_format, expected):
    found = value(number, number_format)
    assert (found, type(found)) == (expected, type(expected))


def test_days_may_be_counted_from_1904():
    def change(page):
        page["A2"].number_format = "yyyy-mm-dd"

    data = edited(
        workbook(["a"], [44741], change=change),
        lambda name, old: (
            old.replace(b"<workbookPr/>", b'<workbookPr date1904="1"/>') if name == "xl/workbook.xml" else old
        ),
    )
    assert cells(data) == [(datetime(2026, 6, 30),)]


@pytest.mark.parametrize(("number", "number_format"), [(-1e9, "yyyy-mm-dd"), (1e12, "yyyy-mm-dd"), (1e12, "[h]:mm")])
def test_a_date_outside_the_calendar_is_a_bad_cell(number, number_format):
    assert isinstance(value(number, number_format), BadCell)


@pytest.mark.parametrize("number", [-1, -0.5, 1, 5, 59, 60, 60.99])
def test_a_day_that_programs_show_differently_is_a_bad_cell_with_its_number(number):
    """60 is the 29 February 1900 to Excel; 5 is its 5 January, and the 4th to LibreOffice."""
    found = value(number, "yyyy-mm-dd")
    assert isinstance(found, BadCell)
    assert found.text == str(number)
    assert "before March 1900" in found.why


def test_such_days_of_an_xls_file_are_bad_cells_too():
    book, stream, day = xlwt.Workbook(), io.BytesIO(), xlwt.easyxf(num_format_str="yyyy-mm-dd")
    sheet = book.add_sheet("Data")
    for row, cell in enumerate(["Day", 1, 59, 60, 61]):
        sheet.write(row, 0, cell, day)
    book.save(stream)
    found = [row.cells[0] for row in read(stream.getvalue(), "in.xls")[1]]
    assert [isinstance(cell, BadCell) for cell in found] == [True, True, True, False]
    assert found[3] == date(1900, 3, 1)


def test_errors_and_uncalculated_formulas_are_bad_cells():
    [row] = cells(workbook(["a", "b", "c"], ["#REF!", "=1+1", 5]))
    assert row == (
        BadCell("#REF!", "The cell holds the error #REF!; correct the formula or type the value."),
        BadCell("(formula)", FORMULA),
        5,
    )


def test_calculated_formulas_give_their_results():
    assert xml_cells(
        "<c><f>A2+1</f><v>2</v></c>",
        '<c t="str"><f>""</f><v></v></c>',
        '<c t="str"><f>"x"</f><v>x</v></c>',
        '<c t="b"><f>TRUE</f><v>1</v></c>',
        '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>',
    )[:4] == (2, None, "x", True)


def test_values_as_other_programs_write_them():
    assert xml_cells(
        '<c t="d"><v>2026-06-30T14:00:00</v></c>',
        '<c t="inlineStr"><is><r><t>one </t></r><r><t>two</t></r><rPh><t>hint</t></rPh></is></c>',
        '<c t="n"><v>5.0</v></c>',
        "<c><v>12345678901234567890</v></c>",
        '<c r="E2"/>',
        '<c r="F2" t="str"><v> a\n b </v></c>',
    ) == (datetime(2026, 6, 30, 14), "one two", 5.0, 12345678901234567890, None, " a\n b ")


@pytest.mark.parametrize(
    "cell",
    ["<c><v>x</v></c>", "<c><v>1e999</v></c>", "<c><v>nan</v></c>", '<c t="b"><v>2</v></c>', '<c t="d"><v>x</v></c>'],
)
def test_a_cell_that_holds_no_value_of_its_type_is_bad(cell):
    [found] = xml_cells(cell)
    assert isinstance(found, BadCell)


def test_prefixes_do_not_matter():
    data = edited(
        with_sheet('<row r="1"><c t="str"><v>a</v></c></row><row r="3"><c t="str"><v>b</v></c></row>'),
        lambda name, old: (
            old.replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"xmlns=", b"xmlns:x=")
            if name.endswith("sheet1.xml")
            else old
        ),
    )
    assert [(row.number, row.cells) for row in read(data, "a.xlsx")[1]] == [(3, ["b"])]


def test_text_stays_text_and_escapes_are_undone():
    texts = ["=x", "007", "TRUE", "_x005F_x0041_", "a_x000D_\nb", "_x0041_", "서울"]
    data = workbook([f"h{number}" for number, _ in enumerate(texts)], texts, change=as_text)
    assert cells(data) == [("=x", "007", "TRUE", "_x0041_", "a\nb", "A", "서울")]


def as_text(page):
    for cell in page[2]:
        cell.data_type = "s"


def test_shared_strings_are_their_text():
    found = with_strings(
        "<si><r><t>plain </t></r><r><rPr><b/></rPr><t>bold</t></r></si>",
        "<si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si>",
        "<si/>",
        "<si><t xml:space='preserve'> _x005F_x0041_ a_x000D_\nb</t></si>",
    )
    assert [row[0] for row in cells(found)] == ["plain bold", "東京", " _x0041_ a\nb"]


def test_many_shared_strings_are_found_again():
    texts = [f"text {number % 700} {'x' * (number % 3000)} {number} 서울" for number in range(20_000)]
    assert [row[0] for row in cells(with_strings(*(f"<si><t>{text}</t></si>" for text in texts)))] == texts


def test_inline_text_is_its_text():
    text = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"))
    assert cells(workbook(["a"], [text])) == [("plain bold",)]


def test_too_long_a_text_is_a_bad_cell():
    limits = replace(LIMITS, cell=10)
    [row] = cells(workbook(["a", "b"], ["12345678901", "1234567890"]), limits=limits)
    assert row == (
        BadCell("12345678901…", "The text is longer than 10 characters, the most that is read."),
        "1234567890",
    )
    [[inline]] = cells(
        with_sheet('<row><c t="str"><v>a</v></c></row><row><c t="str"><v>12345678901</v></c></row>'), limits=limits
    )
    assert isinstance(inline, BadCell)


def test_a_row_may_be_short_but_not_wide():
    [short, wide] = read(workbook(["a", "b"], [1], [1, 2, 3]), "a.xlsx")[1]
    assert (short.cells, short.problem) == ([1, None], "")
    assert (wide.cells, wide.problem) == ([1, 2], "The row has 3 cells, the header row only 2.")


def test_a_value_without_a_header_is_refused_by_column_and_row():
    with pytest.raises(FileRefused, match=r"Column B holds values \(row 3\) but has no name"):
        head(workbook(["a", None, "c"], [1, None, 3], [1, 2, 3]), "a.xlsx")


def test_headers_have_to_be_values():
    with pytest.raises(FileRefused, match=r"header of column B cannot be read\. The cell holds a formula"):
        head(workbook(["a", "=1"], [1, 2]), "a.xlsx")
    assert head(workbook([2026, datetime(2026, 6, 1)], [1, 2]), "a.xlsx").headers == ["2026", "2026-06-01"]


def three_sheets(page):
    book = page.parent
    page.sheet_state = "hidden"
    book.create_sheet("Empty")
    book.create_sheet("Only headers").append(["a"])
    data = book.create_sheet("Data")
    data.append(["b"])
    data.append([2])


def test_the_first_visible_sheet_with_rows_is_read_unless_another_is_chosen():
    data = workbook(["hidden"], [1], change=three_sheets)
    found = head(data, "a.xlsx")
    assert (found.options.sheet, found.sheets) == ("Data", ["Sheet", "Empty", "Only headers", "Data"])
    assert head(data, "a.xlsx", ReadOptions("xlsx", sheet="Sheet")).headers == ["hidden"]


@pytest.mark.parametrize(
    ("sheet", "words"),
    [("Empty", "“Empty” has no cells"), ("Only headers", "no rows below it"), ("x", "no sheet “x”; it has “Sheet”, ")],
)
def test_a_chosen_sheet_without_rows_is_refused(sheet, words):
    with pytest.raises(FileRefused, match=words):
        head(workbook(["hidden"], [1], change=three_sheets), "a.xlsx", ReadOptions("xlsx", sheet=sheet))


def test_a_workbook_without_cells_is_refused():
    with pytest.raises(FileRefused, match="no visible sheet with cells"):
        head(workbook(), "a.xlsx")


@pytest.mark.parametrize("merged", ["A2:B2", "B1:B2", "A2:A3"])
def test_merged_headers_are_refused_by_range(merged):
    with pytest.raises(FileRefused, match=rf"header row are merged \({merged}\)"):
        head(workbook([None], ["a", "b"], [1, 2], [3, 4], change=lambda page: page.merge_cells(merged)), "a.xlsx")


def test_merged_and_hidden_cells_below_are_noted():
    def change(page):
        page.merge_cells("A3:A4")
        page.row_dimensions[2].hidden = True

    notes = head(workbook(["a", "b"], [1, 2], [3, 4], [5, 6], change=change), "a.xlsx").notes
    assert [note.split(".")[0] for note in notes] == [
        "Cells are merged (for example A3:A4)",
        "Rows or columns that are hidden in the workbook are read as well",
    ]
    assert head(workbook(["a"], ['<mergeCell ref="A1:B1"/> hidden="1"']), "a.xlsx").notes == []


def test_garbled_text_is_noted():
    assert "“Ã¼” in place of “ü”" in head(workbook(["a"], ["MÃ¼ller"]), "a.xlsx").notes[0]


def test_a_wrong_size_in_the_file_does_not_cut_the_table():
    data = edited(workbook(["a", "b"], [1, 2], [3, 4]), lambda _, old: old.replace(b"A1:B3", b"A1:A1"))
    assert cells(data) == [(1, 2), (3, 4)]


@pytest.mark.parametrize("cell", ['<c r="XFD{0}"><v>5</v></c>', '<c r="XFD{0}"><v>5</v><?plain no?></c>'])
def test_a_cell_far_to_the_right_takes_no_more_memory_than_the_columns_that_are_read(cell):
    """By patterns and element by element: a row has at most one place more than columns are read."""
    count = 2_000
    lines = "".join(
        f'<row r="{row}"><c r="A{row}"><v>{row}</v></c>{cell.format(row)}</row>' for row in range(2, count + 2)
    )
    data = with_sheet('<row r="1"><c r="A1" t="str"><v>a</v></c></row>' + lines)
    tracemalloc.start()
    rows = read(data, "a.xlsx")[1]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {row.problem for row in rows} == {"The row has more than 200 cells, the header row only 1."}
    assert [row.cells for row in rows] == [[row] for row in range(2, count + 2)]
    assert most < 16_000_000


def test_blank_cells_far_to_the_right_are_none():
    data = with_sheet(
        '<row r="1"><c r="A1" t="str"><v>a</v></c><c r="XFD1"/></row><row r="2"><c r="A2"><v>1</v></c><c r="XFC2"/>'
        '<c r="XFD2"/></row>'
    )
    [row] = read(data, "a.xlsx")[1]
    assert (row.cells, row.problem) == ([1], "")


def test_headers_beyond_the_columns_that_are_read_are_refused():
    with pytest.raises(FileRefused, match="more than 200 columns"):
        head(with_sheet('<row><c t="str"><v>a</v></c><c r="XFD1" t="str"><v>b</v></c></row><row><c/></row>'), "a.xlsx")
