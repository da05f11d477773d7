"""Kill -9 of real workers at random moments of a job, then look on both sides for what is lost or doubled.

    python bench/kill.py [--records 2000] [--kills 20] [--workers 2] [--seed N] [--database postgres://…]
                         [--transport soap] [--json]

The hard case over SOAP: new opportunities without an external key, which Marketo would simply create a second time;
over REST: costs of programs, which Marketo appends. Half of the time the process that works is killed alone, half of
the time with its worker. Exit code 1 unless nothing is lost, nothing is doubled, and everything has arrived.
"""

from __future__ import annotations

import json
import random
import secrets
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.herd import Herd, herd  # noqa: E402 -- only found thanks to the line above

LOOK_UP_SECONDS = 2
ANSWER_SECONDS = 0.1
SETTINGS = {
    "MARKETO_LOOK_UP_SECONDS": str(LOOK_UP_SECONDS),
    # A killed call holds its place among those at once until it can no longer be running: 5 s and 30.
    "MARKETO_TIMEOUT_SECONDS": "5",
    "MARKETO_CALLS_AT_ONCE": "10",
    # A job gives up after so many deaths in a row.
    "MARKETO_TRIES": "20",
}


def main() -> int:
    """Run it; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=2000, help="new opportunities")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, help="for the same dice again")
    parser.add_argument("--database", default="", help="a PostgreSQL to run on (default: a temporary SQLite file)")
    parser.add_argument("--transport", choices=("soap", "rest"), default="soap")
    parser.add_argument("--real-time", action="store_true", help="wait for the 40 s of silence of a killed worker")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = secrets.randbelow(10**6)
    with herd(options.database, **SETTINGS, MARKETO_TRANSPORT=options.transport) as running:
        return measure(running, options)


def measure(running: Herd, options: Namespace) -> int:
    """Start the workers and kill them."""
    from bench.killing import Killing, Report  # Models can be imported only now.

    def say(line: str) -> None:
        if not options.json:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    running.sandbox.faults.add("slow", seconds=ANSWER_SECONDS, times=10**6)
    for _ in range(options.workers):
        running.add_worker()
    running.start_clock()
    report = Report(options.seed, "PostgreSQL" if options.database else "SQLite")
    where = f"{report.database}, {options.transport.upper()}"
    say(f"{options.records:,} new opportunities, {options.workers} workers, {where}, seed {options.seed}")
    say(
        f"answers after {ANSWER_SECONDS:g} s; a lost sending is looked up after {LOOK_UP_SECONDS} s (in production 180)"
    )
    if not options.real_time:
        say("A worker killed with its process is found after 40 s of silence; here its last sign of life is antedated.")
    dice = random.Random(options.seed)  # noqa: S311 -- nothing secret is thrown
    Killing(running, dice, report, real_time=options.real_time).run(options.records, options.kills, say)
    if options.json:
        sys.stdout.write(f"{json.dumps(report.to_json())}\n")
    for line in _lines(report.to_json()):
        say(line)
    return 0 if report.clean else 1


def _lines(told: dict[str, object]) -> list[str]:
    words = {name: _counts(told[name]) for name in ("killed", "jobs")}
    ending = "lost {lost}, doubled {doubled}, still changed {changed}, unknown {unknown}, in a batch {claimed}"
    return [
        f"kills: {told['kills']}; the process was: {words['killed']}",
        f"jobs: {words['jobs']}; calls: {told['calls']}; {told['seconds']} s",
        f"of {told['records']:,} records: {ending.format(**told)}",
        f"history: {told['history'] or 'tells all of it'}",
    ]


def _counts(found: object) -> str:
    assert isinstance(found, dict)  # noqa: S101 -- made by Report
    return ", ".join(f"{number} × {name}" for name, number in found.items())


if __name__ == "__main__":
    sys.exit(main())
