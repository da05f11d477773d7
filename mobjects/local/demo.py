"""The demo: Redis, the local Marketo, web, worker and clock, started in order with sample data, stopped together.

Everything it writes lies under ``var/`` of the checkout. The local Marketo forgets everything when it
stops, so the demo's database starts over with it: the two always agree.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from rq import Worker, cron_scheduler_registry

from mobjects.local import redis_server
from mobjects.local.ports import HOST, find_free_port, is_port_open
from mobjects.local.supervisor import ChildFailed, Supervisor, SupervisorStopped
from mobjects.sandbox import CLIENT_ID, CLIENT_SECRET, KEY, USER_ID

WEB_PORT = 8000
SANDBOX_PORT = 8001
SOAP_PATH = "/soap/mktows/2_7"
TRANSPORTS = ("rest", "soap")
"""What the demo can send over; the first unless another is asked for."""
LOGINS = ("admin", "operator", "editor", "viewer")
PASSWORD = "demo"  # noqa: S105 -- web and sandbox listen on loopback only

# What the demo decides itself, whatever the shell that starts it has set.
_OWN_PREFIXES = ("DJANGO_", "MARKETO_", "DATABASE_URL", "RQ_")


class DemoFailed(Exception):
    """The demo could not start; the text says why and what to do."""


@dataclass(frozen=True)
class Demo:
    """One run of the demo.

    Args:
        root: the checkout.
        say: prints a line.
        web_port: preferred; another one is taken where it is in use.
        transport: one of ``TRANSPORTS``.
    """

    root: Path
    say: Callable[[str], None]
    web_port: int = WEB_PORT
    transport: str = TRANSPORTS[0]

    @property
    def folder(self) -> Path:
        """Where database, logs and settings of the demo lie."""
        return self.root / "var" / "demo"

    def run(self, *, once: bool) -> int:
        """Start everything, then wait for Ctrl-C or, with ``once``, stop again at once.

        Returns:
            An exit code: 0 where all went well and it was stopped on purpose.
        """
        try:
            with self._alone(), Supervisor(self.folder / "log", self._base_environment()) as supervisor:
                try:
                    self._start(supervisor)
                    if not once:
                        self.say("\nCtrl-C stops everything.")
                        supervisor.watch_children()
                except SupervisorStopped as signal:
                    self.say(f"\n{signal}: stopping …")
                finally:
                    redis_server.remove_url_file(self.root / "var" / "redis")
        except (DemoFailed, ChildFailed, redis_server.NoRedisServer) as error:
            self.say(f"\nThe demo stopped: {error}")
            return 1
        self.say("Stopped; nothing is left running.")
        return 0

    def _start(self, supervisor: Supervisor) -> None:
        started = time.monotonic()
        redis_url = self._start_redis(supervisor)
        sandbox_port = self._port("The local Marketo", SANDBOX_PORT)
        supervisor.start_child(
            "sandbox",
            [sys.executable, "-m", "mobjects.sandbox", "--port", str(sandbox_port)],
            lambda: is_port_open(sandbox_port),
        )
        settings = self._settings(redis_url, sandbox_port)
        self._manage(supervisor, "load_demo", settings)
        port = self._start_web(supervisor, settings)
        self._start_worker(supervisor, settings, redis_url)
        self._start_clock(supervisor, settings, redis_url)
        answer = self._manage(
            supervisor, "sync_mobjects", settings, "--wait", "--json", "--reason", "First sync of the demo"
        )
        self._manage(supervisor, "load_story", settings, "--sandbox-port", str(sandbox_port))
        self._report(port, sandbox_port, answer, time.monotonic() - started)

    def _start_redis(self, supervisor: Supervisor) -> str:
        url = os.environ.get("REDIS_URL", "")
        if url:
            if not redis_server.is_answering(url):
                raise DemoFailed("REDIS_URL is set, but no Redis answers there. Start it, or unset REDIS_URL.")
            self.say("Redis: the one REDIS_URL names.")
            return url
        program, port, folder = redis_server.find_program(), find_free_port(), self.root / "var" / "redis"
        shutil.rmtree(folder, ignore_errors=True)
        url = redis_server.server_url(port)
        supervisor.start_child(
            "redis", redis_server.build_command(program, port, folder), lambda: redis_server.is_answering(url)
        )
        redis_server.write_url_file(folder, url)
        self.say(f"Redis: {program}, port {port}.")
        return url

    def _start_web(self, supervisor: Supervisor, settings: Mapping[str, str]) -> int:
        port = self._port("The web server", self.web_port)
        command = [sys.executable, "-m", "gunicorn", "marketo_admin.wsgi", "--bind", f"{HOST}:{port}"]
        # Threads, so that a page that waits holds up no other.
        command += ["--threads", "4", "--access-logfile", "-"]
        supervisor.start_child("web", command, lambda: _healthy(port), add=settings)
        return port

    def _start_worker(self, supervisor: Supervisor, settings: Mapping[str, str], redis_url: str) -> None:
        command = [sys.executable, "manage.py", "rqworker", "sync", "--with-scheduler"]
        before = _workers(redis_url)
        supervisor.start_child("worker", command, lambda: _workers(redis_url) > before, add=settings)

    def _start_clock(self, supervisor: Supervisor, settings: Mapping[str, str], redis_url: str) -> None:
        before = _clocks(redis_url)
        command = [sys.executable, "manage.py", "clock"]
        supervisor.start_child("clock", command, lambda: _clocks(redis_url) > before, add=settings)

    def _manage(self, supervisor: Supervisor, command: str, settings: Mapping[str, str], *words: str) -> str:
        code, output = supervisor.run_to_end(command, [sys.executable, "manage.py", command, *words], add=settings)
        if code:
            log = (self.folder / "log" / f"{command}.log").read_text(encoding="utf-8", errors="replace")
            raise DemoFailed(f"manage.py {command} ended with exit code {code}.\n{output}{log}")
        if command == "load_demo":
            self.say(output.rstrip())
        return output

    def _port(self, what: str, preferred: int) -> int:
        port = find_free_port(preferred)
        if port != preferred:
            self.say(f"Port {preferred} is taken. {what} uses port {port} instead.")
        return port

    def _settings(self, redis_url: str, sandbox_port: int) -> dict[str, str]:
        """The settings of this run; also written to a file for the commands of another terminal."""
        settings = {
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_HTTPS": "false",
            "DJANGO_ALLOWED_HOSTS": f"{HOST},localhost",
            "DATABASE_URL": "sqlite:///var/demo/db.sqlite3",
            "REDIS_URL": redis_url,
            "MARKETO_TRANSPORT": self.transport,
            # All that Marketo allows: nobody else calls the local one.
            "MARKETO_CALLS_PER_WINDOW": "100",
            # The local one carries nothing out late, so that a lost answer is looked up while somebody is looking.
            "MARKETO_LOOK_UP_SECONDS": "30",
            "MARKETO_REST_ENDPOINT": f"http://{HOST}:{sandbox_port}/rest",
            "MARKETO_CLIENT_ID": CLIENT_ID,
            "MARKETO_CLIENT_SECRET": CLIENT_SECRET,
            "MARKETO_SOAP_ENDPOINT": f"http://{HOST}:{sandbox_port}{SOAP_PATH}",
            "MARKETO_USER_ID": USER_ID,
            "MARKETO_ENCRYPTION_KEY": KEY,
            "MARKETO_OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId",
            "MARKETO_PERSON_KEY_FIELD": "ExternalPersonId",
            "MARKETO_COMPANY_KEY_FIELD": "ExternalCompanyId",
        }
        file = self.folder / "env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
        return settings

    def _base_environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIXES)}
        temporary = self.folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        own = {"DJANGO_SETTINGS_MODULE": "marketo_admin.settings", "DJANGO_ENV_FILE": os.devnull}
        return {**kept, **own, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}

    def _report(self, web_port: int, sandbox_port: int, answer: str, seconds: float) -> None:
        self.say(f"Synced: {_counts(answer)}")
        self.say(f"\nReady after {seconds:.0f} s:")
        self.say(f"  Admin          http://{HOST}:{web_port}/admin/")
        self.say(f"  Local Marketo  http://{HOST}:{sandbox_port}/, reached over {self.transport.upper()}")
        self.say(f"  Logins         {', '.join(LOGINS)}; the password of each is {PASSWORD}")
        self.say(f"  Logs           {self.folder / 'log'}")
        self.say("  Commands       DJANGO_ENV_FILE=var/demo/env .venv/bin/python manage.py …")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the demo's folder, emptied, for one run.

        Raises:
            DemoFailed: another demo runs in this checkout.
        """
        lock = self.root / "var" / "demo.lock"
        lock.parent.mkdir(exist_ok=True)
        with open(lock, "a+", encoding="ascii") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.seek(0)
                raise DemoFailed(
                    f"another demo is running in this checkout (process {held.read()}); stop that one first."
                ) from None
            held.truncate(0)
            held.write(str(os.getpid()))
            held.flush()
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            yield


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _workers(redis_url: str) -> int:
    with Redis.from_url(redis_url) as client:
        return Worker.count(connection=client)


def _clocks(redis_url: str) -> int:
    with Redis.from_url(redis_url) as client:
        return len(cron_scheduler_registry.get_keys(client))


def _counts(answer: str) -> str:
    """The counts per status of ``sync_mobjects --json`` as words."""
    counts = json.loads(answer).get("counts", {})
    return ", ".join(f"{number} {status}" for status, number in counts.items() if number) or "nothing to send"
