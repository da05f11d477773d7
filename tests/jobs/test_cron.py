"""When a schedule runs: cron in a zone, summer time, quiet hours, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from mobjects.jobs.timetables.cron import Timetable

BERLIN = "Europe/Berlin"  # Summer time 2026: from 29 March, 02:00, to 25 October, 03:00.


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # by half an hour
    "Antarctica/Troll",  # by two hours
    "Africa/Cairo",  # at midnight: 00:00 is left out, or 23:00 comes twice
    "America/Santiago",
    "Asia/Beirut",
    "Atlantic/Azores",
    "America/Nuuk",  # an hour before midnight: what is left out comes on the next day
    "Pacific/Chatham",
)


def changes(zone: str, year: int) -> list[datetime]:
    """The full hours within which a zone's clocks are changed."""
    first = utc(year, 1, 1)
    hours = [first + timedelta(hours=hour) for hour in range(366 * 24)]
    offsets = [at.astimezone(ZoneInfo(zone)).utcoffset() for at in hours]
    return [at for at, before, after in zip(hours, offsets, offsets[1:], strict=False) if before != after]


def test_the_hours_are_those_of_the_zone():
    times = Timetable("0 6 * * 1-5", BERLIN)
    assert times.first(3, utc(2026, 3, 26, 12)) == [
        utc(2026, 3, 27, 5),  # Friday, winter
        utc(2026, 3, 30, 4),  # Monday, summer
        utc(2026, 3, 31, 4),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0 9-9 * * *", "0 9 * * *"),
        ("0 09-9 * * *", "0 9 * * *"),
        ("5-5,30 6 * * *", "5,30 6 * * *"),
        ("0 9-9/2 * * *", "0 9 * * *"),
        ("0 6 * * Mon-MON", "0 6 * * 1"),
        ("0 6 * * mon-1", "0 6 * * 1"),
        ("0 6 1-1 3-mar *", "0 6 1 3 *"),
        ("0 6 * * 0-7", "0 6 * * *"),
        ("0 22-2 * * *", "0 22,23,0,1,2 * * *"),
    ],
)
def test_a_range_from_a_value_to_itself_is_that_value_and_not_the_whole_field(written, meant):
    start = utc(2026, 3, 26, 12)
    assert Timetable(written).first(40, start) == Timetable(meant).first(40, start)


def test_a_day_that_never_comes_is_refused_as_a_range_too():
    with pytest.raises(ValueError, match="never comes"):
        Timetable("0 6 31-31 2 *")


def test_a_time_that_summer_time_leaves_out_runs_once_an_hour_later():
    runs = Timetable("30 2 * * *", BERLIN).first(3, utc(2026, 3, 28, 0))
    assert runs == [utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 30), utc(2026, 3, 30, 0, 30)]


def test_all_times_that_summer_time_leaves_out_run_an_hour_later():
    runs = Timetable("*/15 2 * * *", BERLIN).first(5, utc(2026, 3, 28, 12))
    left_out = [utc(2026, 3, 29, 1, minute) for minute in (0, 15, 30, 45)]
    assert runs == [*left_out, utc(2026, 3, 30, 0)]
    runs = Timetable("0,30 2 * * *", "America/New_York").first(3, utc(2026, 3, 8, 0))
    assert runs == [utc(2026, 3, 8, 7), utc(2026, 3, 8, 7, 30), utc(2026, 3, 9, 6)]


@pytest.mark.parametrize("minute", [0, 10, 44])
def test_a_time_that_is_left_out_is_still_to_come_after_the_change(minute):
    """At 03:10 of that morning 02:45 has not been: it comes at 03:45."""
    assert Timetable("45 2 * * *", BERLIN).next(utc(2026, 3, 29, 1, minute)) == utc(2026, 3, 29, 1, 45)
    assert Timetable("45 2 * * *", BERLIN).next(utc(2026, 3, 29, 1, 45)) == utc(2026, 3, 30, 0, 45)


def test_times_that_are_left_out_and_others_come_in_order_each_once():
    runs = Timetable("10,29,31,45 2 * * *", "Australia/Lord_Howe").first(5, utc(2026, 10, 3, 14))
    minutes = [utc(2026, 10, 3, 15, minute) for minute in (31, 40, 45, 59)]  # 02:10 at 02:40, 02:29 at 02:59.
    assert runs == [*minutes, utc(2026, 10, 4, 15, 10)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", ["*/10 * * * *", "5,35 0-4,22,23 * * *", "*/20 2 * * *", "7 1,2,3 * * *"])
def test_each_time_of_a_day_comes_once_around_a_change(zone, cron):
    """Counted by hand on the wall's clock; two of its times may mean one moment."""
    for change in changes(zone, 2027):
        begin, end = change - timedelta(days=2), change + timedelta(days=2)
        place = ZoneInfo(zone)
        walls = croniter(cron, begin.astimezone(place).replace(tzinfo=None) - timedelta(hours=4))
        wanted = set()
        while (at := walls.get_next(datetime).replace(tzinfo=place).astimezone(UTC)) < end + timedelta(hours=4):
            wanted.add(at)
        expected = sorted(at for at in wanted if begin < at < end)
        assert Timetable(cron, zone).first(len(expected), begin) == expected


def test_a_time_that_comes_twice_runs_once():
    runs = Timetable("30 2 * * *", BERLIN).first(3, utc(2026, 10, 24, 12))
    assert runs == [utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30), utc(2026, 10, 27, 1, 30)]


