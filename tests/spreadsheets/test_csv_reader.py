"""Delimiters, quotation marks, widths and limits of CSV files."""

from __future__ import annotations

import csv
import io
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobjects.spreadsheets.csv_reader import _CsvRecords
from mobjects.spreadsheets.reader import detect_file, iter_rows
from mobjects.spreadsheets.types import FileRefused, ReadOptions
from tests.spreadsheets.reading_helpers import LIMITS, cells, csv_as, head, read

SHORT = replace(LIMITS, cell=10)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949", "cp1252", "latin-1")
MISPLACED = "A quotation mark is misplaced; put the whole value in quotation marks and double those inside it."


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_comes_from_the_header_outside_quotes(delimiter):
    lines = [['"a,;\t|,;\t|,"', "b", "c"], ["1", '"2,5;|\t"', "3"]]
    found = head("\n".join(delimiter.join(line) for line in lines).encode())
    assert (found.options.delimiter, len(found.headers)) == (delimiter, 3)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("Amount, EUR;Name\n1,5;x\n2,5;y\n", ";"),  # Both delimiters give two columns everywhere.
        ("Name;Notes, remarks\nx;a, b, c\ny;d\n", ";"),
        ("a,b;c\n1,2\n3,4\n", ","),
        ("Name\nKim, Lee\n", ";"),  # A single column keeps its commas.
        ("Name\nKim\n", ","),
    ],
)
def test_rows_have_a_say_in_the_delimiter(text, delimiter):
    assert head(text.encode()).options.delimiter == delimiter


def test_delimiter_can_be_chosen():
    found, read_rows = read(b"a;b,c\n1;2,3\n", reading=csv_as("", delimiter=","))
    assert (found.headers, read_rows[0].cells) == (["a;b", "c"], ["1;2", "3"])


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "sep=^"])
def test_first_line_may_name_the_delimiter(line):
    sign = line.strip('"')[-1]
    found, read_rows = read(f"{line}\r\na{sign}b,c\r\n1{sign}2,5\r\n".encode())
    assert (found.options.delimiter, found.headers) == (sign, ["a", "b,c"])
    assert [(row.number, row.cells) for row in read_rows] == [(3, ["1", "2,5"])]


def test_rows_keep_their_numbers_past_blank_lines():
    found, read_rows = read(b'\r\na,b\r\n\r\n"x\r\ny",1\r\n , \r\nz,2\r\n')
    assert found.headers == ["a", "b"]
    assert [(row.number, row.cells) for row in read_rows] == [(4, ["x\r\ny", "1"]), (6, ["z", "2"])]


def test_samples_are_the_first_three_values_of_each_column():
    assert head(b"a,b,\n1,,\n2,x,\n3,,\n4,,\n").samples == [["1", "2", "3"], ["x"]]


def test_rows_of_another_width_say_so_and_the_others_are_read():
    found = read(b"a,b\n1,2,3\n4,5,\n6\n7,8\n")[1]
    assert [(row.number, row.cells, row.problem) for row in found] == [
        (2, ["1", "2"], "The row has 3 cells, the header row only 2."),
        (3, ["4", "5"], ""),
        (4, ["6", None], "The row has only 1 cells, the header row 2; is the file complete?"),
        (5, ["7", "8"], ""),
    ]


def test_misplaced_quotation_marks_concern_their_row_alone():
    found = read(b'a,b\n"x"y,2\n3,4\n1,"2\n5,6\n7,"8"\n9,0\n')[1]
    assert [(row.number, row.cells) for row in found if row.problem == MISPLACED] == [(2, ["xy", "2"]), (4, ["1", "2"])]
    assert [(row.number, row.cells) for row in found if not row.problem] == [
        (3, ["3", "4"]),
        (5, ["5", "6"]),
        (6, ["7", "8"]),
        (7, ["9", "0"]),
    ]


@pytest.mark.parametrize("rest", [b"\n", b"\n4,5\n6,7\n", b"\n4,5" * 40_000])
def test_a_quotation_mark_that_swallows_the_rest_is_refused_by_row(rest):
    with pytest.raises(FileRefused, match=r"^Row 3 begins a value with a quotation mark, and no quotation mark ends"):
        read(b'a,b\n1,2\n3,"4' + rest)


