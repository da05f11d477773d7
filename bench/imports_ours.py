"""One import of ours from its upload to its end, step by step in this process, as the pages and the workers do it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from django.apps import apps
from django.db import connection

from bench import imports_floor
from bench.time_used import TimeUsed, read_clocks
from mobjects.imports import runner, service
from mobjects.models import Import, ImportMode, ImportSource, ImportState, Opportunity

_TABLES = ("Import", "Opportunity", "OpportunityPersonRole", "SavedMapping")
_CHILDREN = ("ImportChange", "ImportFix", "ImportGroup", "ImportProblem", "ImportRow", "ImportPart")


@dataclass(frozen=True)
class Took:
    """What the steps of one import took."""

    upload: TimeUsed
    check: TimeUsed
    commit: TimeUsed

    @property
    def total(self) -> TimeUsed:
        """What is compared: everything."""
        return self.upload + self.check + self.commit


def empty() -> None:
    """No records and no imports."""
    tables = [apps.get_model("mobjects", name)._meta.db_table for name in (*_CHILDREN, *_TABLES)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            return
        for name in ("mobjects_opportunity", *tables):
            cursor.execute(f"DELETE FROM {name}")


def upload(path: Path, *, enqueue: bool) -> Import:
    """Bring a file in; it goes on to its check by itself, since all of its columns have our names."""
    with open(path, "rb") as file:
        return service.start_import(
            "opportunities", file, path.name, user=None, username="bench", source=ImportSource.COMMAND, enqueue=enqueue
        )


def run(path: Path, **expected: int) -> Took:
    """Import a file of opportunities; every row has to be what is expected: ``new``, ``changed``, ``unchanged``."""
    times = [read_clocks()]
    imported = upload(path, enqueue=False)
    times.append(read_clocks())
    runner.run_import(imported, beat=True)
    _expect(imported, ImportState.REVIEW, expected)
    times.append(read_clocks())
    service.request_commit(imported, ImportMode.VALID, overwrite=False, user=None, enqueue=False)
    runner.run_import(imported, beat=True)
    times.append(read_clocks())
    _expect(imported, ImportState.COMMITTED, expected)
    return Took(*(after - before for before, after in pairwise(times)))


def records() -> int:
    """How many opportunities there are."""
    return Opportunity.objects.count()


def same_as_floor(*, revision: int) -> int:
    """How many of them hold just what the floor's table holds, and have this revision."""
    columns = ", ".join(imports_floor.COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT {columns} FROM {imports_floor.TABLE} "
            f"INTERSECT SELECT {columns} FROM {Opportunity._meta.db_table} WHERE revision = %s) AS both_have",
            [revision],
        )
        (same,) = cursor.fetchone()
    return int(same)


def _expect(imported: Import, state: ImportState, expected: dict[str, int]) -> None:
    imported.refresh_from_db()
    found = {name: number for name, number in imported.counts.items() if number}
    if imported.state != state or found != expected:
        raise RuntimeError(f"the import is {imported.state} with {found}, not {state}: {imported.problem}")
