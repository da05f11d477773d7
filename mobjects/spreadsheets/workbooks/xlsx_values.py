"""Values of workbook cells: what a number means is in its cell's format."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel, from_ISO8601

from mobjects.spreadsheets.row_shape import cell_text
from mobjects.spreadsheets.types import BadCell, Cell

FORMULA = BadCell("(formula)", "The cell holds a formula without a result; open the file in Excel and save it.")
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_ZEROS = re.compile("0{2,}")

_BOOLEANS = {"1": True, "0": False, "true": True, "false": False}

CellReader = Callable[[str], Cell]


def build_readers(formats: list[str], *, is_1904: bool) -> list[CellReader]:
    """For each cell format what makes a value of a number's text."""
    known = {code: _reader(code, is_1904=is_1904) for code in set(formats)}
    return [known[code] for code in formats] or [parse_number]


def _reader(code: str, *, is_1904: bool) -> CellReader:
    if code.startswith("#") and code[1:].isdigit():
        code = BUILTIN_FORMATS.get(int(code[1:]), "General")
    first = _LITERAL.sub("", code.partition(";")[0]).strip()
    epoch = CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900
    if is_timedelta_format(code):
        return _duration
    if is_date_format(code):
        return partial(_date, epoch=epoch)
    if "%" in first:
        return _percent
    if _ZEROS.fullmatch(first):
        return partial(_padded, width=len(first))
    return parse_number


def parse_number(text: str) -> int | float | BadCell:
    """A number as a workbook writes it."""
    try:
        value = float(text) if "." in text or "e" in text or "E" in text else int(text)
        finite = math.isfinite(value)
    except OverflowError:  # A whole number of hundreds of digits.
        finite = False
    except ValueError:
        return BadCell(text[:200], "The cell should hold a number, but holds something else.")
    return value if finite else BadCell(text[:200], "The number is too large.")


def _percent(text: str) -> Cell:
    value = parse_number(text)
    # Excel keeps 80% as 0.8.
    return value if isinstance(value, BadCell) else f"{cell_text(float(value) * 100)}%"


def _padded(text: str, width: int) -> Cell:
    value = parse_number(text)
    if isinstance(value, BadCell) or value != int(value):
        return value
    return f"{int(value):0{width + (value < 0)}d}"


def _date(text: str, epoch: object) -> Cell:
    value = parse_number(text)
    if isinstance(value, BadCell):
        return value
    try:
        moment: Cell = from_excel(value, epoch)
    except (OverflowError, ValueError):
        return BadCell(text, "The cell is formatted as a date, but its number is outside the calendar.")
    return moment


def _duration(text: str) -> Cell:
    value = parse_number(text)
    if isinstance(value, BadCell):
        return value
    try:
        seconds = round(timedelta(days=value).total_seconds())
    except OverflowError:
        return BadCell(text, "The cell is formatted as a time, but its number is too large.")
    sign, seconds = "-" if seconds < 0 else "", abs(seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def parse_error(text: str) -> Cell:
    """A cell with the result of a calculation that failed."""
    return BadCell(text[:200], f"The cell holds the error {text[:20]}; correct the formula or type the value.")


def parse_boolean(text: str) -> Cell:
    """TRUE or FALSE."""
    return _BOOLEANS[text] if text in _BOOLEANS else BadCell(text[:200], "The cell should hold TRUE or FALSE.")


def parse_iso_date(text: str) -> Cell:
    """A date written out, as strict workbooks have it."""
    try:
        moment: Cell = from_ISO8601(text)  # type: ignore[no-untyped-call]
    except (TypeError, ValueError):
        return BadCell(text[:200], "The cell should hold a date, but holds something else.")
    return moment
