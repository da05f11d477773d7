"""How much memory a worker needs for an import, and whether it grows with the file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import imports_files, imports_ours
from bench.surroundings import ROOT, Surroundings
from mobjects.models import ImportMode, ImportState

MOST_ABOVE_IDLE = 150.0
MOST_GROWTH = 1.1
SMALL, LARGE = 100_000, 500_000

Say = Callable[[str], None]


def measure(around: Surroundings, say: Say) -> bool:
    """Print the largest memory of a process of its own that does all of an import; returns whether that is little."""
    say("Memory of a worker (resident, MiB), idle and at most during upload, check and commit of new rows:")
    files = {
        f"CSV, {SMALL:,} rows": (imports_files.write_csv(around.folder / "small.csv", SMALL), SMALL),
        f"CSV, {LARGE:,} rows": (imports_files.write_csv(around.folder / "large.csv", LARGE), LARGE),
        f"XLSX, {SMALL:,} rows": (imports_files.write_xlsx(around.folder / "small.xlsx", SMALL), SMALL),
    }
    found = []
    for name, (path, rows) in files.items():
        imports_ours.empty()
        figures = _in_process(path, rows)
        found.append(figures)
        idle, steps = (
            figures["idle"],
            ", ".join(f"{step} {figures[step]:.0f}" for step in ("upload", "check", "commit")),
        )
        say(f"  {name} ({path.stat().st_size / 1e6:.0f} MB): idle {idle:.0f}; {steps}; {above(figures):.0f} above idle")
    small, large, _ = (max(figures["check"], figures["commit"]) for figures in found)
    little = all(above(figures) <= MOST_ABOVE_IDLE for figures in found)
    flat = large <= MOST_GROWTH * small
    say(f"  at most {MOST_ABOVE_IDLE:.0f} above idle: {'reached' if little else 'MISSED'}")
    say(f"  {LARGE:,} rows need {large / small:.2f} × what {SMALL:,} need: {'reached' if flat else 'MISSED'}")
    return little and flat


def above(figures: dict[str, float]) -> float:
    """How much more than idle it ever was."""
    return max(figures.values()) - figures["idle"]


def _in_process(path: Path, rows: int) -> dict[str, float]:
    code = f"from bench import imports_memory; imports_memory.work({str(path)!r}, {rows})"
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def work(path: str, rows: int) -> None:
    """In a process of its own: import a file of new opportunities, and write MiB as JSON."""
    import mobjects.processes.worker  # noqa: F401 -- whatever a real worker has loaded when it has nothing to do
    from mobjects.imports import runner as working
    from mobjects.imports import service
    from mobjects.models import Import

    Import.objects.exists()
    figures: dict[str, Any] = {"idle": _status("VmRSS")}
    imported = imports_ours.upload(Path(path), enqueue=False)
    figures["upload"] = _peak()
    working.run_import(imported, beat=True)
    figures["check"] = _peak()
    service.request_commit(imported, ImportMode.VALID, overwrite=False, user=None, enqueue=False)
    working.run_import(imported, beat=True)
    figures["commit"] = _peak()
    imported.refresh_from_db()
    if imported.state != ImportState.COMMITTED or imported.written.get("created") != rows:
        raise RuntimeError(f"the import is {imported.state}, wrote {imported.written}: {imported.problem}")
    sys.stdout.write(json.dumps(figures))


def _peak() -> float:
    """The largest so far; counts anew from now on."""
    peak = _status("VmHWM")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak


def _status(name: str) -> float:
    # Not getrusage: what that tells includes the memory of the process this one was forked from.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kib) / 1024
