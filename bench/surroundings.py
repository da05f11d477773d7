"""What a measurement needs around it: a Redis, a local Marketo, a database; all temporary, all gone afterwards."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mobjects import sandbox
from mobjects.local import redis_server
from mobjects.local.ports import HOST, find_free_port, is_port_open
from mobjects.local.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
KEY_FIELD = "ExternalOpportunityId"
NO_LIMIT = 1_000_000
OWN = ("DJANGO_", "MARKETO_", "DATABASE_URL", "REDIS_URL", "RQ_", "INSTALLATION_FILE")


@dataclass(frozen=True)
class Surroundings:
    """Running servers; Django is set up for them in this process.

    Args:
        folder: for anything that a measurement writes; deleted afterwards.
        url: of the local Marketo, without a slash at the end.
        redis_url: of the queue.
        settings: environment variables for further processes of ours.
        supervisor: starts further processes.
    """

    folder: Path
    url: str
    redis_url: str
    settings: Mapping[str, str]
    supervisor: Supervisor

    def control(self, name: str, body: object = None) -> Any:
        """Ask the local Marketo something about itself; with a body, tell it."""
        data = None if body is None else json.dumps(body).encode()
        url, headers = f"{self.url}/_control/{name}", {"Content-Type": "application/json"}
        request = urllib.request.Request(url, data, headers)  # noqa: S310 -- our own server
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return json.load(answer)

    def start(self, name: str, command: Sequence[str], ready: Callable[[], bool]) -> None:
        """Start a process of ours in the checkout, with the same settings, and wait until it is ready."""
        in_checkout = ["env", f"--chdir={ROOT}", *command]
        self.supervisor.start_child(name, in_checkout, ready, add=self.settings)

    def reset(self) -> None:
        """An empty database and a local Marketo as at its start; the counts of the limits begin anew."""
        from django.apps import apps
        from redis import Redis

        self.control("reset", {})
        with unlocked_history():
            for name in (
                "SyncResult",
                "EarlierCall",
                "SyncBatch",
                "WorkerLease",
                "SyncJob",
                "Opportunity",
                "Installation",
            ):
                records = apps.get_model("mobjects", name)._default_manager
                records.all()._raw_delete(records.db)
        with Redis.from_url(self.redis_url) as redis:
            # A Marketo that was reset knows none of the tokens that it gave.
            for key in [*redis.scan_iter("marketo-limits:*"), *redis.scan_iter("marketo-shared*:token:*")]:
                redis.delete(key)


@contextmanager
def unlocked_history() -> Iterator[None]:
    """Let finished history be removed: a measurement begins anew. Builds before it was locked need no key."""
    try:
        from mobjects.audit.guard_triggers import install_guard_triggers, remove_guard_triggers
    except ImportError:
        yield
        return
    remove_guard_triggers(None, "default")
    yield
    install_guard_triggers(None, "default")


@contextmanager
def surroundings(database: str = "") -> Iterator[Surroundings]:
    """Start everything, set Django up, and clean up afterwards.

    Args:
        database: address of a PostgreSQL on which a database may be made; "" is a temporary SQLite file.
    """
    with (
        tempfile.TemporaryDirectory(prefix="marketo-bench-") as name,
        temporary_database(database, Path(name)) as database_url,
    ):
        folder = Path(name)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
        with Supervisor(folder / "log", {**kept, "PYTHONUNBUFFERED": "1"}, signals=False) as supervisor:
            redis_url, port = start_redis(supervisor, folder), find_free_port()
            command = [sys.executable, "-m", "mobjects.sandbox", "--port", str(port)]
            supervisor.start_child("sandbox", command, lambda: is_port_open(port), add={"PYTHONPATH": str(ROOT)})
            url = f"http://{HOST}:{port}"
            settings = environment(database_url, redis_url, url)
            set_up_django(settings)
            yield Surroundings(folder, url, redis_url, settings, supervisor)
            from django.db import connections

            connections.close_all()


def lift_limits() -> None:
    """Let this process call as often as it can: what is measured is our work, not Marketo's limits."""
    from django.conf import settings

    settings.MARKETO["CALLS_PER_WINDOW"] = settings.MARKETO["DAILY_QUOTA"] = NO_LIMIT


def database_seconds() -> float:
    """How long the database's process for our connection has had the processor; 0 where that cannot be read."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        place = Path("/proc") / str(cursor.fetchone()[0]) / "schedstat"
    return int(place.read_text().split()[0]) / 1e9 if place.exists() else 0.0


def served_from_source() -> Any:  # override_settings, a context
    """Pages without ``collectstatic``, which would write into the checkout."""
    from django.conf import settings
    from django.test import override_settings

    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return override_settings(STORAGES=storages)


def environment(database_url: str, redis_url: str, url: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "marketo_admin.settings",
        "DJANGO_ENV_FILE": os.devnull,
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "DJANGO_HTTPS": "false",
        "DJANGO_ALLOWED_HOSTS": "testserver",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "INSTALLATION_FILE": f"{tempfile.gettempdir()}/marketo-bench-installation.json",
        "MARKETO_TRANSPORT": "soap",
        "MARKETO_SOAP_ENDPOINT": f"{url}/soap/mktows/2_7",
        "MARKETO_USER_ID": sandbox.USER_ID,
        "MARKETO_ENCRYPTION_KEY": sandbox.KEY,
        "MARKETO_REST_ENDPOINT": f"{url}/rest",
        # A build from before the REST API has none, and is measured too (--against).
        "MARKETO_CLIENT_ID": getattr(sandbox, "CLIENT_ID", ""),
        "MARKETO_CLIENT_SECRET": getattr(sandbox, "CLIENT_SECRET", ""),
        "MARKETO_OPPORTUNITY_KEY_FIELD": KEY_FIELD,
        "MARKETO_CALLS_PER_WINDOW": "100",
        "MARKETO_CALLS_AT_ONCE": "5",
        "MARKETO_DAILY_SHARE": "100",
    }


def set_up_django(settings: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith(OWN)]:
        del os.environ[name]
    os.environ.update(settings)
    import logging

    import django
    from django.core.management import call_command

    django.setup()
    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)


def start_redis(supervisor: Supervisor, folder: Path) -> str:
    port = find_free_port()
    url = redis_server.server_url(port)
    command = redis_server.build_command(redis_server.find_program(), port, folder / "redis")
    supervisor.start_child("redis", command, lambda: redis_server.is_answering(url))
    return url


@contextmanager
def temporary_database(address: str, folder: Path) -> Iterator[str]:
    if not address:
        yield f"sqlite:///{folder}/db.sqlite3"
        return
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"marketo_bench_{secrets.token_hex(4)}"
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield urlsplit(address)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
