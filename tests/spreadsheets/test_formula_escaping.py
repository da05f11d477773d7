"""Text that looks like a formula, and cells as text."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobjects.spreadsheets.formula_escaping import escape_formula, unescape_formula
from mobjects.spreadsheets.reader import cell_text
from mobjects.spreadsheets.types import BadCell


@given(st.text(alphabet="'=+-@\t\rab"))
def test_neutralising_is_undone_exactly(text):
    written = escape_formula(text)
    assert unescape_formula(written) == text
    assert not written.startswith(tuple("=+-@\t\r"))


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
