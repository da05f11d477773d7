"""Marketo's limits, shared by all workers on all hosts through the queue's Redis.

Three of them: calls within a moving window of 20 seconds, calls at the same time, calls a day. Nothing here waits:
what may not be called now raises :class:`mobjects.sync.task.WaitRequired`. docs/decisions/0020-limits.md has the
reasons.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import django_rq
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.lock import Lock
from redis.retry import Retry

from mobjects.formatting import format_count, format_moment
from mobjects.marketo.errors import OutcomeUnknown
from mobjects.sync import marketo_settings
from mobjects.sync.rate_limits.redis_store import (
    DAY_KEPT_SECONDS,
    CallCounters,
    LimiterState,
    build_wait,
    random_delay,
    read_redis_time,
    release_lock,
    to_datetime,
)
from mobjects.sync.rate_limits.usage import LimitUsage
from mobjects.sync.retry_policy import next_quota_reset
from mobjects.sync.task import WaitRequired

QUEUE = "sync"

WINDOW_SECONDS = 21
"""Marketo's 20 and one more. Marketo counts when a call arrives, we when it sets out, and calls take differently long
on the way: one that took 0.9 s longer than those after it would share Marketo's window with one too many."""

CONNECT_SECONDS = 10
LEASE_MARGIN_SECONDS = 20
"""A slot ends by itself after the time-outs for connecting and answering and this: writing down that the call begins,
and the rest of an answer whose parts come slowly."""

SOCKET_SECONDS = 1.0
UNREACHABLE_SECONDS = 15
REDUCED_CONCURRENCY_SECONDS = 600
REDUCE_AGAIN_SECONDS = 20
"""Calls that ran together are refused together: within this time it is the same news, and halved once."""

REDIS_UNREACHABLE = (
    "The queue's Redis cannot be reached, and with it the shared limits; nothing is sent to Marketo without them."
)

logger = logging.getLogger(__name__)


