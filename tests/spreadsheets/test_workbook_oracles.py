"""Our reader judged by python-calamine and openpyxl, on workbooks that XlsxWriter and openpyxl generated."""

from __future__ import annotations

import io
import warnings
from datetime import date, datetime, time, timedelta

import openpyxl
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from mobjects.spreadsheets.types import BadCell, DrawnNumber
from tests.spreadsheets.reading_helpers import read

WIDTH = 4
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8).filter(
    # Spaces at the ends are kept by us and openpyxl; escapes mean other things to each of the three.
    lambda text: text == text.strip() and "_x" not in text and not text.startswith(("=", "{"))
)
NUMBERS = st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9).map(lambda number: float(f"{number:.12g}"))
# Workbooks of 1904 know no earlier days.
MOMENTS = st.datetimes(datetime(1905, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
CELLS = st.none() | TEXTS | NUMBERS | st.booleans() | MOMENTS
TABLES = st.lists(st.lists(CELLS, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=5).filter(
    lambda rows: any(cell is not None for row in rows for cell in row)
)


def by_xlsxwriter(rows, **options):
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, options)
    sheet, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for number, row in enumerate([[f"h{place}" for place in range(WIDTH)], *rows]):
        for place, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(number, place, cell, moment)
            elif isinstance(cell, str):
                sheet.write_string(number, place, cell)
            elif cell is not None:
                sheet.write(number, place, cell)
    book.close()
    return stream.getvalue()


def by_openpyxl(rows, *, write_only=False):
    book = openpyxl.Workbook(write_only=write_only)
    sheet = book.create_sheet("Data", 0)
    for row in [[f"h{place}" for place in range(WIDTH)], *rows]:
        sheet.append(row)
    stream = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # openpyxl calls datetime.utcnow()
        book.save(stream)
    return stream.getvalue()


def plain(cell):
    """A value as all three can give it."""
    cell = cell.number if isinstance(cell, DrawnNumber) else cell
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, datetime):
        # A serial number has 15 digits: microseconds of it are noise.
        return (cell + timedelta(milliseconds=500)).replace(microsecond=0)
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    return float(f"{cell:.14g}") if isinstance(cell, int | float) else cell


def table(rows):
    lines = [tuple(plain(cell) for cell in row) for row in rows]
    return [line for line in lines if any(cell is not None for cell in line)]


def ours(data):
    rows = read(data, "a.xlsx")[1]
    assert not any(isinstance(cell, BadCell) for row in rows for cell in row.cells)
    return table(row.cells for row in rows)


def of_calamine(data):
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    return table(sheet.to_python(skip_empty_area=False)[1:])


def of_openpyxl(data):
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    return table(list(book.worksheets[0].iter_rows(values_only=True))[1:])


def judged(data, rows):
    found = ours(data)
    assert found == table(rows)
    assert found == of_openpyxl(data)
    assert found == of_calamine(data)


@settings(max_examples=60, deadline=None)
@given(TABLES, st.booleans(), st.booleans())
def test_workbooks_of_xlsxwriter_are_read_as_the_others_read_them(rows, inline, is_1904):
    judged(by_xlsxwriter(rows, constant_memory=inline, date_1904=is_1904), rows)


@settings(max_examples=40, deadline=None)
@given(TABLES, st.booleans())
def test_workbooks_of_openpyxl_are_read_as_the_others_read_them(rows, write_only):
    judged(by_openpyxl(rows, write_only=write_only), rows)
