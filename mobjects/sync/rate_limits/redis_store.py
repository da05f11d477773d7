"""The counts behind Marketo's limits, in Redis, and how they come back when Redis has lost them.

All times are those of the Redis server, so that hosts whose clocks disagree still share one window and one day.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from limits.storage import RedisStorage
from redis import Redis
from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from mobjects import clock
from mobjects.sync.rate_limits import call_log
from mobjects.sync.retry_policy import RESET_ZONE
from mobjects.sync.task import WaitRequired

PREFIX = "marketo-limits"
RECOVERY_SECONDS = 30
DAY_KEPT_SECONDS = 2 * 24 * 3600
MILLISECOND = timedelta(milliseconds=1)
COUNTS_LOST = (
    "Redis has lost count of the calls to Marketo, which it shares between the workers; "
    "the calls of the last seconds have to leave Marketo's window first."
)

logger = logging.getLogger(__name__)


def read_redis_time(redis: Redis) -> float:
    """The clock of the Redis server, in seconds since 1970."""
    seconds, micros = redis.time()
    return float(seconds) + float(micros) / 1e6


class MovingWindow(RedisStorage):
    """The library's moving window, on the clock of the Redis server instead of that of each host."""

    def __init__(self, redis: Redis, prefix: str, now: Callable[[], float]) -> None:
        # The address only says which client to use; the connections are those of the queue.
        super().__init__("redis://", connection_pool=redis.connection_pool, key_prefix=prefix)
        self._now = now

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return bool(self.lua_acquire_moving_window([self.prefixed_key(key)], [self._now(), limit, expiry, amount]))

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = self._now()
        found: Any = self.lua_moving_window([self.prefixed_key(key)], [now - expiry, limit])
        return (float(found[0]), int(found[1])) if found else (now, 0)


@dataclass(frozen=True, slots=True)
class LimiterState:
    """What Redis holds. ``used`` is ``None`` if nothing was counted today; not ``sure`` after a loss of data."""

    now: float
    server: str
    sure: bool
    used: int | None
    slots: int
    held: tuple[bool, ...]


