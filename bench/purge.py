"""How long a year of a history of two years takes to go, how long others wait for it at most, and what the bare
statement takes that writes as many rows in as many transactions.

    python bench/purge.py [--jobs 2000] [--each 10] [--kinds payloads results edits] [--pages]
        [--database postgres://user@host:5432/postgres]

Without ``--database`` it fills a temporary SQLite file. With it, it makes a database on that server and drops it at the
end. ``--pages`` measures pages before the purge and while it goes on; it has to take longer than they do. The bare
statement empties the values of the year that stays. docs/performance.md explains the figures. Exit code 1 if anything
that was due is left.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench.surroundings import Surroundings, surroundings, unlocked_history  # noqa: E402
from bench.time_used import TimeUsed, read_clocks  # noqa: E402

RECORDS = 200_000
"""So many opportunities at most; results go round them."""
YEAR = 365
LONG = timedelta(days=4000)
KINDS = ("payloads", "results", "edits")
PAGES = ("list of jobs", "job", "record", "results", "results, all", "results, of a record")
ROUNDS = 5


def main() -> int:
    """Fill, purge, tell; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2000, help="of two years; half of them are due")
    parser.add_argument("--each", type=int, default=10, help="results of each job")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--pages", action="store_true", help="measure pages before it and meanwhile (PostgreSQL)")
    parser.add_argument("--database", default="", help="a PostgreSQL to measure on (default: a temporary SQLite file)")
    options = parser.parse_args()
    with surroundings(options.database) as around:
        from django.conf import settings

        settings.RETENTION_DAYS.update(payloads=YEAR, results=YEAR)
        began = read_clocks()
        records = _fill(options)
        _say(f"{options.jobs:,} jobs of {options.each:,} results: filled in {(read_clocks() - began).seconds:.0f} s")
        pages = _measure_pages(around, records) if options.pages else None
        before = _read_pages(pages)
        meanwhile = _measure_pages(around, records) if options.pages else None
        left = sum(_purge(kind) for kind in options.kinds)
        for name, milliseconds in _read_pages(meanwhile).items():
            _say(f"  {name}: {before[name]:.0f} ms before, {milliseconds:.0f} ms while it purged")
        if "results" in options.kinds:
            _say_floor(options)
        return 1 if left else 0


def _fill(options: Namespace) -> int:
    """Write the history of two years, a batch in each job, and aged edits; gives how many records there are."""
    from django.db import connection
    from django.db.models import F

    from bench import pages_fill
    from bench.grown_fill import bare_tables, seconds_ago
    from mobjects.models import RecordEdit, SyncBatch, SyncJob, SyncResult

    jobs, results = options.jobs, options.jobs * options.each
    records: int = min(results, RECORDS)
    pages_fill.fill_records(records)
    on_postgresql = connection.vendor == "postgresql"
    tables = [model._meta.db_table for model in (SyncJob, SyncBatch, SyncResult)]
    with bare_tables(tables) if on_postgresql else nullcontext():
        pages_fill.insert_jobs(jobs, planned=options.each, seconds=seconds_ago(jobs))
        pages_fill.insert_batches(jobs, "n", sequence="1", seconds=seconds_ago(jobs))
        of_job = f"((n - 1) / {options.each} + 1)"
        record = f"(n - 1) % {records} + 1"
        pages_fill.insert_results(results, of_job, of_job, record=record, seconds=seconds_ago(results))
    # As much as a call of a hundred records has, and nothing that a compression makes small.
    body = " ".join(f"<value{number}>{number * 7919 % 104729}</value{number}>" for number in range(1500))
    with unlocked_history():
        RecordEdit.objects.update(created_at=F("created_at") - LONG)
        if "payloads" in options.kinds:
            SyncBatch.objects.update(request=body, response=body)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if on_postgresql else "ANALYZE")
    return records


def _purge(kind: str) -> int:
    """Purge one kind as a worker does; gives what is left."""
    from mobjects.models import PurgeKind, SyncJobSource
    from mobjects.retention import service

    [purge] = service.request_purge([PurgeKind(kind)], source=SyncJobSource.COMMAND, enqueue=False)
    spans, began = [], read_clocks()
    for chunk in service.BY_NAME[PurgeKind(kind)].iter_chunks(purge.until):
        step = time.perf_counter()
        service.do_chunk(purge.pk, chunk)
        spans.append(time.perf_counter() - step)
    used = read_clocks() - began
    purge.refresh_from_db()
    _say_rate(kind, purge.removed_count, used)
    _say(
        f"  {len(spans):,} transactions, median {median(spans) * 1000:.0f} ms, longest {max(spans) * 1000:.0f} ms: "
        "so long anybody waits for it at most"
    )
    left: int = service.BY_NAME[PurgeKind(kind)].preview(purge.until).count
    return left


def _say_floor(options: Namespace) -> None:
    """What the database takes to empty the values of the other year, bare, and to delete its rows."""
    from django.db import connection

    from mobjects.models import SyncResult
    from mobjects.retention.kinds import CHUNK

    table = SyncResult._meta.db_table
    last = options.jobs * options.each
    first = last - options.jobs // 2 * options.each + CHUNK
    if first >= last:
        return
    for name, statement in (
        ("bare UPDATE", f"UPDATE {table} SET sent = '{{}}', diff = '[]'"),
        ("bare DELETE", f"DELETE FROM {table}"),
    ):
        with unlocked_history(), connection.cursor() as cursor:
            began = read_clocks()
            for start in range(first, last, CHUNK):
                cursor.execute(f"{statement} WHERE id > %s AND id <= %s", [start, start + CHUNK])
            _say_rate(name, last - first, read_clocks() - began)


def _say_rate(name: str, rows: int, used: TimeUsed) -> None:
    _say(
        f"{name}: {rows:,} rows in {used.seconds:.1f} s, {rows / used.seconds:,.0f} a second; "
        f"{used.cpu:.1f} s of the processor, {rows / used.cpu:,.0f} rows for each"
    )


def _measure_pages(around: Surroundings, records: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "bench" / "pages_site.py"), "measure", str(records), str(ROUNDS), *PAGES]
    surrounded = {**os.environ, **around.settings}
    return subprocess.Popen(command, env=surrounded, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _read_pages(measuring: subprocess.Popen[str] | None) -> dict[str, float]:
    """What the pages took by the clock."""
    if measuring is None:
        return {}
    told = json.loads(measuring.communicate()[0].splitlines()[-1])
    return {name: seen["ms"] for name, seen in told["pages"].items()}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
