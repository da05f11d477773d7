"""Text that looks like a formula, and cells as text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobjects.spreadsheets.formula_escaping import escape_formula, unescape_formula
from mobjects.spreadsheets.reader import cell_text
from mobjects.spreadsheets.types import BadCell

SIGNS = tuple("=+-@＝＋－＠")


@given(st.text(alphabet="'=+-@＝＠;|\t\r\nab"))
def test_neutralising_is_undone_exactly_and_no_cell_begins_like_a_formula_wherever_it_is_split(text):
    written = escape_formula(text)
    assert unescape_formula(written) == text
    assert not written.startswith(("\t", "\r", "\n"))
    assert not [part for part in re.split(r"[;|\t\r\n]", written) if part.startswith(SIGNS)]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Deal;=6*7;x", "Deal;'=6*7;x"),
        ("Deal|+1", "Deal|'+1"),
        ("＝6*7", "'＝6*7"),
        ("first\n@second", "first\n'@second"),
        ("a;'=1", "a;''=1"),
        ("A-1; b = c", "A-1; b = c"),
    ],
)
def test_what_a_spreadsheet_that_splits_elsewhere_would_run_is_neutralised(text, written):
    assert escape_formula(text) == written
    assert unescape_formula(written) == text


def test_only_what_neutralising_wrote_is_restored():
    assert [unescape_formula(text) for text in ("'tis", "''", "'=1", "''=1", "=1")] == ["'tis", "''", "=1", "'=1", "=1"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (" x ", " x "),
        (BadCell("#REF!", "why"), "#REF!"),
        (True, "TRUE"),
        (False, "FALSE"),
        (5, "5"),
        (5.0, "5"),
        (0.1 + 0.2, "0.3"),
        (1e16, "10000000000000000"),
        (1e-7, "0.0000001"),
        (-0.5, "-0.5"),
        (Decimal("1.50"), "1.50"),
        (datetime(2026, 6, 30), "2026-06-30"),
        (datetime(2026, 6, 30, 14, 0, 1), "2026-06-30 14:00:01"),
        (datetime(2026, 6, 30, tzinfo=UTC), "2026-06-30 00:00:00+00:00"),
        (date(2026, 6, 30), "2026-06-30"),
        (time(14, 30), "14:30:00"),
    ],
)
def test_a_cell_as_people_see_it(cell, text):
    assert cell_text(cell) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_have_no_exponent_and_keep_fifteen_digits(value):
    text = cell_text(value)
    assert "e" not in text.lower()
    assert float(text) == float(f"{value:.15g}")
