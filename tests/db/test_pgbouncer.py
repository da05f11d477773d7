"""Behind PgBouncer, which gives a connection for the length of a transaction and takes no options at the start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from mobjects.local.ports import HOST, find_free_port, is_port_open
from mobjects.local.supervisor import Supervisor
from mobjects.models import Opportunity
from mobjects.resources.base import CHUNK
from tests.files import ROOT

PROGRAM = shutil.which("pgbouncer") or ""
CONFIG = """[databases]
* = host={HOST} port={PORT} user={USER}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = any
pool_mode = transaction
default_pool_size = 2
unix_socket_dir =
logfile = {folder}/pgbouncer.log
"""
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PgBouncer stands before PostgreSQL only"),
    pytest.mark.skipif(
        not PROGRAM and "CI" not in os.environ, reason="no pgbouncer on PATH (apt-get install pgbouncer)"
    ),
]


@pytest.fixture
def pooled(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process that reaches the test database through PgBouncer."""
    port, config = find_free_port(), tmp_path / "pgbouncer.ini"
    server = {name: connection.settings_dict[name] or usual for name, usual in (("USER", "postgres"), ("PORT", 5432))}
    values = {"HOST": connection.settings_dict["HOST"] or HOST, "listen": port, "folder": tmp_path, **server}
    config.write_text(CONFIG.format(**values), encoding="utf-8")
    as_other = []
    if os.geteuid() == 0:  # It refuses to run as root.
        as_other = ["-u", "postgres"]
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o777)
    with Supervisor(tmp_path / "log", os.environ, signals=False) as supervisor:
        supervisor.start_child("pgbouncer", [PROGRAM, *as_other, str(config)], lambda: is_port_open(port))
        name = connection.settings_dict["NAME"]
        yield {
            **os.environ,
            "DATABASE_URL": f"postgres://{server['USER']}@{HOST}:{port}/{name}",
            "DATABASE_PGBOUNCER": "true",
        }


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_long_export_and_an_import_go_through_it(pooled, tmp_path):
    count = 2 * CHUNK + 1
    Opportunity.objects.bulk_create(Opportunity(name=f"Deal {n}", external_id=f"E-{n}") for n in range(count))
    exported = manage(pooled, "export_mobjects", "opportunities", str(tmp_path / "out.csv"))
    assert exported.returncode == 0, exported.stderr
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == count + 1

    (tmp_path / "in.csv").write_text("External ID,Name\nE-0,Changed\nNew,New\n", encoding="utf-8")
    imported = manage(pooled, "import_mobjects", "opportunities", str(tmp_path / "in.csv"))
    assert imported.returncode == 0, imported.stderr
    assert Opportunity.objects.get(external_id="E-0").name == "Changed"
    assert Opportunity.objects.count() == count + 1


def test_without_the_setting_it_is_refused_in_words(pooled):
    """PgBouncer names the parameter that it does not take."""
    refused = manage({**pooled, "DATABASE_PGBOUNCER": "false"}, "migrate", "--check")
    assert refused.returncode != 0
    assert "unsupported startup parameter" in refused.stderr
