"""Kill -9 of the process that writes an import, or of its worker, in the middle of the writing; then count."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.db.models import F
from redis import Redis
from rq import Worker

from bench import imports_files, imports_floor, imports_ours
from bench.herd import Herd, kill, wait_for
from mobjects.imports import service
from mobjects.models import Import, ImportChange, ImportMode, ImportState

KILLS_EACH = 3
"""Kills in one import at most."""
STEP_SECONDS = 600
LONGEST_PAUSE_SECONDS = 0.7
MODES = (ImportMode.VALID, ImportMode.VALID, ImportMode.ALL)

Say = Callable[[str], None]


def measure(herd: Herd, say: Say, *, rows: int, kills: int, seed: int) -> bool:
    """Import the same rows again and again, each time with other values, until there were so many kills.

    Every import is compared with what it has to be: the records with the file, their revisions, its counts, and its
    list of changed records.

    Returns:
        Whether nothing was missing or there twice.
    """
    say(f"{rows:,} rows, {kills} kills, seed {seed}")
    say("A worker killed with its process is found by its silence; here its last sign of life is antedated.")
    herd.start_clock()
    herd.add_worker()
    run = _Run(herd, random.Random(seed), say)  # noqa: S311 -- nothing secret is thrown
    files = [imports_files.write_csv(herd.folder / f"{edited}.csv", rows, edited=edited) for edited in (False, True)]
    imports_floor.create()
    number, began = 0, time.monotonic()
    while run.killed.total() < kills:
        run.once(files[number % 2], rows, number, kills)
        number += 1
    figures = ", ".join(f"{count} × {what}" for what, count in run.killed.items())
    say(f"killed: {figures}; {number} imports of {rows:,} rows in {time.monotonic() - began:.0f} s")
    say(f"wrong: {'; '.join(run.wrong) or 'nothing'}")
    return not run.wrong


class _Run:
    def __init__(self, herd: Herd, dice: random.Random, say: Say) -> None:
        self._herd = herd
        self._dice = dice
        self._say = say
        self.killed: Counter[str] = Counter()
        self.wrong: list[str] = []

    def once(self, path: Path, rows: int, number: int, kills: int) -> None:
        """One import from its upload to the comparison, with kills while it is written."""
        mode = MODES[number % len(MODES)]
        imported = imports_ours.upload(path, enqueue=True)
        self._reach(imported, ImportState.REVIEW)
        service.request_commit(imported, mode, overwrite=False, user=None)
        for _ in range(min(KILLS_EACH, kills - self.killed.total())):
            self._kill_one(imported)
        self._reach(imported, ImportState.COMMITTED)
        imports_floor.load(path)
        found = list(_wrong(imported, rows, number))
        self.wrong += found
        self._say(
            f"  import {number + 1} ({mode.label.lower()}): {imported.written}; {'; '.join(found) or 'all right'}"
        )

    def _reach(self, imported: Import, state: ImportState) -> None:
        def there() -> bool:
            time.sleep(0.1)
            self._herd.replace_dead()
            imported.refresh_from_db()
            if imported.state == state:
                return True
            if not imported.is_working:
                raise RuntimeError(f"the import is {imported.state}, not {state}: {imported.problem}")
            return False

        wait_for(there, f"import {imported.pk} to be {state}", STEP_SECONDS)

    def _kill_one(self, imported: Import) -> None:
        """Kill whoever writes it, a moment after he began; nothing if it is written before."""
        found = self._working(imported)
        if found is None:
            return
        time.sleep(self._dice.uniform(0, LONGEST_PAUSE_SECONDS))
        name, pid = found
        imported.refresh_from_db()
        if imported.state != ImportState.COMMITTING:
            return
        if self.killed.total() % 2 == 0:
            what = "the process that writes"
            kill(pid)
        else:
            what = "the worker too"
            self._herd.kill_worker(name)
            self._herd.add_worker(wait=False)
            imported.leases.update(renewed_at=F("renewed_at") - timedelta(hours=1))
        imported.refresh_from_db()
        self.killed[what] += 1
        self._say(f"  kill {self.killed.total()}: {what}, after row {imported.committed_to:,}")

    def _working(self, imported: Import) -> tuple[str, int] | None:
        """Wait for a worker with this import; its name and the process that writes, ``None`` once it is written."""
        found: list[tuple[str, int]] = []

        def there() -> bool:
            self._herd.replace_dead()
            imported.refresh_from_db()
            for name in self._busy_with(imported):
                pid = _youngest_child(self._herd.workers[name].pid)
                if pid:
                    found.append((name, pid))
            return bool(found) or imported.state == ImportState.COMMITTED

        wait_for(there, f"a worker for import {imported.pk}", STEP_SECONDS)
        return found[0] if found else None

    def _busy_with(self, imported: Import) -> list[str]:
        with Redis.from_url(self._herd.redis_url) as client:
            workers = Worker.all(connection=client)
            ids = set(imported.leases.values_list("queue_id", flat=True))
            busy = {worker.name for worker in workers if worker.get_current_job_id() in ids}
        return [name for name in busy if name in self._herd.workers]


def _youngest_child(pid: int) -> int:
    """The process that a worker forked last: the one that works, if it has work."""
    listed = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True).stdout  # noqa: PLW1510, S607
    return max((int(child) for child in listed.split()), default=0)


def _wrong(imported: Import, rows: int, number: int) -> list[str]:
    changes = ImportChange.objects.filter(imported=imported)
    told = {name: count for name, count in imported.written.items() if count}
    checks = {
        "records that are not as in the file": (imports_ours.same_as_floor(revision=number + 1), rows),
        "records": (imports_ours.records(), rows),
        "counts": (told, {"created" if number == 0 else "changed": rows}),
        "rows in the list of changes": (changes.count(), rows),
        "records in the list of changes": (changes.values("record_id").distinct().count(), rows),
        "last row": (imported.committed_to, rows + 1),
    }
    return [f"{what}: {found}, not {right}" for what, (found, right) in checks.items() if found != right]
