"""Marketo's limits as one process sees them; tests/flow/test_limits_processes.py has several."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone
from redis import Redis

from mobjects.local.ports import find_free_port
from mobjects.marketo.errors import OutcomeUnknown, Unavailable
from mobjects.marketo.types import Exchange
from mobjects.models import SyncBatchState
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.rate_limits.usage import LimitUsage
from mobjects.sync.task import WaitRequired
from tests.support.redis_proxy import RedisProxy
from tests.views import pages

pytestmark = pytest.mark.django_db
ENDPOINT = "https://123-ABC-456.mktoapi.com/soap/mktows/2_7"
NOON = datetime(2026, 7, 1, 17, 0, tzinfo=UTC)  # in Chicago


@pytest.fixture
def clock():
    """The one clock of hosts and Redis; it stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def make(redis_url, clock):
    """Limits on a real Redis, all with the same clock."""

    def limits(endpoint=ENDPOINT, **values):
        numbers = {"per_window": 3, "at_once": 2, "quota": 100, "share": 50, "lease_seconds": 30.0, **values}
        return RedisRateLimiter(endpoint, Redis.from_url(redis_url), clock=lambda redis: time.time(), **numbers)

    return limits


def call(limits, times=1):
    for _ in range(times):
        with limits.permit_call():
            pass


def refused(limits):
    """How many seconds it is to wait, and why."""
    with pytest.raises(WaitRequired) as caught:
        call(limits)
    return (caught.value.until - timezone.now()).total_seconds(), caught.value.reason


def batch(ago, *, endpoint=ENDPOINT, **values):
    job = pages.job(endpoint=endpoint)
    return pages.batch(job, sent_at=timezone.now() - timedelta(seconds=ago), **values)


