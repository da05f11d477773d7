"""How this installation talks to the queue's Redis: how long it waits, how often it asks again, and errors in words.

A client from redis-py's constructor asks ten times more after a lost connection, one from an address never (8.1). A
command whose answer was lost has been done, so here it is said for each client, and who asks again sends what can be
done twice: a script that knows its token, a job with a name of its own, a key that is set to the same value.
"""

from __future__ import annotations

import re

import django_rq
from django.utils.translation import gettext_noop as _
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MaxConnectionsError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

QUEUE = "sync"
SOCKET_SECONDS = 1.0
"""Longest wait for a connection and for each answer: a page that says that Redis is down must not hang itself."""

PAUSE_SECONDS = 0.1
"""Before a command is sent again."""


def connect_queue(*, again: int = 0, seconds: float = SOCKET_SECONDS) -> Redis:
    """A client of its own of the queue's Redis, not connected yet.

    Args:
        again: how often a command is sent again after a lost connection; only for commands that can be done twice.
        seconds: longest wait for a connection and for each answer.
    """
    redis: Redis = django_rq.get_connection(QUEUE)
    retry = Retry(ConstantBackoff(PAUSE_SECONDS), again, supported_errors=(RedisConnectionError, TimeoutError, OSError))
    redis.connection_pool.connection_kwargs.update(
        socket_timeout=seconds, socket_connect_timeout=seconds, retry=retry, retry_on_error=[]
    )
    return redis


_WORDS: tuple[tuple[type[RedisError], str], ...] = (
    # The more special ones first: some of them are connection errors too.
    (ReadOnlyError, _("takes no writes: it is a read-only replica, as while another server takes over")),
    (OutOfMemoryError, _("is full (maxmemory) and takes no writes; give it more memory")),
    (AuthenticationError, _("refuses the user or the password of REDIS_URL")),
    (BusyLoadingError, _("was started a moment ago and still loads its data")),
    (MaxConnectionsError, _("has no connection left (maxclients)")),
    (TimeoutError, _("does not answer in time")),
    (RedisConnectionError, _("cannot be reached")),
)
_CODES = {
    "MISCONF": _("cannot save to its disk and takes no writes"),
    "NOREPLICAS": _("takes no writes: too few of its replicas are there"),
    "MASTERDOWN": _("is a replica that has lost its master"),
    "NOAUTH": _("wants a password, and REDIS_URL has none"),
}


def describe_redis_error(error: Exception) -> str:
    """What is wrong with Redis, as the end of a sentence that begins with "Redis". Holds no secret."""
    text = str(error)
    if isinstance(error, NoPermissionError):
        command = re.search(r"run the '([^']+)'", text)
        named = _("the command %(command)s") % {"command": command[1].upper()} if command else _("one of our keys")
        return _("does not let the user of REDIS_URL use %(named)s; its ACL has to allow that") % {"named": named}
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    # In a transaction it stands behind the number of the command, whose arguments are nobody's business.
    code = re.search(r"(?:^|caused error: )([A-Z]{3,})\b", text)
    return (
        _CODES.get(code[1], _("refuses a command (%(code)s)") % {"code": code[1]}) if code else _("refuses a command")
    )


def redis_sentence(error: Exception) -> str:
    """What is wrong with Redis, as a sentence."""
    return _("The queue (Redis) %(problem)s.") % {"problem": describe_redis_error(error)}
