"""Two sites of one user, as documented: each answers, and neither leaves anything that the other could take over."""

from __future__ import annotations

import os
import sys
import urllib.request
from contextlib import ExitStack

import pytest

from mobjects.local.ports import HOST, find_free_port
from mobjects.local.supervisor import Supervisor
from tests.files import ROOT

pytestmark = [pytest.mark.processes]


def answers(port):
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=5) as answer:
            return answer.read() == b"ok\n"
    except OSError:
        return False


def test_two_sites_of_one_user_leave_no_control_socket(tmp_path):
    home, runtime = tmp_path / "home", tmp_path / "runtime"
    for folder in (home, runtime):
        folder.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "DJANGO_ENV_FILE": os.devnull, "DJANGO_DEBUG": "true"}
    environment |= {"DJANGO_SECRET_KEY": "x" * 50, "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    with ExitStack() as stack:
        for number, folder in enumerate([{}, {"XDG_RUNTIME_DIR": str(runtime)}]):
            port, supervisor = find_free_port(), Supervisor(tmp_path / "log", environment | folder, signals=False)
            command = [sys.executable, "-m", "gunicorn", "marketo_admin.wsgi", "--bind", f"{HOST}:{port}"]
            stack.enter_context(supervisor).start_child(
                f"web{number}", [*command, "--chdir", str(ROOT)], lambda port=port: answers(port), timeout_seconds=60
            )
    log = "".join(path.read_text() for path in (tmp_path / "log").iterdir())
    assert log.count("Listening at") == 2
    assert "ontrol socket" not in log
    assert [*home.rglob("*"), *runtime.rglob("*")] == []
