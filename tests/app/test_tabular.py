"""Reading uploads: encodings, delimiters, widths, workbooks."""

from __future__ import annotations

import io
import warnings
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from mobjects.tabular import BROWSER_LIMITS, FileRefused, Limits, Sheet, decode, neutralise, read_csv, restore
from mobjects.workbook import Month, read_xlsx, write_xlsx

KOREAN = "이름,금액\r\n서울,1\r\n"


def rows(sheet):
    return [tuple(row) for row in sheet]


def workbook(*lines, change=None):
    book = Workbook()
    for line in lines:
        book.active.append(line)
    if change:
        change(book.active)
    stream = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # openpyxl calls datetime.utcnow()
        book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_recognised(encoding):
    sheet = read_csv(KOREAN.encode(encoding))
    assert (sheet.headers, rows(sheet)) == (["이름", "금액"], [("서울", "1")])


@pytest.mark.parametrize(
    ("text", "encoding"), [(KOREAN, "cp949"), ("Café,x\né,1\n", "cp1252"), ("é,x\né,1\n", "latin-1")]
)
def test_another_encoding_is_refused_until_it_is_chosen(text, encoding):
    data = text.encode(encoding)
    with pytest.raises(FileRefused, match="choose the encoding"):
        read_csv(data)
    assert read_csv(data, encoding).headers[0] == text.split(",")[0]


def test_wrong_choice_is_refused_where_it_would_garble():
    with pytest.raises(FileRefused, match="The file is UTF-8, not Western European"):
        read_csv(KOREAN.encode(), "cp1252")
    with pytest.raises(FileRefused, match="byte 0x9D on line 2 does not fit"):
        read_csv(b"a,b\n\x9d,1\n", "cp1252")


def test_byte_order_mark_wins_over_the_choice():
    assert read_csv(KOREAN.encode("utf-8-sig"), "cp949").headers == ["이름", "금액"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a,b\n", "no rows below"),
        (b"a,b\n1\0,2\n", "NUL bytes"),
        ("a,b\n1,2\n".encode("utf-16-le"), "NUL bytes"),
        (b"PK\x03\x04rest", "workbook"),
        (b"a,b\n1,2,3\n", "Row 2 has 3 cells"),
        (b"a,b\n\n1\n", "Row 3 has only 1 cells"),
        (b'a,b\n1,"2\n', "cannot be read after row 1"),
        (b"a,,c\n1,2,3\n", "Column 2 holds values"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused(data, words):
    with pytest.raises(FileRefused, match=words):
        read_csv(data)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_comes_from_the_header_outside_quotes(delimiter):
    text = (
        delimiter.join(['"a,;\t,;\t,"', "b", "c"])
        + "\n"
        + delimiter.join(["1", "2,5", "3"] if delimiter != "," else list("123"))
    )
    assert len(read_csv(text.encode()).headers) == 3


def test_rows_keep_their_numbers_past_blank_lines():
    sheet = read_csv(b'\r\na,b\r\n\r\n"x\r\ny",1\r\n,\r\nz,2\r\n')
    assert (sheet.numbers, rows(sheet)) == ([4, 6], [("x\r\ny", "1"), ("z", "2")])


def test_limits_name_the_command_line():
    with pytest.raises(FileRefused, match=r"more than 2 rows.*import_mobjects"):
        read_csv(b"a\n1\n2\n3\n", limits=Limits(size=100, rows=2))
    with pytest.raises(FileRefused, match=r"5\.2 MB; here at most 5 MB"):
        BROWSER_LIMITS.check_size(5_200_000)


@given(st.text(alphabet="'=+-@\t\rab"))
def test_neutralising_is_undone_exactly(text):
    written = neutralise(text)
    assert restore(written) == text
    assert not written.startswith(tuple("=+-@\t\r"))


def test_only_what_neutralising_wrote_is_restored():
    assert [restore(text) for text in ("'tis", "''", "'=1", "''=1", "=1")] == ["'tis", "''", "=1", "'=1", "=1"]


def test_workbook_gives_native_values_of_the_first_sheet():
    def change(page):
        page["C2"].number_format = "0%"
        page.parent.create_sheet("second").append(["other"])

    data = workbook(
        ["Name", "Date", "Probability", None],
        ["서울", datetime(2026, 6, 30), 0.8],
        [None, None],
        ["b", None, 5],
        change=change,
    )
    sheet = read_xlsx(data)
    assert sheet.headers == ["Name", "Date", "Probability"]
    assert rows(sheet) == [("서울", datetime(2026, 6, 30), "80%"), ("b", None, 5)]
    assert sheet.numbers == [2, 4]


def test_workbook_with_an_error_or_uncalculated_formula_is_refused():
    with pytest.raises(FileRefused, match="Cell B2 holds a formula without a result"):
        read_xlsx(workbook(["a", "b"], [1, "=A2+1"]))
    with pytest.raises(FileRefused, match="Cell A2 holds the error #REF!"):
        read_xlsx(workbook(["a"], ["#REF!"]))


def test_calculated_formula_gives_its_result():
    data = workbook(["a", "b", "c"], [1, "=A2+1", '=""'])
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b"<f>A2+1</f><v></v>", b"<f>A2+1</f><v>2</v>").replace(
                    b"<f>A2+1</f><v />", b"<f>A2+1</f><v>2</v>"
                )
                content = content.replace(b'r="C2"', b'r="C2" t="str"')
            copy.writestr(name, content)
    assert rows(read_xlsx(target.getvalue())) == [(1, 2, None)]


@pytest.mark.parametrize("data", [b"", b"hello", b"\xd0\xcf\x11\xe0old", b"PK\x03\x04broken"])
def test_broken_workbook_is_refused(data):
    with pytest.raises(FileRefused):
        read_xlsx(data)


def test_zip_without_a_workbook_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(FileRefused, match="not a readable XLSX"):
        read_xlsx(stream.getvalue())


def test_zip_bomb_is_refused_before_it_unpacks():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 200_000_001)
    with pytest.raises(FileRefused, match="unpacks to more than 200 MB"):
        read_xlsx(stream.getvalue(), BROWSER_LIMITS)


def written(*values):
    sheet = Sheet([f"c{number}" for number, _ in enumerate(values)])
    sheet.append(values)
    return tuple(read_xlsx(write_xlsx(sheet, "t"))[0])


def test_workbook_text_stays_text():
    texts = ("=1+1", "#REF!", "  x ", "_x0041_", "_x000D_", "00123", "TRUE", "2026-06-01")
    assert tuple(restore(text) for text in written(*texts)) == texts


def test_workbook_dates_are_native_where_excel_has_them():
    result = written(date(2026, 6, 30), Month(2026, 6, 1), date(1899, 1, 1), Month(1899, 1, 1))
    assert result == (datetime(2026, 6, 30), datetime(2026, 6, 1), "1899-01-01", "1899-01")


def test_value_a_cell_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="Export as CSV"):
        written("x" * 32_768)
    with pytest.raises(ValueError, match="control character"):
        written("a\x07")


def test_missing_cells_of_a_workbook_are_empty_and_broken_quotes_are_named():
    assert rows(read_xlsx(workbook(["a", "b"], [1]))) == [(1, None)]
    with pytest.raises(FileRefused, match="check the quotation marks"):
        read_csv(b'a\n"x"y\n')


def test_utf_16_chosen_by_hand_needs_no_mark():
    assert decode("a,b".encode("utf-16-le"), "utf-16") == "a,b"