def test_a_row_with_a_misplaced_mark_and_a_value_without_end_is_refused_by_row():
    with pytest.raises(FileRefused, match=r"^Row 3 begins a value with a quotation mark, and no quotation mark ends"):
        read(b'a,b\n1,2\n"x"y,' + b"z" * csv.field_size_limit() + b"z\n")


def test_such_a_row_far_below_is_refused_when_it_is_read():
    file = io.BytesIO(b"a,b\n" + b"1,2\n" * 1000 + b'3,"4\n5,6\n')
    reading = detect_file(file, "a.csv", LIMITS).options
    with pytest.raises(FileRefused, match="Row 1002 begins a value"):
        list(iter_rows(file, reading, LIMITS))


@pytest.mark.parametrize("count", [5_000, 20_000])
def test_rows_that_each_leave_a_value_open_are_not_read_over_and_over(count):
    data = b"a,b\n" + b'x","y\n' * count + b'"x"y,2\n'
    with pytest.raises(FileRefused, match=r"^Row \d+ (is one of many|begins a value).* quotation marks?"):
        read(data)
    records = _CsvRecords(io.StringIO(data.decode()), ",", LIMITS)
    with pytest.raises(FileRefused):
        for _ in records.iter_above():
            pass
    assert records.repeated <= 65_000


def test_many_rows_with_a_misplaced_mark_are_each_said():
    rows = read(b"a,b\n" + b'1,"2\n3,"4"\n5,6\n' * 30_000)[1]
    assert (len(rows), sum(1 for row in rows if row.problem == MISPLACED)) == (90_000, 30_000)


def test_a_value_swallows_as_many_lines_as_a_note_may_have():
    note = "\n".join("a line" for _ in range(2_000))
    assert cells(f'a,b\n1,"{note}"\n2,x\n'.encode()) == [("1", note), ("2", "x")]


def test_a_record_of_more_lines_than_any_row_is_refused_by_row():
    with pytest.raises(FileRefused, match=r"Row 3 begins a value .* .within 10,000 lines"):
        read(b'a,b\n1,2\n3,"' + b"\n" * 10_001 + b'"\n')


def test_a_record_of_more_characters_than_any_row_is_refused_by_row():
    with pytest.raises(FileRefused, match=r"Row 3 begins a value .* and 8,388,608 characters"):
        read(b'a,b\n1,2\n3,"\n' + (b'",' + b"x," * 50_000 + b'"\n') * 90)


@pytest.mark.parametrize("data", [b'"a"x,b\n1,2\n', b'"a\n1,2\n'])
def test_headers_with_broken_quotation_marks_are_refused(data):
    with pytest.raises(FileRefused, match="quotation mark"):
        head(data)


def test_a_value_without_a_header_is_refused_by_column_and_row():
    with pytest.raises(FileRefused, match=r"Column B holds values \(row 4\) but has no name"):
        read(b"a,,c\n1,,3\n\n1,2,3\n")
    assert cells(b"a,,c\n1,,3\n1, ,3\n") == [("1", "", "3"), ("1", " ", "3")]


def test_a_file_without_rows_is_refused():
    with pytest.raises(FileRefused, match="no rows below"):
        head(b"a,b\n,\n")


def test_too_long_a_value_is_a_bad_cell():
    [row, other] = read(b"a,b\n12345678901,x\n1234567890,y\n", limits=SHORT)[1]
    assert row.cells[0].why == "The text is longer than 10 characters, the most that is read."
    assert (row.cells[0].text, row.cells[1], row.problem) == ("12345678901…", "x", "")
    assert other.cells == ["1234567890", "y"]


def test_a_value_longer_than_the_csv_module_takes_by_itself():
    wide = replace(LIMITS, cell=200_000)
    assert len(cells(b"a\n" + b"x" * 200_000 + b"\n", limits=wide)[0][0]) == 200_000
    [[bad]] = cells(b"a\n" + b"x" * 200_001 + b"\n", limits=wide)
    assert bad.text == "x" * 200 + "…"


