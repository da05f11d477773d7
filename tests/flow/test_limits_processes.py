"""Several real processes under one set of limits: never more in a window, never more at once, whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import pytest
from redis import Redis

from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.task import WaitRequired
from tests.files import ROOT
from tests.support import limits_caller

WINDOW_SECONDS = 3
NUMBERS = {
    "per_window": 12,
    "at_once": 3,
    "quota": 1000,
    "share": 500,
    "lease_seconds": 5,
    "window_seconds": WINDOW_SECONDS,
}
PROCESSES, CALLS_EACH = 4, 9
PATIENCE_SECONDS = 150


# Up to 15 s each where nothing else runs.
pytestmark = [pytest.mark.processes, pytest.mark.timeout(360)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """What the processes need to reach a database of their own."""
    database = tmp_path_factory.mktemp("limits") / "db.sqlite3"
    values = {**os.environ, "DATABASE_URL": f"sqlite:///{database}"}
    migrate = [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=values, check=True)
    return values


def endpoint(log: Path) -> str:
    """A Marketo of each test's own."""
    return f"https://{log.parent.name}.mktoapi.com/soap/mktows/2_7"


@contextmanager
def started(environment):
    """A process that waits to be told what to call; killed at the end if it still runs."""
    command = [sys.executable, "-W", "ignore", "-c", limits_caller.START]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def let_call(process, redis_url, log, *, calls, **numbers):
    asked = {"endpoint": endpoint(log), "redis": redis_url, "log": str(log), "calls": calls, "seconds": 0.2}
    process.stdin.write(json.dumps({**asked, "limits": {**NUMBERS, **numbers}}) + "\n")
    process.stdin.flush()


def hammer(environment, redis_url, log: Path, stack, calls=CALLS_EACH, **numbers):
    """All at once: none begins before all are ready."""
    processes = [stack.enter_context(started(environment)) for _ in range(PROCESSES)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        let_call(process, redis_url, log, calls=calls, **numbers)
    return processes


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


def finish(processes):
    assert [process.wait(PATIENCE_SECONDS) for process in processes] == [0] * len(processes)


def calls_in(log: Path) -> list[tuple[float, float]]:
    """Begin and end of each call so far, in the order they began."""
    lines = log.read_text().splitlines() if log.exists() else []
    return sorted((float(began), float(ended)) for began, ended in (line.split() for line in lines))


def busiest_window(calls, seconds):
    begins = [began for began, _ in calls]
    return max(sum(first <= began < first + seconds for began in begins) for first in begins)


def most_at_once(calls):
    return max(sum(began <= moment < ended for began, ended in calls) for moment, _ in calls)


def wait_for(condition):
    """Goes on as soon as it is so, gives up after a while."""
    never = Event()
    for _ in range(PATIENCE_SECONDS * 50):
        if condition():
            return
        never.wait(0.02)
    raise AssertionError("it never came to that")


def assert_kept(calls):
    assert len(calls) == PROCESSES * CALLS_EACH
    # One second less than the limits count: what a call may need on its way.
    assert busiest_window(calls, WINDOW_SECONDS - 1) <= NUMBERS["per_window"]
    assert 1 < most_at_once(calls) <= NUMBERS["at_once"]


def test_several_processes_never_pass_the_limits(environment, redis_url, tmp_path, stack):
    finish(hammer(environment, redis_url, tmp_path / "log", stack))
    calls = calls_in(tmp_path / "log")
    assert_kept(calls)
    assert busiest_window(calls, WINDOW_SECONDS) > NUMBERS["at_once"]


def test_they_do_not_pass_them_when_redis_loses_its_data_meanwhile(environment, redis_url, tmp_path, stack):
    log = tmp_path / "log"
    processes = hammer(environment, redis_url, log, stack)
    with Redis.from_url(redis_url) as redis:
        wait_for(lambda: len(calls_in(log)) >= 8)
        redis.flushdb()
        before = len(calls_in(log))
        wait_for(lambda: len(calls_in(log)) >= before + 8)
        redis.flushdb()
        finish(processes)
        counted = sum(int(redis.get(day)) for day in redis.keys("*:day:*"))
    assert_kept(calls_in(log))
    assert counted == PROCESSES * CALLS_EACH


def test_they_share_the_last_calls_of_the_day(environment, redis_url, tmp_path, stack):
    share = 10
    # So many calls that none can be over with the share alone.
    processes = hammer(environment, redis_url, tmp_path / "log", stack, share + 1, share=share, per_window=100)
    with Redis.from_url(redis_url) as redis:
        wait_for(lambda: len(calls_in(tmp_path / "log")) >= share)
        wait_for(lambda: not redis.keys("*:running"))
    assert [process.poll() for process in processes] == [None] * PROCESSES
    assert len(calls_in(tmp_path / "log")) == share


@pytest.mark.django_db
def test_a_killed_process_frees_its_slot_when_no_call_can_run_any_more(environment, redis_url, tmp_path):
    limits = RedisRateLimiter(
        endpoint(tmp_path / "log"), Redis.from_url(redis_url), **{**NUMBERS, "at_once": 1, "lease_seconds": 3}
    )
    with started(environment) as process:
        assert process.stdout.readline() == "ready\n"
        let_call(process, redis_url, tmp_path / "log", calls=None, at_once=1, lease_seconds=3)
        assert process.stdout.readline() == "in\n"
        process.kill()
        process.wait()
        assert not may_call(limits)
        wait_for(lambda: may_call(limits))


def may_call(limits):
    try:
        with limits.permit_call():
            return True
    except WaitRequired:
        return False
