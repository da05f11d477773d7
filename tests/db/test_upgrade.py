"""A filled database of an earlier build comes to this one with all its rows and values."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.files import ROOT

pytestmark = [pytest.mark.processes]

RECORDS = 300
ROWS = 4 * RECORDS + 3 * RECORDS // 10 + 3
"""Opportunities, roles, results, edits; programs, costs, tags; job, batch, import."""


def test_an_upgrade_keeps_every_value():
    server = os.environ.get("DATABASE_URL", "")
    command = [sys.executable, "bench/upgrade.py", "--records", str(RECORDS)]
    if server:
        command += ["--database", re.sub(r"/[^/]*$", "/postgres", server)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.match(r"(\d+) rows, migrated", done.stdout)
    assert found is not None
    assert int(found[1]) >= ROWS
    assert (
        "Columns that this build does without: mobjects_recordedit.label, mobjects_recordedit.user_id\n" in done.stdout
    )
    assert done.stdout.endswith("Every value is as it was.\n")
