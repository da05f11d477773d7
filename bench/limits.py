"""Whether several processes together keep Marketo's limits. Prints; writes nothing outside a temporary folder.

    python bench/limits.py [workers|callers|all] [--calls 1000] [--processes 2] [--threads 6]

``workers``: real workers send one job of so many batches. ``callers``: processes that do nothing but call, with
several threads each, press harder on the number of calls at once. The local Marketo counts what arrives. 1,000 calls
take about 210 s each time, because only 100 are allowed in 20 s. Exit code 1 if a limit was passed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench.surroundings import Surroundings, surroundings  # noqa: E402 -- only found thanks to the line above

START = "import django; django.setup(); from bench.limits_caller import main; main()"
ANSWER_SECONDS = 0.2
PARTS = ("workers", "callers")

Measure = Callable[[Surroundings, Namespace], None]


def main() -> int:
    """Run the parts that were asked for; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", default="all", choices=(*PARTS, "all"))
    parser.add_argument("--calls", type=int, default=1000, help="all together")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=6, help="callers in each process")
    parser.add_argument("--database", default="", help="a PostgreSQL to run on (default: a temporary SQLite file)")
    options = parser.parse_args()
    with surroundings(options.database) as around:
        measures = {"workers": _with_workers, "callers": _with_callers}
        kept = [_measure(around, options, measures[part]) for part in PARTS if options.part in (part, "all")]
    return 0 if all(kept) else 1


def _measure(around: Surroundings, options: Namespace, measure: Measure) -> bool:
    around.reset()
    around.control("faults", [{"kind": "slow", "seconds": ANSWER_SECONDS, "times": 2 * options.calls}])
    began = time.monotonic()
    measure(around, options)
    seconds = time.monotonic() - began
    load = around.control("state")["load"]
    in_window, at_once = (int(around.settings[f"MARKETO_CALLS_{name}"]) for name in ("PER_WINDOW", "AT_ONCE"))
    say(f"  calls: {load['calls']:,} in {seconds:.0f} s")
    say(f"  most calls in any 20 s: {load['busiest_window']} (set: {in_window})")
    say(f"  most calls at once: {load['most_at_once']} (set: {at_once})")
    return bool(load["busiest_window"] <= in_window and load["most_at_once"] <= at_once)


def _with_workers(around: Surroundings, options: Namespace) -> None:
    from bench.limits_workers import send  # Models can be imported only now.

    say(f"{options.processes} workers send one job, answers after {ANSWER_SECONDS:g} s")
    say(f"  {send(around, options.calls, options.processes)}")


def _with_callers(around: Surroundings, options: Namespace) -> None:
    say(f"{options.processes} processes with {options.threads} callers each, answers after {ANSWER_SECONDS:g} s")
    each = -(-options.calls // options.processes)
    command = [sys.executable, "-c", START, str(each), str(options.threads)]
    callers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(options.processes)]
    said = [caller.communicate()[0].split() for caller in callers]
    failed, waits = (sum(int(words[place]) for words in said) for place in (0, 1))
    say(f"  {failed} refused by Marketo; told to wait {waits:,} times")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
