"""Values of workbook cells: what a number means is in its cell's format."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from openpyxl.utils.datetime import from_ISO8601

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets.row_shape import cell_text
from mobjects.spreadsheets.types import BadCell, Cell, DrawnNumber
from mobjects.spreadsheets.workbooks.number_formats import FormatKind, NumberFormat, parse_format
from mobjects.spreadsheets.workbooks.serial_dates import serial_to_moment

FORMULA = BadCell("(formula)", _("The cell holds a formula without a result; open the file in Excel and save it."))
OUTSIDE = _(
    "The cell is formatted as a date, but its number is outside the calendar, or one of the days before March 1900, "
    "which Excel and others show differently. Write the date as text."
)
UNCALCULATED = BadCell(
    "(formula)",
    _("The cell holds a formula that was never calculated, its result is made up; open the file in Excel and save it."),
)
_BOOLEANS = {"1": True, "0": False, "true": True, "false": False}
_REMEMBERED = 500
"""So many texts of a cell format are remembered; more would cost memory and help little."""

CellReader = Callable[[str], Cell]


class RememberedCells(dict[str, Cell]):
    """What texts of cells mean, remembered: a text that is known costs no call of a Python function.

    Args:
        read: makes a value of a text; of an empty one comes ``None``.
    """

    __slots__ = ("_read",)

    def __init__(self, read: CellReader) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Cell:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[text] = self._read(text) if text else None
        return value


def build_number_reader(code: str, *, is_1904: bool) -> CellReader:
    """What makes a value of a number's text.

    Args:
        code: of the cell's number format, see :func:`~mobjects.spreadsheets.workbooks.number_formats.parse_format`.
        is_1904: whether days are counted from 1904.
    """
    form = parse_format(code)

    def read_number(text: str) -> Cell:
        value = parse_number(text)
        return value if isinstance(value, BadCell) else _formatted(value, form, is_1904=is_1904)

    return parse_number if form.kind is FormatKind.PLAIN and not is_1904 else read_number


def parse_number(text: str) -> int | float | BadCell:
    """A number as a workbook writes it."""
    try:
        value = float(text) if "." in text or "e" in text or "E" in text else int(text)
        finite = math.isfinite(value)
    except OverflowError:  # A whole number of hundreds of digits.
        finite = False
    except ValueError:
        return BadCell(text[:200], _("The cell should hold a number, but holds something else."))
    return value if finite else BadCell(text[:200], _("The number is too large."))


def _formatted(value: int | float, form: NumberFormat, *, is_1904: bool) -> Cell:
    if form.kind is FormatKind.MOMENT:
        return _moment(value, is_1904=is_1904)
    if form.kind is FormatKind.DURATION:
        return _duration(value)
    if form.kind is FormatKind.PERCENT:
        return percent_text(value)
    text = form.draw(value)
    if form.kind is FormatKind.PADDED:
        return text or value
    # A day without a format is another one in such a workbook; who asks about it has to know.
    return DrawnNumber(value, text or cell_text(value), is_1904) if text or is_1904 else value


def percent_text(value: float) -> str:
    """A percentage as people write it: spreadsheets keep 80% as 0.8."""
    return f"{cell_text(float(value) * 100)}%"


def _moment(value: int | float, *, is_1904: bool) -> Cell:
    try:
        return serial_to_moment(value, is_1904=is_1904)
    except (OverflowError, ValueError):
        return BadCell(cell_text(value), OUTSIDE)


def _duration(value: int | float) -> Cell:
    try:
        return duration_text(timedelta(days=value))
    except OverflowError:
        return BadCell(cell_text(value), _("The cell is formatted as a time, but its number is too large."))


def duration_text(value: timedelta) -> str:
    """Hours, minutes and seconds, as a spreadsheet shows them."""
    seconds = round(value.total_seconds())
    sign, seconds = "-" if seconds < 0 else "", abs(seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def parse_error(text: str) -> BadCell:
    """A cell with the result of a calculation that failed."""
    return BadCell(
        text[:200], _("The cell holds the error %(text)s; correct the formula or type the value.") % {"text": text[:20]}
    )


def parse_boolean(text: str) -> Cell:
    """TRUE or FALSE."""
    return _BOOLEANS[text] if text in _BOOLEANS else BadCell(text[:200], _("The cell should hold TRUE or FALSE."))


def parse_iso_date(text: str) -> Cell:
    """A day, time or duration written out, as strict workbooks have it."""
    try:
        value: object = from_ISO8601(text)  # type: ignore[no-untyped-call]
    except (TypeError, ValueError):
        value = None
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, datetime | date | time):
        return value
    return BadCell(text[:200], _("The cell should hold a date, but holds something else."))