def test_in_the_repeated_hour_a_time_that_has_been_does_not_come_again():
    at = utc(2026, 10, 25, 1, 15)  # 02:15 the second time
    assert Timetable("20 2 * * *", BERLIN).next(at) == utc(2026, 10, 26, 1, 20)


@pytest.mark.parametrize("start", [utc(2026, 3, 28, 22), utc(2026, 10, 24, 22)])
def test_runs_never_go_back_or_come_twice_around_a_change(start):
    runs = Timetable("*/15 * * * *", BERLIN, time(1, 45), time(2, 30)).first(40, start)
    assert runs == sorted(set(runs))
    assert all(later - earlier <= timedelta(hours=2) for earlier, later in pairwise(runs))


@pytest.mark.parametrize("zone", ZONES)
def test_a_daily_time_comes_once_a_day_whatever_the_clocks_do(zone):
    found = changes(zone, 2027)
    assert len(found) == 2
    for change in found:
        begin = change.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, fold=0) - timedelta(days=1)
        for minutes in range(0, 24 * 60, 30):
            times = Timetable(f"{minutes % 60} {minutes // 60} * * *", zone).first(4, begin - timedelta(minutes=1))
            # A left-out 23:30 comes at 00:30, on the next day, and once all the same.
            apart = [later - earlier for earlier, later in pairwise(times)]
            assert all(timedelta(hours=22) <= gap <= timedelta(hours=26) for gap in apart), (change, times)


@pytest.mark.parametrize("minute", range(0, 60, 10))
def test_quiet_hours_end_later_than_what_they_put_off_in_the_repeated_hour_too(minute):
    times = Timetable("0 * * * *", BERLIN, time(22), time(2, 59))
    at = utc(2026, 10, 25, 1, minute)  # 02:xx the second time
    assert at < times.put_off(at) <= at + timedelta(hours=1)


@pytest.mark.parametrize(
    ("begin", "end", "at", "put_off"),
    [
        (time(22), time(6), utc(2026, 1, 5, 22), utc(2026, 1, 6, 6)),
        (time(22), time(6), utc(2026, 1, 6, 5, 59), utc(2026, 1, 6, 6)),
        (time(22), time(6), utc(2026, 1, 6, 6), utc(2026, 1, 6, 6)),
        (time(22), time(6), utc(2026, 1, 6, 21, 59), utc(2026, 1, 6, 21, 59)),
        (time(8), time(18), utc(2026, 1, 6, 12), utc(2026, 1, 6, 18)),
        (time(8), time(18), utc(2026, 1, 6, 7, 59), utc(2026, 1, 6, 7, 59)),
        (time(8), time(18), utc(2026, 1, 6, 18), utc(2026, 1, 6, 18)),
    ],
)
def test_quiet_hours_put_off_to_their_end(begin, end, at, put_off):
    assert Timetable("0 * * * *", "UTC", begin, end).put_off(at) == put_off


def test_all_that_falls_into_quiet_hours_is_one_run_at_their_end():
    runs = Timetable("0 * * * *", "UTC", time(22), time(6)).first(4, utc(2026, 1, 5, 20))
    assert runs == [utc(2026, 1, 5, 21), utc(2026, 1, 6, 6), utc(2026, 1, 6, 7), utc(2026, 1, 6, 8)]


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("", "has 0 fields"),
        ("5", "has 1 field;"),
        ("0 6 * *", "has 4 fields; a cron expression has five, such as “0 6 * * 1-5”"),
        ("0 6 * * * *", "has 6 fields"),
        ("@daily", "has 1 field;"),
        ("0 25 * * *", "“25” is not a valid hour"),
        ("61 * * * *", "“61” is not a valid minute"),
        ("0 6 * * someday", "“someday” is not a valid day of week"),
        ("R * * * *", "“R” is not a valid minute"),
        ("H * * * *", "“H” is not a valid minute"),
        ("0 0 30 2 *", "never comes"),
        ("0 6 * * \0", "not a valid day of week"),
    ],
)
def test_a_wrong_expression_is_refused_with_an_example(cron, words):
    with pytest.raises(ValueError, match="0 6 \\* \\* 1-5") as refused:
        Timetable(cron)
    assert words in str(refused.value)


@pytest.mark.parametrize("zone", ["Berlin", "", "../../etc/passwd", "CET+1"])
def test_an_unknown_zone_is_refused_with_an_example(zone):
    with pytest.raises(ValueError, match="Europe/Berlin"):
        Timetable("0 6 * * *", zone)


@pytest.mark.parametrize("hours", [(time(22), None), (None, time(6)), (time(6), time(6))])
def test_half_or_empty_quiet_hours_are_refused(hours):
    with pytest.raises(ValueError, match=r"[Qq]uiet hours"):
        Timetable("0 6 * * *", "UTC", *hours)
