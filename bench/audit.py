"""What the chain over the history and its triggers cost a sync and an import, with and without by turns in one run.

    python -m bench.audit [--database postgres://user@host:5432/name] [--rounds 7] [--rows 10000]

Without: the triggers removed, nothing sealed. With: the triggers, and all that was written sealed after it, in the same
process. Each round does both, the first one is thrown away; medians are told.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

from bench.surroundings import Surroundings, lift_limits, surroundings

BATCHES = 20
WAYS = ("without", "with")

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


def measure(around: Surroundings, rounds: int, rows: int) -> Figures:
    """The figures of all rounds."""
    from bench import imports_files, imports_ours
    from mobjects.audit.guard_triggers import install_guard_triggers, remove_guard_triggers
    from mobjects.audit.sealing import seal_everything

    lift_limits()
    around.reset()
    path = imports_files.write_csv(around.folder / "rows.csv", rows)
    figures: Figures = defaultdict(list)
    made = 0
    for number in range(-1, rounds):
        for way in WAYS if number % 2 else reversed(WAYS):
            lay = install_guard_triggers if way == "with" else remove_guard_triggers
            lay(None, "default")
            seal_everything()  # What came before belongs to nobody.
            sync = _prepare_sync(made)
            made += 1
            found = {"sync": _clocked(sync)}
            if way == "with":
                found["sealing after a sync"] = _clocked(seal_everything)
            imports_ours.empty()
            found["import"] = _clocked(lambda: imports_ours.run(path, new=rows))
            if way == "with":
                found["sealing after an import"] = _clocked(seal_everything)
            for what, seconds in found.items():
                if number >= 0:
                    figures[what, way].append(seconds)
    return figures


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
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def _describe(what: str, figures: Figures) -> str:
    told = []
    for way in WAYS:
        if of := figures.get((what, way)):
            seconds, processor = (median(each[at] for each in of) for at in (0, 1))
            told.append(f"{way} {seconds:.2f} s, processor {processor:.2f} s")
    return f"  {what:<24} {'; '.join(told)}"


if __name__ == "__main__":
    main()
