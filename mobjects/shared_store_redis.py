"""What all processes of an installation know together, in the queue's Redis.

Redis may be away, full or emptied: then this knows nothing, which costs a few calls to Marketo and loses no work.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property

from redis import Redis
from redis.exceptions import RedisError

from mobjects.marketo.shared_store import MemoryStore, SharedStore
from mobjects.models import Installation
from mobjects.queue_redis import connect_queue, describe_redis_error

PREFIX = "marketo-shared"

_UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"
"""Only who holds a lock frees it: it may have run out, and be another's by now."""

logger = logging.getLogger(__name__)


def open_shared_store() -> SharedStore:
    """The store of this installation. One that has no identity yet, as before its first job, shares nothing."""
    installation = Installation.objects.first()
    return RedisStore(installation.identity) if installation else MemoryStore()


class SharedStoreOnDemand:
    """The store of this installation, opened when something is asked of it for the first time."""

    @cached_property
    def _store(self) -> SharedStore:
        return open_shared_store()

    def get(self, name: str) -> str | None:
        """See :class:`mobjects.marketo.shared_store.SharedStore`."""
        return self._store.get(name)

    def set(self, name: str, value: str, seconds: float) -> None:
        """See :class:`mobjects.marketo.shared_store.SharedStore`."""
        self._store.set(name, value, seconds)

    def delete(self, name: str) -> None:
        """See :class:`mobjects.marketo.shared_store.SharedStore`."""
        self._store.delete(name)

    def lock(self, name: str, seconds: float) -> AbstractContextManager[bool]:
        """See :class:`mobjects.marketo.shared_store.SharedStore`."""
        return self._store.lock(name, seconds)


class RedisStore:
    """A :class:`mobjects.marketo.shared_store.SharedStore` in Redis.

    Args:
        identity: of the installation; several may share a Redis.
        redis: where; the queue's, if none is given.
    """

    def __init__(self, identity: str, redis: Redis | None = None) -> None:
        self._prefix = f"{PREFIX}-{identity}"
        self._redis = redis or connect_queue(again=1)  # What is read, set or deleted twice is the same.

    def get(self, name: str) -> str | None:
        """What was kept under a name; ``None`` if nothing was, or Redis does not say."""
        try:
            kept = self._redis.get(self._key(name))
        except RedisError as error:
            _log(error)
            return None
        return kept.decode() if isinstance(kept, bytes) else None

    def set(self, name: str, value: str, seconds: float) -> None:
        """Keep a text for so many seconds, if Redis takes it."""
        if seconds <= 0:
            return
        try:
            self._redis.set(self._key(name), value, px=max(1, round(seconds * 1000)))
        except RedisError as error:
            _log(error)

    def delete(self, name: str) -> None:
        """Forget what was kept under a name."""
        try:
            self._redis.delete(self._key(name))
        except RedisError as error:
            _log(error)

    @contextmanager
    def lock(self, name: str, seconds: float) -> Iterator[bool]:
        """Be the only one, for at most so many seconds; see the protocol. Without Redis everybody may pass."""
        key, mine = self._key(f"lock:{name}"), secrets.token_hex(8)
        free = self._acquire_lock(key, mine, seconds)
        try:
            yield free
        finally:
            if free:
                self._free_lock(key, mine)

    def _acquire_lock(self, key: str, mine: str, seconds: float) -> bool:
        try:
            return bool(self._redis.set(key, mine, px=max(1, round(seconds * 1000)), nx=True))
        except RedisError as error:
            _log(error)
            return True

    def _free_lock(self, key: str, mine: str) -> None:
        try:
            self._redis.eval(_UNLOCK, 1, key, mine)
        except RedisError as error:
            _log(error)

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"


def _log(error: RedisError) -> None:
    logger.warning("What workers share about Marketo is not shared now: Redis %s.", describe_redis_error(error))
