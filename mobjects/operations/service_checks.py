"""What the servers around an installation say: database, Redis, workers, and Marketo where that is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from redis import Redis
from redis.exceptions import RedisError

from mobjects.accounts.group_names import list_unknown_groups
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.transport import ConnectionVerdict
from mobjects.models import Circuit
from mobjects.operations import readiness
from mobjects.operations.finding import Finding, found_bad, found_ok, found_skipped, found_warning
from mobjects.processes import status
from mobjects.queue_redis import connect_queue, describe_redis_error
from mobjects.sync.transport_factory import missing_settings, open_transport, transport_label

REDIS_VERSION = (6, 2)
NEEDED_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("SET", status.PROBE, "1", "EX", "1"),
    ("SCRIPT", "LOAD", "return 1"),
    ("PUBLISH", "rq:pubsub:doctor", ""),
    ("ZCARD", "rq:workers:doctor"),
)
"""One of each sort of command that queue and limits need, which change nothing that lasts."""
TIME_MARGIN_SECONDS = 5


def find_database_problems() -> Iterator[Finding]:
    """Whether the database, which lets us in, can be used, is new enough and has all tables."""
    version, oldest = connection.get_database_version(), connection.features.minimum_database_version
    what = f"{connection.display_name} {'.'.join(map(str, version))}"
    if oldest and version < oldest:
        needed = ".".join(map(str, oldest))
        yield found_bad("database", f"{what} is too old.", f"Django needs {needed} or newer.")
    elif problem := readiness.check_database():
        yield found_bad("database", f"{what}: {problem}.", "Look at its disk, and whether it is a replica.")
    else:
        yield found_ok("database", f"{what} answers and takes what is written.")
    if connection.vendor == "sqlite":
        said = "SQLite is for one host and few people."
        yield found_warning("database", said, "Use PostgreSQL for a site that several people work with: DATABASE_URL.")
    yield from _find_migration_problems()
    if problem := readiness.check_time():
        yield found_bad("time", f"{problem[:1].upper()}{problem[1:]}.", "Have the host's clock set by NTP.")
    else:
        yield found_ok("time", "This host's clock agrees with the database's.")


def _find_migration_problems() -> Iterator[Finding]:
    if problem := readiness.check_migrations():
        yield found_bad("migrations", f"{problem[:1].upper()}{problem[1:]}.", "Run manage.py migrate.")
        return
    ours = {name for app, name in readiness.known_migrations() if app == "mobjects"}
    there = {name for app, name in MigrationRecorder(connection).applied_migrations() if app == "mobjects"}
    if newer := sorted(there - ours):
        said = f"The database has {len(newer)} migrations that this program does not know, such as {newer[-1]}."
        yield found_warning("migrations", said, "Bring this host to the version that the others have.")
    else:
        yield found_ok("migrations", "All are applied.")
    if connection.vendor == "postgresql" and not _has_trigrams():
        said = "The extension pg_trgm is missing: searching reads whole tables."
        yield found_warning("database", said, "CREATE EXTENSION pg_trgm in the database, then manage.py migrate.")


def _has_trigrams() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return cursor.fetchone() is not None


def find_account_problems() -> Iterator[Finding]:
    """Whether the groups of the settings are there."""
    unknown = list_unknown_groups()
    for each in unknown:
        yield found_bad("accounts", each.says, each.advice)
    if not unknown:
        yield found_ok("accounts", "All groups that the settings name are there.")


def find_redis_problems() -> Iterator[Finding]:
    """Whether Redis can be used, keeps what it is given, and is closed to others."""
    redis = connect_queue()
    try:
        for command in NEEDED_COMMANDS:
            redis.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py has no types here
        info: dict[str, Any] = redis.info()
    except RedisError as error:
        said = f"Redis {describe_redis_error(error)}."
        yield found_bad("Redis", said, "Look at REDIS_URL, at the server, and at its ACL in docs/operations.md.")
        return
    version = str(info["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < REDIS_VERSION:
        yield found_bad("Redis", f"Redis {version} is too old.", "6.2 or newer is needed.")
    else:
        yield found_ok("Redis", f"Redis {version} answers, and lets us use what we need.")
    yield from _find_memory_problems(info)
    yield from _find_door_problems(redis)
    offset = time.time() - redis.time()[0]
    if abs(offset) > TIME_MARGIN_SECONDS:
        said = f"Redis's clock differs from this host's by {abs(offset):.0f} s."
        yield found_warning("time", said, "Have both set by NTP: limits are counted by Redis's clock.")


def _find_memory_problems(info: dict[str, Any]) -> Iterator[Finding]:
    policy, most = str(info.get("maxmemory_policy", "")), int(info.get("maxmemory", 0))
    if policy not in ("", "noeviction"):
        said = f"Redis throws entries away when it is full (maxmemory-policy {policy}): work and limits can vanish."
        advice = "Set maxmemory-policy noeviction."
        yield found_bad("Redis", said, advice) if most else found_warning("Redis", said, advice)
    if info.get("loading") or info.get("rdb_last_bgsave_status") == "err" or info.get("aof_last_write_status") == "err":
        yield found_bad("Redis", "Redis cannot save to its disk, or still loads.", "Look at its log and its disk.")
    if not info.get("aof_enabled"):
        said = "Redis writes no append-only file: after a restart the limits are counted anew from the history."
        yield found_warning("Redis", said, "Set appendonly yes.")
    if info.get("role") not in (None, "master"):
        yield found_bad("Redis", "REDIS_URL leads to a replica.", "Let it lead to the master.")


def _find_door_problems(redis: Redis) -> Iterator[Finding]:
    """Whether anybody who reaches the server may use it, or listen."""
    where = redis.connection_pool.connection_kwargs
    host = str(where.get("host", ""))
    if host in ("", "localhost", "::1") or host.startswith("127."):
        return
    if not where.get("password") and where.get("credential_provider") is None:
        said = "Redis asks for no password, and is on another host."
        yield found_warning("Redis", said, "Give it a user with a password (ACL) and put both into REDIS_URL.")
    if "SSL" not in redis.connection_pool.connection_class.__name__:
        said = "What is said to Redis travels unencrypted to another host."
        yield found_warning("Redis", said, "Use rediss:// or a network of its own.")


def find_process_problems() -> Iterator[Finding]:
    """Whether a worker and one clock are there."""
    found = status.read()
    if not found.reachable:
        yield found_skipped("processes", "Workers and clock are known to Redis, which cannot be asked.")
        return
    alive = sum(worker.is_alive for worker in found.workers)
    if alive:
        yield found_ok("workers", f"{alive} give signs of life.")
    else:
        yield found_bad(
            "workers", "None gives signs of life: nothing is sent or imported.", "Start manage.py rqworker."
        )
    if found.clocks == 1:
        yield found_ok("clock", "It runs.")
    elif found.clocks:
        yield found_warning("clock", f"{found.clocks} run.", "One is enough.")
    else:
        yield found_bad("clock", "None runs: schedules do not start.", "Start manage.py clock, on one host.")
    if found.failed:
        said = f"{found.failed} pieces of work failed in the queue in the last day."
        yield found_warning("queue", said, "Look at the Queue page and the workers' log.")


def find_marketo_problems(*, connect: bool) -> Iterator[Finding]:
    """Whether Marketo is configured and sending goes on; whether it answers only where that is asked for.

    Args:
        connect: whether to call it.
    """
    for halted in Circuit.objects.filter(reset_at=None):
        yield found_warning(
            "sending", f"It is halted. {halted.reason}", "Put it right, then Reset on the Connection page."
        )
    try:
        missing = missing_settings()
        if missing:
            yield found_bad("Marketo", missing, "See docs/settings.md.")
        elif not connect:
            yield found_skipped("Marketo", f"It is configured ({transport_label()}); --connect would ask it.")
        else:
            with closing(open_transport()) as transport:
                ping = transport.ping()
            good = ping.verdict is ConnectionVerdict.OK
            said = f"{transport_label()}: {ping.message}"
            advice = "See “Test connection” in docs/operations.md."
            yield found_ok("Marketo", said) if good else found_bad("Marketo", said, advice)
    except MarketoError as error:
        yield found_bad("Marketo", error.message, "See docs/settings.md.")
