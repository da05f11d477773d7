"""Whether this process can do its work: database, Redis, migrations, worker, clock; answered within a bounded time.

Load balancers and monitoring ask often, also when everything is slow. So one look is made at a time, in a thread of its
own that nobody waits for longer than a few seconds, and what it found is told to all who ask within the next second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.db import Error, OperationalError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F
from redis.exceptions import RedisError

from mobjects import clock
from mobjects.formatting import format_span
from mobjects.models import Installation
from mobjects.processes import status
from mobjects.queue_redis import connect_queue, describe_redis_error

LOOK_SECONDS = 3.0
"""Longest time for one look; Redis alone gives up after one second for each answer."""
KEPT_SECONDS = 1.0
"""For so long the last look is good enough: asking often costs nothing."""
LOCK_WAIT_MS = 500
"""A long write of an import holds SQLite's only lock for a while; who asks is not kept that long."""
OK = "ok"
NOT_LOOKED_AT = "not looked at"
BROKE = "could not be looked at, which is a fault of ours; the log has its traceback"

logger = logging.getLogger(__name__)

Check = Callable[[], str]
"""Says in a few words what is wrong, without a secret; "" if nothing is."""


@dataclass(slots=True)
class _Look:
    """One look, in a thread of its own. ``found`` grows while it goes on."""

    checks: Mapping[str, Check]
    found: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        try:
            for name, check in self.checks.items():
                self.found[name] = check() or OK
        except Exception:  # Nobody waits for this thread: what broke would be lost with it.
            logger.exception("Whether this process is ready could not be found out")
        finally:
            connection.close()


class Readiness:
    """Answers whether this process is ready. One for each process; any number of threads may ask.

    Args:
        checks: by name, in the order in which they are made; :data:`CHECKS` unless a test says otherwise.
        look_seconds: longest time that anybody waits.
        kept_seconds: for how long a look counts.
    """

    def __init__(
        self,
        checks: Mapping[str, Check] | None = None,
        *,
        look_seconds: float = LOOK_SECONDS,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._checks = CHECKS if checks is None else checks
        self._look_seconds, self._kept_seconds = look_seconds, kept_seconds
        self._lock = threading.Lock()
        self._last: tuple[float, dict[str, str]] | None = None
        self._thread: threading.Thread | None = None

    @property
    def names(self) -> Sequence[str]:
        """What is looked at."""
        return list(self._checks)

    def read(self) -> dict[str, str]:
        """What each check says, by name: ``ok``, what is wrong, or that it could not be looked at."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > self._kept_seconds:
                found = self._look()
                self._last = time.monotonic(), found
            return self._last[1]

    def _look(self) -> dict[str, str]:
        # A look that hangs is not joined by another one: threads would pile up behind a database that is gone.
        late = f"no answer within {self._look_seconds:g} s"
        if self._thread is not None and self._thread.is_alive():
            return self._complete({}, late)
        look = _Look(self._checks)
        self._thread = threading.Thread(target=look.run, name="readiness", daemon=True)
        self._thread.start()
        self._thread.join(self._look_seconds)
        return self._complete(dict(look.found), late if self._thread.is_alive() else BROKE)

    def _complete(self, found: dict[str, str], first: str) -> dict[str, str]:
        """Say of the first check that is missing why it is, and of the rest that nobody looked."""
        missing = [name for name in self._checks if name not in found]
        return {**found, **{name: NOT_LOOKED_AT if number else first for number, name in enumerate(missing)}}


def check_database() -> str:
    """Whether the database answers and takes what is written: a full disk and a replica are noticed by nothing less."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "the database cannot be reached"
    try:
        _write()
    except Error as error:
        busy = isinstance(error, OperationalError) and ("locked" in str(error) or "lock timeout" in str(error))
        return "" if busy else "the database takes no writes"
    return ""


def check_migrations() -> str:
    """Whether the database has all tables and columns that this program knows."""
    try:
        missing = known_migrations() - set(MigrationRecorder(connection).applied_migrations())
    except Error:
        return NOT_LOOKED_AT
    return f"{len(missing)} migrations are not applied; run manage.py migrate" if missing else ""


def check_time() -> str:
    """Whether this host's clock agrees with the database's."""
    try:
        offset = clock.host_offset()
    except Error:
        return NOT_LOOKED_AT
    if abs(offset) <= clock.MARGIN:
        return ""
    side = "ahead of" if offset.total_seconds() > 0 else "behind"
    return f"this host's clock is {format_span(abs(offset.total_seconds()))} {side} the database's; set it right"


def check_redis() -> str:
    """Whether the queue's Redis answers and takes what is written."""
    try:
        connect_queue().set(status.PROBE, 1, ex=1)
    except RedisError as error:
        return f"Redis {describe_redis_error(error)}"
    return ""


def check_worker() -> str:
    """Whether a worker gives signs of life."""
    try:
        alive = status.worker_alive()
    except Error:
        return NOT_LOOKED_AT
    if alive is None:
        return NOT_LOOKED_AT
    return "" if alive else "no worker gives signs of life; start one: manage.py rqworker sync"


def check_clock() -> str:
    """Whether the clock, the process that starts schedules and finds lost jobs, gives signs of life."""
    try:
        found = status.read()
    except Error:
        return NOT_LOOKED_AT
    if not found.reachable:
        return NOT_LOOKED_AT
    return "" if found.clocks else "no clock is running; start one: manage.py clock"


CHECKS: Mapping[str, Check] = {
    "database": check_database,
    "migrations": check_migrations,
    "time": check_time,
    "redis": check_redis,
    "worker": check_worker,
    "clock": check_clock,
}
"""What is looked at. The queue's name stands in the database, so worker and clock come after it."""


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """The migrations that came with this program; reading their files takes a while, and they do not change."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _write() -> None:
    """Write a row as it is, without waiting long for who holds it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
                Installation.objects.update(seen_at=F("seen_at"))
            return
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
        try:
            with transaction.atomic():
                Installation.objects.update(seen_at=F("seen_at"))
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
