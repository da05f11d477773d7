"""The site on its hosts: servers, web and worker processes, supervised as systemd would; Django is set up here, too."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.herd import wait_for
from bench.hosts_lan import NETWORK, Lan
from bench.surroundings import OWN, ROOT, environment, set_up_django
from mobjects.local import redis_server
from mobjects.sandbox import SandboxServer

WEB, WORKERS = ("web-1", "web-2"), ("worker-1", "worker-2")
PORT = 8000
ANSWER_SECONDS = 0.2
WINDOW, AT_ONCE = 40, 3
"""Marketo's limits, for all hosts together: calls within 20 s, and at once."""
SETTINGS = {
    "MARKETO_OPPORTUNITY_KEY_FIELD": "",  # The hard case: Marketo would simply create a second one.
    "MARKETO_LOOK_UP_SECONDS": "2",
    "MARKETO_TIMEOUT_SECONDS": "5",
    # Tight enough that both hosts together reach them.
    "MARKETO_CALLS_PER_WINDOW": str(WINDOW),
    "MARKETO_CALLS_AT_ONCE": str(AT_ONCE),
    "MARKETO_TRIES": "20",
}
# Restart=always, RestartSec=1; says how it ended.
_SUPERVISED = 'while :; do "$@"; echo "ended with $?"; sleep 1; done'
_IGNORED = shutil.ignore_patterns(".git", ".venv", ".boot", "var", "__pycache__", ".*_cache", "findings", "images")


def answers(address: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=0.5):
            return True
    except OSError:
        return False


class Site:
    """One site.

    Args:
        lan: its hosts, which are there.
        folder: for data and logs.
        hosts: in the order of their addresses.
    """

    def __init__(self, lan: Lan, folder: Path, hosts: Sequence[str]) -> None:
        self.lan, self.folder = lan, folder
        self.addresses = {host: f"{NETWORK}.{number}" for number, host in enumerate(hosts, 1)}
        self.sandbox = SandboxServer(host=self.addresses["marketo"])
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        database = f"postgres://postgres@{self.addresses['db']}:5432/postgres"
        redis_url = f"redis://{self.addresses['redis']}:6379/0"
        self.own = {
            **environment(database, redis_url, self.sandbox.url),
            "DJANGO_SETTINGS_MODULE": "bench.hosts_settings",
            "DJANGO_ALLOWED_HOSTS": ",".join(self.addresses.values()),
            "INSTALLATION_FILE": str(folder / "installation.json"),
            **SETTINGS,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
        self.environment = {**kept, **self.own, "PYTHONUNBUFFERED": "1"}

    def __enter__(self) -> Self:
        self.folder.chmod(0o755)  # PostgreSQL runs as a user of its own.
        self.sandbox.__enter__()
        self.sandbox.faults.add("slow", seconds=ANSWER_SECONDS, times=10**6)
        self._start_database()
        self._start_redis()
        set_up_django(self.own)
        # Browsers get the style sheets; pages need their names only.
        self.manage("web-1", "collectstatic", "--noinput", "--verbosity", "0")
        for host in WEB:
            command = [sys.executable, "-m", "gunicorn", "marketo_admin.wsgi", "--threads", "8"]
            self._start(host, [*command, "--bind", f"{self.addresses[host]}:{PORT}", "--no-control-socket"])
        for host in WORKERS:
            self.start_worker(host)
        self._start("web-2", [sys.executable, "manage.py", "clock", "--interval", "1"], name="clock")
        for host in WEB:
            wait_for(partial(answers, self.addresses[host], PORT), host)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for name in list(self._running):
            self.stop(name)
        self.sandbox.close()

    def start_worker(self, host: str, folder: Path = ROOT) -> None:
        """Start a worker, of the release in a folder, and its supervisor."""
        self._start(host, [sys.executable, "manage.py", "rqworker", "sync", "--with-scheduler"], folder=folder)

    def stop(self, name: str) -> None:
        """End what was started under a name, and all that it started, at once."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def manage(self, host: str, *words: str, folder: Path = ROOT) -> None:
        """Run a command of ours on a host to its end.

        Raises:
            RuntimeError: it failed.
        """
        log = self.folder / f"{words[0]}.log"
        command = [sys.executable, "manage.py", *words]
        if self.lan.spawn(host, command, self.environment, log, folder).wait():
            raise RuntimeError(log.read_text(encoding="utf-8"))

    def copy_release(self) -> Path:
        """A copy of the checkout, to be made a later release."""
        target = self.folder / "next"
        shutil.copytree(ROOT, target, ignore=_IGNORED)
        return target

    def read_logs(self) -> str:
        """The last that each process printed."""
        logs = sorted(self.folder.glob("*.log"))
        return "".join(f"== {log.stem}\n{log.read_text(encoding='utf-8', errors='replace')[-1500:]}" for log in logs)

    def _start(self, host: str, command: Sequence[str], *, name: str = "", folder: Path = ROOT) -> None:
        supervised = ["sh", "-c", _SUPERVISED, "sh", *command]
        log = self.folder / f"{name or host}.log"
        self._running[name or host] = self.lan.spawn(host, supervised, self.environment, log, folder)

    def _start_database(self) -> None:
        data = self.folder / "postgres"
        data.mkdir()
        shutil.chown(data, "postgres", "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]
        initdb, postgres = (str(Path(str(shutil.which(name))).resolve()) for name in ("initdb", "postgres"))
        command = [*as_postgres, initdb, "--pgdata", str(data), "--auth", "trust", "--encoding", "UTF8"]
        subprocess.run(command, check=True, capture_output=True, cwd="/")
        with (data / "pg_hba.conf").open("a", encoding="ascii") as rights:
            rights.write(f"host all all {NETWORK}.0/24 trust\n")
        options = [f"listen_addresses={self.addresses['db']}", f"unix_socket_directories={data}", "jit=off"]
        words = [word for option in options for word in ("-c", option)]
        self._running["db"] = self.lan.spawn(
            "db", [*as_postgres, postgres, "-D", str(data), *words], os.environ, self.folder / "db.log", Path("/")
        )
        wait_for(partial(answers, self.addresses["db"], 5432), "the database")

    def _start_redis(self) -> None:
        command = redis_server.build_command(redis_server.find_program(), 6379, self.folder / "redis")
        command[command.index("127.0.0.1")] = self.addresses["redis"]
        command += ["--protected-mode", "no"]
        log = self.folder / "redis.log"
        self._running["redis"] = self.lan.spawn("redis", command, os.environ, log, self.folder)
        wait_for(lambda: redis_server.is_answering(self.own["REDIS_URL"]), "Redis")
