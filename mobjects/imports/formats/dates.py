"""The days, months and moments that a text can be: day first, month first, or year first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time

from mobjects.imports.formats.text import tidy_text

DAY_FIRST, MONTH_FIRST, YEAR_FIRST = "dmy", "mdy", "ymd"
ORDERS = (DAY_FIRST, MONTH_FIRST, YEAR_FIRST)
_CENTURY = 70
"""Years of two digits from here on are of the last century."""


def _numbered(*lines: str) -> dict[str, int]:
    return {name: number for number, names in enumerate(lines, 1) for name in names.split()}


_MONTHS = _numbered(
    "jan january januar janvier",
    "feb february februar février",
    "mar march märz mrz mars",
    "apr april avril",
    "may mai",
    "jun june juni juin",
    "jul july juli juillet",
    "aug august août",
    "sep sept september septembre",
    "oct october okt oktober octobre",
    "nov november novembre",
    "dec december dez dezember décembre",
)
_WEEKDAYS = _numbered(
    "mon monday mo montag lundi 월 월요일 月 月曜日",
    "tue tues tuesday di dienstag mardi 화 화요일 火 火曜日",
    "wed wednesday mi mittwoch mercredi 수 수요일 水 水曜日",
    "thu thur thurs thursday do donnerstag jeudi 목 목요일 木 木曜日",
    "fri friday fr freitag vendredi 금 금요일 金 金曜日",
    "sat saturday sa samstag samedi 토 토요일 土 土曜日",
    "sun sunday so sonntag dimanche 일 일요일 日 日曜日",
)
_AFTERNOON = {"am": False, "오전": False, "午前": False, "pm": True, "오후": True, "午後": True}

_WEEKDAY_BEFORE = re.compile(r"([^\W\d_]+)[.,]{0,2}\s+(.+)")
_WEEKDAY_BEHIND = re.compile(r"(.*[0-9.일日])\s*(?:\(([^\W\d_]+)\.?\)|[, ]\s*([^\W\d_]+))")
_FULL_YEAR = re.compile(r"([0-9]{4})\s*[-/. ]\s*([0-9]{1,2})\s*[-/. ]\s*([0-9]{1,2})\s*\.?")
_SIGNED = re.compile(r"([0-9]{4}|[0-9]{2})\s*[년年]\s*([0-9]{1,2})\s*[월月]\s*([0-9]{1,2})\s*[일日]")
_COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
_NUMBERS = re.compile(r"([0-9]{1,2})\s*([-/. ])\s*([0-9]{1,2})\s*\2\s*([0-9]{4}|[0-9]{1,2})(\s*\.)?")
_DAY_WORD = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?[-./ ]+([^\W\d_]+)[-./, ]+([0-9]{4}|[0-9]{2})")
_WORD_DAY = re.compile(r"([^\W\d_]+)[-. ]+([0-9]{1,2})(?:st|nd|rd|th)?[-, ]+([0-9]{4})")

_SIGNED_MONTH = re.compile(r"([0-9]{4}|[0-9]{2})\s*[년年]\s*([0-9]{1,2})\s*[월月]")
_YEAR_MONTH = re.compile(r"((?:19|20)[0-9]{2})\s*[-/. ]\s*([0-9]{1,2})\s*\.?")
_COMPACT_MONTH = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})\s*[-/. ]\s*([0-9]{4})")
_SHORT_MONTH = re.compile(r"([0-9]{2})\s*[-/.]\s*([0-9]{2})(\s*\.)?")
_WORD_YEAR = re.compile(r"([^\W\d_]+)[-./, ]*'?([0-9]{4}|[0-9]{2})")
_YEAR_WORD = re.compile(r"([0-9]{4})[-./, ]*([^\W\d_]+)")

_HALF = "|".join(_AFTERNOON)
_TIME = re.compile(
    rf"(?P<day>.+?)(?:,?\s+|T)(?:(?P<before>{_HALF})\s*)?(?P<hour>[0-9]{{1,2}})[:시時]\s*(?P<minute>[0-9]{{1,2}})[분分]?"
    rf"(?::?\s*(?P<second>[0-9]{{1,2}})[초秒]?(?P<part>\.[0-9]{{1,9}})?)?"
    rf"\s*(?P<behind>{_HALF})?\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{{2}}:?[0-9]{{2}})?",
    re.IGNORECASE,
)


def read_day(text: str) -> dict[str, date]:
    """The day that a text is, by order of its numbers; without an entry for an order in which it is none.

    A day of the week that stands with it has to be right.

    Args:
        text: of a cell, without a time of day.
    """
    plain = tidy_text(text)
    found = _days_of(plain)
    for pattern in () if found else (_WEEKDAY_BEHIND, _WEEKDAY_BEFORE):
        match = pattern.fullmatch(plain)
        if match:
            body, word = (match[1], match[2] or match[3]) if pattern is _WEEKDAY_BEHIND else (match[2], match[1])
            weekday = _WEEKDAYS.get(word.casefold())
            if days := _days_of(body.strip()):
                return {order: day for order, day in days.items() if day.isoweekday() == weekday}
    return found


def _days_of(text: str) -> dict[str, date]:
    for pattern in (_FULL_YEAR, _SIGNED, _COMPACT):
        if match := pattern.fullmatch(text):
            return _same_days(match[1], match[2], match[3])
    if match := _DAY_WORD.fullmatch(text):
        return _same_days(match[3], match[2], match[1])
    if match := _WORD_DAY.fullmatch(text):
        return _same_days(match[3], match[1], match[2])
    match = _NUMBERS.fullmatch(text)
    return _ordered_days(match[1], match[3], match[4], is_korean=bool(match[5])) if match else {}


def _ordered_days(first: str, second: str, third: str, *, is_korean: bool) -> dict[str, date]:
    """The days that three numbers are. Only Korean puts a point behind the last, and its year is first."""
    orders = {}
    if len(third) > 1 and not is_korean:
        orders = {DAY_FIRST: (third, second, first), MONTH_FIRST: (third, first, second)}
    if len(first) == 2 and len(third) < 4:
        orders[YEAR_FIRST] = (first, second, third)
    days = {order: _calendar_day(*parts) for order, parts in orders.items()}
    return {order: day for order, day in days.items() if day}


def _same_days(year: str, month: str, day: str) -> dict[str, date]:
    found = _calendar_day(year, month, day)
    return dict.fromkeys(ORDERS, found) if found else {}


def _calendar_day(year: str, month: str, day: str) -> date | None:
    try:
        number = int(month) if month.isdecimal() else _MONTHS[month.casefold()]
        return date(_full_year(year), number, int(day))
    except (KeyError, ValueError):
        return None


def _full_year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= _CENTURY else 2000)


def split_time(text: str) -> tuple[str, str, str]:
    """A day's text, its time of day in ISO 8601 (empty if it has none, or none of the clock), and its offset."""
    plain = tidy_text(text)
    match = _TIME.fullmatch(plain)
    if match is None:
        return plain, "", ""
    half = (match["before"] or match["behind"] or "").casefold()
    hour = int(match["hour"])
    if half and hour > (23 if _AFTERNOON[half] else 12):
        return plain, "", ""
    if half:
        hour = hour % 12 + 12 * _AFTERNOON[half]
    clock = f"{hour:02}:{match['minute']:0>2}:{match['second'] or '0':0>2}{match['part'] or ''}"
    try:
        time.fromisoformat(clock)
    except ValueError:
        return plain, "", ""
    zone = (match["zone"] or "").upper()
    return match["day"].strip(), clock, "Z" if zone in ("UTC", "GMT") else zone


