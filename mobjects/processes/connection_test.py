"""Testing the connection in the background: a Marketo that does not answer must hold up no page.

One test at a time, of one worker. It changes nothing, and what it found is of use for a while only: it is kept in the
queue's Redis for an hour, and the audit log says who asked.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from django.utils.translation import gettext_noop as _
from redis import Redis
from redis.exceptions import RedisError

from mobjects import clock
from mobjects.jobs.queue import enqueue_work
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.transport import ConnectionVerdict, MarketoTransport, PingResult
from mobjects.marketo.types import Kind
from mobjects.queue_redis import connect_queue
from mobjects.sync.installation.identity import name_outside
from mobjects.sync.transport_factory import key_fields, open_transport

RUNNER = f"{__name__}.run_connection_test"
NAME = "marketo-connection-test"
SILENT_SECONDS = 10
"""A Marketo that is silent for longer does not answer. A test takes a few calls at most."""
LONGEST_SECONDS = 120
"""A test that has no answer by then will have none: no worker took it, or one died over it."""
KEPT_SECONDS = 3600


class TestStart(StrEnum):
    """What came of asking for a test."""

    __test__ = False  # for pytest

    STARTED = "started"
    UNDER_WAY = "under way"
    NO_QUEUE = "no queue"


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """A test of the connection, from being asked for to its answer.

    Args:
        token: a UUID.
        username: who asked.
        asked_at, began_at, ended_at: ISO 8601 by the database's clock; "" if not yet.
        verdict: one of :class:`ConnectionVerdict`; "" before the end.
        message: what it means, in English.
        clock_offset_seconds: Marketo's clock minus ours, if the answer told it.
        key_field: about the opportunity key field, in English; "" if none is set.
    """

    token: str
    username: str
    asked_at: str
    began_at: str = ""
    ended_at: str = ""
    verdict: str = ""
    message: str = ""
    clock_offset_seconds: float | None = None
    key_field: str = ""

    def is_under_way(self, now: datetime) -> bool:
        """Whether an answer may still come."""
        return not self.ended_at and now - datetime.fromisoformat(self.asked_at) < timedelta(seconds=LONGEST_SECONDS)


def request_connection_test(username: str) -> TestStart:
    """Have a worker test the connection, unless one is at it."""
    test = ConnectionTest(str(uuid4()), username, clock.now().isoformat())
    redis = connect_queue(again=1)
    try:
        if not _acquire_turn(redis, test.token):
            return TestStart.UNDER_WAY
        _keep(redis, test)
    except RedisError:
        return TestStart.NO_QUEUE
    return TestStart.STARTED if enqueue_work(RUNNER, test.token, "connection-", None) else TestStart.NO_QUEUE


def find_connection_test() -> ConnectionTest | None:
    """The newest test; ``None`` if there was none in the last hour, or Redis does not say."""
    try:
        return _read(connect_queue(again=1))
    except RedisError:
        return None


def run_connection_test(token: str) -> None:
    """Test the connection, as a worker does, and keep what was found. One that nobody waits for any more is left.

    Args:
        token: of the test.
    """
    redis = connect_queue(again=1)
    test = _read(redis)
    now = clock.now()
    if test is None or test.token != token or not test.is_under_way(now):
        return
    test = replace(test, began_at=now.isoformat())
    _keep(redis, test)
    ping, key_field = ask_marketo()
    found = _read(redis)
    if found is None or found.token != token:
        return
    _keep(
        redis,
        replace(
            test,
            ended_at=clock.now().isoformat(),
            verdict=ping.verdict.value,
            message=ping.message,
            clock_offset_seconds=ping.clock_offset_seconds,
            key_field=key_field,
        ),
    )
    redis.delete(_turn())


def ask_marketo() -> tuple[PingResult, str]:
    """Whether Marketo answers and takes the credentials, and whether it knows the opportunity key field."""
    try:
        transport = open_transport(test_seconds=SILENT_SECONDS)
    except MarketoError as error:
        return PingResult(ConnectionVerdict.NOT_CONFIGURED, error.message), ""
    with closing(transport):
        ping = transport.ping()
        return ping, _describe_key_field(transport) if ping.verdict is ConnectionVerdict.OK else ""


def _describe_key_field(transport: MarketoTransport) -> str:
    name = key_fields().opportunity
    if not name:
        return ""
    try:
        known = {field.name for field in transport.describe(Kind.OPPORTUNITY).fields}
    except MarketoError as error:
        return _("Whether opportunities have the field “%(name)s” could not be found out. %(message)s") % {
            "name": name,
            "message": error.message,
        }
    if name in known:
        return _("Opportunities have the field “%(name)s”, which holds our external ID.") % {"name": name}
    return _("Opportunities have no field “%(name)s”: check MARKETO_OPPORTUNITY_KEY_FIELD.") % {"name": name}


def _acquire_turn(redis: Redis, token: str) -> bool:
    # Where the answer was lost and the command sent again, the turn is ours already.
    return bool(redis.set(_turn(), token, nx=True, ex=LONGEST_SECONDS)) or redis.get(_turn()) == token.encode()


def _turn() -> str:
    return f"{name_outside(NAME)}:turn"


def _keep(redis: Redis, test: ConnectionTest) -> None:
    redis.set(name_outside(NAME), json.dumps(asdict(test)), ex=KEPT_SECONDS)


def _read(redis: Redis) -> ConnectionTest | None:
    kept = redis.get(name_outside(NAME))
    return ConnectionTest(**json.loads(kept)) if isinstance(kept, bytes) else None
