"""Nothing that is kept, shown or logged of a run over REST holds the client secret or a token."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import traceback
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.urls import reverse
from redis import Redis

from mobjects.jobs.requests import request_sync
from mobjects.marketo.errors import MarketoError
from mobjects.models import EarlierCall, SyncBatch, SyncResult
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET
from mobjects.shared_store_redis import PREFIX
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import open_transport
from tests import factories

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_rest_settings", "groups"),
]

TOKEN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:sj")
"""Every token of the sandbox looks like this."""
IDENTITY = "*/identity/oauth/token"
SECRET_BACK = f"client_secret={CLIENT_SECRET} and {CLIENT_SECRET}"
TOKEN_BACK = f"Bearer {{token}}, {{token}}; {SECRET_BACK}"
"""What an error page or a proxy may repeat of what it was sent."""
FAULTS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "604": [{"kind": "error", "code": "604", "applied": True, "path": "POST /rest/*"}],
    "no token for bad credentials": [
        {"kind": "error", "code": "invalid_client", "text": SECRET_BACK, "status": 401, "path": IDENTITY, "times": 9}
    ],
    "a page in the place of a token": [{"kind": "http", "text": SECRET_BACK, "path": IDENTITY, "times": 9}],
    "half of a token": [{"kind": "cut_inside", "path": IDENTITY, "times": 9}],
    "token refused": [{"kind": "error", "code": "601", "text": TOKEN_BACK, "path": "/rest/*"}],
    "line cut": [{"kind": "cut_after", "path": "/rest/*"}],
    "a page that repeats what was sent": [{"kind": "http", "text": TOKEN_BACK, "path": "/rest/*", "times": 3}],
}


@pytest.fixture
def operator(client):
    client.force_login(factories.user("olga", group="operator"))
    return client


@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_and_no_token_anywhere(operator, work, sandbox, redis_url, caplog, fault):
    caplog.set_level(logging.DEBUG)
    spoil(sandbox, fault)
    factories.role(factories.opportunity())
    program = factories.program(name=sandbox.store.programs[1001].name)
    factories.cost(program)
    factories.tag(program)
    request_sync(SyncSelection())
    work()
    kept: dict[str, list[str]] = {
        "Redis": redis_texts(redis_url),
        "tables": [
            repr(list(model._base_manager.all().values())) for model in apps.get_models() if model._meta.managed
        ],
        "pages": pages(operator),
        "exceptions": exceptions(sandbox),
        "log": [caplog.text, *(repr(vars(record)) for record in caplog.records)],
        "process titles": [title()],
    }
    found = [
        f"{place}: {text[max(0, at - 90) : at + 60]!r}"
        for place, texts in kept.items()
        for text in texts
        for at in [position_of_secret(text)]
        if at >= 0
    ]
    assert found == []
    assert SyncBatch.objects.exists()
    assert all(kept.values())
    if fault in ("none", "604"):
        assert EarlierCall.objects.exists()
        assert f"{PREFIX}-" in " ".join(kept["Redis"]), "no token was kept, so nothing was tried"


def spoil(sandbox, fault: str) -> None:
    """Script a fault; what is repeated of the token is the one that this Marketo hands out now."""
    token = current_token(sandbox)
    for script in FAULTS[fault]:
        sandbox.faults.add(**{**script, "text": script.get("text", "").replace("{token}", token)})


def current_token(sandbox) -> str:
    given = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    answer = httpx.post(f"{sandbox.identity_endpoint}/oauth/token", data=given)
    token = str(answer.json()["access_token"])
    assert TOKEN.fullmatch(token)
    return token


def position_of_secret(text: str) -> int:
    token = TOKEN.search(text)
    return text.find(CLIENT_SECRET) if token is None else token.start()


def redis_texts(url: str) -> list[str]:
    """Every key with what it holds, what the queue compresses decompressed."""
    with Redis.from_url(url) as redis:
        return [f"{key!r}: {readable(value)}" for key in redis.scan_iter() for value in values_of(redis, key)]


def tables() -> list[str]:
    """All rows of all tables."""
    return [repr(list(model._base_manager.values())) for model in apps.get_models() if model._meta.managed]


def values_of(redis: Redis, key: bytes) -> list[bytes]:
    readers: dict[Any, Callable[[], Any]] = {
        b"string": lambda: [redis.get(key)],
        b"hash": lambda: [part for pair in redis.hgetall(key).items() for part in pair],
        b"list": lambda: redis.lrange(key, 0, -1),
        b"set": lambda: list(redis.smembers(key)),
        b"zset": lambda: redis.zrange(key, 0, -1),
        b"stream": lambda: [repr(redis.xrange(key)).encode()],
        b"none": list,  # It has run out since.
    }
    return [value for value in readers[redis.type(key)]() if value is not None]


def readable(value: bytes) -> str:
    with suppress(zlib.error):
        value = zlib.decompress(value)
    return value.decode("utf-8", "backslashreplace")


def pages(client) -> list[str]:
    """The pages that show something of a sync."""
    batch, result = SyncBatch.objects.first(), SyncResult.objects.first()
    addresses = [
        reverse("admin:index"),
        reverse("admin:mobjects_syncjob_changelist"),
        reverse("admin:mobjects_syncjob_change", args=[batch.job_id]),
        *(reverse("admin:mobjects_syncbatch_change", args=[each.pk]) for each in SyncBatch.objects.all()[:3]),
        reverse("mobjects:record-history", args=[result.kind, result.record_id]),
        reverse("mobjects:connection"),
        reverse("mobjects:queue"),
        reverse("mobjects:sync") + "?kind=all",
    ]
    answers = [client.get(address) for address in addresses]
    answers.append(client.post(reverse("mobjects:connection"), follow=True))
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content.decode() for answer in answers]


def exceptions(sandbox) -> list[str]:
    """What errors say of themselves, and where they came from, of calls that go wrong in each of these ways."""
    texts = []
    for fault in FAULTS:
        sandbox.faults.clear()
        spoil(sandbox, fault)
        transport = open_transport()
        try:
            transport.tags()
        except MarketoError as error:
            texts += [*traceback.format_exception(error), repr(error), repr(vars(error)), str(error.exchange)]
        texts += [repr(transport), str(vars(transport))]
    return texts


def title() -> str:
    """What this process, in which the worker ran, is called for everyone on the machine."""
    command = ["ps", "-ww", "-o", "command=", "-p", str(os.getpid())]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
