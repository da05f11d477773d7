"""Whether an edit is lost when two write the same record at once. Prints; writes nothing outside a temporary folder.

    python bench/races.py [form-form form-cost form-import form-pull undo-form] [--races 1000] [--database postgres://…]

Each race has a record and two threads with database connections of their own: a form that is sent, and another form, a
chunk of an import, a page of a pull or the undo of an import. In every other race they change the same field, in the
rest different ones. Who says "saved" and whose value is not there in the end has lost an edit; who was asked, or says
that a record was left out, has not. Exit code 1 if an edit was lost or if something broke off.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench.surroundings import served_from_source, surroundings  # noqa: E402 -- only found thanks to the line above

KINDS = ("form-form", "form-cost", "form-import", "form-pull", "undo-form")


def main() -> int:
    """Run the races that were asked for; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; all if none is given")
    parser.add_argument("--races", type=int, default=1000, help="of each kind")
    parser.add_argument("--database", default="", help="a PostgreSQL to run on (default: a temporary SQLite file)")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    with surroundings(options.database):
        from bench.races_writers import Arena

        with served_from_source():
            arena = Arena()
            say("| race | races | both in place | one asked or left out | broke off | edits lost | seconds |")
            say("|---|---|---|---|---|---|---|")
            clean = [_measure(arena, kind, options.races) for kind in options.kinds or KINDS]
            arena.close()
    return 0 if all(clean) else 1


def _measure(arena: object, kind: str, races: int) -> bool:
    began, counts = time.monotonic(), Counter[str]()
    for number in range(races):
        counts.update(arena.race(kind, number))  # type: ignore[attr-defined]  # known once Django is set up
    cells = [races, *(counts[name] for name in ("both", "asked", "broken", "lost"))]
    seconds = time.monotonic() - began
    say(f"| {kind.replace('-', '/')} | {' | '.join(f'{cell:,}' for cell in cells)} | {seconds:.0f} |")
    return counts["lost"] + counts["broken"] == 0


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- what it is for


if __name__ == "__main__":
    raise SystemExit(main())
