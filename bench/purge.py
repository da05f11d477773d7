"""How long a year of history takes to go, and how long others wait for the locks of it at most.

    python bench/purge.py [--results 200000] [--database postgres://user@host:5432/postgres]

Without ``--database`` it fills a temporary SQLite file. With it, it makes a database on that server and drops it at the
end. docs/performance.md explains the figures. Exit code 1 if anything that was due is left.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from statistics import median

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.surroundings import surroundings  # noqa: E402

AGE = timedelta(days=4000)


def main() -> int:
    """Fill, purge, tell; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=int, default=200_000, help="results, and as many edits")
    parser.add_argument("--database", default="", help="a PostgreSQL to measure on (default: a temporary SQLite file)")
    options = parser.parse_args()
    with surroundings(options.database):
        _fill(options.results)
        left = sum(_purge(kind) for kind in ("payloads", "results", "edits"))
        return 1 if left else 0


def _fill(results: int) -> None:
    from django.apps import apps
    from django.db import DEFAULT_DB_ALIAS
    from django.db.models import F

    from bench.pages_fill import fill
    from bench.surroundings import unlocked_history
    from mobjects.db.edit_triggers import install_edit_triggers, remove_edit_triggers
    from mobjects.models import RecordEdit, SyncBatch, SyncJob

    config = apps.get_app_config("mobjects")
    remove_edit_triggers(config, DEFAULT_DB_ALIAS, plan=[None])  # The edits are made here.
    fill(results)
    install_edit_triggers(config, DEFAULT_DB_ALIAS)
    # As much as a call of a hundred records has, and nothing that a compression makes small.
    body = " ".join(f"<value{number}>{number * 7919 % 104729}</value{number}>" for number in range(1500))
    with unlocked_history():
        SyncJob.objects.update(created_at=F("created_at") - AGE, finished_at=F("finished_at") - AGE)
        RecordEdit.objects.update(created_at=F("created_at") - AGE)
        SyncBatch.objects.update(request=body, response=body)


def _purge(kind: str) -> int:
    """Purge one kind as a worker does; gives what is left."""
    from mobjects.models import PurgeKind, SyncJobSource
    from mobjects.retention import service

    [purge] = service.request_purge([PurgeKind(kind)], source=SyncJobSource.COMMAND, enqueue=False)
    before = time.perf_counter()
    due = service.BY_NAME[PurgeKind(kind)].preview(purge.until).count
    counted = time.perf_counter() - before
    spans = []
    started = before = time.perf_counter()
    for chunk in service.BY_NAME[PurgeKind(kind)].iter_chunks(purge.until):
        before = time.perf_counter()
        service.do_chunk(purge.pk, chunk)
        spans.append(time.perf_counter() - before)
    whole = time.perf_counter() - started
    left = service.BY_NAME[PurgeKind(kind)].preview(purge.until).count
    sys.stdout.write(
        f"{kind}: {due:,} rows in {whole:.1f} s, {len(spans):,} transactions, median {median(spans) * 1000:.1f} ms, "
        f"longest {max(spans) * 1000:.0f} ms; counted beforehand in {counted:.2f} s; left {left}\n"
    )
    return left


if __name__ == "__main__":
    sys.exit(main())
