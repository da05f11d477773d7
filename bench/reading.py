"""How fast Marketo is read: pulls of programs, opportunities and person roles, and a compare of opportunities.

    python bench/reading.py pull [--records 1000] [--kind Program] [--against ANOTHER-CHECKOUT] [--database postgres://…]
    python bench/reading.py compare [--records 100000] [--transport rest] [--against …] [--database postgres://…]

It starts a local Marketo that holds the records, and reads it over real HTTP. A pull is done three times: all is new,
nothing has changed, and each object has other values there (programs an amount and a tag). A compare is done twice, of
a tenth of the records and of all of them, each time by a process of its own. Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = os.environ.get("BENCH_PRODUCT", str(ROOT))
"""The checkout whose product is measured, with what this one's bench/ does."""
sys.path[0] = str(ROOT)
import bench  # noqa: E402, F401 -- from here, whatever the product

sys.path.insert(0, PRODUCT)

from bench.surroundings import Surroundings, database_seconds, lift_limits, surroundings  # noqa: E402 -- only found thanks to the above

MOST_STATEMENTS = 3.0
MOST_COMPARE_SECONDS = 60.0
MOST_MEMORY_RATIO = 1.25
NAMES_EACH = 5_000
"""Names in one pull, where Marketo has to be asked by name."""


def main() -> int:
    """Run the measurement that was asked for; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=(*PARTS, "work"), help="work: only the job that --job names, in this process")
    parser.add_argument("--records", type=int, default=0, help="in Marketo (pull: 1,000; compare: 100,000)")
    parser.add_argument("--kind", default="Program", help="of a pull: Program, Opportunity or OpportunityPersonRole")
    parser.add_argument("--transport", choices=("soap", "rest"), default="soap")
    parser.add_argument("--database", default="", help="a PostgreSQL to measure on (default: a temporary SQLite file)")
    parser.add_argument("--against", default="", help="another checkout to measure first")
    parser.add_argument("--job", default="", help=SUPPRESS)
    options = parser.parse_args()
    if options.part == "work":
        return work(options.job)
    if options.against:
        again = [sys.executable, __file__, options.part, f"--records={options.records}", f"--kind={options.kind}"]
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
    """Records per second and statements of pulls of one kind."""
    from mobjects.marketo.types import Kind
    from mobjects.sync.pull.task import PullSelection

    count, kind = options.records or 1000, Kind(options.kind)
    holds = {"programs": count} if kind is Kind.PROGRAM else {"opportunities": count}
    start_marketo(around, options.transport, **holds, roles=count if kind is Kind.ROLE else 0)
    if kind is Kind.ROLE:
        run("PULL", "Opportunity", PullSelection(Kind.OPPORTUNITY).to_json())
    asked = PullSelection(kind).to_json()
    reached = True
    for words, change in (
        ("all new", None),
        ("nothing changed", None),
        ("all changed", change_programs if kind is Kind.PROGRAM else change_texts),
    ):
        if change:
            change(kind)
        done = run("PULL", kind.value, asked)
        say(
            f"  {count:,} of {kind.value}, {words}: {done.seconds:.2f} s ({done.processor:.2f} s of processor time), "
            f"{count / done.seconds:,.0f} records/s, {done.statements / count:.2f} statements a record; {done.counts}"
        )
        reached = reached and done.statements / count <= MOST_STATEMENTS
    say(verdict(f"at most {MOST_STATEMENTS:g} statements a record", reached))
    return reached


def change_programs(kind: Any) -> None:
    """Let another amount and tag stand here as those that Marketo last accepted: so Marketo has changed them since."""
    from django.db.models import F

    from mobjects.models import Program, ProgramCost, ProgramTag

    first_costs = [program.costs.all()[0].pk for program in Program.objects.prefetch_related("costs")]
    for start in range(0, len(first_costs), 500):
        ProgramCost.objects.filter(pk__in=first_costs[start : start + 500]).update(amount=F("amount") + 1)
    ProgramTag.objects.filter(type="Type 0").update(value="Before")
    accept_all(kind)


def change_texts(kind: Any) -> None:
    """Let another stage of opportunities, or another primary of roles, stand here as what Marketo last accepted."""
    from mobjects.models import records_of_kind

    before: dict[str, Any] = {"stage": "Before"} if kind.value == "Opportunity" else {"is_primary": True}
    records_of_kind(kind).update(**before)
    accept_all(kind)


def accept_all(kind: Any) -> None:
    """Let all that stands here be what Marketo has accepted."""
    from django.db.models import F

    from mobjects.models import records_of_kind
    from mobjects.sync.content.loading import load_records
    from mobjects.sync.content.payload import record_content
    from mobjects.sync.transport_factory import key_fields

    records_of_kind(kind).update(synced_revision=F("revision"))
    ids = list(records_of_kind(kind).values_list("pk", flat=True))
    for start in range(0, len(ids), 500):
        records: list[Any] = list(load_records(kind, ids[start : start + 500]))
        for record in records:
            record.accepted = record_content(record, key_fields())
        records_of_kind(kind).bulk_update(records, ["accepted"])


def compare(around: Surroundings, options: Namespace) -> bool:
    """Seconds of a compare of opportunities, and how its memory grows with them."""
    from mobjects.marketo.types import Kind
    from mobjects.sync.compare.task import CompareSelection

    count = options.records or 100_000
    done: list[Done] = []
    for size in (count // 10, count):
        start_marketo(around, options.transport, opportunities=size)
        began = time.perf_counter()
        pull_opportunities(size, options.transport)
        seconds = time.perf_counter() - began
        say(f"  pulled {size:,} opportunities before: {seconds:.1f} s, {size / seconds:,.0f} records/s")
        one = run_alone("COMPARE", "several", CompareSelection((Kind.OPPORTUNITY,)).to_json())
        done.append(one)
        say(
            f"  {size:,} opportunities compared: {one.seconds:.1f} s ({one.processor:.1f} s of processor time, "
            f"{one.database:.1f} s of the database's), {size / one.seconds:,.0f} records/s, "
            f"{one.statements / size:.2f} statements a record, {one.peak:.0f} MiB at most; {one.counts}"
        )
        if one.counts != {"SAME": size}:
            raise RuntimeError(f"not all were compared: {one.counts}")
    ratio = done[1].peak / done[0].peak
    fast, flat = done[1].seconds <= MOST_COMPARE_SECONDS, ratio <= MOST_MEMORY_RATIO
    say(verdict(f"at most {MOST_COMPARE_SECONDS:g} s", fast))
    say(verdict(f"{ratio:.2f} times the memory for ten times the records, at most {MOST_MEMORY_RATIO:g}", flat))
    return fast and flat


def pull_opportunities(count: int, transport: str) -> None:
    """Have as many here as Marketo holds; by name where it does not list them."""
    from bench.filled_sandbox import key_of
    from mobjects.marketo.types import Kind
    from mobjects.sync.paging import NamedBy
    from mobjects.sync.pull.task import PullSelection

    if transport == "soap":
        run("PULL", "Opportunity", PullSelection(Kind.OPPORTUNITY).to_json())
        return
    names = [key_of(number) for number in range(1, count + 1)]
    for start in range(0, count, NAMES_EACH):
        chunk = tuple(names[start : start + NAMES_EACH])
        run("PULL", "Opportunity", PullSelection(Kind.OPPORTUNITY, named_by=NamedBy.KEY, names=chunk).to_json())


# --- what both need --------------------------------------------------------------------------


class Done(NamedTuple):
    """What a job took: seconds on the clock, of our processor and of the database's; and MiB at most."""

    counts: dict[str, int]
    seconds: float
    processor: float
    database: float
    statements: int
    peak: float


