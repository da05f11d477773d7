"""Fixtures that more than one folder of tests needs: a real Redis, a running sandbox, a Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import django_rq
import hypothesis
import pytest
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.utils import translation
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from mobjects.local import redis_server
from mobjects.local.ports import find_free_port
from mobjects.local.supervisor import Supervisor
from mobjects.permissions import create_groups
from mobjects.sandbox import KEY, USER_ID, SandboxServer
from tests.support import guid_transport
from tests.support.database_clock import DATABASE_CLOCK
from tests.support.guid_transport import GuidMarketo
from tests.support.hosts import World
from tests.support.rest_site import rest_settings

IN_CI = bool(os.environ.get("CI"))

# In CI the same examples each time: a red run can be repeated. Elsewhere new ones, to find more.
hypothesis.settings.register_profile("ci", derandomize=True)
if IN_CI:
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def redis_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis: the one REDIS_URL names (its contents are deleted), else one of our own."""
    given = os.environ.get("REDIS_URL")
    if given:
        assert redis_server.is_answering(given), "REDIS_URL is set, but no Redis answers there"
        yield given
        return
    folder, port = tmp_path_factory.mktemp("redis"), find_free_port()
    url = redis_server.server_url(port)
    with Supervisor(folder / "log", os.environ, signals=False) as supervisor:
        command = redis_server.build_command(redis_server.find_program(), port, folder / "data")
        supervisor.start_child("redis", command, lambda: redis_server.is_answering(url))
        yield url


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Nothing counted or kept for a while by another test, whose records had the same numbers."""
    cache.clear()


@pytest.fixture
def redis_url(redis_server_url: str, settings, tmp_path: Path) -> str:
    """An empty Redis that the queue uses, and a host that remembers how far its installation has come."""
    settings.INSTALLATION_FILE = str(tmp_path / "host" / "installation.json")
    with Redis.from_url(redis_server_url) as client:
        client.flushdb()
    settings.REDIS_URL = redis_server_url
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": redis_server_url}}
    return redis_server_url


@pytest.fixture
def queue(redis_url: str, db: None) -> Queue:
    """The sync queue, on a real Redis, empty."""
    return django_rq.get_queue("sync")


@pytest.fixture
def work(queue: Queue) -> Callable[[], None]:
    """Run a real worker in this process until the queue is empty."""

    def run() -> None:
        worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="WARNING")

    return run


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """A running local Marketo of its own, with the usual sample programs and people."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def marketo_settings(sandbox: SandboxServer, redis_url: str, settings) -> dict[str, object]:
    """Settings that point at the sandbox, with the limits in an empty Redis; no external key fields."""
    settings.MARKETO = {
        **settings.MARKETO,
        "SOAP_ENDPOINT": sandbox.endpoint,
        "USER_ID": USER_ID,
        "ENCRYPTION_KEY": KEY,
    }
    return settings.MARKETO


@pytest.fixture
def guid_marketo(redis_url: str, settings) -> Iterator[GuidMarketo]:
    """The site with a Marketo in memory whose API has GUIDs and keys, with the limits in an empty Redis."""
    marketo = GuidMarketo()
    settings.MARKETO = {**settings.MARKETO, **guid_transport.SETTINGS}
    with guid_transport.registered(marketo):
        yield marketo


@pytest.fixture
def marketo_rest_settings(marketo_settings: dict[str, object], sandbox: SandboxServer, settings) -> dict[str, object]:
    """Settings that point at the same sandbox, over REST."""
    settings.MARKETO = {**marketo_settings, **rest_settings(sandbox)}
    return settings.MARKETO


@pytest.fixture(params=["soap", "rest"])
def either_api(request: pytest.FixtureRequest) -> str:
    """Settings that point at the sandbox, over each API in turn; its name."""
    request.getfixturevalue("marketo_settings" if request.param == "soap" else "marketo_rest_settings")
    return str(request.param)


@pytest.fixture
def world(sandbox: SandboxServer) -> Iterator[Callable[..., World]]:
    """Make a world in which hosts, database and Marketo may have different clocks."""
    before = DATABASE_CLOCK.source
    yield partial(World, sandbox)
    DATABASE_CLOCK.source = before


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """Each test begins in English: LocaleMiddleware leaves the language of the last request to the thread."""
    with translation.override("en-us"):
        yield


@pytest.fixture
def groups(db) -> None:
    """The groups that come by migration; a transactional test empties the tables before the next one."""
    create_groups(Group, Permission)


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """A Chromium to drive. Without one the test is skipped, but in CI it fails."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return Path(found)
    message = "no Chromium on PATH; get one with: apt-get install chromium (or brew install --cask chromium)"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)
