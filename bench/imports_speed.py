"""How fast an import is, next to the least that it can cost and to what django-import-export needs for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import imports_files, imports_floor, imports_ours, imports_stock
from bench.imports_ours import Took
from bench.surroundings import Surroundings
from bench.time_used import TimeUsed, median_of, read_clocks

MOST_TIMES_FLOOR = 6.0
LEAST_TIMES_STOCK = 40.0
CASES = ("new", "changed", "unchanged")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stock:
    """Seconds of django-import-export for so many rows."""

    rows: int
    preview: float
    confirm: float

    @property
    def per_row(self) -> float:
        """Microseconds."""
        return (self.preview + self.confirm) / self.rows * 1e6


def measure(around: Surroundings, say: Say, *, rows: int, stock_rows: int, rounds: int) -> bool:
    """Print seconds and ratios; returns whether the goals are reached.

    Args:
        rows: in the files of ours and of the floor.
        stock_rows: in the files of django-import-export, which is measured once; 0 leaves it out.
        rounds: how often ours and the floor are measured in turns; medians are told.
    """
    stock = _stock(around.folder, stock_rows) if stock_rows else {}
    for name, figures in stock.items():
        say(
            f"django-import-export, {stock_rows:,} {name} rows: preview {figures.preview:.1f} s, confirm "
            f"{figures.confirm:.1f} s, {figures.per_row:,.0f} µs a row, {1e6 / figures.per_row:,.0f} rows/s"
        )
    floors, ours = _in_turns(around.folder, rows, rounds)
    say(f"{rows:,} rows × {len(imports_files.HEADERS)} columns, medians of {rounds} rounds:")
    results = [_tell(say, name, rows, floors[name], ours[name], stock.get(name)) for name in CASES]
    totals = {name: median(took.total.seconds for took in ours[name]) for name in CASES}
    faster = totals["unchanged"] < min(totals["new"], totals["changed"])
    say(_verdict("unchanged rows are faster still", faster))
    return all([*results, faster])


# --- measuring ---------------------------------------------------------------------------------


def _stock(folder: Path, rows: int) -> dict[str, Stock]:
    imports_ours.empty()
    files = {
        "new": imports_files.write_csv(folder / "stock-new.csv", rows),
        "changed": imports_files.write_csv(folder / "stock-changed.csv", rows, edited=True),
    }
    found = {}
    for name, path in files.items():
        renamed = imports_stock.with_field_names(path, folder / f"renamed-{path.name}")
        found[name] = Stock(rows, *imports_stock.measure(renamed, rows))
    return found


def _in_turns(folder: Path, rows: int, rounds: int) -> tuple[dict[str, list[TimeUsed]], dict[str, list[Took]]]:
    before = imports_files.write_csv(folder / "before.csv", rows)
    after = imports_files.write_csv(folder / "after.csv", rows, edited=True)
    files = {"new": before, "changed": after, "unchanged": after}
    floors: dict[str, list[TimeUsed]] = defaultdict(list)
    ours: dict[str, list[Took]] = defaultdict(list)
    for _ in range(rounds):
        imports_floor.create()
        imports_ours.empty()
        for name, path in files.items():
            floors[name].append(_floor(path))
            ours[name].append(imports_ours.run(path, **{name: rows}))
            _check(rows, revision=1 if name == "new" else 2)
    return floors, ours


def _floor(path: Path) -> TimeUsed:
    began = read_clocks()
    imports_floor.load(path)
    return read_clocks() - began


def _check(rows: int, *, revision: int) -> None:
    """What both have written has to be the same, with the same revisions."""
    same, records = imports_ours.same_as_floor(revision=revision), imports_ours.records()
    if (same, records) != (rows, rows):
        raise RuntimeError(f"of {records} records {same} are as in the file and have the revision {revision}")


# --- telling -----------------------------------------------------------------------------------


def _tell(say: Say, name: str, rows: int, floors: list[TimeUsed], ours: list[Took], stock: Stock | None) -> bool:
    floor, total = median_of(floors), median_of(took.total for took in ours)
    parts = {part: median_of(getattr(took, part) for took in ours) for part in ("upload", "check", "commit")}
    split = ", ".join(f"{part} {used}" for part, used in parts.items())
    say(f"  {name:<9} floor {floor}; ours {total}: {split}; {rows / total.seconds:,.0f} rows/s")
    say(f"    {total.cpu / floor.cpu:.1f} × the floor by processor time")
    times_floor = total.seconds / floor.seconds
    reached = [times_floor <= MOST_TIMES_FLOOR]
    say(_verdict(f"{times_floor:.1f} × the floor, at most {MOST_TIMES_FLOOR:g}", reached[0]))
    if stock is not None:
        times = stock.per_row / (total.seconds / rows * 1e6)
        reached.append(times >= LEAST_TIMES_STOCK)
        say(
            _verdict(
                f"{times:.0f} × django-import-export's rows per second, at least {LEAST_TIMES_STOCK:g}", reached[1]
            )
        )
    return all(reached)


def _verdict(words: str, reached: bool) -> str:
    return f"    {words}: {'reached' if reached else 'MISSED'}"
