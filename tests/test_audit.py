"""scripts/audit, with a uv that answers as the tool does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.files import ROOT

HOLE = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}


def audit(tmp_path, answer):
    tool = tmp_path / "uv"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n", encoding="utf-8")
    tool.chmod(0o755)
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [sys.executable, str(ROOT / "scripts" / "audit")]
    return subprocess.run(command, env=path, capture_output=True, text=True, check=False)


def answer(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (answer({"name": "a", "version": "1.0", "vulns": []}), 0, "1 of 1 packages looked up."),
        (answer({"name": "a", "version": "1.0", "vulns": [HOLE]}), 1, "a 1.0 has PYSEC-1; mended in 2.0."),
        (answer({"name": "a", "skip_reason": "not found"}), 0, "NOTHING was looked up: no list of known holes"),
        ("nothing of the kind", 0, "NOTHING was looked up"),
    ],
    ids=["clean", "hole", "no list", "broken"],
)
def test_it_fails_for_a_hole_only_and_says_when_it_could_not_look(tmp_path, given, code, said):
    ended = audit(tmp_path, given)
    assert (ended.returncode, ended.stderr) == (code, "")
    assert said in ended.stdout