class RedisRateLimiter:
    """Permission for calls to one Marketo instance. Satisfies :class:`mobjects.sync.task.RateLimiter`.

    Args:
        endpoint: names the instance; each has its own limits.
        redis: where the counts are; shared by all who call.
        per_window: calls within ``window_seconds``.
        at_once: calls at the same time.
        quota: calls a day that Marketo allows to all its callers.
        share: calls a day that are ours.
        lease_seconds: longest time a call can run; a slot ends by itself after it.
        window_seconds: whole seconds.
        clock: seconds since 1970, the same for all.
    """

    def __init__(
        self,
        endpoint: str,
        redis: Redis,
        *,
        per_window: int,
        at_once: int,
        quota: int,
        share: int,
        lease_seconds: float,
        window_seconds: int = WINDOW_SECONDS,
        clock: Callable[[Redis], float] = read_redis_time,
    ) -> None:
        self._per_window, self._at_once = per_window, at_once
        self._quota, self._share = quota, share
        self._lease_seconds, self._window_seconds = lease_seconds, window_seconds
        self._counters = CallCounters(
            endpoint, redis, at_once=at_once, lease_seconds=lease_seconds, window_seconds=window_seconds, clock=clock
        )
        self._redis, self._window = redis, self._counters.window

    @classmethod
    def from_settings(cls, endpoint: str) -> Self:
        """The limits that the settings name, in the queue's Redis. Connects with the first call."""
        redis: Redis = django_rq.get_connection(QUEUE)
        # A client of its own, not connected yet. One more attempt, because a connection may have grown stale.
        redis.connection_pool.connection_kwargs.update(
            socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS, retry=Retry(NoBackoff(), 1)
        )
        values = marketo_settings.marketo()
        return cls(
            endpoint,
            redis,
            per_window=values["CALLS_PER_WINDOW"],
            at_once=values["CALLS_AT_ONCE"],
            quota=values["DAILY_QUOTA"],
            share=max(1, values["DAILY_QUOTA"] * values["DAILY_SHARE"] // 100),
            lease_seconds=values["TIMEOUT_SECONDS"] + CONNECT_SECONDS + LEASE_MARGIN_SECONDS,
        )

    @contextmanager
    def permit_call(self) -> Iterator[None]:
        """Permission for one call; leave it when the call is over.

        Raises:
            WaitRequired: a limit is reached, or Redis cannot be reached. Nothing was counted.
        """
        try:
            slot = self._permit()
        except RedisError as error:
            logger.warning("The shared limits cannot be read: %s", type(error).__name__)
            raise build_wait(UNREACHABLE_SECONDS, REDIS_UNREACHABLE) from error
        may_run = False
        try:
            yield
        except OutcomeUnknown as error:
            # Without an answer Marketo may still be at it: then the slot is only free when that cannot be any more.
            may_run = error.exchange is None or error.exchange.http_status is None
            raise
        finally:
            if not may_run:
                release_lock(slot)

    def reduce_concurrency(self) -> None:
        """Marketo said that too many calls ran at once: allow half as many for ten minutes, but at least one."""
        try:
            if self._redis.set(self._counters.redis_key("fewer-said"), 1, nx=True, ex=REDUCE_AGAIN_SECONDS):
                half = max(1, self._counters.slot_limit(self._redis.get(self._counters.redis_key("fewer"))) // 2)
                self._redis.set(self._counters.redis_key("fewer"), half, ex=REDUCED_CONCURRENCY_SECONDS)
        except RedisError as error:
            # Nobody can call now anyway; whoever is refused next says it again.
            logger.warning("That Marketo wants fewer calls could not be shared: %s", type(error).__name__)

    def read_usage(self) -> LimitUsage | None:
        """How much is used; ``None`` if Redis cannot be reached. Changes nothing."""
        try:
            known = self._counters.peek_state()
            _, in_window = self._window.get_moving_window("window", self._per_window, self._window_seconds)
        except RedisError:
            return None
        return LimitUsage(
            used_today=self._counters.count_used_today(known),
            share=self._share,
            quota=self._quota,
            resets_at=next_quota_reset(to_datetime(known.now)),
            in_window=in_window,
            window_limit=self._per_window,
            slots=known.slots,
            slots_set=self._at_once,
        )

    def _permit(self) -> Lock:
        """Take a slot and count the call. Each limit that refuses leaves those before it as they were."""
        known = self._counters.ensure_state()
        if (known.used or 0) >= self._share:
            raise self._used_up(known.now)
        slot = self._acquire_slot(known)
        try:
            self._count(known.now)
        except BaseException:
            release_lock(slot)
            raise
        return slot

    def _acquire_slot(self, known: LimiterState) -> Lock:
        if sum(known.held) < known.slots:
            free = [number for number in range(known.slots) if not known.held[number]]
            random.shuffle(free)  # Many look at the same moment: each begins elsewhere.
            for number in free:
                slot = self._counters.create_lock(self._counters.slot_key(number), self._lease_seconds)
                if slot.acquire():
                    return slot
        most = format_count(known.slots, "call")
        raise build_wait(random_delay(), f"{most} to Marketo may run at once, and so many are under way.")

    def _count(self, now: float) -> None:
        if not self._window.acquire_entry("window", self._per_window, self._window_seconds):
            oldest, _ = self._window.get_moving_window("window", self._per_window, self._window_seconds)
            most = format_count(self._per_window, "call")
            words = f"{most} in {self._window_seconds} seconds may be made, and so many were."
            raise build_wait(max(0.05, oldest + self._window_seconds - self._counters.now()), words)
        pipe: Any = self._redis.pipeline()
        pipe.incr(self._counters.day_key(now))
        pipe.expire(self._counters.day_key(now), DAY_KEPT_SECONDS)
        used, _ = pipe.execute()
        if used > self._share:
            # Another took the last one meanwhile. What this leaves in the window hinders nobody today.
            self._redis.decr(self._counters.day_key(now))
            raise self._used_up(now)

    def _used_up(self, now: float) -> WaitRequired:
        reset = next_quota_reset(to_datetime(now))
        words = (
            f"Our share of Marketo's daily quota is used up: {self._share:,} of {format_count(self._quota, 'call')}. "
            f"Marketo begins to count anew at {format_moment(reset)}."
        )
        return build_wait(reset.timestamp() - now, words)
