"""High-water marks: the number of the last call that may have changed Marketo, kept outside the database.

In the queue's Redis, which all hosts share, and in a file of each host. A database that knows less than a mark was
restored from a backup. A backup of the database alone holds neither.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from mobjects.queue_redis import connect_queue
from mobjects.sync import marketo_settings

KEY = "marketo-installations"
"""A sorted set: identity by mark. One for all installations that share a Redis, so that each sees the others."""

logger = logging.getLogger(__name__)


def read_mark(identity: str) -> int | None:
    """The highest mark of an installation that Redis or this host knows; ``None`` if neither knows it.

    Raises:
        RedisError: Redis cannot be asked.
    """
    score = connect().zscore(KEY, identity)
    known = [_read_file().get(identity), None if score is None else int(float(score))]
    return max((mark for mark in known if mark is not None), default=None)


def raise_mark(identity: str, mark: int, redis: Redis | None = None) -> bool:
    """Write a mark down, in Redis and on this host, unless a higher one is there.

    Args:
        redis: from :func:`connect`, where more marks will follow.

    Returns:
        ``False`` if Redis took none.
    """
    _raise_in_file(identity, mark)
    try:
        (redis or connect()).zadd(KEY, {identity: mark}, gt=True)
    except RedisError as error:
        logger.warning("The mark of this installation was not kept in Redis: %s", type(error).__name__)
        return False
    return True


def connect() -> Redis:
    """A client of its own of the Redis that keeps the marks, not connected yet."""
    return connect_queue(again=1)  # Both commands can be done twice.


def _read_file() -> dict[str, int]:
    path = marketo_settings.installation_file()
    try:
        return _parse(Path(path).read_text()) if path else {}
    except OSError:
        return {}


def _parse(text: str) -> dict[str, int]:
    try:
        return {str(name): int(mark) for name, mark in json.loads(text or "{}").items()}
    except (ValueError, AttributeError, TypeError):
        return {}  # Cut off by a full disk; as if it were not there.


def _raise_in_file(identity: str, mark: int) -> None:
    path = marketo_settings.installation_file()
    if not path:
        return
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            marks = _parse(file.read())
            if marks.get(identity, -1) < mark:
                file.seek(0)
                file.write(json.dumps({**marks, identity: mark}))
                file.truncate()
    except OSError as error:
        logger.warning("The mark of this installation was not kept in %s: %s", path, error.strerror)
