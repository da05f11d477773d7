"""A real worker process: what the queue's Redis goes through does not end it, and that it was killed shows soon."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from threading import Event

import pytest
from django.utils import timezone
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from mobjects.local import redis_server
from mobjects.local.ports import find_free_port
from mobjects.local.supervisor import Supervisor
from mobjects.processes import status as queue_status
from mobjects.processes.status import SILENCE_SECONDS
from mobjects.processes.worker import SIGN_OF_LIFE_SECONDS
from mobjects.sync.installation.identity import get_installation, name_outside
from tests.files import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
PATIENCE_SECONDS = 100


@pytest.fixture
def own_redis(tmp_path, settings):
    """A Redis of the test's own, because it is spoilt."""
    port = find_free_port()
    url = redis_server.server_url(port)
    with Supervisor(tmp_path / "log", os.environ, signals=False) as supervisor:
        command = redis_server.build_command(redis_server.find_program(), port, tmp_path / "data")
        supervisor.start_child("redis", command, lambda: redis_server.is_answering(url))
        settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": url}}
        with Redis.from_url(url) as redis:
            yield redis, url


@pytest.fixture
def worker(own_redis, tmp_path):
    """A worker process, ready for work."""
    _, url = own_redis
    values = {**os.environ, "REDIS_URL": url, "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    manage = [sys.executable, "-W", "ignore", "manage.py"]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=values, check=True)
    share_identity(tmp_path / "db.sqlite3")
    with subprocess.Popen([*manage, "rqworker", "sync"], cwd=ROOT, env=values, stderr=-3) as process:
        try:
            wait_for(queue_status.worker_alive)
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def share_identity(database):
    """Give a database our identity, so that we look at the queue that its worker listens to."""
    moment = str(timezone.now())
    values = get_installation().identity, str(database.resolve())[-255:], 0, moment, moment
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO mobjects_installation (identity, place, is_marked, created_at, seen_at) "
            "VALUES (?, ?, ?, ?, ?)",
            values,
        )
    connection.close()


def wait_for(condition):
    """Goes on as soon as it is so; how long that took, in seconds."""
    never, began = Event(), time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_SECONDS, "it never came to that"
        never.wait(0.1)
    return time.monotonic() - began


def works(redis):
    """Whether work that is queued now gets done."""
    job = Queue(name_outside("sync"), connection=redis, serializer=JSONSerializer).enqueue(
        "mobjects.processes.scheduler.tick"
    )
    wait_for(lambda: job.get_status() == "finished")


def test_a_worker_outlives_a_redis_that_is_full_or_becomes_a_replica(own_redis, worker):
    redis, _ = own_redis
    for spoil, mend in (
        (lambda: redis.replicaof("127.0.0.1", 9), lambda: redis.replicaof("NO", "ONE")),
        (lambda: redis.config_set("maxmemory", 1), lambda: redis.config_set("maxmemory", 0)),
    ):
        works(redis)
        spoil()
        refused = redis.info("stats")["total_error_replies"]
        wait_for(lambda before=refused: redis.info("stats")["total_error_replies"] > before)
        mend()
        works(redis)
    assert worker.poll() is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_was_killed_or_frozen_is_not_alive_any_more(own_redis, worker, how):
    worker.send_signal(how)
    after = wait_for(lambda: queue_status.worker_alive() is False)
    assert SILENCE_SECONDS - SIGN_OF_LIFE_SECONDS <= after <= SILENCE_SECONDS + 2
