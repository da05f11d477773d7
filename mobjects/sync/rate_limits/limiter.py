"""Marketo's limits, shared by all workers on all hosts through the queue's Redis.

Three of them: calls within a moving window of 20 seconds, calls at the same time, calls a day. Nothing here waits:
what may not be called now raises :class:`mobjects.sync.task.WaitRequired`. docs/decisions/0020-limits.md has the
reasons.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self

from django.utils.translation import gettext_noop as _
from redis import Redis
from redis.exceptions import RedisError

from mobjects.formatting import format_count, format_moment
from mobjects.marketo.errors import OutcomeUnknown
from mobjects.queue_redis import connect_queue, describe_redis_error, redis_sentence
from mobjects.sync import marketo_settings
from mobjects.sync.rate_limits.redis_store import (
    CallClaim,
    CallCounters,
    LimiterState,
    build_wait,
    random_delay,
    to_datetime,
)
from mobjects.sync.rate_limits.usage import LimitUsage, UnknownUsage, describe_used_up
from mobjects.sync.retry_policy import next_quota_reset
from mobjects.sync.task import WaitRequired

WINDOW_SECONDS = 21
"""Marketo's 20 and one more. Marketo counts when a call arrives, we when it sets out, and calls take differently long
on the way: one that took 0.9 s longer than those after it would share Marketo's window with one too many."""

CONNECT_SECONDS = 10
LEASE_MARGIN_SECONDS = 20
"""A slot ends by itself after the time-outs for connecting and answering and this: writing down that the call begins,
and the rest of an answer whose parts come slowly."""

ASKED_AGAIN = 2
"""How often Redis is asked again where an answer was lost."""

UNREACHABLE_SECONDS = 15
NOTHING_SENT = _("It holds the shared limits, and nothing is sent to Marketo without them.")

logger = logging.getLogger(__name__)


