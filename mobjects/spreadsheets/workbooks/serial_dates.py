"""Days as spreadsheets count them."""

from __future__ import annotations

from datetime import date, datetime, time

from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from mobjects.spreadsheets.types import Cell, DrawnNumber

FIRST_SURE_DAY = date(1900, 3, 1)
"""Excel counts a 29 February 1900, others do not: the same number is another day to them before this one."""
_EARLIEST, _LATEST = date(1970, 1, 1), date(2100, 1, 1)


def serial_to_moment(number: float, *, is_1904: bool) -> datetime | time:
    """The day and time that a number means; a time of day where it is less than a day.

    Raises:
        ValueError, OverflowError: it lies outside the calendar, or where programs show other days for it.
    """
    moment: datetime | time = from_excel(number, CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900)
    if isinstance(moment, datetime) and (number < 0 or moment.date() < FIRST_SURE_DAY):
        raise ValueError(number)
    return moment


def possible_moment(cell: Cell) -> datetime | None:
    """The day and time that a number without a date's format would be; ``None`` if it is no number of our days.

    It is a question to a person: 46,203 may be the 30th of June 2026 and may be forty-six thousand.
    """
    number, is_1904 = (cell.number, cell.is_1904) if isinstance(cell, DrawnNumber) else (cell, False)
    if not isinstance(number, int | float) or isinstance(number, bool):
        return None
    try:
        moment = serial_to_moment(number, is_1904=is_1904)
    except (OverflowError, ValueError):
        return None
    return moment if isinstance(moment, datetime) and _EARLIEST <= moment.date() < _LATEST else None
