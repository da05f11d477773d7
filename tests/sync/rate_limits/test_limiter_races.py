"""Limits in the moment between a look at Redis and a write, and slots whose calls take long."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from redis import Redis

from mobjects.models import SyncBatchState
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.task import WaitRequired
from tests.support.meanwhile import RedisWithRival
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
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


def limits(redis, **values):
    numbers = {"per_window": 10, "at_once": 2, "quota": 100, "share": 50, "lease_seconds": 30.0, **values}
    return RedisRateLimiter(ENDPOINT, redis, clock=lambda _: time.time(), **numbers)


@pytest.fixture
def beaten(redis_url, clock):
    """Limits of somebody whom a rival beats to the key with this ending."""
    with RedisWithRival.from_url(redis_url) as client:

        def made(key, rival):
            client.rivals_key, client.rival = key, rival
            return limits(client, at_once=1)

        yield made


def call(one):
    with one.permit_call():
        pass


def refused(one):
    """How many seconds it is to wait, and why."""
    with pytest.raises(WaitRequired) as caught:
        call(one)
    return (caught.value.until - timezone.now()).total_seconds(), caught.value.reason


def key(redis, ending):
    (name,) = redis.keys(f"*:{ending}")
    return name


def forget_server(redis):
    """As after a restart of Redis that has kept its data."""
    redis.set(key(redis, "server"), "the run before")


def begun(ago, *, endpoint=ENDPOINT):
    """A call that is under way."""
    job = pages.job(endpoint=endpoint)
    return pages.batch(job, sent_at=timezone.now() - timedelta(seconds=ago), state=SyncBatchState.SENDING)


# --- slots ---


def test_a_slot_outlasts_the_slowest_call(redis, settings):
    settings.MARKETO = {**settings.MARKETO, "TIMEOUT_SECONDS": 60}
    with RedisRateLimiter.from_settings(ENDPOINT).permit_call():
        # 10 s to connect, 60 s for the answer, 20 s for what stands before and behind.
        ((_, end),) = redis.zrange(key(redis, "running"), 0, -1, withscores=True)
        assert 85 < end - time.time() <= 90


def test_a_slot_that_ended_before_its_call_does_not_spoil_the_outcome(redis, clock):
    with limits(redis).permit_call():
        redis.delete(key(redis, "running"))
    call(limits(redis))


# --- after a loss of data ---


def test_who_finds_the_loss_later_does_not_make_all_wait_longer(redis, beaten):
    begun(3)
    soon = NOON.timestamp() + 5
    late = beaten("", lambda name: redis.set(name, soon, ex=60))
    assert refused(late)[0] == pytest.approx(5)


def test_a_count_of_the_day_that_another_began_is_kept(redis, beaten):
    call(limits(redis))
    redis.delete(key(redis, "day:*"))
    late = beaten(":day:2026-07-01", lambda name: redis.set(name, 7))
    call(late)
    assert late.read_usage().used_today == 8


def test_calls_that_only_redis_knows_of_stay_counted(redis, clock):
    one = limits(redis)
    for _ in range(3):
        call(one)
    forget_server(redis)
    call(one)
    assert one.read_usage().used_today == 4


def test_calls_of_jobs_that_do_not_say_where_they_send_count_too(redis, clock):
    begun(60, endpoint="")
    assert limits(redis).read_usage().used_today == 1


def test_what_another_made_up_for_meanwhile_is_not_made_up_for_again(redis, clock):
    begun(25)
    others = [limits(redis, at_once=50)] * 3
    with ExitStack() as running:

        def meanwhile(execute, sql, params, many, context):
            found = execute(sql, params, many, context)
            # We have seen the loss and nothing under way lately; now others see to it before us.
            while others and "syncbatch" in sql:
                running.enter_context(others.pop().permit_call())
                begun(0)
            return found

        with connection.execute_wrapper(meanwhile):
            running.enter_context(limits(redis, at_once=50).permit_call())
        assert redis.zcard(key(redis, "running")) == 5
