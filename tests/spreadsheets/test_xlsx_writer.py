"""Workbooks that are written while they are sent: what other programs read in them."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from mobjects.spreadsheets.formula_escaping import Month
from mobjects.spreadsheets.types import BadCell
from mobjects.spreadsheets.workbooks.xlsx_values import FORMULA
from mobjects.spreadsheets.xlsx_writer import MAX_CELL_CHARACTERS, written_length, xlsx_pieces


def book_of(headers, rows, **options):
    data = b"".join(xlsx_pieces(headers, rows, **options))
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    return load_workbook(io.BytesIO(data))


def cell_of(value, **options):
    return book_of(["x"], [[value]], **options).active["A2"]


@pytest.mark.parametrize(
    ("value", "read", "kind"),
    [
        ("=1+1", "'=1+1", "s"),
        ("<&>", "<&>", "s"),
        (" x\n", " x\n", "s"),
        ("00123", "00123", "s"),
        ("#N/A", "#N/A", "s"),
        (True, True, "b"),
        (7, 7, "n"),
        (Decimal("501.00"), 501, "n"),
        (Decimal("9999999999999.99"), 9999999999999.99, "n"),
        (0.1, 0.1, "n"),
        (date(2026, 6, 30), datetime(2026, 6, 30), "d"),
        (Month(2026, 6, 1), datetime(2026, 6, 1), "d"),
        (date(1900, 2, 28), "1900-02-28", "s"),
        (datetime(2026, 6, 30, 23, 59, 59), datetime(2026, 6, 30, 23, 59, 59), "d"),
        (datetime(1899, 1, 1, 5), "1899-01-01 05:00:00", "s"),
        (datetime(2026, 6, 30, tzinfo=UTC), "2026-06-30T00:00:00+00:00", "s"),
        (time(3, 4, 5), time(3, 4, 5), "d"),
        (BadCell("#REF!", "why"), "#REF!", "e"),
        (FORMULA, "#N/A", "e"),
        (BadCell("text", "why"), "text", "s"),
        (None, None, "n"),
        ("", None, "n"),
    ],
)
def test_cell_is_read_as_it_was_meant(value, read, kind):
    cell = cell_of(value)
    assert (cell.value, cell.data_type) == (read, kind)


def test_text_of_a_file_of_somebody_else_stays_as_it_is():
    cell = cell_of("=1+1", safe=False)
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_what_looks_like_an_escaped_character_is_escaped_itself():
    data = b"".join(xlsx_pieces(["x"], [["_x0041_ \x01 \ufffe"]]))
    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    assert "<t>_x005F_x0041_ _x0001_ _xFFFE_</t>" in sheet


def test_sheet_that_is_full_is_continued_on_the_next():
    book = book_of(["x"], [[number] for number in range(7)], title="A & b", most_rows=4)
    assert book.sheetnames == ["A & b", "A & b 2", "A & b 3"]
    found = [[cell.value for (cell,) in sheet.iter_rows()] for sheet in book.worksheets]
    assert found == [["x", 0, 1, 2], ["x", 3, 4, 5], ["x", 6]]


@pytest.mark.parametrize("count", [0, 3, 6, 500])
def test_there_is_no_empty_sheet_at_the_end(count):
    book = book_of(["x"], ([number] for number in range(count)), most_rows=4 if count < 500 else 251)
    assert len(book.sheetnames) == {0: 1, 3: 1, 6: 2, 500: 2}[count]


def test_first_bytes_come_before_the_last_row():
    taken = 0

    def rows():
        nonlocal taken
        for _ in range(100_000):
            taken += 1
            yield ["x"]

    pieces = xlsx_pieces(["x"], rows())
    next(pieces)
    assert taken < 1000
    pieces.close()


def test_length_counts_what_is_written():
    assert written_length("x") == 1
    assert written_length("=x") == 3
    assert written_length("_x0041_") == 13
    assert written_length("x" * MAX_CELL_CHARACTERS) == MAX_CELL_CHARACTERS
