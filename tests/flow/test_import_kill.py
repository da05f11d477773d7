"""Real workers, killed -9 while they write imports: resumed, nothing missing, nothing there twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.files import ROOT

# The first test waits for the report: 32 s where nothing else runs.
pytestmark = [pytest.mark.processes, pytest.mark.timeout(320)]

ROWS, KILLS = 20_000, 6
PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def said() -> str:
    """What ``bench/import.py kill`` says, with fewer rows than it takes by itself.

    After each import it compares the records with the file, their revisions, the counts, and the list of changes.
    """
    command = [sys.executable, "-W", "ignore", "bench/import.py", "kill"]
    command += ["--rows", str(ROWS), "--kills", str(KILLS), *database()]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.terminate()  # It stops its workers first; a killed one would leave them behind.
    assert process.returncode == 0, output + errors
    return output


def database() -> list[str]:
    url = os.environ.get("DATABASE_URL", "")
    return ["--database", url.rpartition("/")[0] + "/postgres"] if url.startswith("postgres") else []


def test_workers_were_killed_in_the_middle_of_it(said):
    rows_done = [int(number.replace(",", "")) for number in re.findall(r"kill \d+: .*, after row ([0-9,]+)", said)]
    assert len(rows_done) == KILLS, said
    assert max(rows_done) <= ROWS + 1, said  # The header is row 1.


def test_every_row_is_there_once_and_counted(said):
    assert said.rstrip().endswith("wrong: nothing"), said
