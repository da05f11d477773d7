"""A running job outlives what it runs on: Redis, the database's connections, its worker, the web, the machine.

Each is shown over one API. That Redis loses its data concerns REST more than SOAP, as the token lies there; the others
do not look at the wire.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.files import ROOT

PATIENCE_SECONDS = 240
RECORDS = {"soap": 1500, "rest": 3000}
# Up to 51 s each where nothing else runs.
pytestmark = pytest.mark.timeout(250)

POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")


def told_by(scenario: str, transport: str = "soap") -> dict:
    """Play a scenario in processes of its own; what it says."""
    command = [sys.executable, "-W", "ignore", "bench/survival.py", scenario, "--transport", transport]
    if POSTGRES:
        command += ["--database", os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.terminate()  # It stops its workers first; a killed one would leave them behind.
    with suppress(ValueError):
        return json.loads(output)
    pytest.fail(errors)


def assert_all_arrived(told, transport="soap"):
    assert (told["state"], told["counts"]) == ("succeeded", {"CREATED": RECORDS[transport]}), told
    wrong = {name: told[name] for name in ("lost", "doubled", "changed", "unknown", "claimed", "history") if told[name]}
    assert wrong == {}


@pytest.mark.processes
def test_redis_restarts_and_has_lost_its_data():
    told = told_by("redis", "rest")
    assert_all_arrived(told, "rest")
    assert told["clock_lives"]


@pytest.mark.processes
def test_a_replica_of_redis_takes_over_in_the_middle_of_batches():
    told = told_by("failover", "rest")
    assert_all_arrived(told, "rest")
    assert not told["finished_before"], "the job was over before: it shows nothing"
    assert (told["clock_lives"], told["workers_died"]) == (True, 0)


@pytest.mark.skipif(not POSTGRES, reason="SQLite has no connections that a server could end")
def test_the_database_ends_all_connections():
    told = told_by("database")
    assert_all_arrived(told)
    assert told["ended"] >= 3
    assert not told["ever_unknown"]


@pytest.mark.processes
def test_a_worker_that_is_asked_to_end_leaves_nothing_half_done():
    told = told_by("sigterm")
    assert (told["code"], told["leases"], told["sending"]) == (0, 0, 0)
    assert not told["finished_before"], "the job was over before the next worker began: it shows nothing"
    assert_all_arrived(told)
    assert not told["ever_unknown"]


@pytest.mark.processes
def test_the_web_is_of_no_concern_to_a_job():
    told = told_by("web")
    assert_all_arrived(told)
    assert not told["ever_unknown"]


@pytest.mark.processes
def test_the_machine_starts_again_and_the_job_is_found_within_a_minute():
    told = told_by("reboot")
    assert_all_arrived(told)
    assert 30 < told["found_after"] <= 60
