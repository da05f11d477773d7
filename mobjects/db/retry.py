"""Saving what must not be lost: tried again where the database refuses for a reason that passes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, IntegrityError, InternalError, OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")

PAUSES_SECONDS = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Before each further attempt. SQLite waits 20 s by itself in each; a PostgreSQL that restarts is back within these."""

READ_ONLY = "25006"
"""PostgreSQL's code for a write that its server does not take: a replica, or a full disk of a managed database."""

_is_retrying: ContextVar[bool] = ContextVar("under_way", default=False)

logger = logging.getLogger(__name__)


def retry_on_database_error(save: Callable[P, T], *, pause: Callable[[float], None] = time.sleep) -> Callable[P, T]:
    """Make a function that writes in one transaction try again after a deadlock, a held lock or a lost connection.

    Marketo gives an answer once. Without this, an import that locks the same rows in another order (PostgreSQL
    ends one of the two) or that keeps SQLite's only write lock for long would turn it into an unknown outcome.

    Within another such function it is simply called: a transaction that broke can only be tried again as a whole,
    and holds its locks until then.

    Args:
        save: rolls back as a whole if it fails, so that it can be called again.
        pause: waits so many seconds.

    Raises:
        OperationalError, IntegrityError: the last attempt failed too.
    """

    @wraps(save)
    def save_with_retries(*args: P.args, **kwargs: P.kwargs) -> T:
        if _is_retrying.get():
            return save(*args, **kwargs)
        token = _is_retrying.set(True)
        try:
            return _try_repeatedly(partial(save, *args, **kwargs), pause)
        finally:
            _is_retrying.reset(token)

    return save_with_retries


def _try_repeatedly(save: Callable[[], T], pause: Callable[[float], None]) -> T:
    for seconds in PAUSES_SECONDS:
        try:
            _reconnect_if_lost()
            return save()
        # IntegrityError: somebody else took an ID between our look and our write; the next look sees it.
        except (OperationalError, IntegrityError, InternalError) as error:
            if isinstance(error, InternalError) and not is_read_only(error):
                raise
            logger.warning("Saving is tried again: %s", type(error).__name__)
            pause(seconds)
    _reconnect_if_lost()
    return save()


def is_read_only(error: DatabaseError) -> bool:
    """Whether the database refused a write because it takes none."""
    return getattr(error.__cause__, "sqlstate", "") == READ_ONLY


def _reconnect_if_lost() -> None:
    # Django's own close_if_unusable_or_obsolete() would make a new connection for each saving: one that has
    # CONN_MAX_AGE 0 is always too old to it. What was lost unnoticed shows in the first attempt, as an error.
    if connection.in_atomic_block or not connection.errors_occurred:
        return
    if connection.is_usable() and not _is_replica():
        connection.errors_occurred = False
    else:
        connection.close()


def _is_replica() -> bool:
    """Whether this connection leads to a server that takes no writes; its name may lead to another one by now."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        return bool(cursor.fetchone() == ("on",))
