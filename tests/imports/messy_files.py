"""The messy cases as files: CSV in an encoding, and workbooks with native values; and how to read them back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from openpyxl import Workbook, load_workbook

from tests.imports.messy import BAD_CELLS, DATE, DOUBLES, DOUBT, NUMBER, TRAPS, WHOLE, Case, bad

NOT_XML = ("control character", "character that XML lacks")
"""Kinds of bad cells that no workbook can hold."""


class Native(NamedTuple):
    """A cell that is not text: what it holds, and how it is shown."""

    value: Any
    format: str = "General"


class Formula(NamedTuple):
    """A formula without a result."""

    text: str


class ErrorValue(NamedTuple):
    """What a spreadsheet shows where a formula failed."""

    text: str


XLSX_BAD = (
    *(case for case in BAD_CELLS if case.kind not in NOT_XML),
    *DOUBLES,
    bad("error value", "Amount", ErrorValue("#REF!"), "#REF!"),
    bad("error value in text", "Name", ErrorValue("#N/A"), "#N/A"),
    bad("formula without a result", "Amount", Formula("=G2*2"), "formula"),
    bad("date for an amount", "Amount", Native(date(2026, 6, 30), "yyyy-mm-dd"), NUMBER),
    bad("time of day for a date", "Close Date", Native(datetime(2026, 6, 30, 14, 5), "yyyy-mm-dd hh:mm"), DOUBT),
    bad("time without a date", "Close Date", Native(time(14, 5), "hh:mm"), DATE),
    bad("number for a date", "Close Date", Native(46203), DATE),
    bad("boolean for an amount", "Amount", Native(True), NUMBER),
    bad("boolean for a percentage", "Probability", Native(False), WHOLE),
    bad("percentage over 100 by its format", "Probability", Native(1.2, "0%"), "is not between 0 and 100"),
    bad("number that is not whole", "Fiscal Quarter", Native(2.5), WHOLE),
    bad("key of too many digits", "External ID", Native(1234567890123456), "has more than 15 digits"),
)

XLSX_TRAPS = (
    *TRAPS,
    Case(cells={"Close Date": Native(date(2026, 6, 30), "dd.mm.yyyy"), "Amount": Native(1500.5, "#,##0.00 €")}),
    Case(cells={"Probability": Native(0.8, "0%"), "Is Closed": Native(True), "Fiscal Quarter": Native(2.0)}),
    Case(cells={"SFDC Created Date": Native(datetime(2026, 6, 30, 14, 5), "yyyy-mm-dd hh:mm")}),
    Case(cells={"External ID": Native(4711), "Name": Native(2026), "Expected Revenue": Native(0.1 + 0.2)}),
)


def to_csv(rows: Sequence[Sequence[Any]], encoding: str, delimiter: str) -> bytes:
    """As spreadsheets write it."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def from_csv(data: bytes, encoding: str, delimiter: str) -> list[list[Any]]:
    return list(csv.reader(io.StringIO(data.decode(encoding), newline=""), delimiter=delimiter))


def to_xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Pipeline"
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            _put(sheet.cell(number, column), value)
    return saved(book)


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _put(cell: Any, value: Any) -> None:
    if isinstance(value, Native):
        cell.value, cell.number_format = value.value, value.format
    elif isinstance(value, Formula):
        cell.value = value.text
    elif isinstance(value, ErrorValue):
        cell.value, cell.data_type = value.text, "e"
    elif value != "":
        cell.value = value
        cell.data_type = "s"  # Whatever it looks like.


def from_xlsx(data: bytes) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    return [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
