"""The counts behind Marketo's limits, in Redis, and how they come back when Redis has lost them.

All times are those of the Redis server, so that hosts whose clocks disagree still share one window and one day.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from redis import Redis

from mobjects import clock
from mobjects.sync.rate_limits import call_log, scripts
from mobjects.sync.retry_policy import RESET_ZONE
from mobjects.sync.task import WaitRequired

PREFIX = "marketo-limits"
BEGIN_SECONDS = 5
"""Who was given a call begins it within so long, or never heard of it: then it is taken back."""

DAY_KEPT_SECONDS = 2 * 24 * 3600
REDUCED_CONCURRENCY_SECONDS = 600
REDUCE_AGAIN_SECONDS = 20
"""Calls that ran together are refused together: within this time it is the same news, and halved once."""

COUNTS_LOST = (
    "Redis has lost count of the calls to Marketo, which it shares between the workers; "
    "the calls of the last seconds have to leave Marketo's window first."
)


READING_SECONDS = 600
"""So often Marketo is asked how many calls all have made today."""


class CallClaim(NamedTuple):
    """What became of asking for a call.

    Args:
        token: names the call; "" if it is refused.
        limit: which limit refuses it: ``day``, ``at once`` or ``window``.
        wait_seconds: until the window has room.
    """

    token: str
    limit: str = ""
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LimiterState:
    """What Redis holds. ``used`` is ``None`` if nothing was counted today; not ``sure`` after a loss of data.

    ``elsewhere`` are the calls that others made today, as far as Marketo has said.
    """

    now: float
    server: str
    sure: bool
    used: int | None
    slots: int
    in_window: int
    elsewhere: int


class CallCounters:
    """The counts for one Marketo instance, shared by all who use the same Redis.

    Args:
        endpoint: names the instance.
        redis: where the counts are.
        at_once: how many calls may run at the same time.
        lease_seconds: a call counts as running for so long, unless it is given back.
        window_seconds: whole seconds.
        clock: seconds since 1970, the same for all; the server's own if there is none.
    """

    def __init__(
        self,
        endpoint: str,
        redis: Redis,
        *,
        at_once: int,
        lease_seconds: float,
        window_seconds: int,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.redis = redis
        self._endpoint, self._at_once = endpoint, at_once
        self._lease_seconds, self._window_seconds = lease_seconds, window_seconds
        self._clock = clock
        self._prefix = f"{PREFIX}:{hashlib.sha256(endpoint.encode()).hexdigest()[:16]}"
        self._claim, self._begin, self._fewer, self._recover_once, self._count_further = (
            redis.register_script(text)
            for text in (
                scripts.CLAIM_CALL,
                scripts.BEGIN_CALL,
                scripts.ALLOW_FEWER,
                scripts.RECOVER,
                scripts.COUNT_FURTHER,
            )
        )

    def claim_call(self, known: LimiterState, *, per_window: int, share: int) -> CallClaim:
        """Take all that a call needs, or nothing. It has to be begun within ``BEGIN_SECONDS``.

        Args:
            known: what Redis holds.
            per_window: calls within the window.
            share: calls a day.
        """
        day = f"{day_start(known.now):%Y-%m-%d}"
        token = f"{day}:{secrets.token_hex(8)}"
        keys = [self.redis_key(name) for name in ("running", "in-window", "asked")]
        limits = [known.slots, per_window, self._window_seconds, share, BEGIN_SECONDS, DAY_KEPT_SECONDS]
        answer: Any = self._claim([*keys, self.day_key(known.now)], [token, self._given_time(), day, *limits])
        verdict = answer[0].decode()
        if verdict == "taken":
            return CallClaim(token)
        return CallClaim("", verdict, float(answer[1]) if len(answer) > 1 else 0.0)

    def begin_call(self, token: str) -> bool:
        """Keep what was taken while the call runs; ``False`` if it was taken back meanwhile."""
        keys = [self.redis_key("running"), self.redis_key("asked")]
        return bool(self._begin(keys, [token, self._given_time(), self._lease_seconds]))

    def end_call(self, token: str) -> None:
        """Say that a call is over."""
        self.redis.zrem(self.redis_key("running"), token)

    def count_further(self, calls: int) -> None:
        """Count calls that were made without asking, in the window and of the day.

        Args:
            calls: how many; they count as made now.
        """
        now = self._clock() if self._clock else read_redis_time(self.redis)
        token = f"further:{secrets.token_hex(8)}"
        keys = [self.redis_key(token), self.redis_key("in-window"), self.day_key(now)]
        self._count_further(keys, [token, self._given_time(), calls, DAY_KEPT_SECONDS])

    def claim_reading(self) -> bool:
        """Whether Marketo is to be asked for the calls of all, by the caller of this alone."""
        return bool(self.redis.set(self.redis_key("calls-read"), 1, nx=True, ex=READING_SECONDS))

    def note_calls_of_all(self, count: int) -> None:
        """Keep how many of the day's calls were made by others.

        Args:
            count: all calls of the day, as Marketo counts them.
        """
        known = self.peek_state()
        elsewhere = max(0, count - self.count_used_today(known))
        self.redis.set(self._elsewhere_key(known.now), elsewhere, ex=DAY_KEPT_SECONDS)

    def allow_fewer(self) -> None:
        """Halve the calls at once for some minutes, but at least one may run."""
        keys = [self.redis_key("fewer-said"), self.redis_key("fewer")]
        self._fewer(keys, [self._at_once, REDUCE_AGAIN_SECONDS, REDUCED_CONCURRENCY_SECONDS])

    def peek_state(self) -> LimiterState:
        """What Redis holds now; one question for all of it, because every call begins with this."""
        now = self._clock() if self._clock else read_redis_time(self.redis)
        pipe: Any = self.redis.pipeline(transaction=False)
        pipe.info("server")
        pipe.get(self.redis_key("server"))
        pipe.get(self.day_key(now))
        pipe.get(self.redis_key("fewer"))
        pipe.get(self._elsewhere_key(now))
        pipe.zcount(self.redis_key("in-window"), now - self._window_seconds, "+inf")
        info, server, used, fewer, elsewhere, in_window = pipe.execute()
        run: str = info["run_id"]
        return LimiterState(
            now=now,
            server=run,
            sure=server == run.encode(),
            used=None if used is None else int(used),
            slots=min(self._at_once, int(fewer or self._at_once)),
            in_window=in_window,
            elsewhere=int(elsewhere or 0),
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

    def redis_key(self, name: str) -> str:
        """Under which name Redis keeps something about this instance."""
        return f"{self._prefix}:{name}"

    def day_key(self, now: float) -> str:
        return self.redis_key(f"day:{day_start(now):%Y-%m-%d}")

    def _elsewhere_key(self, now: float) -> str:
        return self.redis_key(f"elsewhere:{day_start(now):%Y-%m-%d}")

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
        begun = call_log.count_calls_since(self._endpoint, day_start(known.now))
        running = call_log.list_running_calls(self._endpoint, timedelta(seconds=self._lease_seconds))
        self._recover_once(
            [self.redis_key("server"), self.day_key(known.now), self.redis_key("running")],
            [known.server, self._given_time(), begun, DAY_KEPT_SECONDS, *(left.total_seconds() for left in running)],
        )

    def _given_time(self) -> float | str:
        """The time for a script: "" means that it asks its server."""
        return self._clock() if self._clock else ""


def read_redis_time(redis: Redis) -> float:
    """The clock of the Redis server, in seconds since 1970."""
    seconds, micros = redis.time()
    return float(seconds) + float(micros) / 1e6


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
