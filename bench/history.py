"""What a history of two years and 20,000,000 results does to a batch and to the pages, next to one of a day.

    python bench/history.py --database postgres://user@host:5432/postgres [--jobs 16667] [--records 200000] [--rounds 3]

It makes a database on that server, which takes 9 GB with as many jobs as above and four to eight minutes to fill, and
drops it at the end. Each job has four calls of 300 results. docs/performance.md explains the figures. Exit code 1 if
a page or a batch takes more than a third longer than with the little history, by processor time, and 20 ms more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench.surroundings import Surroundings, lift_limits, surroundings  # noqa: E402

LITTLE = 23
"""Jobs of a day of such years."""
MOST_TIMES, MOST_MORE = 1.33, 20.0
PAGES = (
    "dashboard", "list of jobs", "job", "record", "history of a record", "results", "results, all",
    "results, from their midst", "results, of a record", "results, of a Marketo ID", "results, by a name",
    "results, by no name", "results, of the oldest days", "results, of a status", "jobs, of a Marketo ID",
    "jobs, by a name",
)  # fmt: skip
Figures = dict[str, float]


def main() -> int:
    """Fill a little, measure, fill much, measure, tell; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=16_667, help="of 1,200 results each")
    parser.add_argument("--records", type=int, default=200_000, help="opportunities")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", required=True, help="a PostgreSQL to measure on")
    options = parser.parse_args()
    with surroundings(options.database) as around:
        from django.db.models import F

        from bench import pages_fill
        from mobjects.marketo.types import Kind
        from mobjects.models import records_of_kind

        lift_limits()
        pages_fill.fill_records(options.records)
        for kind in Kind:  # A job sends what the measurement makes, and nothing else.
            records_of_kind(kind).update(synced_revision=F("revision"))
        little, much = (_measure(around, jobs, options.records, options.rounds) for jobs in (LITTLE, options.jobs))
    _say(f"{'milliseconds of the processor, ours and the database’s':<58} little   much")
    slower = [name for name in much if _is_slower(little[name], much[name])]
    for name, milliseconds in much.items():
        _say(f"  {name:<55} {little[name]:7.1f} {milliseconds:7.1f}{'  MISSED' if name in slower else ''}")
    return 1 if slower else 0


def _is_slower(little: float, much: float) -> bool:
    return much > little * MOST_TIMES and much > little + MOST_MORE


def _measure(around: Surroundings, jobs: int, records: int, rounds: int) -> Figures:
    from django.db import connection

    from bench.grown_fill import fill_history

    began = time.perf_counter()
    results = fill_history(jobs, records)
    filled = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database()) / 1e9")
        [size] = cursor.fetchone()
    _say(f"{results:,} results of {jobs:,} jobs: filled in {filled:.0f} s, {size:.1f} GB")
    return _pages(around, records, rounds) | _batches(around, rounds)


def _batches(around: Surroundings, rounds: int) -> Figures:
    from bench.apis import APIS
    from bench.cpu import ApiRun

    found = {}
    for api in APIS:
        run = ApiRun(around, api)
        for number in range(-1, rounds):  # The first one warms up.
            run.round(keep=number >= 0)
        run.report(_say)
        found[f"a batch over {api.name.upper()}, ours"] = median(run.figures["job"])
        found[f"a batch over {api.name.upper()}, PostgreSQL's"] = median(run.figures["server"])
    return found


def _pages(around: Surroundings, records: int, rounds: int) -> Figures:
    command = [sys.executable, str(ROOT / "bench" / "pages_site.py"), "measure", str(records), str(rounds), *PAGES]
    surrounded = {**os.environ, **around.settings}
    done = subprocess.run(command, check=True, env=surrounded, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pages = json.loads(done.stdout.splitlines()[-1])["pages"]
    for name, seen in pages.items():
        took = f"{seen['ms']:7.1f} ms by the clock, {seen['cpu']:7.1f} of the processor"
        _say(f"  {name:<30} {took}, {seen['queries']:2} queries")
    return {f"page: {name}": seen["cpu"] for name, seen in pages.items()}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
