"""What is wrong with Redis is named for what it is, wherever it is met. A Redis of its own, because it is spoilt."""

from __future__ import annotations

import os

import pytest
from django.utils import timezone
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from mobjects.jobs.queue import enqueue_job
from mobjects.local import redis_server
from mobjects.local.ports import find_free_port
from mobjects.local.supervisor import Supervisor
from mobjects.models import SyncJobState
from mobjects.queue_redis import QUEUE, connect_queue, describe_redis_error
from mobjects.sync.installation.identity import name_outside
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.task import WaitRequired
from tests import factories
from tests.views import pages

ENDPOINT = "https://123-ABC-456.mktoapi.com/soap/mktows/2_7"
FULL = "is full (maxmemory) and takes no writes; give it more memory"
REPLICA = "takes no writes: it is a read-only replica, as while another server takes over"
TOO_FEW = "takes no writes: too few of its replicas are there"
NO_INFO = "does not let the user of REDIS_URL use the command INFO; its ACL has to allow that"
NO_KEYS = "does not let the user of REDIS_URL use one of our keys; its ACL has to allow that"
NO_LOGIN = "refuses the user or the password of REDIS_URL"
PASSWORD = "very-secret"  # of a Redis that lives for a test


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory):
    """A Redis that a test may spoil."""
    folder, port = tmp_path_factory.mktemp("own-redis"), find_free_port()
    url = redis_server.server_url(port)
    with Supervisor(folder / "log", os.environ, signals=False) as supervisor:
        command = redis_server.build_command(redis_server.find_program(), port, folder / "data")
        supervisor.start_child("redis", command, lambda: redis_server.is_answering(url))
        yield url


@pytest.fixture
def spoil(own_redis, settings):
    """Makes Redis full, a replica and so on; gives the address to use then. All right again after the test."""
    with Redis.from_url(own_redis) as redis:
        redis.flushall()

        def make(how: str) -> None:
            url = own_redis
            if how == FULL:
                redis.config_set("maxmemory", 1)
            elif how == REPLICA:
                redis.replicaof("127.0.0.1", 9)
            elif how == TOO_FEW:
                redis.config_set("min-replicas-to-write", 1)
            elif how in (NO_INFO, NO_KEYS):
                rights = ["~*", "+@all", "-info"] if how == NO_INFO else ["~rq:*", "+@all"]
                redis.execute_command("ACL", "SETUSER", "app", "on", f">{PASSWORD}", *rights)
                url = own_redis.replace("redis://", f"redis://app:{PASSWORD}@")
            elif how == NO_LOGIN:
                url = own_redis.replace("redis://", f"redis://nobody:{PASSWORD}@")
            settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": url}}

        yield make
        redis.config_set("maxmemory", 0)
        redis.replicaof("NO", "ONE")
        redis.config_set("min-replicas-to-write", 0)
        redis.execute_command("ACL", "DELUSER", "app")


@pytest.mark.django_db
@pytest.mark.parametrize("problem", [FULL, REPLICA, TOO_FEW, NO_INFO, NO_KEYS, NO_LOGIN])
def test_a_call_that_redis_keeps_from_being_made_says_what_is_wrong_with_it(spoil, problem):
    spoil(problem)
    with pytest.raises(WaitRequired) as caught, RedisRateLimiter.from_settings(ENDPOINT).permit_call():
        pass
    assert caught.value.reason == (
        f"The queue (Redis) {problem}. It holds the shared limits, and nothing is sent to Marketo without them."
    )
    assert 14 < (caught.value.until - timezone.now()).total_seconds() <= 15


@pytest.mark.django_db
@pytest.mark.parametrize("problem", [FULL, REPLICA, TOO_FEW, NO_LOGIN])
def test_a_job_that_redis_does_not_take_says_why_and_is_not_queued(spoil, problem):
    spoil(problem)
    job = factories.job_in(SyncJobState.NOT_QUEUED)
    assert not enqueue_job(job)
    assert job.state == SyncJobState.NOT_QUEUED
    assert job.problem_text == (
        f"The queue (Redis) {problem}. "
        "Nothing was sent; the job is queued by itself when that is over, or queue it again."
    )


@pytest.mark.django_db
@pytest.mark.parametrize("problem", [FULL, REPLICA, NO_KEYS, NO_LOGIN])
def test_the_queue_page_says_what_is_wrong_with_redis(groups, spoil, problem):
    spoil(problem)
    shown = pages.text(pages.client().get("/admin/queue/"))
    assert f"The queue (Redis) {problem}." in shown
    assert PASSWORD not in shown


@pytest.mark.django_db
def test_the_connection_page_says_why_the_figures_are_not_known(groups, spoil):
    spoil(NO_INFO)
    assert f"Not known: the queue's Redis {NO_INFO}." in pages.text(pages.client().get("/admin/connection/"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RedisConnectionError("Error 111 connecting to redis:6379"), "cannot be reached"),
        (ResponseError("MISCONF Redis is configured to save"), "cannot save to its disk and takes no writes"),
        (ResponseError("WRONGTYPE Operation against a key"), "refuses a command (WRONGTYPE)"),
        (ResponseError("unknown command"), "refuses a command"),
    ],
)
def test_an_error_is_named_without_its_own_text(error, words):
    assert describe_redis_error(error) == words


def test_how_often_a_client_asks_again_is_said_here_and_not_by_the_library(redis_url):
    assert [connect_queue(again=times).get_retry().get_retries() for times in (0, 2)] == [0, 2]
    assert connect_queue().connection_pool.make_connection().retry.get_retries() == 0


def test_the_connections_of_rq_never_ask_again(queue):
    # Not all its commands can be done twice. redis-py gives clients from an address no retries, others ten.
    assert queue.connection.connection_pool.make_connection().retry.get_retries() == 0
    assert queue.name == name_outside(QUEUE)
