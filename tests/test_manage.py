"""``manage.py`` where nothing is configured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.files import ROOT


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", ""), "DJANGO_ENV_FILE": os.devnull}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_missing_setting_is_told_in_words():
    ended = manage("test_connection")
    assert ended.returncode == 2
    assert "DJANGO_SECRET_KEY is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_the_local_commands_need_no_settings(command):
    ended = manage(command, "--help")
    assert ended.returncode == 0
    assert "--port" in ended.stdout
