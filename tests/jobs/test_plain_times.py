"""Plain times: every choice of the form is a cron expression, is read back as the same choice, and runs as it says."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from mobjects.jobs.timetables.cron import Timetable
from mobjects.jobs.timetables.plain_times import MONTH_DAYS, STEPS, PlainTimes, Repeats

FRIDAY = datetime(2026, 1, 30, 12, tzinfo=UTC)
EIGHT = time(8)


def runs(times: PlainTimes, count: int = 4) -> list[str]:
    return [f"{at:%a %d %H:%M}" for at in Timetable(times.to_cron()).first(count, FRIDAY)]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (PlainTimes(Repeats.EVERY, step=15), ["Fri 30 12:15", "Fri 30 12:30", "Fri 30 12:45", "Fri 30 13:00"]),
        (PlainTimes(Repeats.EVERY, step=60), ["Fri 30 13:00", "Fri 30 14:00", "Fri 30 15:00", "Fri 30 16:00"]),
        (PlainTimes(Repeats.EVERY, step=480), ["Fri 30 16:00", "Sat 31 00:00", "Sat 31 08:00", "Sat 31 16:00"]),
        (PlainTimes(Repeats.DAILY, at=EIGHT), ["Sat 31 08:00", "Sun 01 08:00", "Mon 02 08:00", "Tue 03 08:00"]),
        (PlainTimes(Repeats.WORKDAYS, at=EIGHT), ["Mon 02 08:00", "Tue 03 08:00", "Wed 04 08:00", "Thu 05 08:00"]),
        (
            PlainTimes(Repeats.WEEKLY, at=EIGHT, weekdays=("1", "0")),
            ["Sun 01 08:00", "Mon 02 08:00", "Sun 08 08:00", "Mon 09 08:00"],
        ),
        (PlainTimes(Repeats.MONTHLY, at=EIGHT), ["Sun 01 08:00", "Sun 01 08:00", "Wed 01 08:00", "Fri 01 08:00"]),
        (
            PlainTimes(Repeats.MONTHLY, at=EIGHT, month_day="L"),
            ["Sat 31 08:00", "Sat 28 08:00", "Tue 31 08:00", "Thu 30 08:00"],
        ),
    ],
)
def test_a_plain_choice_runs_when_it_says(times, expected):
    assert runs(times) == expected


CHOICES = [
    *(PlainTimes(Repeats.EVERY, step=step) for step in STEPS),
    PlainTimes(Repeats.DAILY, at=time(23, 59)),
    PlainTimes(Repeats.WORKDAYS, at=time(0, 5)),
    *(PlainTimes(Repeats.WEEKLY, at=EIGHT, weekdays=(day,)) for day in "1234560"),
    PlainTimes(Repeats.WEEKLY, at=EIGHT, weekdays=("1", "2", "3", "4", "5", "6", "0")),
    *(PlainTimes(Repeats.MONTHLY, at=EIGHT, month_day=day) for day in MONTH_DAYS),
]


@pytest.mark.parametrize("times", CHOICES, ids=PlainTimes.to_cron)
def test_every_choice_is_read_back_as_it_was_made(times):
    assert PlainTimes.from_cron(times.to_cron()) == times


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("00 06 * * 1-5", PlainTimes(Repeats.WORKDAYS, at=time(6))),
        ("0 6 * * 7,1", PlainTimes(Repeats.WEEKLY, at=time(6), weekdays=("1", "0"))),
        ("0/15 * * * *", PlainTimes(Repeats.EVERY, step=15)),
        ("0 */1 * * *", PlainTimes(Repeats.EVERY, step=60)),
    ],
)
def test_other_ways_to_write_the_same_are_known(cron, expected):
    assert PlainTimes.from_cron(cron) == expected


@pytest.mark.parametrize(
    "cron",
    ["*/7 * * * *", "0 */5 * * *", "0 6 31 * *", "0 6 1 * 1", "0 6 * 1 *", "0 6 * * mon", "0 6,7 * * *", "5 * * * *"],
)
def test_what_has_no_plain_words_stays_an_expression(cron):
    assert PlainTimes.from_cron(cron) is None
