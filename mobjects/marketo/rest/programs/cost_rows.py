"""A program's period costs as rows without ids, and which of Marketo's stand for which of ours.

Over REST a cost has no id: it is found by month, amount and note. Two costs that agree in all of it are the same to
Marketo and to us, so rows are counted, not told apart. Sources: Adobe's developer pages on programs (costs are appended
unless ``costsDestructiveUpdate`` says that they replace all) and clients of live instances (a second cost in one month
adds to the month). Whether a month is shown as its rows or as one sum, no source says; both are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mobjects.marketo.types import OutgoingCost, RemoteCost


@dataclass(frozen=True, slots=True)
class CostRow:
    """One cost.

    Args:
        day: as Marketo holds it; the first of the month where it is ours.
        amount: whole in what we send.
        note: "" for none.
    """

    day: date
    amount: Decimal
    note: str = ""

    @property
    def key(self) -> tuple[str, Decimal, str]:
        """What two rows agree in that are the same cost: month, amount and note, whatever its line ends are."""
        note = self.note.replace("\r\n", "\n").replace("\r", "\n").strip()
        return f"{self.day:%Y-%m}", self.amount, note

    @property
    def month(self) -> str:
        """``2026-07``."""
        return f"{self.day:%Y-%m}"

    @property
    def is_whole(self) -> bool:
        """Whether the amount has no decimals."""
        return self.amount == self.amount.to_integral_value()

    def as_field(self) -> dict[str, object]:
        """The row as an update takes it; the note always, because older instances insist on it."""
        return {"startDate": self.day.isoformat(), "cost": int(self.amount), "note": self.note}

    def as_remote(self) -> RemoteCost:
        """The row as everything above the transport knows it, two decimals included."""
        cents = round(self.amount, 2)
        return RemoteCost(None, self.day.replace(day=1), cents if cents == self.amount else self.amount, self.note)

    def as_words(self) -> str:
        """``2026-07 500 “ads”``, for people."""
        amount = f"{self.amount.normalize():f}"
        return f"{self.month} {amount}" + (f" “{self.note}”" if self.note else "")


def row_of(cost: OutgoingCost | RemoteCost) -> CostRow:
    """One of our costs as a row."""
    return CostRow(cost.month, cost.amount, cost.note or "")


def describe_rows(rows: Sequence[CostRow]) -> str:
    """Several rows in words."""
    return ", ".join(row.as_words() for row in rows)


class RowPool:
    """Rows of Marketo's, each of which can stand for one of ours."""

    def __init__(self, rows: Iterable[CostRow]) -> None:
        self.rows = list(rows)

    def pop_row(self, wanted: CostRow) -> CostRow | None:
        """Take out a row that is the same cost; ``None`` if there is none left."""
        found = next((row for row in self.rows if row.key == wanted.key), None)
        if found is not None:
            self.rows.remove(found)
        return found

    def pop_similar(self, wanted: CostRow) -> CostRow | None:
        """Take out a row of the same month and amount, whatever Marketo made of the note."""
        found = next((row for row in self.rows if row.key[:2] == wanted.key[:2]), None)
        if found is not None:
            self.rows.remove(found)
        return found

    def lacks(self, wanted: Iterable[CostRow]) -> list[CostRow]:
        """Which of several rows would find none; takes nothing out."""
        rest = RowPool(self.rows)
        return [row for row in wanted if rest.pop_row(row) is None]


def rows_by_month(rows: Iterable[CostRow]) -> dict[str, list[CostRow]]:
    """The rows of each month, in their order."""
    found: dict[str, list[CostRow]] = defaultdict(list)
    for row in rows:
        found[row.month].append(row)
    return found


def total_amount(rows: Iterable[CostRow]) -> Decimal:
    """What several rows add up to."""
    return sum((row.amount for row in rows), Decimal(0))


def split_sums(
    reported: Sequence[CostRow], candidates: Sequence[Sequence[CostRow]], *, written: bool = False
) -> tuple[list[CostRow], list[str]]:
    """Undo the adding up: where Marketo shows a month as one row, put the rows that it is the sum of.

    Args:
        reported: Marketo's rows.
        candidates: lists of rows that Marketo may hold, the surest first; the first whose rows of a month add up to
            it counts.
        written: they were written; otherwise a row that is one of a list is no sum of this list or a later one.

    Returns:
        The rows, and the months that were shown as a sum.
    """
    by_candidate = [rows_by_month(rows) for rows in candidates]
    rows: list[CostRow] = []
    summed: list[str] = []
    for month, shown in rows_by_month(reported).items():
        # Where nothing was known of a month, one row in it is somebody else's, and that it equals a sum is chance.
        known = [rows_of[month] for rows_of in by_candidate if month in rows_of and month in by_candidate[0]]
        parts = _parts_of_sum(shown, known, written=written)
        rows += parts or shown
        summed += [month] if parts else []
    return rows, summed


def _parts_of_sum(shown: Sequence[CostRow], known: Sequence[Sequence[CostRow]], *, written: bool) -> Sequence[CostRow]:
    if len(shown) != 1:
        return ()
    for rows in known:
        if not written and any(row.key == shown[0].key for row in rows):
            return ()
        if len(rows) > 1 and total_amount(rows) == shown[0].amount:
            return rows
    return ()
