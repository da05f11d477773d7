"""How fast Marketo is read: a pull of programs with period costs and tags, and a compare of opportunities.

    python bench/reading.py pull [--records 1000] [--against ANOTHER-CHECKOUT] [--database postgres://…]
    python bench/reading.py compare [--records 100000] [--against ANOTHER-CHECKOUT] [--database postgres://…]

It starts a local Marketo that holds the records, and reads it over real HTTP. A pull is done three times: all is new,
nothing has changed, and each program has a new amount and a new tag there. Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = os.environ.get("BENCH_PRODUCT", str(ROOT))
"""The checkout whose product is measured, with what this one's bench/ does."""
sys.path[0] = str(ROOT)
import bench  # noqa: E402, F401 -- from here, whatever the product

sys.path.insert(0, PRODUCT)

from bench.surroundings import Surroundings, lift_limits, surroundings  # noqa: E402 -- only found thanks to the above

MOST_STATEMENTS = 3.0
MOST_COMPARE_SECONDS = 60.0
MOST_MEMORY_RATIO = 1.25


def main() -> int:
    """Run the measurement that was asked for; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("--records", type=int, default=0, help="in Marketo (pull: 1,000; compare: 100,000)")
    parser.add_argument("--transport", choices=("soap", "rest"), default="soap")
    parser.add_argument("--database", default="", help="a PostgreSQL to measure on (default: a temporary SQLite file)")
    parser.add_argument("--against", default="", help="another checkout to measure first")
    options = parser.parse_args()
    if options.against:
        again = [sys.executable, __file__, options.part, f"--records={options.records}"]
        again += [f"--transport={options.transport}", f"--database={options.database}"]
        for name, checkout in (("the other build", options.against), ("this build", str(ROOT))):
            say(f"{name}:")
            code = subprocess.run(again, check=False, env={**os.environ, "BENCH_PRODUCT": checkout}).returncode
        return code
    with surroundings(options.database) as around:
        say(f"On {'PostgreSQL' if options.database else 'SQLite'}, over {options.transport.upper()}.")
        lift_limits()
        return 0 if PARTS[options.part](around, options) else 1


def pull(around: Surroundings, options: Namespace) -> bool:
    """Records per second and statements of pulls of programs."""
    from mobjects.marketo.types import Kind
    from mobjects.sync.pull.task import PullSelection

    count = options.records or 1000
    start_marketo(around, options.transport, programs=count)
    asked = PullSelection(Kind.PROGRAM).to_json()
    reached = True
    for words, change in (
        ("all new", None),
        ("nothing changed", None),
        ("an amount and a tag changed", change_programs),
    ):
        if change:
            change(count)
        job, seconds, statements = run("PULL", Kind.PROGRAM.value, asked)
        say(
            f"  {count:,} programs, {words}: {seconds:.2f} s, {count / seconds:,.0f} records/s, "
            f"{statements / count:.2f} statements a record; {job.counts}"
        )
        reached = reached and statements / count <= MOST_STATEMENTS
    say(verdict(f"at most {MOST_STATEMENTS:g} statements a record", reached))
    return reached


def change_programs(count: int) -> None:
    """Let other values stand here as those that Marketo last accepted: so Marketo has changed them since."""
    from django.db.models import F

    from mobjects.models import Program, ProgramCost, ProgramTag
    from mobjects.sync.content.loading import load_records
    from mobjects.sync.content.payload import KeyFields, record_content

    first_costs = [program.costs.all()[0].pk for program in Program.objects.prefetch_related("costs")]
    for start in range(0, len(first_costs), 500):
        ProgramCost.objects.filter(pk__in=first_costs[start : start + 500]).update(amount=F("amount") + 1)
    ProgramTag.objects.filter(type="Type 0").update(value="Before")
    Program.objects.update(synced_revision=F("revision"))
    kind, ids = Program.KIND, list(Program.objects.values_list("pk", flat=True))
    for start in range(0, len(ids), 500):
        records: list[Any] = list(load_records(kind, ids[start : start + 500]))
        for record in records:
            record.accepted = record_content(record, KeyFields())
        Program.objects.bulk_update(records, ["accepted"])


def compare(around: Surroundings, options: Namespace) -> bool:
    """Seconds and memory of a compare of opportunities."""
    from mobjects.marketo.types import Kind
    from mobjects.sync.compare.task import CompareSelection
    from mobjects.sync.pull.task import PullSelection

    count = options.records or 100_000
    start_marketo(around, options.transport, opportunities=count)
    began = time.perf_counter()
    run("PULL", Kind.OPPORTUNITY.value, PullSelection(Kind.OPPORTUNITY).to_json())
    seconds = time.perf_counter() - began
    say(f"  pulled {count:,} opportunities before: {seconds:.1f} s, {count / seconds:,.0f} records/s")
    asked = CompareSelection((Kind.OPPORTUNITY,)).to_json()
    before = peak_memory()
    job, seconds, statements = run("COMPARE", "several", asked)
    after = peak_memory()
    say(
        f"  {count:,} opportunities compared: {seconds:.1f} s, {count / seconds:,.0f} records/s, "
        f"{statements / count:.2f} statements a record, {after:.0f} MiB at most ({before:.0f} before); {job.counts}"
    )
    reached = seconds <= MOST_COMPARE_SECONDS
    say(verdict(f"at most {MOST_COMPARE_SECONDS:g} s", reached))
    return reached


# --- what both need --------------------------------------------------------------------------


def start_marketo(around: Surroundings, transport: str, **holds: int) -> None:
    """Start a local Marketo that holds so many objects, and let this process call it."""
    from django.conf import settings

    address = around.folder / "address"
    command = [sys.executable, "-m", "bench.filled_sandbox", f"--address={address}"]
    command += [f"--{name}={count}" for name, count in holds.items()]
    around.supervisor.start_child("filled", command, address.exists, add={"PYTHONPATH": str(ROOT)})
    url = address.read_text()
    settings.MARKETO["TRANSPORT"] = transport
    settings.MARKETO["SOAP_ENDPOINT"] = f"{url}/soap/mktows/2_7"
    settings.MARKETO["REST_ENDPOINT"] = f"{url}/rest"


def run(action: str, kind: str, selection: dict[str, Any]) -> tuple[Any, float, int]:
    """Do a job in this process; returns it, its seconds, and its SQL statements."""
    from django.db import connection

    from mobjects.jobs.requests import create_job
    from mobjects.jobs.runner import run_job
    from mobjects.models import SyncJobAction

    statements = 0

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal statements
        # Savepoints and the like are counted as well: each of them is a message to the server.
        statements += len(params) if many else 1
        return execute(sql, params, many, context)

    job = create_job(SyncJobAction[action], kind, selection)
    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(count))
        began = time.perf_counter()
        run_job(job)
        seconds = time.perf_counter() - began
    job.refresh_from_db()
    if job.state != "succeeded":
        raise RuntimeError(f"the job is {job.state}: {job.counts}")
    return job, seconds, statements


def peak_memory() -> float:
    """MiB that this process needed at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def verdict(words: str, reached: bool) -> str:
    return f"    {words}: {'reached' if reached else 'MISSED'}"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


PARTS = {"pull": pull, "compare": compare}

if __name__ == "__main__":
    sys.exit(main())