class RedisRateLimiter:
    """Permission for calls to one Marketo instance. Satisfies :class:`mobjects.sync.task.RateLimiter`.

    Args:
        endpoint: names the instance; each has its own limits.
        redis: where the counts are; shared by all who call.
        per_window: calls within ``window_seconds``.
        at_once: calls at the same time.
        quota: calls a day that Marketo allows to all its callers, by the settings.
        share: calls a day that are ours.
        lease_seconds: longest time a call can run; a slot ends by itself after it.
        window_seconds: whole seconds.
        clock: seconds since 1970, the same for all; that of the Redis server if there is none.
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
        clock: Callable[[Redis], float] | None = None,
    ) -> None:
        self._per_window, self._at_once = per_window, at_once
        self._quota, self._share = quota, share
        self._window_seconds = window_seconds
        self._counters = CallCounters(
            endpoint,
            redis,
            at_once=at_once,
            lease_seconds=lease_seconds,
            window_seconds=window_seconds,
            clock=partial(clock, redis) if clock else None,
        )

    @classmethod
    def from_settings(cls, endpoint: str) -> Self:
        """The limits that the settings name, in the queue's Redis. Connects with the first call."""
        values = marketo_settings.marketo()
        return cls(
            endpoint,
            connect_queue(again=ASKED_AGAIN),
            per_window=values["CALLS_PER_WINDOW"],
            at_once=values["CALLS_AT_ONCE"],
            quota=values["DAILY_QUOTA"],
            share=max(1, values["DAILY_QUOTA"] * values["DAILY_SHARE"] // 100),
            lease_seconds=marketo_settings.longest_call_seconds() + CONNECT_SECONDS + LEASE_MARGIN_SECONDS,
        )

    @contextmanager
    def permit_call(self) -> Iterator[None]:
        """Permission for one call; leave it when the call is over.

        Raises:
            WaitRequired: a limit is reached, or Redis cannot be reached. Nothing was counted.
        """
        try:
            token = self._permit()
        except RedisError as error:
            logger.warning("The shared limits cannot be read: Redis %s.", describe_redis_error(error))
            raise build_wait(UNREACHABLE_SECONDS, f"{redis_sentence(error)} {NOTHING_SENT}") from error
        may_run = False
        try:
            yield
        except OutcomeUnknown as error:
            # Without an answer Marketo may still be at it: then the slot is only free when that cannot be any more.
            may_run = error.exchange is None or error.exchange.http_status is None
            raise
        finally:
            if not may_run:
                self._give_back(token)

    def count_further(self, calls: int) -> None:
        """Count calls that were made under one permission besides the one that it was for."""
        try:
            self._counters.count_further(calls)
        except RedisError as error:
            # They are in the history, from which a Redis that has lost its counts gets them back.
            logger.warning("%d further calls could not be counted: Redis %s.", calls, describe_redis_error(error))

    def claim_reading(self) -> bool:
        """Whether it is time to ask Marketo how many calls all have made, and nobody else does."""
        try:
            return self._counters.claim_reading()
        except RedisError:
            return False

    def note_calls_of_all(self, count: int) -> None:
        """Marketo says that all integrations, this one too, have made so many calls today."""
        try:
            self._counters.note_calls_of_all(count)
        except RedisError as error:
            logger.warning("The calls of others could not be kept: Redis %s.", describe_redis_error(error))

    def reduce_concurrency(self) -> None:
        """Marketo said that too many calls ran at once: allow half as many for ten minutes, but at least one."""
        try:
            self._counters.allow_fewer()
        except RedisError as error:
            # Nobody can call now anyway; whoever is refused next says it again.
            logger.warning("That Marketo wants fewer calls could not be shared: Redis %s.", describe_redis_error(error))

    def read_usage(self) -> LimitUsage | UnknownUsage:
        """How much is used, if Redis tells. Changes nothing."""
        try:
            known = self._counters.peek_state()
        except RedisError as error:
            return UnknownUsage(describe_redis_error(error))
        return LimitUsage(
            used_today=self._counters.count_used_today(known),
            share=self._share,
            quota=self._quota,
            resets_at=next_quota_reset(to_datetime(known.now)),
            in_window=known.in_window,
            window_limit=self._per_window,
            elsewhere=known.elsewhere,
            slots=known.slots,
            slots_set=self._at_once,
        )

    def _permit(self) -> str:
        """Take what a call needs and begin it; each limit that refuses leaves the others as they were."""
        known = self._counters.ensure_state()
        taken = self._counters.claim_call(
            known, per_window=self._per_window, share=min(self._share, self._quota - known.elsewhere)
        )
        if not taken.token:
            raise self._refusal(taken, known)
        if not self._counters.begin_call(taken.token):
            raise build_wait(random_delay(), _("Redis answered so late that the call had lost its place."))
        return taken.token

    def _give_back(self, token: str) -> None:
        try:
            self._counters.end_call(token)
        except RedisError as error:
            # It ends by itself in time.
            logger.warning("A call's slot could not be given back: Redis %s.", describe_redis_error(error))

    def _refusal(self, taken: CallClaim, known: LimiterState) -> WaitRequired:
        if taken.limit == "day":
            reset = next_quota_reset(to_datetime(known.now))
            used = describe_used_up(share=self._share, quota=self._quota, elsewhere=known.elsewhere)
            words = _("%(used)s Marketo begins to count anew at %(time)s.") % {
                "used": used,
                "time": format_moment(reset),
            }
            return build_wait(reset.timestamp() - known.now, words)
        if taken.limit == "window":
            most = format_count(self._per_window, "call")
            words = _("%(most)s in %(window_seconds)s seconds may be made, and so many were.") % {
                "most": most,
                "window_seconds": self._window_seconds,
            }
            return build_wait(max(0.05, taken.wait_seconds), words)
        words = _("%(calls)s to Marketo may run at once, and so many are under way.") % {
            "calls": format_count(known.slots, "call")
        }
        return build_wait(random_delay(), words)
