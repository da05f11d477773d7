"""How fast workbooks are read as tables, and in how much memory, next to another checkout in the same run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from statistics import median

import xlsxwriter

from bench import imports_files

LEAST_TIMES = 2.0
MOST_ABOVE_START = 10.0
_NUMBERS = ("Amount", "ExpectedRevenue", "Probability", "Quantity", "FiscalQuarter", "FiscalYear")
_DATES = ("CloseDate", "LastActivityDate")

Say = Callable[[str], None]

# In a process of its own, which both builds understand: CPU seconds and MiB above those at the start, as JSON.
_READ = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, ".")
from mobjects.spreadsheets.reader import detect_file, iter_rows
from mobjects.spreadsheets.types import FileLimits
def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024
limits = FileLimits(size=10**9, columns=200, cell=32_767, unpacked=2 * 10**9)
with open(sys.argv[1], "rb") as file:
    before, begun = status("VmRSS"), time.process_time()
    found = detect_file(file, sys.argv[1], limits)
    detected = time.process_time()
    rows = sum(1 for _ in iter_rows(file, found.options, limits))
    done = time.process_time()
took = {"detect": detected - begun, "read": done - detected}
print(json.dumps({"rows": rows, **took, "memory": status("VmHWM") - before}))
"""


def measure(root: Path, say: Say, *, rows: int, rounds: int, against: str) -> bool:
    """Print rows per second and memory; returns whether the goals are reached.

    Args:
        root: this checkout.
        say: prints a line.
        rows: of each workbook.
        rounds: of which the median counts.
        against: another checkout; empty for none.
    """
    builds = {**({"the other build": Path(against)} if against else {}), "this build": root}
    reached = True
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "texts in the cells": imports_files.write_xlsx(Path(folder) / "texts.xlsx", rows),
            "shared texts, numbers and dates": _write_mixed(Path(folder) / "mixed.xlsx", rows),
        }
        for name, path in files.items():
            # In turn, so that a busy minute slows both.
            runs = [{build: _read(checkout, path) for build, checkout in builds.items()} for _ in range(rounds)]
            figures = {
                build: {key: median(run[build][key] for run in runs) for key in runs[0][build]} for build in builds
            }
            for build, found in figures.items():
                say(f"{name}, {build}: {_sentence(found)}")
            reached = _is_reached(list(figures.values()), say) and reached
    return reached


def _sentence(found: Mapping[str, float]) -> str:
    return (
        f"{found['rows']:,.0f} rows in {found['read']:.2f} s of CPU ({found['rows'] / found['read']:,.0f} rows/s), "
        f"first look {found['detect']:.2f} s, {found['memory']:.1f} MiB above the start"
    )


def _is_reached(figures: list[Mapping[str, float]], say: Say) -> bool:
    little = figures[-1]["memory"] <= MOST_ABOVE_START
    say(f"  at most {MOST_ABOVE_START:.0f} MiB above the start: {'reached' if little else 'MISSED'}")
    if len(figures) == 1:
        return little
    times = figures[0]["read"] / figures[-1]["read"]
    verdict = "reached" if times >= LEAST_TIMES else "MISSED"
    say(f"  {times:.2f} × the rows per second (at least {LEAST_TIMES} ×): {verdict}")
    return little and times >= LEAST_TIMES


def _read(checkout: Path, path: Path) -> dict[str, float]:
    command = [sys.executable, "-c", _READ, str(path)]
    done = subprocess.run(command, cwd=checkout, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _write_mixed(path: Path, count: int) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Opportunities")
        day, moment = (book.add_format({"num_format": code}) for code in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"))
        sheet.write_row(0, 0, imports_files.HEADERS)
        for number, row in enumerate(imports_files.rows(count), 1):
            for place, (header, text) in enumerate(zip(imports_files.HEADERS, row, strict=True)):
                if header in _NUMBERS:
                    sheet.write_number(number, place, float(text))
                elif header in _DATES:
                    sheet.write_datetime(number, place, date.fromisoformat(text), day)
                elif header == "ExternalCreatedDate":
                    sheet.write_datetime(number, place, datetime.fromisoformat(text), moment)
                else:
                    sheet.write_string(number, place, text)
    return path
