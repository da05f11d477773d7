"""How fast new costs and tags of programs are written, of which each raises the revision of its program."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from django.apps import apps
from django.db import connection

from bench.surroundings import Surroundings
from bench.time_used import TimeUsed, read_clocks
from mobjects.imports import runner, service
from mobjects.models import Import, ImportMode, ImportSource, ImportState, Program

_TABLES = ("Import", "Program", "SavedMapping")

Say = Callable[[str], None]


def measure(around: Surroundings, say: Say, *, rows: int, each: int) -> None:
    """Print the seconds of check and commit of so many new costs, and of so many new tags.

    Args:
        rows: in a file.
        each: of them belong to the same program.
    """
    for kind, make in (("program-costs", _cost_rows), ("program-tags", _tag_rows)):
        _make_programs(rows // each)
        path = _write(around.folder / f"{kind}.csv", make(rows, each))
        check, commit = _import(path, kind, rows)
        say(
            f"{kind}: {rows:,} new rows, {each:,} of each program: check {check}, commit {commit}, "
            f"{rows / commit.seconds:,.0f} rows/s"
        )


def measure_refused(around: Surroundings, say: Say, *, rows: int) -> None:
    """Print the seconds of a chunk of costs of which the database refuses every row; on PostgreSQL."""
    _make_programs(rows // 100)
    imported = _checked(_write(around.folder / "refused.csv", _cost_rows(rows, 100)), "program-costs")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE mobjects_programcost ADD CONSTRAINT bench CHECK (amount < 0) NOT VALID")
        begun = read_clocks()
        service.request_commit(imported, ImportMode.VALID, overwrite=False, user=None, enqueue=False)
        runner.run_import(imported, beat=True)
        took = read_clocks() - begun
        cursor.execute("ALTER TABLE mobjects_programcost DROP CONSTRAINT bench")
    if imported.written != {"created": 0, "changed": 0, "left": rows}:
        raise RuntimeError(f"{imported.written} were written, not nothing")
    say(f"program-costs: {rows:,} rows, all refused by the database: {took}")


def _make_programs(count: int) -> None:
    with connection.cursor() as cursor:
        for name in _TABLES:
            table = apps.get_model("mobjects", name)._meta.db_table
            cascade = f"TRUNCATE {table} CASCADE"
            cursor.execute(cascade if connection.vendor == "postgresql" else f"DELETE FROM {table}")
    Program.objects.bulk_create(
        Program(marketo_id=number, name=f"Program {number}", channel="Webinar") for number in range(1, count + 1)
    )


def _cost_rows(count: int, each: int) -> Iterator[tuple[str, ...]]:
    yield "Program ID", "Month", "Amount", "Note"
    for number in range(count):
        month = f"{2000 + number // 12 % 30}-{1 + number % 12:02}"
        yield str(1 + number // each), month, f"{1000 + number % 977}", f"Booth {number}"


def _tag_rows(count: int, each: int) -> Iterator[tuple[str, ...]]:
    yield "Program ID", "Type", "Value"
    for number in range(count):
        yield str(1 + number // each), f"Type {number % each}", f"Value {number % 13}"


def _write(path: Path, rows: Iterator[tuple[str, ...]]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _import(path: Path, kind: str, rows: int) -> tuple[TimeUsed, TimeUsed]:
    """What check and commit took."""
    begun = read_clocks()
    imported = _checked(path, kind)
    checked = read_clocks()
    service.request_commit(imported, ImportMode.VALID, overwrite=False, user=None, enqueue=False)
    runner.run_import(imported, beat=True)
    written = read_clocks()
    _expect(imported, ImportState.COMMITTED)
    if imported.written["created"] != rows:
        raise RuntimeError(f"{imported.written} were written, not {rows}")
    return checked - begun, written - checked


def _checked(path: Path, kind: str) -> Import:
    with open(path, "rb") as file:
        imported = service.start_import(
            kind, file, path.name, user=None, username="bench", source=ImportSource.COMMAND, enqueue=False
        )
    runner.run_import(imported, beat=True)
    _expect(imported, ImportState.REVIEW)
    return imported


def _expect(imported: Import, state: ImportState) -> None:
    imported.refresh_from_db()
    if imported.state != state:
        raise RuntimeError(f"the import is {imported.state}, not {state}: {imported.counts} {imported.problem}")