@pytest.mark.parametrize(
    ("data", "limits", "words"),
    [
        (b"a" * 11 + b"\n1\n", replace(LIMITS, size=12), r"0\.0 MB; at most 1\.2e-05 MB"),
        (b"a,b,c\n1,2,3\n", replace(LIMITS, columns=2), "has more than 2 columns"),
        (b"a,12345678901\n1,2\n", SHORT, "header of column B cannot be read"),
        (b"a\0,b\n1,2\n", LIMITS, "header of column A cannot be read"),
        (b"a," * 20_000 + b"\0\n1\n", LIMITS, "has more than 200 columns"),
        (b"a" * 9_000_000 + b"\n", LIMITS, "longer than 8,388,608 characters"),
    ],
)
def test_limits_are_named(data, limits, words):
    with pytest.raises(FileRefused, match=words):
        head(data, limits=limits)


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.numbers"])
def test_another_kind_of_file_is_refused_by_name(name):
    with pytest.raises(FileRefused, match=r"neither CSV nor a workbook; its name must end in \.csv"):
        head(b"a,b\n1,2\n", name)


@pytest.mark.parametrize("name", ["a.xltx", "a.NUMBERS", "a.fods"])
def test_other_workbooks_are_told_how_to_be_saved(name):
    with pytest.raises(FileRefused, match=r"Save it as \.xlsx\."):
        head(b"PK", name)


@pytest.mark.parametrize("name", ["a.CSV", "a.txt", "a.tsv"])
def test_names_of_text_files(name):
    assert head(b"a\tb\n1\t2\n", name).options == ReadOptions("csv", "utf-8", "\t", header=1)


def characters(encoding):
    """Characters an encoding has; NUL is a bad cell, and the mark at the beginning is no character."""
    known = st.characters(codec="utf-8" if encoding.startswith("utf") else encoding)
    return known.filter(lambda sign: sign not in "\0\ufeff")


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(deadline=None)
@given(data=st.data(), delimiter=st.sampled_from(",;\t|"), end=st.sampled_from(["\r\n", "\n"]))
def test_whatever_is_written_is_read_back(encoding, data, delimiter, end):
    width = data.draw(st.integers(1, 4))
    table = data.draw(
        st.lists(st.lists(st.text(characters(encoding), max_size=8), min_size=width, max_size=width), min_size=1)
    )
    stream = io.StringIO(newline="")
    # Where a line ends with LF, the csv module does not quote a CR.
    quoting = csv.QUOTE_MINIMAL if end == "\r\n" else csv.QUOTE_ALL
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow([f"c{number}" for number in range(width)])
    writer.writerows(table)
    file = io.BytesIO(stream.getvalue().encode(encoding))
    found = list(iter_rows(file, ReadOptions("csv", encoding, delimiter), LIMITS))
    expected = [(number, row) for number, row in enumerate(table, 2) if "".join(row).strip()]
    assert [(row.number, row.cells) for row in found] == expected
    assert not any(row.problem for row in found)


@given(
    table=st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=2, max_size=2),
        min_size=1,
    ).filter(lambda table: any("".join(row).strip() for row in table)),
    delimiter=st.sampled_from(",;\t|"),
)
def test_a_chosen_delimiter_and_utf_8_are_found_again(table, delimiter):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows([["one", "two"], *table])
    found, read_rows = read(stream.getvalue().encode("utf-8-sig"), reading=csv_as("", delimiter=delimiter))
    assert found.options == ReadOptions("csv", "utf-8-sig", delimiter, header=1)
    assert [row.cells for row in read_rows] == [row for row in table if "".join(row).strip()]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_words(data):
    try:
        words = [row.problem for row in read(data)[1]]
    except FileRefused as error:
        words = [str(error)]
    assert all(not sentence or sentence.endswith((".", "?")) for sentence in words)


def test_reading_more_rows_takes_no_more_memory():
    def peak(count):
        data = b"a,b\n" + (b"text" * 30 + b",1\n") * count
        tracemalloc.start()
        reading = head(data).options
        assert sum(1 for _ in iter_rows(io.BytesIO(data), reading, LIMITS)) == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(150_000) < peak(50_000) + 100_000
