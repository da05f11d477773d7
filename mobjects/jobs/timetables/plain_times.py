"""Times as people say them: “on weekdays at 08:00”, to and from the cron expression that is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

STEPS = (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720)
"""Minutes from one run to the next; each divides an hour or a day, so that the runs stay evenly apart."""

WEEKDAYS: tuple[tuple[str, StrPromise], ...] = (
    ("1", _("Monday")),
    ("2", _("Tuesday")),
    ("3", _("Wednesday")),
    ("4", _("Thursday")),
    ("5", _("Friday")),
    ("6", _("Saturday")),
    ("0", _("Sunday")),
)
"""Days as a cron expression counts them, in the order of a week."""

LAST_DAY = "L"
"""The last day of each month, as croniter writes it; days from the 29th on are left out: not every month has them."""

MONTH_DAYS = (*map(str, range(1, 29)), LAST_DAY)

_CLOCK = re.compile(r"(?P<minute>\d{1,2}) (?P<hour>\d{1,2}) (?P<day>\S+) \* (?P<week>\S+)")
_MINUTES = re.compile(r"(?:\*|0)/(\d{1,2}) \* \* \* \*")
_HOURS = re.compile(r"0 (?:\*|(?:\*|0)/(\d{1,2})) \* \* \*")


class Repeats(models.TextChoices):
    """How often, in the words of the form."""

    EVERY = "every", _("Every few minutes or hours")
    DAILY = "daily", _("Every day")
    WORKDAYS = "workdays", _("Monday to Friday")
    WEEKLY = "weekly", _("On days of the week")
    MONTHLY = "monthly", _("On a day of each month")
    CRON = "cron", _("By a cron expression")


@dataclass(frozen=True, slots=True)
class PlainTimes:
    """Times that need no cron expression.

    Args:
        repeats: how often; not by a cron expression.
        step: minutes from one run to the next, one of ``STEPS``; for ``EVERY``.
        at: when in the day; for all others.
        weekdays: days as in ``WEEKDAYS``; for ``WEEKLY``.
        month_day: one of ``MONTH_DAYS``; for ``MONTHLY``.
    """

    repeats: Repeats
    step: int = 60
    at: time = time(8)
    weekdays: tuple[str, ...] = ()
    month_day: str = "1"

    def to_cron(self) -> str:
        """The same times as a cron expression of five fields."""
        if self.repeats == Repeats.EVERY:
            hours = self.step // 60
            return f"*/{self.step} * * * *" if not hours else f"0 {'*' if hours == 1 else f'*/{hours}'} * * *"
        days = {
            Repeats.DAILY: "* * *",
            Repeats.WORKDAYS: "* * 1-5",
            Repeats.WEEKLY: f"* * {','.join(self.weekdays)}",
            Repeats.MONTHLY: f"{self.month_day} * *",
        }[self.repeats]
        return f"{self.at.minute} {self.at.hour} {days}"

    @classmethod
    def from_cron(cls, cron: str) -> PlainTimes | None:
        """The plain words for an expression; None where there are none."""
        step = _read_step(cron)
        if step:
            return cls(Repeats.EVERY, step=step)
        clock = _CLOCK.fullmatch(cron)
        if clock is None or int(clock["minute"]) > 59 or int(clock["hour"]) > 23:
            return None
        at, day, week = time(int(clock["hour"]), int(clock["minute"])), clock["day"], clock["week"]
        if week == "*":
            if day == "*":
                return cls(Repeats.DAILY, at=at)
            return cls(Repeats.MONTHLY, at=at, month_day=day) if day in MONTH_DAYS else None
        if day != "*":
            return None
        if week == "1-5":
            return cls(Repeats.WORKDAYS, at=at)
        # Either number is Sunday's.
        days = {str(int(part) % 7) if part.isdecimal() else part for part in week.split(",")}
        known = tuple(number for number, _name in WEEKDAYS if number in days)
        return cls(Repeats.WEEKLY, at=at, weekdays=known) if len(known) == len(days) else None


def _read_step(cron: str) -> int:
    """Minutes from one run to the next, if that is all an expression says and one can choose it; 0 if not."""
    if minutes := _MINUTES.fullmatch(cron):
        step = int(minutes[1])
    elif hours := _HOURS.fullmatch(cron):
        step = 60 * int(hours[1] or 1)
    else:
        return 0
    return step if step in STEPS else 0
