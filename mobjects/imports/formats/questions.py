"""What can be in doubt about how a file writes its values, and what the answers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from mobjects.imports.formats import dates, numbers
from mobjects.imports.formats.text import tidy_text
from mobjects.marketo.types import DataType
from mobjects.resources.columns import FileColumn, MonthColumn

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Readings = Mapping[str, str]
"""What a cell means by each answer, as canonical text. Empty if the cell says nothing about the question."""

PERCENT, FRACTION = "percent", "fraction"
CIRCLE, TICK = "circle", "tick"
WRITTEN, MIDNIGHT = "written", "midnight"

_NUMBERS = (DataType.CURRENCY, DataType.FLOAT, DataType.INTEGER)
_CIRCLES = frozenset("o○◯〇⭕ㅇ")
_CROSSES = frozenset("x×✕╳")
_NOON = time(12)


@dataclass(frozen=True, slots=True)
class FormatQuestion:
    """One thing that a file does the same everywhere, and that its values alone may not tell.

    Args:
        name: what it is kept under, and its option on the command line.
        label: for pages.
        answers: name to what it means, in words.
        concerns: whether a column can raise it.
        read: what a cell of such a column means under each answer.
        is_first: whether it is asked before the cell is read in our own spelling, which could be another's, too.
    """

    name: str
    label: StrOrPromise
    answers: Mapping[str, StrOrPromise]
    concerns: Callable[[FileColumn], bool]
    read: Callable[[object, FileColumn], Readings]
    is_first: bool = False


def _is_month_or_day(column: FileColumn) -> bool:
    return isinstance(column, MonthColumn) or column.attribute.type is DataType.DATE


def _is_probability(column: FileColumn) -> bool:
    return column.attribute.name == "Probability" and column.attribute.type is DataType.INTEGER


def _read_number(cell: object, column: FileColumn) -> Readings:
    if not isinstance(cell, str):
        return {}
    found = numbers.read_number(cell)
    if column.attribute.type is DataType.INTEGER and not _is_probability(column):
        return {name: number for name, number in found.items() if not number.partition(".")[2].strip("0")}
    return found


def _read_date(cell: object, column: FileColumn) -> Readings:
    if not isinstance(cell, str):
        return {}
    if isinstance(column, MonthColumn) and not dates.split_time(cell)[1]:
        return dates.read_month(cell)
    return dates.read_moment(cell)


def _read_time(cell: object, column: FileColumn) -> Readings:
    found = dates.read_clock(cell)
    if found is None:
        return {}
    day, clock = found
    nearest = day + timedelta(days=1) if clock >= _NOON and day < date.max else day
    length = len("2026-06") if isinstance(column, MonthColumn) else len("2026-06-30")
    return {WRITTEN: day.isoformat()[:length], MIDNIGHT: nearest.isoformat()[:length]}


def _read_percent(cell: object, column: FileColumn) -> Readings:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return {}
    try:
        number = Decimal(cell.strip() if isinstance(cell, str) else f"{cell:.15g}")
    except InvalidOperation:
        return {}
    if not 0 <= number <= 1:  # Not a number is not in between either.
        return {PERCENT: _plain_text(number)} if number.is_finite() and number > 1 else {}
    return {PERCENT: _plain_text(number), FRACTION: _plain_text(number * 100)}


def _plain_text(number: Decimal) -> str:
    return format(number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize(), "f")


def _read_mark(cell: object, column: FileColumn) -> Readings:
    mark = tidy_text(cell).casefold() if isinstance(cell, str) else ""
    if mark in _CIRCLES:
        return {CIRCLE: "true"}
    return {CIRCLE: "false", TICK: "true"} if mark in _CROSSES else {}


QUESTIONS: Sequence[FormatQuestion] = (
    FormatQuestion(
        "number-format",
        _("Numbers"),
        {
            numbers.POINT: _("1,234.50 (a point before decimals)"),
            numbers.COMMA: _("1.234,50 (a comma before decimals)"),
        },
        lambda column: column.attribute.type in _NUMBERS,
        _read_number,
        is_first=True,
    ),
    FormatQuestion(
        "date-format",
        _("Dates"),
        {
            dates.DAY_FIRST: _("28/11/2026 (day, month, year)"),
            dates.MONTH_FIRST: _("11/28/2026 (month, day, year)"),
            dates.YEAR_FIRST: _("26/11/28 (year, month, day)"),
        },
        lambda column: _is_month_or_day(column) or column.attribute.type is DataType.DATETIME,
        _read_date,
    ),
    FormatQuestion(
        "time-in-date",
        _("Times in columns of dates"),
        {
            WRITTEN: _("The day as it is written: 2026-11-27 15:00 or 23:59:08 is 2026-11-27"),
            MIDNIGHT: _("Midnight that follows, of another zone: 2026-11-27 15:00 or 23:59:08 is 2026-11-28"),
        },
        _is_month_or_day,
        _read_time,
    ),
    FormatQuestion(
        "probability",
        _("Probability"),
        {PERCENT: _("Percent: 1 is 1 %"), FRACTION: _("Fractions: 1 is 100 %, 0.8 is 80 %")},
        _is_probability,
        _read_percent,
        is_first=True,
    ),
    FormatQuestion(
        "marks",
        _("Marks for yes and no"),
        {CIRCLE: _("O is yes, X is no"), TICK: _("X is yes (a tick)")},
        lambda column: column.attribute.type is DataType.BOOLEAN,
        _read_mark,
    ),
)
"""In the order in which they are asked about one cell."""


def questions_of(column: FileColumn) -> list[FormatQuestion]:
    """The questions that a column can raise."""
    return [question for question in QUESTIONS if question.concerns(column)]


def clean_answers(given: Mapping[str, str]) -> dict[str, str]:
    """Of answers by question those that there are."""
    return {
        question.name: given[question.name] for question in QUESTIONS if given.get(question.name) in question.answers
    }


def is_moment(cell: object) -> bool:
    """Whether a cell is a moment that is no whole day."""
    return isinstance(cell, datetime) and cell.time() != time()
