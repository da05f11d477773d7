"""How fast imports are, how much memory they take, and whether a killed one ends right.

    python bench/import.py speed [--rows 100000] [--stock-rows 20000] [--rounds 3] [--database postgres://…]
    python bench/import.py reading [--rows 100000] [--rounds 3] [--against ANOTHER-CHECKOUT]
    python bench/import.py memory|first-page|kill [--database postgres://user@host:5432/postgres]

docs/performance.md explains the figures. It starts what it needs in a temporary folder; with ``--database`` it makes a
database on that server and drops it at the end. Exit code 1 if a goal is missed.
"""

# ruff: noqa: N999 -- it is run as a command, and imported by nobody

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = os.environ.get("BENCH_PRODUCT", str(ROOT))
"""The checkout whose product is measured, with what this one's bench/ does."""
sys.path[0] = str(ROOT)
import bench  # noqa: E402, F401 -- from here, whatever the product

sys.path.insert(0, PRODUCT)

from bench.herd import herd  # noqa: E402 -- only found thanks to the line above
from bench.surroundings import surroundings  # noqa: E402


def main() -> int:
    """Run the measurement that was asked for; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("--rows", type=int, default=0, help="in the file (speed and kill: 100,000; first-page: 10,000)")
    parser.add_argument("--stock-rows", type=int, default=20_000, help="for django-import-export; 0 leaves it out")
    parser.add_argument("--rounds", type=int, default=3, help="of speed, reading and first-page")
    parser.add_argument("--kills", type=int, default=9)
    parser.add_argument("--seed", type=int, help="for the same dice again")
    parser.add_argument("--database", default="", help="a PostgreSQL to measure on (default: a temporary SQLite file)")
    parser.add_argument("--each", type=int, default=100, help="of the rows belong to one program (parts)")
    parser.add_argument("--against", default="", help="another checkout to measure too (parts, reading)")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = secrets.randbelow(10**6)
    say(f"On {'PostgreSQL' if options.database else 'SQLite'}.")
    return 0 if PARTS[options.part](options) else 1


def speed(options: Namespace) -> bool:
    """Seconds next to the floor and to django-import-export."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # So that it cleans up.
    with surroundings(options.database) as around:
        from bench import imports_speed  # Models can be imported only now.

        return imports_speed.measure(
            around, say, rows=options.rows or 100_000, stock_rows=options.stock_rows, rounds=options.rounds
        )


def memory(options: Namespace) -> bool:
    """Peak memory of the working process."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with surroundings(options.database) as around:
        from bench import imports_memory

        return imports_memory.measure(around, say)


def parts(options: Namespace) -> bool:
    """Seconds of new costs and tags, with ``--against`` next to those of another checkout."""
    if options.against:
        for name, checkout in (("the other build", options.against), ("this build", str(ROOT))):
            say(f"{name}:")
            again = [python_of(checkout), __file__, "parts", f"--rows={options.rows}", f"--each={options.each}"]
            again.append(f"--database={options.database}")
            subprocess.run(again, check=True, env={**os.environ, "BENCH_PRODUCT": checkout})
        return True
    with surroundings(options.database) as around:
        from bench import imports_parts

        if options.database:
            imports_parts.measure_refused(around, say, rows=5000)
        imports_parts.measure(around, say, rows=options.rows or 100_000, each=options.each)
    return True


def python_of(checkout: str) -> str:
    """The Python of a checkout: a build of long ago needs other packages. This one where it has none of its own."""
    own = Path(checkout, ".venv/bin/python")
    return str(own) if own.exists() else sys.executable


def reading(options: Namespace) -> bool:
    """CPU seconds and memory of reading workbooks, with ``--against`` next to those of another checkout."""
    from bench import imports_reading

    return imports_reading.measure(
        ROOT, say, rows=options.rows or 100_000, rounds=options.rounds, against=options.against
    )


def first_page(options: Namespace) -> bool:
    """Seconds from an upload to the first page of its review."""
    with herd(options.database, **PAGE_SETTINGS) as running:
        from bench import imports_page

        return imports_page.measure(running, say, rows=options.rows or 10_000, rounds=options.rounds)


def kill(options: Namespace) -> bool:
    """Kill -9 in the middle of commits."""
    with herd(options.database) as running:
        from bench import imports_kill

        rows = options.rows or 100_000
        return imports_kill.measure(running, say, rows=rows, kills=options.kills, seed=options.seed)


PAGE_SETTINGS = {"DJANGO_SETTINGS_MODULE": "bench.imports_settings", "DJANGO_ALLOWED_HOSTS": "127.0.0.1"}
PARTS = {"speed": speed, "parts": parts, "reading": reading, "memory": memory, "first-page": first_page, "kill": kill}


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
