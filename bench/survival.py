"""What happens to a running job when something around it dies, with real processes.

    python bench/survival.py redis|failover|database|sigterm|web|reboot [--database postgres://user@host:5432/postgres]
                             [--transport soap]

Prints one JSON object: how the job ended, what both sides hold (bench/verdict.py), and what the scenario itself says.
``database`` needs PostgreSQL.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.herd import Herd, follow, herd, promote, wait_for  # noqa: E402 -- only found thanks to the line above
from mobjects.local.ports import find_free_port, is_port_open  # noqa: E402

# Longer than a worker's turn of 10 s.
RECORDS = {"soap": 1500, "rest": 3000}
ANSWER_SECONDS = 1.0
SETTINGS = {"MARKETO_LOOK_UP_SECONDS": "2", "MARKETO_TIMEOUT_SECONDS": "5", "MARKETO_CALLS_AT_ONCE": "10"}

Told = dict[str, Any]


def main() -> None:
    """Let one thing die in the middle of a job, and see it to its end."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", choices=tuple(SCENARIOS))
    parser.add_argument("--database", default="", help="a PostgreSQL to run on (default: a temporary SQLite file)")
    parser.add_argument("--transport", choices=tuple(RECORDS), default="soap")
    options = parser.parse_args()
    with herd(options.database, **SETTINGS, MARKETO_TRANSPORT=options.transport) as running:
        told = play(running, options.scenario, RECORDS[options.transport])
    sys.stdout.write(f"{json.dumps(told)}\n")


def play(running: Herd, name: str, records: int) -> Told:
    """Start a job and a worker, let the scenario happen, wait for the end; nobody asks for the job again."""
    from bench.verdict import both_sides  # Models can be imported only now.
    from mobjects.jobs.requests import request_sync
    from mobjects.models import Opportunity, SyncJob
    from mobjects.sync.send.selection import SyncSelection

    Opportunity.objects.bulk_create(
        Opportunity(external_id=f"E-{number}", name=f"Deal {number}", description=f"E-{number}")
        for number in range(records)
    )
    running.sandbox.faults.add("slow", seconds=ANSWER_SECONDS, times=10**6)
    if name != "reboot":
        running.start_clock()
    running.add_worker()
    job = request_sync(SyncSelection())
    wait_for(lambda: running.sandbox.load.calls >= 2, "the first calls")
    told = SCENARIOS[name](running)

    def is_over() -> bool:
        running.replace_dead()
        job.refresh_from_db()
        return job.state in SyncJob.FINAL_STATES

    wait_for(is_over, f"the end of the job ({job.pk})")
    ever_unknown = job.batches.filter(state="unknown").exists()
    return {
        **told,
        "state": job.state,
        "counts": job.counts,
        "ever_unknown": ever_unknown,
        **both_sides(running.sandbox),
    }


def redis(running: Herd) -> Told:
    """Redis is killed, and comes back without any data. What ends because of it is started again, as systemd does."""
    running.kill_redis()
    calls, died = running.sandbox.load.calls, []
    running.start_redis()

    def goes_on() -> bool:
        died.extend(running.replace_dead())
        return running.sandbox.load.calls >= calls + 3

    wait_for(goes_on, "further calls")
    return {"clock_lives": running.clock_lives(), "workers_died": len(died)}


def failover(running: Herd) -> Told:
    """A replica takes over: the address leads to a read-only server, to none, then to one that takes writes again."""
    from redis import Redis

    from mobjects.models import SyncJob

    replica = running.start_replica()
    promote(replica)
    follow(running.redis_url, replica)
    with Redis.from_url(running.redis_url) as client:
        before = client.info("stats")["total_error_replies"]
        wait_for(lambda: client.info("stats")["total_error_replies"] >= before + 3, "commands that are refused")
    finished_before = SyncJob.objects.filter(state__in=SyncJob.FINAL_STATES).exists()
    running.kill_redis()
    running.start_redis()
    follow(running.redis_url, replica)
    promote(running.redis_url)
    calls, died = running.sandbox.load.calls, []

    def goes_on() -> bool:
        died.extend(running.replace_dead())
        is_over = SyncJob.objects.filter(state__in=SyncJob.FINAL_STATES).exists()
        return is_over or running.sandbox.load.calls >= calls + 3

    wait_for(goes_on, "further calls")
    return {"clock_lives": running.clock_lives(), "workers_died": len(died), "finished_before": finished_before}


def database(running: Herd) -> Told:
    """PostgreSQL ends the connections of all others, three times."""
    from django.db import connection

    ended = 0
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            ended += len(cursor.fetchall())
        calls = running.sandbox.load.calls
        wait_for(lambda calls=calls: running.sandbox.load.calls >= calls + 2, "further calls")  # type: ignore[misc]
    return {"ended": ended}


def sigterm(running: Herd) -> Told:
    """The only worker is asked to end; another one begins."""
    from mobjects.models import SyncBatch, SyncJob, WorkerLease

    (name,) = running.workers
    code = running.stop_worker(name)
    told = {
        "code": code,
        "leases": WorkerLease.objects.count(),
        "sending": SyncBatch.objects.filter(state="sending").count(),
        "finished_before": SyncJob.objects.filter(state__in=SyncJob.FINAL_STATES).exists(),
    }
    running.add_worker()
    return told


def web(running: Herd) -> Told:
    """The web process is killed and started again while the job runs."""
    command = [sys.executable, "-m", "gunicorn", "marketo_admin.wsgi", "--no-control-socket"]
    for _ in range(2):
        port = find_free_port()
        process = running.start("web", [*command, "--bind", f"127.0.0.1:{port}"])
        wait_for(lambda port=port: is_port_open(port), "the web server")  # type: ignore[misc]
        process.kill()
        process.wait()
    return {}


def reboot(running: Herd) -> Told:
    """Everything but the database is killed at once, and started again after a while; Redis without its data.

    In real time, with the clock as it is in production.
    """
    from mobjects.models import WorkerLease

    (name,) = running.workers
    running.kill_worker(name)
    running.kill_redis()
    died_at = time.monotonic()
    running.sandbox.faults.clear()  # From here on Marketo is quick: only the finding is measured.
    (lease,) = WorkerLease.objects.all()
    running.start_redis()
    running.start_clock(15)
    running.add_worker()
    wait_for(lambda: not WorkerLease.objects.filter(pk=lease.pk).exists(), "the end of the dead lease")
    return {"found_after": time.monotonic() - died_at}


SCENARIOS: dict[str, Callable[[Herd], Told]] = {
    scenario.__name__: scenario for scenario in (redis, failover, database, sigterm, web, reboot)
}


if __name__ == "__main__":
    main()
