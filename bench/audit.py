"""What the chain over the history and its triggers cost a sync and an import, with and without by turns in one run.

    python -m bench.audit [--database postgres://user@host:5432/name] [--rounds 7] [--rows 10000]

Without: the triggers removed, nothing sealed. With: the triggers, and all that was written sealed after it, in the same
process. Each round does both, the first one is thrown away; medians are told. Processor time is of this process and, of
a PostgreSQL on this machine, of the server's process that serves it. Last comes what triggers and sealing cost, in
percent of the processor time without both.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from bench.surroundings import Surroundings, lift_limits, surroundings

BATCHES = 20
WAYS = ("without", "with")
ARTICLES = {"sync": "a sync", "import": "an import"}

Figures = dict[tuple[str, str], list[tuple[float, float]]]
"""Seconds (in all, of this process' processor) by what was done and how."""


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="", help="a PostgreSQL on which a database may be made; else SQLite")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=10_000, help="of the imported file")
    options = parser.parse_args()
    with surroundings(options.database) as around:
        figures = measure(around, options.rounds, options.rows)
    print(f"On {'PostgreSQL' if options.database else 'SQLite'}, medians of {options.rounds} rounds:")  # noqa: T201
    for what in ("sync", "import", "sealing after a sync", "sealing after an import"):
        print(_describe(what, figures))  # noqa: T201
    for what in ("sync", "import"):
        print(f"  {what}: {_cost(what, figures):+.0f} % of processor time")  # noqa: T201


def measure(around: Surroundings, rounds: int, rows: int) -> Figures:
    """The figures of all rounds."""
    from bench import imports_files, imports_ours
    from mobjects.audit.guard_triggers import install_guard_triggers, remove_guard_triggers
    from mobjects.audit.sealing import seal_everything

    lift_limits()
    around.reset()
    path = imports_files.write_csv(around.folder / "rows.csv", rows)
    syncs = count()

    def clear_for_import() -> Callable[[], Any]:
        imports_ours.empty()
        return lambda: imports_ours.run(path, new=rows)

    figures: Figures = defaultdict(list)
    # First all syncs: a database that is emptied for an import would be taken for a restored one.
    preparations: dict[str, Callable[[], Callable[[], Any]]] = {
        "sync": lambda: _prepare_sync(next(syncs)),
        "import": clear_for_import,
    }
    for what, prepare in preparations.items():
        for number in range(-1, rounds):
            for way in WAYS if number % 2 else reversed(WAYS):
                lay = install_guard_triggers if way == "with" else remove_guard_triggers
                lay(None, "default")
                work = prepare()
                seal_everything()  # What came before belongs to nobody.
                found = {what: _clocked(work)}
                if way == "with":
                    found[_sealing(what)] = _clocked(seal_everything)
                for each, seconds in found.items():
                    if number >= 0:
                        figures[each, way].append(seconds)
    return figures


def _sealing(what: str) -> str:
    return f"sealing after {ARTICLES[what]}"


def _prepare_sync(number: int) -> Callable[[], Any]:
    """A job of so many batches, of new records."""
    from django.db.models import F

    from bench.records import opportunities
    from mobjects.jobs.requests import create_sync_job
    from mobjects.jobs.runner import run_job
    from mobjects.models import Opportunity
    from mobjects.sync.send.selection import SyncSelection

    Opportunity.objects.update(synced_revision=F("revision"))
    opportunities(BATCHES * 100, after=number * BATCHES * 1000)
    job = create_sync_job(SyncSelection())
    return lambda: run_job(job)


def _clocked(work: Callable[[], Any]) -> tuple[float, float]:
    began, used = time.perf_counter(), _processor_time()
    work()
    return time.perf_counter() - began, _processor_time() - used


def _processor_time() -> float:
    """Of this process, and of the server's process at the other end if that runs on this machine."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return time.process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        status = Path("/proc", str(cursor.fetchone()[0]), "stat")
    if not status.exists():
        return time.process_time()
    fields = status.read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _describe(what: str, figures: Figures) -> str:
    told = []
    for way in WAYS:
        if of := figures.get((what, way)):
            seconds, processor = (median(each[at] for each in of) for at in (0, 1))
            told.append(f"{way} {seconds:.2f} s, processor {processor:.2f} s")
    return f"  {what:<24} {'; '.join(told)}"


def _cost(what: str, figures: Figures) -> float:
    """What it costs in all, in percent of what is done without it."""
    without, with_it, sealing = (
        median(used for _seconds, used in figures[key])
        for key in ((what, "without"), (what, "with"), (_sealing(what), "with"))
    )
    return (with_it + sealing - without) / without * 100


if __name__ == "__main__":
    main()
