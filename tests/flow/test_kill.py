"""Real workers, killed -9 at random moments of a job of new opportunities: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.files import ROOT

# The first test waits for the report: 41 s where nothing else runs.
pytestmark = [pytest.mark.processes, pytest.mark.timeout(420)]

RECORDS, KILLS = 600, 8
PATIENCE_SECONDS = 400


@pytest.fixture(scope="module", params=["soap", "rest"])
def report(request: pytest.FixtureRequest) -> dict:
    """What ``bench/kill.py`` says, with fewer records and kills than it takes by itself."""
    command = [sys.executable, "-W", "ignore", "bench/kill.py", "--json", "--transport", request.param]
    command += ["--records", str(RECORDS), "--kills", str(KILLS), *database()]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.terminate()  # It stops its workers first; a killed one would leave them behind.
    assert output, errors
    return json.loads(output)


def database() -> list[str]:
    url = os.environ.get("DATABASE_URL", "")
    return ["--database", url.rpartition("/")[0] + "/postgres"] if url.startswith("postgres") else []


def test_nothing_is_lost_and_nothing_is_doubled(report):
    assert report["kills"] == KILLS
    assert report["records"] >= RECORDS
    assert (report["lost"], report["doubled"]) == (0, 0), report


def test_everything_has_arrived_and_nothing_is_left_in_doubt(report):
    assert (report["changed"], report["unknown"], report["claimed"]) == (0, 0, 0), report


def test_the_history_tells_all_of_it(report):
    assert report["history"] == "", report
