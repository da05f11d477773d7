"""Redis has done a command and its answer is lost: a call is counted once, and nothing stays taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from redis import Redis

from mobjects.queue_redis import connect_queue
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.rate_limits.redis_store import BEGIN_SECONDS
from mobjects.sync.task import WaitRequired
from tests.support.redis_proxy import RedisProxy

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 7, 1, 17, 0, tzinfo=UTC)
NUMBERS = {"CALLS_PER_WINDOW": 40, "CALLS_AT_ONCE": 1, "DAILY_QUOTA": 1000, "DAILY_SHARE": 100}
MOST_COMMANDS = 40


@pytest.fixture
def queue_at(settings):
    """Points the queue at another Redis."""

    def point(url):
        settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": url}}

    settings.MARKETO = {**settings.MARKETO, **NUMBERS}
    return point


def limits(number):
    """Of an instance of each case's own, so that nothing is counted yet."""
    return RedisRateLimiter.from_settings(f"https://{number}.mktoapi.com/soap/mktows/2_7")


def may_call(one):
    try:
        with one.permit_call():
            return True
    except WaitRequired:
        return False


def test_a_call_whose_answers_get_lost_is_counted_once_and_leaves_nothing_taken(redis_url, queue_at):
    figures = []
    with RedisProxy(redis_url) as proxy:
        for number in range(MOST_COMMANDS):
            queue_at(proxy.url)
            proxy.lose_answer(number)
            calls = may_call(limits(number)) + may_call(limits(number))
            queue_at(redis_url)
            usage = limits(number).read_usage()
            # With one slot: a slot that is taken for nothing would refuse this.
            figures.append((proxy.lost[:], calls, usage.used_today, usage.in_window, may_call(limits(number))))
            if not proxy.lost:
                break
    assert figures[-1][0] == []
    assert len(figures) > 5
    assert [each for each in figures if each[1:] != (2, 2, 2, True)] == []


def test_fewer_calls_at_once_are_fewer_once_where_the_answer_gets_lost(redis_url, queue_at, settings):
    settings.MARKETO = {**settings.MARKETO, "CALLS_AT_ONCE": 8}
    with RedisProxy(redis_url) as proxy:
        for number in range(MOST_COMMANDS):
            queue_at(proxy.url)
            proxy.lose_answer(number)
            limits(number).reduce_concurrency()
            queue_at(redis_url)
            assert (number, proxy.lost, limits(number).read_usage().slots) == (number, proxy.lost, 4)
            if not proxy.lost:
                break
    assert number > 0


def test_a_call_that_was_given_while_redis_went_away_counts_nowhere_after_some_seconds(redis_url, queue_at):
    figures = {}
    with RedisProxy(redis_url, keeps_away=True) as proxy, time_machine.travel(NOON, tick=False) as clock:
        for number in range(MOST_COMMANDS):
            queue_at(redis_url)
            near = on_one_clock(number)
            assert may_call(near)
            queue_at(proxy.url)
            proxy.lose_answer(number)
            called = may_call(on_one_clock(number))
            proxy.come_back()
            clock.shift(BEGIN_SECONDS + 0.1)
            free = may_call(near)
            figures[number] = (called, near.read_usage().used_today, free)
            if called:
                break
    # Asked or given, and the answer lost: as if it had never been asked for.
    assert figures == {
        0: (False, 2, True),
        1: (False, 2, True),
        # Begun, and the answer lost with Redis: nobody can know, so it counts and stays taken as for a killed process.
        2: (False, 2, False),
        3: (True, 3, True),
    }


def on_one_clock(number, redis=None):
    return RedisRateLimiter(
        f"https://{number}.mktoapi.com/soap/mktows/2_7",
        redis or connect_queue(again=1),
        per_window=40,
        at_once=1,
        quota=1000,
        share=1000,
        lease_seconds=90,
        clock=lambda redis: time.time(),
    )


class LateRedis(Redis):
    """A Redis that answers the first script so late that ``meanwhile`` happens before the second."""

    meanwhile: Callable[[], object] | None = None

    def evalsha(self, *args: Any) -> Any:
        answer = super().evalsha(*args)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return answer


def test_who_comes_too_late_for_a_call_makes_none(redis_url):
    with LateRedis.from_url(redis_url) as late, time_machine.travel(NOON, tick=False) as clock:
        one, other = on_one_clock("late", late), on_one_clock("late", connect_queue())

        def others_call():
            clock.shift(BEGIN_SECONDS + 0.1)
            assert may_call(other)

        assert may_call(one)
        late.meanwhile = others_call
        with pytest.raises(WaitRequired, match="so late that the call had lost its place"), one.permit_call():
            pass
        assert one.read_usage().used_today == 2
