"""What is suggested in the place of a bad cell: only what is the one thing that can be meant."""

from __future__ import annotations

import time

import pytest

from mobjects.imports.cell_parser import ColumnParser
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import DataType
from mobjects.resources.columns import FileColumn, MonthColumn

TYPES = {
    "date": DataType.DATE,
    "moment": DataType.DATETIME,
    "amount": DataType.CURRENCY,
    "whole": DataType.INTEGER,
    "id": DataType.REFERENCE,
    "bool": DataType.BOOLEAN,
    "text": DataType.STRING,
}


def suggestion(kind, cell):
    """What is suggested for a cell, which has to be bad."""
    if kind == "month":
        column = MonthColumn(MarketoAttribute("Month", "Month", DataType.DATE), "month", True)
    else:
        column = FileColumn(MarketoAttribute("Column", "Column", TYPES[kind], 20 if kind == "text" else None), "column")
    faults = []
    parser = ColumnParser(column, 1, None, {}, faults)
    assert parser.parse(cell) is None
    (fault,) = faults
    if fault.suggestion:
        assert parser.parse(fault.suggestion) is not None
    return fault.suggestion


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("30.06.2026", "2026-06-30"),
        ("06/30/2026", "2026-06-30"),
        ("30/06/2026", "2026-06-30"),
        ("30-06-2026", "2026-06-30"),
        ("06.06.2026", "2026-06-06"),
        ("2026/6/30", "2026-06-30"),
        ("2026.06.30", "2026-06-30"),
        ("2026. 6. 30.", "2026-06-30"),
        ("2026년 6월 30일", "2026-06-30"),
        ("2026-6-3", "2026-06-03"),
        ("20260630", "2026-06-30"),
        ("June 30, 2026", "2026-06-30"),
        ("Jun 30 2026", "2026-06-30"),
        ("30 June 2026", "2026-06-30"),
        ("30-Jun-2026", "2026-06-30"),
        ("Tuesday, June 30, 2026", "2026-06-30"),
        ("30. März 2026", "2026-03-30"),
        ("30th of June", ""),
        ("2026-06-30 00:00:00.000", "2026-06-30"),
        ("2026-06-30\u200b", "2026-06-30"),
        ("２０２６-06-30", "2026-06-30"),
        ("01/02/2026", ""),
        ("01.02.2026", ""),
        ("30/06/26", ""),
        ("2026-02-30", ""),
        ("31/31/2026", ""),
        ("46203", ""),
        ("Jun-26", ""),
        ("tbd", ""),
        ("Foo 30, 2026", ""),
    ],
)
def test_dates(cell, meant):
    assert suggestion("date", cell) == meant


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("Nov 2026", "2026-11"),
        ("November 2026", "2026-11"),
        ("2026 Nov", "2026-11"),
        ("11/2026", "2026-11"),
        ("11.2026", "2026-11"),
        ("2026/11", "2026-11"),
        ("202611", "2026-11"),
        ("2026년 11월", "2026-11"),
        ("Jun-26", "2026-06"),
        ("Jun '26", "2026-06"),
        ("2026-06-15", "2026-06"),
        ("15.06.2026", "2026-06"),
        ("13/2026", ""),
        ("2026-13", ""),
        ("26-Jun", ""),
        ("Foo 2026", ""),
        ("soon", ""),
    ],
)
def test_months(cell, meant):
    assert suggestion("month", cell) == meant


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("30.06.2026 14:00", "2026-06-30 14:00:00"),
        ("06/30/2026 2:05 PM", "2026-06-30 14:05:00"),
        ("06/30/2026 12:05:09 AM", "2026-06-30 00:05:09"),
        ("June 30, 2026", "2026-06-30"),
        ("01/02/2026 14:00", ""),
        ("2026-06-30T25:00:00", ""),
    ],
)
def test_moments(cell, meant):
    assert suggestion("moment", cell) == meant


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1500,5", "1500.5"),
        ("€ 1 234", "1234"),
        ("$1500", "1500"),
        ("1500 EUR", "1500"),
        ("EUR 1.500,00", "1500.00"),
        ("US$ 5", "5"),
        ("-€5", "-5"),
        ("€ -5", "-5"),
        ("(500)", "-500"),
        ("1\u00a0500", "1500"),
        ("１５００", "1500"),
        ("\u200b1500", "1500"),
        ("1,500", ""),
        ("1.234", ""),
        ("12,34,567", "1234567"),
        ("1,2,3", ""),
        ("12.345", ""),
        ("1234,567", ""),
        ("n/a", ""),
        ("-", ""),
        ("99999999999999", ""),
    ],
)
def test_amounts(cell, meant):
    assert suggestion("amount", cell) == meant


@pytest.mark.parametrize(
    ("kind", "cell", "meant"),
    [
        ("id", "PG1970A1", "1970"),
        ("id", "https://app.marketo.com/#PG1970A1", "1970"),
        ("id", "1,970", "1970"),
        ("id", "#1970", "1970"),
        ("id", "17.5", ""),
        ("id", "0", ""),
        ("id", "unknown", ""),
        ("whole", "1.970", "1970"),
        ("whole", "80,0", "80"),
        ("whole", "80,5", ""),
        ("whole", "Q3", "3"),
        ("whole", "FY2026", "2026"),
        ("whole", "80 %", "80"),
        ("bool", "ja", "true"),
        ("bool", "X", ""),  # No in Korea and Japan, a tick elsewhere.
        ("bool", "O", ""),
        ("bool", "Oui", "true"),
        ("bool", "Nein", "false"),
        ("bool", "2", ""),
        ("bool", "maybe", ""),
        ("text", "x" * 21, ""),
        ("text", "Won\x0b", "Won"),
        ("text", "\x0b", ""),
    ],
)
def test_other_types(kind, cell, meant):
    assert suggestion(kind, cell) == meant


@pytest.mark.parametrize(("kind", "cell"), [("date", f"a{' ' * 30_000}b"), ("amount", f"1{' ' * 30_000}x")])
def test_nothing_is_sought_in_long_text(kind, cell):
    begun = time.process_time()
    assert suggestion(kind, cell) == ""
    assert time.process_time() - begun < 1
