"""Work in the queue that a worker refused, kept in Redis for a week, so that a page can say it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError
from rq.exceptions import DeserializationError
from rq.job import Job

from mobjects import clock
from mobjects.queue_redis import connect_queue
from mobjects.sync.installation.identity import name_outside

KEPT_SECONDS = 7 * 24 * 3600
MOST = 20
"""How many are kept, the newest first."""

MOST_CHARACTERS = 100
"""Of the name of a function, which whoever wrote to Redis made up."""


@dataclass(frozen=True, slots=True)
class RefusedWork:
    """What was to be called, when that was refused, and why."""

    function: str
    at: datetime
    reason: str


def note_refused_work(job: Job, reason: str) -> str:
    """Write down that a piece of work was refused.

    Returns:
        The name of the function that it was about; "" if it names none.

    Raises:
        RedisError: it cannot be written.
    """
    function = _function_name(job)
    entry = json.dumps({"function": function, "at": clock.now().isoformat(), "reason": reason})
    with connect_queue().pipeline() as pipe:
        pipe.lpush(_key(), entry)
        pipe.ltrim(_key(), 0, MOST - 1)
        pipe.expire(_key(), KEPT_SECONDS)
        pipe.execute()
    return function


def list_refused_work() -> list[RefusedWork]:
    """What was refused within a week, the newest first; nothing where Redis cannot be asked."""
    try:
        entries: Any = connect_queue().lrange(_key(), 0, MOST - 1)
        return [_read(json.loads(entry)) for entry in entries]
    except (RedisError, ValueError, KeyError, TypeError):
        # Whoever put work there can spoil this list as well; the log has it.
        return []


def _read(entry: dict[str, str]) -> RefusedWork:
    return RefusedWork(str(entry["function"]), datetime.fromisoformat(entry["at"]), str(entry["reason"]))


def _function_name(job: Job) -> str:
    try:
        return "".join(sign for sign in str(job.func_name) if sign.isprintable())[:MOST_CHARACTERS]
    except DeserializationError:
        return ""


def _key() -> str:
    return name_outside("marketo-refused")
