"""Hosts whose workers stepped aside because the database is newer than their program, kept in Redis for the pages."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from mobjects import clock
from mobjects.db.schema_version import NEWEST, find_later_migration
from mobjects.queue_redis import connect_queue
from mobjects.sync.installation.identity import name_outside

_NAME = "marketo-behind"
FORGOTTEN_SECONDS = 600
"""A supervised worker tries again every few seconds; of a host where nobody tried for so long nothing is said."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostBehind:
    """A host, and the last migration that its program knows."""

    host: str
    newest: str


def find_schema_ahead() -> str:
    """Whether this program is behind the database: the migration that it does not know, written down for the pages.

    Returns:
        "" if it is not behind.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    later = find_later_migration()
    if not later:
        return ""
    logger.warning("This program knows migration %s; the database has %s. Its workers step aside.", NEWEST, later)
    with suppress(RedisError):  # The log has it.
        connect_queue().zadd(_key(), {f"{socket.gethostname()} {NEWEST}": clock.now().timestamp()})
    return later


def list_hosts_behind(redis: Redis, identity: str) -> tuple[HostBehind, ...]:
    """The hosts whose workers stepped aside not long ago and have not come back newer.

    Args:
        identity: of this installation.

    Raises:
        RedisError: Redis cannot be asked.
    """
    key = f"{_NAME}-{identity}"
    names = cast(list[bytes], redis.zrange(key, 0, -1))
    if not names:
        return ()  # Nearly always: nobody has to be asked for the time.
    since = clock.now().timestamp() - FORGOTTEN_SECONDS
    recent = cast(list[bytes], redis.zrangebyscore(key, since, "+inf"))
    pairs = (name.decode().rsplit(" ", 1) for name in recent)
    return tuple(HostBehind(host, newest) for host, newest in pairs)


def forget_host_behind() -> None:
    """Say of this host that its workers are as new as the database."""
    redis, host = connect_queue(), socket.gethostname().encode()
    with suppress(RedisError):  # It is forgotten by itself, too.
        old = [name for name in cast(list[bytes], redis.zrange(_key(), 0, -1)) if name.rsplit(b" ", 1)[0] == host]
        if old:
            redis.zrem(_key(), *old)


def _key() -> str:
    return name_outside(_NAME)