def emptied(redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()


# --- calls in the window ---


def test_the_window_frees_21_seconds_after_its_oldest_call(make, clock):
    limits = make()
    call(limits)
    clock.shift(5)
    call(limits, 2)
    seconds, words = refused(limits)
    assert seconds == pytest.approx(16)
    assert words == "3 calls in 21 seconds may be made, and so many were."
    clock.shift(15.9)
    refused(limits)
    clock.shift(0.2)
    call(limits)
    refused(limits)


def test_a_refused_call_is_not_counted_and_keeps_no_slot(make, clock):
    limits = make(at_once=1)
    call(limits, 3)
    refused(limits)
    refused(limits)
    assert (limits.read_usage().used_today, limits.read_usage().in_window) == (3, 3)
    clock.shift(21.1)
    assert (limits.read_usage().used_today, limits.read_usage().in_window) == (3, 0)
    call(limits)


def test_another_limit_for_the_same_instance_counts_the_same_calls(make):
    call(make(per_window=3), 3)
    call(make(per_window=4))
    refused(make(per_window=4))
    refused(make(per_window=3))


def test_each_instance_has_its_own_limits(make):
    call(make(), 3)
    call(make("https://another.mktoapi.com/soap/mktows/2_7"), 3)


def test_hosts_whose_clocks_disagree_share_one_window(redis_url):
    def host():
        redis = Redis.from_url(redis_url)
        return RedisRateLimiter(ENDPOINT, redis, per_window=2, at_once=2, quota=100, share=50, lease_seconds=30)

    call(host(), 2)
    with time_machine.travel(timezone.now() + timedelta(minutes=4)):
        seconds, _ = refused(host())
    assert 15 < seconds <= 21


# --- calls at once ---


def test_no_more_calls_run_at_once_than_there_are_slots(make):
    limits = make()
    with limits.permit_call(), make().permit_call():
        seconds, words = refused(limits)
        assert 0.5 <= seconds <= 1
        assert words == "2 calls to Marketo may run at once, and so many are under way."
    call(limits)


def test_a_call_that_fails_gives_its_slot_back(make):
    limits = make(at_once=1)
    with pytest.raises(Unavailable), limits.permit_call():
        raise Unavailable("refused")
    with pytest.raises(OutcomeUnknown), limits.permit_call():
        raise OutcomeUnknown("no XML", exchange=Exchange(request="", http_status=200))
    call(limits)


def test_a_call_without_an_answer_keeps_its_slot_because_marketo_may_still_be_at_it(make):
    limits = make(at_once=1)
    with pytest.raises(OutcomeUnknown), limits.permit_call():
        raise OutcomeUnknown("timed out", exchange=Exchange(request=""))
    assert "so many are under way" in refused(limits)[1]


def test_fewer_halves_the_slots_for_everybody_once_for_calls_that_ran_together(make, redis_url):
    limits = make(at_once=5)
    limits.reduce_concurrency()
    make(at_once=5).reduce_concurrency()
    assert make(at_once=5).read_usage().slots == 2
    with limits.permit_call(), limits.permit_call():
        assert refused(limits)[1].startswith("2 calls to Marketo may run at once")


def test_fewer_ends_by_itself_and_leaves_at_least_one(make, redis_url):
    limits = make(at_once=3)
    with Redis.from_url(redis_url) as redis:
        for _ in range(3):
            limits.reduce_concurrency()
            (said,) = redis.keys("*:fewer-said")
            redis.delete(said)
        (key,) = redis.keys("*:fewer")
        assert 590 <= redis.ttl(key) <= 600
        assert limits.read_usage().slots == 1
        redis.delete(key)
    assert limits.read_usage().slots == 3


def test_calls_that_began_before_it_count_when_there_are_to_be_fewer(make):
    # Slots are drawn by lot: with so many it does not happen that exactly those are taken that remain.
    limits = make(at_once=40, per_window=50)
    with ExitStack() as running:
        for _ in range(20):
            running.enter_context(limits.permit_call())
        limits.reduce_concurrency()
        refused(limits)


# --- calls a day ---


@pytest.mark.parametrize(
    ("now", "reset"), [("2026-07-01 17:00", "2026-07-02 05:00"), ("2026-01-01 17:00", "2026-01-02 06:00")]
)
def test_the_share_of_the_day_holds_until_midnight_us_central(make, clock, now, reset):
    clock.move_to(datetime.fromisoformat(now).replace(tzinfo=UTC))
    limits = make(share=2, quota=4)
    call(limits, 2)
    seconds, words = refused(limits)
    until = timezone.now() + timedelta(seconds=seconds)
    assert f"{until:%Y-%m-%d %H:%M}" == reset
    assert words == (
        "Our share of today's calls is used up: 2 of the 4 calls that MARKETO_DAILY_QUOTA says Marketo allows a day. "
        f"Marketo begins to count anew at {reset} UTC."
    )
    clock.move_to(until - timedelta(seconds=1))
    refused(limits)
    clock.move_to(until)
    call(limits, 2)
    refused(limits)


def test_a_used_up_share_takes_neither_a_slot_nor_room_in_the_window(make):
    limits = make(share=1, at_once=1)
    call(limits)
    refused(limits)
    usage = limits.read_usage()
    assert (usage.used_today, usage.in_window) == (1, 1)
    call(make(share=2, at_once=1))


def test_the_last_call_of_the_day_goes_to_one_only(make, redis_url):
    other, looks = make(share=2), []

    def clock_during_which_another_calls(redis):
        looks.append(redis)
        if len(looks) == 2:  # The first limits were looked at already, nothing is counted yet.
            call(other)
        return time.time()

    call(other)
    late = RedisRateLimiter(
        ENDPOINT,
        Redis.from_url(redis_url),
        clock=clock_during_which_another_calls,
        per_window=3,
        at_once=2,
        quota=4,
        share=2,
        lease_seconds=30,
    )
    assert "used up" in refused(late)[1]
    assert other.read_usage().used_today == 2
    with Redis.from_url(redis_url) as redis:
        assert redis.keys("*:running") == []


# --- when Redis has lost its data ---


def test_a_new_installation_does_not_wait(make):
    call(make())


def test_the_calls_of_the_day_come_back_from_the_database(make, clock, redis_url):
    for ago in (60, 3600, 11 * 3600):
        batch(ago)
    batch(13 * 3600)  # yesterday in Chicago
    batch(60, endpoint="https://another.mktoapi.com/")
    limits = make(share=4)
    assert limits.read_usage().used_today == 3
    call(limits)
    assert "used up" in refused(limits)[1]


def test_calls_of_the_last_seconds_leave_the_window_first(make, clock, redis_url):
    batch(20)
    limits = make()
    seconds, words = refused(limits)
    assert seconds == pytest.approx(21)
    assert "Redis has lost count" in words
    clock.shift(20.9)
    refused(make())
    clock.shift(0.2)
    call(limits)
    assert limits.read_usage().used_today == 2


def test_calls_that_are_under_way_keep_their_slots(make, clock, redis_url):
    batch(25, state=SyncBatchState.SENDING)
    batch(25, state=SyncBatchState.UNKNOWN)
    batch(25, state=SyncBatchState.UNKNOWN)
    batch(25, state=SyncBatchState.UNKNOWN, http_status=200)
    batch(31, state=SyncBatchState.SENDING)
    limits = make(at_once=4, per_window=9)
    with limits.permit_call():
        assert "4 calls to Marketo may run at once" in refused(limits)[1]
    with Redis.from_url(redis_url) as redis:
        (key,) = redis.keys("*:running")
        assert [0 < end - time.time() <= 5 for _, end in redis.zrange(key, 0, -1, withscores=True)] == [True] * 3
    clock.shift(5.1)
    with ExitStack() as running:
        for _ in range(4):
            running.enter_context(limits.permit_call())


def test_a_slot_that_redis_has_kept_stays_with_its_call(make, redis_url):
    limits = make(at_once=1)
    with Redis.from_url(redis_url) as redis, limits.permit_call():
        batch(25, state=SyncBatchState.SENDING)
        (key,) = redis.keys("*:server")
        redis.set(key, "the run before")
        refused(make(at_once=1))
    call(limits)


def test_an_emptied_redis_is_filled_again_and_nothing_is_forgotten(make, clock, redis_url):
    limits = make()
    call(limits, 3)
    for _ in range(3):
        batch(0)
    emptied(redis_url)
    assert refused(limits)[0] == pytest.approx(21)
    clock.shift(21.1)
    call(limits)
    assert limits.read_usage().used_today == 4


def test_a_restarted_redis_with_old_counts_is_not_believed(make, clock, redis_url):
    limits = make()
    call(limits)
    for _ in range(7):
        batch(5)
    with Redis.from_url(redis_url) as redis:
        (key,) = redis.keys("*:server")
        redis.set(key, "the run before")
    assert refused(limits)[0] == pytest.approx(21)
    clock.shift(21.1)
    call(limits)
    assert limits.read_usage().used_today == 8


def test_a_lost_count_of_the_day_comes_back_without_waiting(make, redis_url):
    limits = make()
    call(limits)
    batch(0)
    batch(0)
    with Redis.from_url(redis_url) as redis:
        redis.delete(*redis.keys("*:day:*"))
    call(limits)
    assert limits.read_usage().used_today == 3


# --- when Redis is away ---


def test_without_redis_nothing_is_called_and_usage_is_not_known(settings):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": f"redis://127.0.0.1:{find_free_port()}/0"}}
    limits = RedisRateLimiter.from_settings(ENDPOINT)
    seconds, words = refused(limits)
    assert 14 < seconds <= 15
    assert words == (
        "The queue (Redis) cannot be reached. It holds the shared limits, and nothing is sent to Marketo without them."
    )
    assert not limits.read_usage()
    limits.reduce_concurrency()


def test_a_redis_that_goes_away_during_a_call_does_not_spoil_its_outcome(redis_url):
    with RedisProxy(redis_url) as proxy, Redis.from_url(proxy.url) as redis:
        limits = RedisRateLimiter(ENDPOINT, redis, per_window=3, at_once=2, quota=9, share=9, lease_seconds=30)
        with limits.permit_call():
            proxy.away = True
        assert not limits.read_usage()


# --- figures ---


def test_the_settings_give_the_numbers(redis_url, settings):
    numbers = {"CALLS_PER_WINDOW": 50, "CALLS_AT_ONCE": 5, "DAILY_QUOTA": 9999, "DAILY_SHARE": 50}
    settings.MARKETO = {**settings.MARKETO, **numbers}
    limits = RedisRateLimiter.from_settings(ENDPOINT)
    call(limits, 2)
    usage = limits.read_usage()
    assert (usage.used_today, usage.share, usage.quota, usage.calls_left) == (2, 4999, 9999, 4997)
    assert (usage.in_window, usage.window_limit, usage.slots, usage.slots_set) == (2, 50, 5, 5)
    assert usage.resets_at.astimezone(ZoneInfo("America/Chicago")).hour == 0


def test_a_share_that_rounds_to_nothing_is_one_call(redis_url, settings):
    settings.MARKETO = {**settings.MARKETO, "DAILY_QUOTA": 1, "DAILY_SHARE": 50}
    assert RedisRateLimiter.from_settings(ENDPOINT).read_usage().share == 1


@pytest.mark.parametrize(
    ("used", "calls", "said"),
    [
        (40, 10, ""),
        (40, 11, "It needs 11 calls or more. Only 10 of 50 are left."),
        (49, 2, "It needs 2 calls or more. Only 1 of 50 is left."),
        (51, 1, "It needs 1 call or more. None of 50 is left."),
    ],
)
def test_a_job_that_needs_more_calls_than_are_left_is_warned_of(used, calls, said):
    warning = LimitUsage(used, 50, 100, NOON, 0, 50, 5, 5).quota_warning(calls)
    assert said in warning
    assert bool(said) is bool(warning)
    assert not said or "2026-07-01 17:00 UTC" in warning