def start_marketo(around: Surroundings, transport: str, **holds: int) -> None:
    """Start a local Marketo that holds so many objects, and let this process, and those that it starts, call it."""
    from django.conf import settings

    name = "-".join(map(str, ["filled", *holds.values()]))
    address = around.folder / name
    command = [sys.executable, "-m", "bench.filled_sandbox", f"--address={address}"]
    command += [f"--{name}={count}" for name, count in holds.items()]
    around.supervisor.start_child(name, command, address.exists, add={"PYTHONPATH": str(ROOT)})
    url = address.read_text()
    chosen = {"TRANSPORT": transport, "SOAP_ENDPOINT": f"{url}/soap/mktows/2_7", "REST_ENDPOINT": f"{url}/rest"}
    settings.MARKETO |= chosen
    os.environ.update({f"MARKETO_{key}": value for key, value in chosen.items()})


def run(action: str, kind: str, selection: dict[str, Any]) -> Done:
    """Do a job in this process."""
    return measure(make_job(action, kind, selection))


def run_alone(action: str, kind: str, selection: dict[str, Any]) -> Done:
    """Do a job in a process of its own: so its memory is the job's."""
    job = make_job(action, kind, selection)
    command = [sys.executable, __file__, "work", f"--job={job.pk}"]
    worker = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Done(**json.loads(worker.stdout))


def work(job_id: str) -> int:
    """Do a job in this process, and write down what it took."""
    import logging

    import django

    django.setup()
    logging.disable(logging.INFO)
    lift_limits()
    from mobjects.models import SyncJob

    say(json.dumps(measure(SyncJob.objects.get(pk=job_id))._asdict()))
    return 0


def make_job(action: str, kind: str, selection: dict[str, Any]) -> Any:
    from mobjects.jobs.requests import create_job
    from mobjects.models import SyncJobAction

    return create_job(SyncJobAction[action], kind, selection)


def measure(job: Any) -> Done:
    """Do a job, and count its SQL statements."""
    from django.db import connection

    from mobjects.jobs.runner import run_job

    statements = 0

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal statements
        # Savepoints and the like are counted as well: each of them is a message to the server.
        statements += len(params) if many else 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        began, processor, database = time.perf_counter(), time.process_time(), database_seconds()
        run_job(job)
        processor, seconds = time.process_time() - processor, time.perf_counter() - began
        database = database_seconds() - database
    job.refresh_from_db()
    if job.state != "succeeded":
        raise RuntimeError(f"the job is {job.state}: {job.counts}")
    return Done(job.counts, seconds, processor, database, statements, peak_memory())


def peak_memory() -> float:
    """MiB that this process needed at most. Not getrusage, which tells of the process it was forked from as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak) / 1024


def verdict(words: str, reached: bool) -> str:
    return f"    {words}: {'reached' if reached else 'MISSED'}"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


PARTS = {"pull": pull, "compare": compare}

if __name__ == "__main__":
    sys.exit(main())
