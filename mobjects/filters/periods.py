"""Days that move with the calendar: today, the last 7 days, this quarter; in the time zone of who looks."""

from __future__ import annotations

import re
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NAMED = (
    "today",
    "yesterday",
    "this-week",
    "last-week",
    "this-month",
    "last-month",
    "next-month",
    "this-quarter",
    "last-quarter",
    "next-quarter",
    "this-year",
    "last-year",
)
OFFERED = (*NAMED[:2], "last-7-days", "last-30-days", "next-30-days", *NAMED[2:])
_COUNTED = re.compile(r"(last|next)-([1-9][0-9]{0,3})-days")
_QUARTER, _YEAR = 3, 12


def normalize_period(text: str) -> str:
    """The name of a period as addresses have it: ``Last 7 days`` is ``last-7-days``."""
    return "-".join(text.lower().split())


def days_of(period: str) -> tuple[date, date]:
    """The first day of a period and the first one behind it.

    The last 7 days end with today, the next 7 begin with it; a week begins on Monday.

    Raises:
        ValueError: there is no such period.
    """
    today = timezone.localdate()
    if match := _COUNTED.fullmatch(period):
        span = timedelta(days=int(match[2]))
        if match[1] == "last":
            return today - span + timedelta(days=1), today + timedelta(days=1)
        return today, today + span
    if period in ("today", "yesterday"):
        start = today - timedelta(days=period == "yesterday")
        return start, start + timedelta(days=1)
    which, _dash, unit = period.partition("-")
    if period not in NAMED:
        raise ValueError(period)
    step = {"last": -1, "this": 0, "next": 1}[which]
    if unit == "week":
        start = today - timedelta(days=today.weekday()) + timedelta(weeks=step)
        return start, start + timedelta(weeks=1)
    months = {"month": 1, "quarter": _QUARTER, "year": _YEAR}[unit]
    first = (today.year * _YEAR + today.month - 1) // months * months + step * months
    return _month(first), _month(first + months)


def period_words(period: str) -> str:
    """A period as pages write it."""
    if match := _COUNTED.fullmatch(period):
        count = int(match[2])
        if match[1] == "last":
            return ngettext("the last %(count)s day", "the last %(count)s days", count) % {"count": count}
        return ngettext("the next %(count)s day", "the next %(count)s days", count) % {"count": count}
    return {
        "today": _("today"),
        "yesterday": _("yesterday"),
        "this-week": _("this week"),
        "last-week": _("last week"),
        "this-month": _("this month"),
        "last-month": _("last month"),
        "next-month": _("next month"),
        "this-quarter": _("this quarter"),
        "last-quarter": _("last quarter"),
        "next-quarter": _("next quarter"),
        "this-year": _("this year"),
        "last-year": _("last year"),
    }[period]


def _month(number: int) -> date:
    """The first day of a month, counted from year 0."""
    return date(number // _YEAR, number % _YEAR + 1, 1)
