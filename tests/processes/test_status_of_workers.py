"""What the queue's Redis tells about workers, and how long it is waited for."""

from __future__ import annotations

import socket
import time

import pytest
from rq import Worker

from mobjects.local.ports import HOST
from mobjects.processes import status as queue_status
from mobjects.processes.status import WorkerStatus


@pytest.mark.parametrize(
    ("state", "silent", "alive"), [("busy", 120, True), ("busy", 121, False), ("idle", 480, True), ("idle", 481, False)]
)
def test_a_worker_is_gone_after_a_silence_that_a_busy_one_never_keeps(state, silent, alive):
    assert WorkerStatus("w", state, silent, None).is_alive is alive


def test_a_worker_that_never_gave_a_sign_of_life_is_gone(queue):
    worker = Worker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    assert queue_status.worker_alive()
    queue.connection.hdel(worker.key, "last_heartbeat")
    assert [each.name for each in queue_status.read().workers] == [worker.name]
    assert not queue_status.worker_alive()


@pytest.mark.django_db
def test_a_redis_that_takes_connections_and_says_nothing_is_not_waited_for(settings):
    with socket.create_server((HOST, 0)) as silent:
        url = f"redis://{HOST}:{silent.getsockname()[1]}/0"
        settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": url}}
        began = time.monotonic()
        assert not queue_status.read().reachable
        assert queue_status.worker_alive() is None
    assert time.monotonic() - began < 8
