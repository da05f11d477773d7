"""Two hosts whose clocks disagree take turns on one job whose first batch is 40 s on its way: what is doubled?

    python -m bench.clocks [--database postgres://user@host:5432/name]

Time is moved, not waited for. Each pair of hosts is tried with the margin within which a host's clock has to be, and
without it: then the host that is off sends too, and only the one clock of the database keeps the records single.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.surroundings import environment, lift_limits, set_up_django, temporary_database
from mobjects.local import redis_server
from mobjects.local.ports import find_free_port
from mobjects.local.supervisor import Supervisor
from mobjects.sandbox import SandboxServer

RECORDS, TRANSIT_SECONDS, STEP_SECONDS, TURNS = 300, 40, 20, 80
MINUTES = (-20, -4, 4, 20)


def main() -> None:
    """Run all of it and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="", help="a PostgreSQL on which a database may be made; else SQLite")
    database = parser.parse_args().database
    with (
        tempfile.TemporaryDirectory() as name,
        temporary_database(database, Path(name)) as database_url,
        SandboxServer(window_seconds=7200) as sandbox,
        Supervisor(Path(name) / "log", os.environ, signals=False) as supervisor,
    ):
        port = find_free_port()
        redis_url = redis_server.server_url(port)
        command = redis_server.build_command(redis_server.find_program(), port, Path(name) / "redis")
        supervisor.start_child("redis", command, lambda: redis_server.is_answering(redis_url))
        url = sandbox.endpoint.partition("/soap/")[0]
        keyless = {"MARKETO_OPPORTUNITY_KEY_FIELD": ""}
        set_up_django({**environment(database_url, redis_url, url), **keyless})
        lift_limits()
        logging.disable(logging.CRITICAL)
        print("| first and second host, minutes | margin | doubled | lost | unknown |\n|---|---|---|---|---|")  # noqa: T201
        for margin in (True, False):
            for minutes in MINUTES:
                for hosts in ((minutes, 0), (0, minutes)):
                    figures = " | ".join(str(figure) for figure in _run(sandbox, hosts, margin=margin))
                    said = "60 s" if margin else "none"
                    print(f"| {hosts[0]:+} and {hosts[1]:+} | {said} | {figures} |", flush=True)  # noqa: T201
        from django.db import connections

        connections.close_all()


def _run(sandbox: Any, hosts: Sequence[float], *, margin: bool) -> tuple[int, int, int]:
    """One job on two hosts by turns: records doubled, lost, and of unknown outcome at the end."""
    from django.db import connection

    from mobjects import clock
    from mobjects.audit.door import history_opened
    from mobjects.jobs.host_clock import HostClockOff
    from mobjects.jobs.requests import create_sync_job
    from mobjects.jobs.runner import run_job
    from mobjects.marketo.types import Kind
    from mobjects.models import Installation, Opportunity, SyncJob
    from mobjects.queue_redis import connect_queue
    from mobjects.sync.send.selection import SyncSelection
    from mobjects.sync.transport_factory import open_transport
    from tests.support.database_clock import DATABASE_CLOCK
    from tests.support.hosts import World

    clock.MARGIN = timedelta(seconds=60) if margin else timedelta.max
    DATABASE_CLOCK.install(connection)
    with history_opened("Clocks"):
        SyncJob.objects.all().delete()
    Opportunity.objects.all()._raw_delete("default")
    Installation.objects.all().delete()  # Without its last calls it would be taken for restored.
    sandbox.reset()
    redis = connect_queue()  # Its own clock is not moved: the limits begin anew.
    redis.delete(*redis.scan_iter("marketo-limits:*"), "none")
    world = World(sandbox)
    with world.host():
        for number in range(RECORDS):
            Opportunity.objects.create(external_id=f"E-{number}", name=f"Deal {number}")
        job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    sandbox.faults.add("late", seconds=TRANSIT_SECONDS, operation="syncMObjects")
    for turn in range(TURNS):
        job.refresh_from_db()
        if job.state in SyncJob.FINAL_STATES:
            break
        with world.host(hosts[turn % 2]):
            try:
                run_job(job)
            except HostClockOff:
                pass  # As it should be.
        world.advance(STEP_SECONDS)
    with world.host():
        world.advance(3600)
        open_transport().ping()
    copies = Counter(each.values["Name"] for each in sandbox.store.opportunities.values())
    doubled = sum(times > 1 for times in copies.values())
    unknown = Opportunity.objects.filter(marketo_id=None).count()
    return doubled, RECORDS - len(copies), unknown


if __name__ == "__main__":
    main()
