"""The whole demo, in a copy of the checkout: everything real, nothing left outside, nothing left running."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager

import pytest
from redis import Redis
from rq import Worker, cron_scheduler_registry

from mobjects.local.ports import HOST, is_port_open
from mobjects.local.redis_server import find_running_url
from tests.files import ROOT, project_files

# 12 s where nothing else runs.
pytestmark = [pytest.mark.demo, pytest.mark.timeout(360)]


@pytest.fixture
def checkout(tmp_path):
    for path in project_files():
        target = tmp_path / "checkout" / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path / "checkout"


@pytest.fixture
def command(checkout):
    """Popen arguments for the demo, with a home and a temporary folder that ought to stay empty."""
    # Coverage of a copy would be counted nowhere, and measuring takes time.
    kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL" and "COVERAGE" not in name}
    folders = {"HOME": str(checkout.parent / "home"), "TMPDIR": str(checkout.parent / "tmp")}
    # Real settings of a shell must not reach the demo.
    trap = {"MARKETO_SOAP_ENDPOINT": "https://real.example.com/", "DATABASE_URL": "postgres://nobody@127.0.0.1:9/real"}
    return {
        "cwd": checkout,
        "env": kept | folders | trap | {"DJANGO_SETTINGS_MODULE": "marketo_admin.settings"},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }


@contextmanager
def running(words, command):
    with subprocess.Popen(words, **command, start_new_session=True) as process:
        try:
            yield process
        except BaseException:
            # Popen waits for its end, and the demo does not end by itself.
            os.killpg(process.pid, signal.SIGTERM)
            raise


def read_until(process, words):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


def ports_in(text):
    return {int(part.split("/")[0]) for part in text.split(f"http://{HOST}:")[1:]}


def history(checkout):
    """What the demo's database tells of its jobs and of what waits: (reason, state, counts), and numbers of rows."""
    with closing(sqlite3.connect(checkout / "var" / "demo" / "db.sqlite3")) as database:
        jobs = database.execute(
            "SELECT action, reason, state, counts FROM mobjects_syncjob ORDER BY created_at"
        ).fetchall()
        imports = database.execute("SELECT state FROM mobjects_import WHERE file_name = 'new-deals.csv'").fetchall()
        rows = {
            table: database.execute(f"SELECT count(*) FROM mobjects_{table}").fetchone()[0]
            for table in ("conflict", "schedule", "allowedtag")
        }
        changed = database.execute("SELECT count(*) FROM mobjects_opportunity WHERE state = 'changed'").fetchone()[0]
    return (
        [(action, reason, state, json.loads(counts)) for action, reason, state, counts in jobs],
        imports,
        rows,
        changed,
    )


def test_the_demo_works_with_its_port_taken_and_stops_without_a_trace(checkout, command):
    words = [sys.executable, "manage.py", "demo", "--port"]
    with socket.create_server((HOST, 0)) as occupied:
        taken = str(occupied.getsockname()[1])
        with running([*words, taken], command) as process:
            text = read_until(process, "Ctrl-C stops everything")
            ports = ports_in(text)
            health = [urllib.request.urlopen(f"http://{HOST}:{port}/").status for port in ports]
            with Redis.from_url(find_running_url(checkout / "var" / "redis")) as client:
                helpers = (Worker.count(connection=client), len(cron_scheduler_registry.get_keys(client)))
            jobs, imports, rows, changed = history(checkout)
            second = subprocess.run([*words, "0"], **command, check=False)
            os.killpg(process.pid, signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
    assert f"Port {taken} is taken" in text
    assert "CREATED" in text
    assert health == [200, 200]
    assert [job for job in jobs if job[1]] == [
        ("send", "First sync of the demo", "succeeded", {"CREATED": 150, "UPDATED": 6}),
        ("send", "Pipeline review", "problems", {"FAILED": 7, "UPDATED": 3}),
        ("compare", "Before the review", "succeeded", {"SAME": 147, "DIFFERS": 3}),
        ("send", "Signed today", "waiting", {"UNKNOWN": 1}),
    ]
    assert [job[0] for job in jobs if not job[1]] == ["pull", "describe", "pull"]
    assert (imports, changed) == ([("review",)], 4)
    assert rows == {"conflict": 1, "schedule": 1, "allowedtag": 23}
    assert helpers == (1, 1)  # one worker, one clock
    assert second.returncode == 1
    assert f"another demo is running in this checkout (process {process.pid})" in second.stdout
    assert process.returncode == 0, rest
    assert [port for port in ports if is_port_open(port)] == []
    assert [*(checkout.parent / "home").iterdir(), *(checkout.parent / "tmp").iterdir()] == []