def read_moment(text: str) -> dict[str, str]:
    """The day, or day and time, that a text is, in ISO 8601, by order of its numbers."""
    body, clock, zone = split_time(text)
    return {order: f"{day} {clock}{zone}" if clock else day.isoformat() for order, day in read_day(body).items()}


def read_month(text: str) -> dict[str, str]:
    """The month that a text is, as ``2026-06``, by order of its numbers; of a whole date its month."""
    plain = tidy_text(text)
    for pattern, year, month in (
        (_SIGNED_MONTH, 1, 2),
        (_YEAR_MONTH, 1, 2),
        (_COMPACT_MONTH, 1, 2),
        (_MONTH_YEAR, 2, 1),
        (_WORD_YEAR, 2, 1),
        (_YEAR_WORD, 1, 2),
    ):
        if match := pattern.fullmatch(plain):
            return _months_of(ORDERS, match[year], match[month])
    if match := _SHORT_MONTH.fullmatch(plain):
        behind = {} if match[3] else _months_of((DAY_FIRST, MONTH_FIRST), match[2], match[1])
        return behind | _months_of((YEAR_FIRST,), match[1], match[2])
    return {order: day[:7] for order, day in read_moment(plain).items()}


def _months_of(orders: Iterable[str], year: str, month: str) -> dict[str, str]:
    number = int(month) if month.isdecimal() else _MONTHS.get(month.casefold(), 0)
    return dict.fromkeys(orders, f"{_full_year(year)}-{number:02}") if 1 <= number <= 12 else {}


def read_clock(value: object) -> tuple[date, time] | None:
    """Day and time of day of a moment that is not at midnight; a text is one in ISO 8601."""
    if isinstance(value, str) and len(value) > len("2026-06-30"):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime) and value.time() != time():
        return value.date(), value.time()
    return None
