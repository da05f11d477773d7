"""What the queue's Redis tells about workers, and how long it is waited for."""

from __future__ import annotations

import socket
import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from mobjects.local.ports import HOST
from mobjects.processes import status as queue_status
from mobjects.processes.worker import SyncWorker


@pytest.fixture
def worker(queue):
    """A worker that is registered and has just given a sign of life."""
    worker = SyncWorker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.heartbeat()
    return worker


@pytest.mark.parametrize("state", ["busy", "idle"])
@pytest.mark.parametrize(("silent", "alive"), [(0, True), (25, True), (26, False), (479, False)])
def test_a_worker_counts_as_gone_after_two_signs_of_life_that_did_not_come(queue, worker, state, silent, alive):
    worker.set_state(state)
    # Redis forgets a worker 480 s after its last sign of life.
    queue.connection.expire(worker.key, 480 - silent)
    assert queue_status.worker_alive() is alive
    assert queue_status.read().workers[0].heartbeat_seconds == silent


def test_the_age_of_a_sign_of_life_is_that_of_one_clock(worker):
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        assert [each.heartbeat_seconds for each in queue_status.read().workers] == [0]


def test_a_busy_worker_gives_signs_of_life_as_often_as_an_idle_one(queue, worker):
    assert (worker.dequeue_timeout, worker.job_monitoring_interval) == (10, 10)
    # RQ itself lets Redis keep a busy worker for less long than an idle one.
    worker.heartbeat(worker.job_monitoring_interval + 60)
    assert queue_status.read().workers[0].heartbeat_seconds == 0


def test_a_worker_that_never_gave_a_sign_of_life_is_gone(queue, worker):
    queue.connection.persist(worker.key)
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
