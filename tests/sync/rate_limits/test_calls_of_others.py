"""Calls of other integrations use up the same daily quota."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import translation
from redis import Redis

from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.task import WaitRequired

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 7, 1, 17, 0, tzinfo=UTC)  # in Chicago


@pytest.fixture
def clock():
    """The one clock of hosts and Redis; it stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def make(redis_url, clock):
    def limits(quota=100):
        numbers = {"per_window": 100, "at_once": 2, "quota": quota, "share": 50, "lease_seconds": 30.0}
        return RedisRateLimiter(
            "https://a.example.com", Redis.from_url(redis_url), clock=lambda _: time.time(), **numbers
        )

    return limits


def call(limits, times=1):
    for _ in range(times):
        with limits.permit_call():
            pass


def test_calls_of_other_integrations_use_up_the_same_quota(make, clock):
    limits = make()
    call(limits, 10)
    limits.note_calls_of_all(80)  # 10 of ours among them
    usage = limits.read_usage()
    assert (usage.elsewhere, usage.calls_left) == (70, 20)
    call(limits, 20)
    with pytest.raises(WaitRequired) as refused:
        call(limits)
    assert refused.value.reason == (
        "Other integrations made 70 of the 100 calls that MARKETO_DAILY_QUOTA says Marketo allows a day. "
        "Marketo begins to count anew at 2026-07-02 05:00 UTC."
    )
    assert "used up" not in limits.read_usage().used_up_text
    clock.move_to(NOON + timedelta(days=1))
    call(limits)
    assert limits.read_usage().elsewhere == 0


def test_what_only_the_setting_says_of_marketo_is_not_told_as_a_fact(make):
    limits = make()
    limits.note_calls_of_all(120)
    with pytest.raises(
        WaitRequired, match=r"^Other integrations made 120 of the 100 calls that MARKETO_DAILY_QUOTA says"
    ):
        call(limits)
    assert limits.read_usage().quota_warning(3) == (
        "Other integrations made 120 of the 100 calls that MARKETO_DAILY_QUOTA says Marketo allows a day. "
        "It needs 3 calls or more. None of 50 is left. The rest waits until 2026-07-02 05:00 UTC and then goes out "
        "by itself."
    )
    with translation.override("ko"):
        assert limits.read_usage().quota_warning(3) == (
            "MARKETO_DAILY_QUOTA에 따라 Marketo가 하루에 허용한다는 호출 100회 중 120회를 다른 통합이 사용했습니다. "
            "호출이 3회 이상 필요합니다. 50회 중 남은 것이 없습니다. "
            "나머지는 2026-07-02 05:00 UTC까지 기다린 다음 자동으로 전송됩니다."
        )


def test_a_warning_about_our_share_is_in_the_language_of_its_reader(make):
    limits = make()
    with translation.override("ko"):
        assert limits.read_usage().quota_warning(1000) == (
            "오늘의 Marketo 호출 중 우리 몫으로는 부족합니다. 호출이 1,000회 이상 필요합니다. "
            "50회 중 50회만 남았습니다. "
            "나머지는 2026-07-02 05:00 UTC까지 기다린 다음 자동으로 전송됩니다."
        )


def test_a_count_that_is_behind_ours_takes_nothing_away(make):
    limits = make()
    call(limits, 10)
    limits.note_calls_of_all(3)
    assert limits.read_usage().calls_left == 40


def test_one_worker_asks_for_the_calls_of_all_every_ten_minutes(make):
    first, second = make(), make()
    assert first.claim_reading()
    assert not second.claim_reading()
