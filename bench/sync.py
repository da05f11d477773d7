"""How fast syncing is, and what that is in proportion to. Prints; writes nothing outside a temporary folder.

    python bench/sync.py [cpu|throughput|memory|plan|growth|all] [--transport soap|rest|both] [--records 100000]
        [--database postgres://user@host:5432/postgres] [--picture growth.svg]

docs/performance.md explains the figures. It starts a local Marketo and a Redis of its own; with ``--database`` it
makes a database on that server and drops it at the end. With ``both`` the two APIs take turns, in the same minutes.
"""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.surroundings import surroundings  # noqa: E402 -- only found thanks to the line above

PARTS = ("cpu", "memory", "plan", "growth", "throughput")
"""In the order in which they are measured."""


def main() -> None:
    """Run the measurements that were asked for."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", default="all", choices=(*PARTS, "all"))
    parser.add_argument("--database", default="", help="a PostgreSQL to measure on (default: a temporary SQLite file)")
    parser.add_argument("--transport", default="both", choices=("soap", "rest", "both"), help="default: both, by turns")
    parser.add_argument(
        "--records", type=int, default=100_000, help="changed ones, of plan and growth (default: 100,000)"
    )
    parser.add_argument("--picture", type=Path, help="the SVG that growth draws")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # So that it cleans up.
    with surroundings(options.database) as around:
        # Models can be imported only now.
        from django.db import connection

        from bench import cpu, growth, memory, plan, throughput
        from bench.apis import APIS

        parts = {"cpu": cpu, "growth": growth, "memory": memory, "plan": plan, "throughput": throughput}
        apis = APIS if options.transport == "both" else [api for api in APIS if api.name == options.transport]
        say(f"On {connection.vendor}.")
        for part in PARTS if options.part == "all" else (options.part,):
            parts[part].measure(around, say, apis, **_asked(part, options))


def _asked(part: str, options: Namespace) -> dict[str, Any]:
    if part == "growth":
        return {"records": options.records, "picture": options.picture}
    return {"records": options.records} if part == "plan" else {}


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
