"""Real worker processes that may be killed, stopped and replaced, around a local Marketo in this process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from redis import Redis
from rq import Worker, cron_scheduler_registry

from bench.surroundings import OWN, ROOT, environment, set_up_django, temporary_database
from mobjects.local import redis_server
from mobjects.local.ports import find_free_port
from mobjects.sandbox import SandboxServer

PATIENCE_SECONDS = 180
_WORKER = (sys.executable, "manage.py", "rqworker", "sync", "--with-scheduler")
_SERIALIZER = ("--serializer", "rq.serializers.JSONSerializer")


class TookTooLong(Exception):
    """Something that was waited for did not come; the text says what."""


@dataclass
class Herd:
    """The processes of one run. Django is set up for them in this process too.

    Args:
        folder: for logs and data; deleted at the end.
        sandbox: the local Marketo, in threads of this process, so that its store can be read.
        redis_url: of the queue.
        environment: of the processes, whole.
    """

    folder: Path
    sandbox: SandboxServer
    redis_url: str
    environment: dict[str, str]
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _others: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _clock: subprocess.Popen[bytes] | None = None
    _redis: subprocess.Popen[bytes] | None = None
    _started: int = 0

    # --- Redis ---

    def start_redis(self) -> None:
        """Start a Redis without any data, always on the same port."""
        data, port = self.folder / "redis", int(self.redis_url.rpartition(":")[2].partition("/")[0])
        shutil.rmtree(data, ignore_errors=True)
        self._redis = self._spawn("redis", redis_server.build_command(redis_server.find_program(), port, data))
        wait_for(lambda: redis_server.is_answering(self.redis_url), "Redis")

    def kill_redis(self) -> None:
        """Kill -9."""
        assert self._redis is not None  # noqa: S101 -- nobody kills what he has not started
        self._redis.kill()
        self._redis.wait()

    def start_replica(self) -> str:
        """Start a second Redis that holds what the first one holds; its address."""
        url = redis_server.server_url(find_free_port())
        port = int(url.rpartition(":")[2].partition("/")[0])
        self.start("replica", redis_server.build_command(redis_server.find_program(), port, self.folder / "replica"))
        wait_for(lambda: redis_server.is_answering(url), "the replica")
        follow(url, self.redis_url)
        return url

    # --- workers ---

    def add_worker(self, *, wait: bool = True) -> str:
        """Start a worker process; returns its name."""
        self._started += 1
        name = f"worker-{self._started}"
        self.workers[name] = self._spawn(name, [*_WORKER, "--name", name, *_SERIALIZER])
        if wait:
            wait_for(lambda: self.is_known(name), f"{name} (see {self.folder})")
        return name

    def is_known(self, name: str) -> bool:
        """Whether a worker has told Redis that it is there."""
        with Redis.from_url(self.redis_url) as client:
            return name in {worker.name for worker in Worker.all(connection=client)}

    def owner_of(self, pid: int) -> str | None:
        """The living worker whose process does this work, if it is still at it."""
        parent = _processes().get(pid)
        return next((name for name, worker in self.workers.items() if worker.pid == parent), None)

    def kill_worker(self, name: str) -> None:
        """Kill -9 of a worker and of all that it has started."""
        worker = self.workers.pop(name)
        children = [pid for pid, parent in _processes().items() if parent == worker.pid]
        # The worker first, so that it cannot notice how the process that it forked ends.
        worker.kill()
        worker.wait()
        for pid in children:
            kill(pid)

    def replace_dead(self) -> list[str]:
        """Start a new worker for each that has ended by itself, as systemd does; returns their names."""
        dead = [name for name, worker in self.workers.items() if worker.poll() is not None]
        for name in dead:
            self.kill_worker(name)
            self.add_worker(wait=False)
        return dead

    def stop_worker(self, name: str) -> int:
        """Ask a worker to end (SIGTERM) and wait until it has; returns its exit code."""
        worker = self.workers.pop(name)
        worker.terminate()
        return worker.wait(PATIENCE_SECONDS)

    def start_clock(self, interval: int = 1) -> None:
        """Start the clock."""
        self._clock = self.start("clock", [sys.executable, "manage.py", "clock", "--interval", str(interval)])
        with Redis.from_url(self.redis_url) as client:
            wait_for(lambda: bool(cron_scheduler_registry.get_keys(client)), "the clock")

    def clock_lives(self) -> bool:
        """Whether the clock has not ended by itself."""
        return self._clock is not None and self._clock.poll() is None

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start any other process of ours."""
        process = self._spawn(name, command)
        self._others.append(process)
        return process

    def close(self) -> None:
        """End everything at once."""
        for name in list(self.workers):
            self.kill_worker(name)
        for process in [*self._others, *([self._redis] if self._redis else [])]:
            process.kill()
            process.wait()

    def _spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


@contextmanager
def herd(database: str = "", **settings: str) -> Iterator[Herd]:
    """Start Redis and the local Marketo, set Django up with an empty database, and clean up afterwards.

    Args:
        database: address of a PostgreSQL on which a database may be made; "" is a temporary SQLite file.
        settings: further environment variables.
    """
    signal.signal(signal.SIGTERM, _exit)
    with (
        # What was killed may have a child that writes a last line yet.
        tempfile.TemporaryDirectory(prefix="marketo-herd-", ignore_cleanup_errors=True) as name,
        temporary_database(database, Path(name)) as database_url,
        SandboxServer() as sandbox,
    ):
        redis_url = redis_server.server_url(find_free_port())
        told = {**environment(database_url, redis_url, sandbox.url), "MARKETO_OPPORTUNITY_KEY_FIELD": "", **settings}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
        running = Herd(Path(name), sandbox, redis_url, {**kept, **told, "PYTHONUNBUFFERED": "1"})
        try:
            running.start_redis()
            set_up_django(told)
            yield running
        finally:
            running.close()
            from django.db import connections

            connections.close_all()


def follow(url: str, primary: str) -> None:
    """Make one Redis a read-only replica of another, and wait until it holds the same."""
    host, _, port = primary.removeprefix("redis://").partition("/")[0].partition(":")
    with Redis.from_url(primary) as client:
        client.config_set("repl-diskless-sync-delay", 0)  # Else it waits 5 s for further replicas.
    with Redis.from_url(url) as client:
        client.replicaof(host, port)
        wait_for(lambda: client.info("replication").get("master_link_status") == "up", "the replica's copy")


def promote(url: str) -> None:
    """Make a replica a server that takes writes."""
    with Redis.from_url(url) as client:
        client.replicaof("NO", "ONE")


def wait_for(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Go on as soon as it is so.

    Raises:
        TookTooLong: it did not come to that.
    """
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            raise TookTooLong(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.02)


def kill(pid: int) -> None:
    """Kill -9, whether or not it still runs."""
    send(pid, signal.SIGKILL)


def send(pid: int, number: signal.Signals) -> bool:
    """Send a signal; ``False`` if there is no such process any more."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _processes() -> dict[int, int]:
    """The parent of every process of this machine."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True, text=True).stdout  # noqa: S607
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}


def _exit(number: int, frame: FrameType | None) -> None:
    # So that everything is cleaned up where this process is asked to end.
    raise SystemExit(128 + number)