class CallCounters:
    """The counts for one Marketo instance, shared by all who use the same Redis.

    Args:
        endpoint: names the instance.
        redis: where the counts are.
        at_once: how many slots there are for calls.
        lease_seconds: a slot ends by itself after so long.
        window_seconds: whole seconds.
        clock: seconds since 1970, the same for all.
    """

    def __init__(
        self,
        endpoint: str,
        redis: Redis,
        *,
        at_once: int,
        lease_seconds: float,
        window_seconds: int,
        clock: Callable[[Redis], float] = read_redis_time,
    ) -> None:
        self.redis = redis
        self._endpoint, self._at_once = endpoint, at_once
        self._lease_seconds, self._window_seconds = lease_seconds, window_seconds
        self.now: Callable[[], float] = lambda: clock(redis)
        self._prefix = f"{PREFIX}:{hashlib.sha256(endpoint.encode()).hexdigest()[:16]}"
        self.window = MovingWindow(redis, self._prefix, self.now)

    def peek_state(self) -> LimiterState:
        """What Redis holds now; one question for all of it, because every call begins with this."""
        now = self.now()
        pipe: Any = self.redis.pipeline(transaction=False)
        pipe.info("server")
        pipe.get(self.redis_key("server"))
        pipe.get(self.day_key(now))
        pipe.get(self.redis_key("fewer"))
        pipe.mget([self.slot_key(number) for number in range(self._at_once)])
        info, server, used, fewer, slots = pipe.execute()
        run: str = info["run_id"]
        return LimiterState(
            now=now,
            server=run,
            sure=server == run.encode(),
            used=None if used is None else int(used),
            slots=self.slot_limit(fewer),
            held=tuple(slot is not None for slot in slots),
        )

    def ensure_state(self) -> LimiterState:
        """What Redis holds, after making up for what it has lost.

        Raises:
            WaitRequired: that takes a moment.
            RedisError: Redis cannot be reached.
        """
        known = self.peek_state()
        if not known.sure:
            self._recover(known)
            known = self.peek_state()
        elif known.used is None:
            # A new day, or Redis dropped the key: the database knows how many there were.
            begun = call_log.count_calls_since(self._endpoint, day_start(known.now))
            self.redis.set(self.day_key(known.now), begun, nx=True, ex=DAY_KEPT_SECONDS)
            known = self.peek_state()
        if not known.sure or known.used is None:
            raise build_wait(random_delay(), COUNTS_LOST)
        return known

    def count_used_today(self, known: LimiterState) -> int:
        """Calls since counting began anew, also where Redis does not know. Changes nothing."""
        if known.sure and known.used is not None:
            return known.used
        return max(known.used or 0, call_log.count_calls_since(self._endpoint, day_start(known.now)))

    def slot_limit(self, fewer: Any) -> int:
        """How many calls may run at once, given what the key ``fewer`` holds."""
        return min(self._at_once, int(fewer)) if fewer else self._at_once

    def create_lock(self, name: str, seconds: float) -> Lock:
        """A lock that is not waited for, and that ends by itself."""
        return Lock(self.redis, name, timeout=seconds, blocking=False, thread_local=False)

    def redis_key(self, name: str) -> str:
        """Under which name Redis keeps something about this instance."""
        return f"{self._prefix}:{name}"

    def slot_key(self, number: int) -> str:
        return self.redis_key(f"slot:{number}")

    def day_key(self, now: float) -> str:
        return self.redis_key(f"day:{day_start(now):%Y-%m-%d}")

    def _recover(self, known: LimiterState) -> None:
        """Fill a Redis that is new, was emptied, or was restarted and may have lost its last seconds or hours."""
        hold_key = self.redis_key(f"hold:{known.server}")
        hold: Any = self.redis.get(hold_key)
        if hold is None and call_log.was_called_within(self._endpoint, timedelta(seconds=self._window_seconds)):
            # Who had permission when the data went has written down its call before this is over.
            until = known.now + self._window_seconds
            self.redis.set(hold_key, until, nx=True, ex=3 * self._window_seconds)
            hold = self.redis.get(hold_key) or until
        if hold is not None and float(hold) > known.now:
            raise build_wait(float(hold) - known.now, COUNTS_LOST)
        lock = self.create_lock(self.redis_key("recovery"), RECOVERY_SECONDS)
        if not lock.acquire():
            raise build_wait(random_delay(), COUNTS_LOST)
        try:
            if self.redis.get(self.redis_key("server")) != known.server.encode():
                self._fill(known.now)
                self.redis.set(self.redis_key("server"), known.server)
        finally:
            release_lock(lock)

    def _fill(self, now: float) -> None:
        key = self.day_key(now)
        missing = call_log.count_calls_since(self._endpoint, day_start(now)) - int(self.redis.get(key) or 0)
        pipe: Any = self.redis.pipeline()
        pipe.incrby(key, max(0, missing))
        pipe.expire(key, DAY_KEPT_SECONDS)
        running = call_log.list_running_calls(self._endpoint, timedelta(seconds=self._lease_seconds))
        for number, left in enumerate(running[: self._at_once]):
            pipe.set(self.slot_key(number), "begun before Redis lost its data", nx=True, px=left // MILLISECOND + 1)
        pipe.execute()


def release_lock(lock: Lock) -> None:
    """Free a lock; if that cannot be done it frees itself in time."""
    try:
        lock.release()
    except (LockError, RedisError) as error:
        logger.warning("A lock on Marketo's limits could not be given back: %s", type(error).__name__)


def build_wait(seconds: float, words: str) -> WaitRequired:
    """To be raised. On this host's clock, because here it is looked at."""
    return WaitRequired(clock.now() + timedelta(seconds=seconds), words)


def random_delay() -> float:
    """Some tenths of a second: long enough for a call to end."""
    return random.uniform(0.5, 1.0)  # noqa: S311 - spreads those who wait, keeps no secret


def to_datetime(now: float) -> datetime:
    """Seconds since 1970 as a date and time."""
    return datetime.fromtimestamp(now, UTC)


def day_start(now: float) -> datetime:
    """When Marketo began to count anew: the last midnight in US Central time."""
    return to_datetime(now).astimezone(RESET_ZONE).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
