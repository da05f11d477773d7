"""How fast pages are on a database of years, next to their bare SQL and to an earlier build.

    python bench/pages.py [--rows 1000000] [--rounds 5] [--before COMMIT] [--processor]
        [--database postgres://user@host:5432/postgres]

Without ``--database`` it fills a temporary SQLite file, with 100,000 opportunities. With it, it makes a database on
that server and drops it at the end. ``--before`` measures the pages of a commit first, on the same rows, before the
database is migrated to this build. ``--processor`` tells processor time, ours and the database's, in place of what
a clock says: for a machine that does other work. docs/performance.md explains the figures. Exit code 1 if a goal is
missed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench.surroundings import environment, start_redis, temporary_database  # noqa: E402
from mobjects.local.supervisor import Supervisor  # noqa: E402

MOST_QUERIES = 12
MOST_OVER_SQL = 150.0
MOST_ON_SQLITE = 300.0
MOST_BYTES = 150_000
LEAST_TIMES = {"search": 20.0, "page": 8.0, "dashboard": 8.0, "list": 2.0}
"""So many times faster than before, by the first word of the page."""

Pages = dict[str, dict[str, float]]


def main() -> int:
    """Fill, measure, tell; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=0, help="opportunities (PostgreSQL: 1,000,000; SQLite: 100,000)")
    parser.add_argument("--rounds", type=int, default=5, help="the fastest is told")
    parser.add_argument("--before", default="", help="a commit to measure as well")
    parser.add_argument("--database", default="", help="a PostgreSQL to measure on (default: a temporary SQLite file)")
    parser.add_argument("--processor", action="store_true", help="judge by processor time: the machine does other work")
    options = parser.parse_args()
    rows = options.rows or (1_000_000 if options.database else 100_000)
    with (
        tempfile.TemporaryDirectory(prefix="marketo-bench-") as name,
        temporary_database(options.database, Path(name)) as database_url,
        Supervisor(Path(name) / "log", dict(os.environ), signals=False) as supervisor,
        _earlier_build(options.before, Path(name)) as earlier,
    ):
        redis_url = start_redis(supervisor, Path(name))
        settings = environment(database_url, redis_url, "http://127.0.0.1:9")
        filled = _run(earlier or ROOT, settings, "fill", rows)
        _say(f"{rows:,} opportunities on {'PostgreSQL' if options.database else 'SQLite'}: {filled['fill']:.0f} s.")
        before = _run(earlier, settings, "measure", rows, options.rounds)["pages"] if earlier else {}
        now = _run(ROOT, settings, "measure", rows, options.rounds)
        if earlier:
            _say(f"The migration to this build took {now['migrate']:.1f} s.")
        reached = [_tell(page, now["pages"], before, options) for page in now["pages"]]
        return 0 if all(reached) else 1


@contextmanager
def _earlier_build(commit: str, folder: Path) -> Iterator[Path | None]:
    if not commit:
        yield None
        return
    checkout = folder / "before"
    subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "-q", "--detach", str(checkout), commit], check=True)  # noqa: S607
    try:
        yield checkout
    finally:
        subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(checkout)], check=True)  # noqa: S607


def _run(product: Path, settings: dict[str, str], *what: object) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "bench" / "pages_site.py"), *map(str, what)]
    around = {**os.environ, **settings, "BENCH_PRODUCT": str(product)}
    done = subprocess.run(command, check=True, env=around, cwd=product, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _tell(page: str, now: Pages, before: Pages, options: Namespace) -> bool:
    """Print a page's line; returns whether it reaches what is asked of it."""
    took, bare = ("cpu", "cpu_sql") if options.processor else ("ms", "sql")
    seen = now[page]
    missed = []
    if seen["queries"] > MOST_QUERIES:
        missed.append(f"more than {MOST_QUERIES} queries")
    if seen[took] - seen[bare] > MOST_OVER_SQL:
        missed.append(f"more than {MOST_OVER_SQL:g} ms over its SQL")
    if not options.database and seen[took] > MOST_ON_SQLITE:
        missed.append(f"more than {MOST_ON_SQLITE:g} ms")
    if page == "list" and seen["bytes"] > MOST_BYTES:
        missed.append(f"more than {MOST_BYTES // 1000} KB")
    line = f"  {page:<30} {seen[took]:7.1f} ms, its SQL {seen[bare]:6.1f} ms, {seen['queries']:3} queries"
    line += f", {seen['bytes'] / 1000:4.0f} KB"
    if page in before:
        was, times = before[page], before[page][took] / seen[took]
        line += (
            f"; before {was[took]:7.1f} ms, {was['queries']:3} queries, {was['bytes'] / 1000:4.0f} KB: {times:.1f} ×"
        )
        least = LEAST_TIMES.get(page.split(maxsplit=1)[0].strip(","), 0)
        if options.database and times < least and page != "list of jobs":
            missed.append(f"not {least:g} × as fast")
    _say(line + (f"  MISSED: {', '.join(missed)}" if missed else ""))
    return not missed


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
