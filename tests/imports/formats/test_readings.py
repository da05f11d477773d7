"""What a text can be as a number, a day, a month: every way people write it, and nothing that it is not."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mobjects.imports.formats.dates import read_day, read_moment, read_month
from mobjects.imports.formats.numbers import COMMA, POINT, read_number

AMOUNTS = some.decimals(min_value=Decimal("-9999999999.99"), max_value=Decimal("9999999999.99"), places=2)
DAYS = some.dates(min_value=date(1970, 1, 1), max_value=date(2069, 12, 31))
BOTH = (POINT, COMMA)


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("₩1,000", "1000", None),
        ("￦1,000", "1000", None),
        ("1,000원", "1000", None),
        ("KRW 1,000", "1000", None),
        ("1,000 KRW", "1000", None),
        ("₩1.000", None, "1000"),
        ("12,345", "12345", "12.345"),
        ("12.345", "12.345", "12345"),
        ("0,500", None, "0.500"),
        ("(500)", "-500", "-500"),
        ("(₩500)", "-500", "-500"),
        ("500-", "-500", "-500"),
        ("△1,000.5", "-1000.5", None),
        ("−5", "-5", "-5"),
        ("1.604,47", None, "1604.47"),
        ("1,604.47", "1604.47", None),
        ("1,234,567", "1234567", None),
        ("1.234.567", None, "1234567"),
        ("1,23,456.70", "123456.70", None),
        ("1'234.50", "1234.50", None),
        ("1 234,50", None, "1234.50"),
        ("1\u00a0234", "1234", "1234"),
        ("$1,234.50", "1234.50", None),
        ("-€5", "-5", "-5"),
        ("€ -5", "-5", "-5"),
        ("US$ 5", "5", "5"),
        ("1.500,-", None, "1500"),
        ("１５００", "1500", "1500"),
        ("+3", "3", "3"),
        (".5", "0.5", None),
        ("1234", "1234", "1234"),
        ("1,2,3", None, None),
        ("1,234.567,8", None, None),
        ("12,34", None, "12.34"),
        ("-", None, None),
        ("", None, None),
        ("1e3", None, None),
        ("n/a", None, None),
        ("5 apples", None, None),
        ("1" * 101, None, None),
    ],
)
def test_numbers(text, point, comma):
    found = read_number(text)
    assert (found.get(POINT), found.get(COMMA)) == (point, comma)


@given(AMOUNTS, some.sampled_from(["{}", "₩{}", "{}원", "KRW {}", "$ {}", "{} EUR", "\u200b{}"]))
def test_an_amount_is_read_back_however_it_is_written(amount, money):
    for name, written in ((POINT, f"{abs(amount):,.2f}"), (COMMA, f"{abs(amount):,.2f}".translate({44: ".", 46: ","}))):
        spellings = [money.format(written)]
        if amount < 0:
            text = money.format(written)
            spellings = [f"-{text}", f"({text})", f"{text}-", f"−{text}", money.format(f"-{written}")]
        for spelling in spellings:
            assert Decimal(read_number(spelling)[name]) == amount, spelling


@given(some.text(alphabet="0123456789.,'- ()₩$€원KRWEx%", max_size=12))
def test_whatever_is_read_as_a_number_is_one_and_has_the_digits_of_the_text(text):
    for number in read_number(text).values():
        assert Decimal(number).is_finite()
        digits = [char for char in number if char.isdecimal()]
        there = [char for char in text if char.isdecimal()]
        assert digits in (there, ["0", *there])


@pytest.mark.parametrize(
    ("text", "day_first", "month_first", "year_first"),
    [
        ("11/28/26", None, "2026-11-28", None),
        ("28.11.2026", "2026-11-28", None, None),
        ("03/04/26", "2026-04-03", "2026-03-04", "2003-04-26"),
        ("03/04/2026", "2026-04-03", "2026-03-04", None),
        ("26. 11. 28.", None, None, "2026-11-28"),
        ("26. 11. 28", "2028-11-26", None, "2026-11-28"),
        ("31/12/69", "2069-12-31", None, None),
        ("12/31/70", None, "1970-12-31", None),
    ],
)
def test_days_that_depend_on_the_order_of_their_numbers(text, day_first, month_first, year_first):
    found = {order: day.isoformat() for order, day in read_day(text).items()}
    assert (found.get("dmy"), found.get("mdy"), found.get("ymd")) == (day_first, month_first, year_first)


def test_a_weekday_tells_which_day_is_meant_and_refuses_one_that_it_is_not():
    assert read_day("03/04/26 (수)") == {"mdy": date(2026, 3, 4)}
    assert read_day("Fri, 03/04/2026") == {"dmy": date(2026, 4, 3)}
    assert read_day("2026-11-28 (일)") == {}
    assert read_day("Foo, 28 Nov 2026") == {}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-28 (토)", "2026-11-28"),
        ("2026. 11. 28. (토요일)", "2026-11-28"),
        ("2026年11月28日", "2026-11-28"),
        ("26년 11월 28일", "2026-11-28"),
        ("Saturday, November 28, 2026", "2026-11-28"),
        ("28-Nov-26", "2026-11-28"),
        ("28. November 2026", "2026-11-28"),
        ("20261128", "2026-11-28"),
        ("2026. 11. 28 오후 2:30:00", "2026-11-28 14:30:00"),
        ("2026-11-28 오전 12:05", "2026-11-28 00:05:00"),
        ("2026年11月28日 14時30分", "2026-11-28 14:30:00"),
        ("Nov 28, 2026 2:30 PM", "2026-11-28 14:30:00"),
        ("2026/11/28 14:30 +09:00", "2026-11-28 14:30:00+09:00"),
        ("2026-11-28 14:30:00.123 UTC", "2026-11-28 14:30:00.123Z"),
        ("2026-11-28 14:30 AM", None),
        ("2026-11-28 25:00", None),
        ("2026-11-28 9:5x", None),
        ("2026-02-30", None),
        ("46354", None),
        ("2026", None),
        ("Marketo", None),
    ],
)
def test_moments_that_are_the_same_in_every_order(text, meant):
    assert set(read_moment(text).values()) == ({meant} if meant else set())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026년 11월", {"2026-11"}),
        ("26년 11월", {"2026-11"}),
        ("2026.11.", {"2026-11"}),
        ("Nov 2026", {"2026-11"}),
        ("11/2026", {"2026-11"}),
        ("202611", {"2026-11"}),
        ("Jun-26", {"2026-06"}),
        ("11/26", {"2026-11"}),
        ("11/12", {"2012-11", "2011-12"}),
        ("2026. 11. 28.", {"2026-11"}),
        ("20261", set()),
        ("46354", set()),
        ("13/2026", set()),
        ("Foo 2026", set()),
    ],
)
def test_months(text, meant):
    assert set(read_month(text).values()) == meant


@given(DAYS)
def test_a_day_is_read_back_however_it_is_written(day):
    korean = "월화수목금토일"[day.weekday()]
    for order, text in (
        ("dmy", f"{day:%d/%m/%y}"),
        ("dmy", f"{day:%d.%m.%Y}"),
        ("dmy", f"{day.day}-{day.month}-{day.year}"),
        ("dmy", f"{day:%d %b %Y}"),
        ("mdy", f"{day:%m/%d/%y}"),
        ("mdy", f"{day:%B} {day.day}, {day.year}"),
        ("mdy", f"{day:%A}, {day:%m/%d/%Y}"),
        ("ymd", f"{day:%y}. {day.month}. {day.day}."),
        ("ymd", f"{day.year}. {day.month}. {day.day}. ({korean})"),
        ("ymd", f"{day.year}년 {day.month}월 {day.day}일 {korean}요일"),
    ):
        assert read_day(text)[order] == day, text


@given(DAYS, some.times().map(lambda at: at.replace(microsecond=0)))
def test_a_time_of_day_is_read_back_in_twelve_hours(day, at):
    half, hour = ("오전", "오후")[at.hour // 12], at.hour % 12 or 12
    text = f"{day.year}. {day.month}. {day.day} {half} {hour}:{at:%M:%S}"
    assert read_moment(text)["ymd"] == f"{day.isoformat()} {at.isoformat()}"
    english = f"{day:%m/%d/%Y} {hour}:{at:%M:%S} {'AP'[at.hour // 12]}M"
    assert read_moment(english)["mdy"] == f"{day.isoformat()} {at.isoformat()}"


@given(some.text(alphabet="0123456789./- :년월일오후()토NovTZ+", max_size=24))
def test_nothing_breaks_the_reading_of_dates(text):
    for found in (*read_moment(text).values(), *read_month(text).values()):
        assert date.fromisoformat(f"{found}-01" if len(found) == 7 else found[:10]) - timedelta(1)
