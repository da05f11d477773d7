"""scripts/install, in a copy of what it needs, with a uv that only notes how it was called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.files import ROOT

# Answers what the script asks, and notes where its cache would be.
UV = f"""#!/bin/sh
case "$1" in
    cache) echo "${{UV_CACHE_DIR:-$HOME/.cache/uv}}" ;;
    venv) mkdir -p .venv/bin && ln -s "{sys.executable}" .venv/bin/python ;;
    pip) echo "${{UV_CACHE_DIR:-home}}" > cache.txt ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "check out"
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, root / name)
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(UV, encoding="utf-8")
    program.chmod(0o755)
    return root


def install(checkout, **environment):
    path = f"{checkout.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "PYTHON": sys.executable, **environment}
    command = ["scripts/install", "runtime"]
    return subprocess.run(command, cwd=checkout, env=own, capture_output=True, text=True, check=False)


def test_uv_keeps_its_cache_in_the_home_folder(checkout, tmp_path):
    ended = install(checkout, HOME=str(tmp_path / "home"))
    assert ended.returncode == 0, ended.stderr
    assert (checkout / "cache.txt").read_text() == "home\n"


def test_where_the_home_folder_cannot_be_written_the_cache_lies_in_the_checkout(checkout):
    ended = install(checkout, HOME=os.devnull)
    assert ended.returncode == 0, ended.stderr
    assert (checkout / "cache.txt").read_text() == f"{checkout}/.boot/cache\n"


def test_what_is_installed_is_not_installed_again(checkout, tmp_path):
    for _ in range(2):
        ended = install(checkout, HOME=str(tmp_path / "home"))
    assert (ended.returncode, ended.stdout) == (0, "")
