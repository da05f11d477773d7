"""Files of period costs, which have no key of their own unless Marketo's cost ID is known.

A row with a Cost ID means the cost with this ID, else an equal one without ID. A row without means an equal cost, each
cost once; any other row is a new cost. Which row gets which cost depends on the whole file: rows with an ID go first.
So the file is read once more before the check, and the costs of its programs are kept in memory, but not its rows.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from mobjects.imports.cell_parser import Item
from mobjects.imports.duplicates import SEPARATOR, Once
from mobjects.imports.staging import Finding
from mobjects.imports.validators.base import CHUNK, Rows
from mobjects.imports.validators.program_children import Parent, PartKind, belonging
from mobjects.imports.validators.record_lookup import FIXED, Lookup, Record
from mobjects.models import ProgramCost
from mobjects.models.program import COST_PREFIX
from mobjects.spreadsheets.csv_writer import batches

_PROGRAM, _MONTH, _AMOUNT, _NOTE, _ID = range(FIXED, FIXED + 5)
_CONTENT = frozenset({"Month", "Amount", "Note"})
_NAMED = 3
"""So many similar costs are named in a warning."""

_Key = tuple[str, str, str, str]
"""Our id of the program, month, amount and note (empty if the file has none)."""


class Costs(PartKind):
    """Judges rows of costs."""

    noun = "cost"
    model = ProgramCost
    more = ("program", "month", "amount", "note", "marketo_cost_id")
    key_names: ClassVar = ("Program ID", "Month", "Amount", "Note", "Cost ID")
    kept = "Cost ID"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lookup = Lookup(ProgramCost, self.more, [])
        kept = dict(zip(self.key_names, (_PROGRAM, _MONTH, _AMOUNT, _NOTE, _ID), strict=True))
        self._places = [kept[parser.name] for parser in self.written]
        self.has_note = "Note" in self.index
        self.costs: dict[int, Record] = {}
        """The costs of all programs that the file names, by our id."""
        self.matches: dict[int, int] = {}
        """Number of a row to our id of the cost it means."""
        self.free: dict[tuple[str, str], list[int]] = {}
        """Program and month to the costs that no row means."""

    # --- the whole file ------------------------------------------------------------------------------------------

    def begin(self, rows: Rows) -> None:
        matching = _Matching()
        known: set[str] = set()
        for chunk in batches(rows(), CHUNK):
            items = list(self.layout.items(chunk))
            parents = self.parents(items)
            new = {parent.pk for parent in parents.values()} - known
            known |= new
            for record in self.lookup.by("program_id", [int(pk) for pk in new]):
                # Months, amounts and notes repeat themselves.
                kept = tuple(sys.intern(value) if isinstance(value, str) else value for value in record)
                self.costs[record[0]] = kept
                matching.add(kept, self._key_of(kept))
            for item in items:
                self._seek(item, parents, matching)
        self.matches = matching.done()
        taken = set(self.matches.values())
        for pk, record in sorted(self.costs.items()):
            if pk not in taken:
                self.free.setdefault((record[_PROGRAM], record[_MONTH]), []).append(pk)

    def _seek(self, item: Item, parents: Mapping[str, Parent], matching: _Matching) -> None:
        parent = parents.get(self.value(item, "Program ID") or "")
        if parent is None or "" in item.failed:
            return
        cost_id = self.value(item, "Cost ID") or ""
        month, amount = self.value(item, "Month") or "", self.value(item, "Amount") or ""
        note = (self.value(item, "Note") or "") if self.has_note else ""
        readable = item.failed.isdisjoint(("Cost ID", "Month", "Amount", "Note"))
        matching.seek(item.number, parent.pk, cost_id, (parent.pk, month, amount, note) if readable else None)

    def _key_of(self, record: Record) -> _Key:
        return record[_PROGRAM], record[_MONTH], record[_AMOUNT], record[_NOTE] if self.has_note else ""

    # --- a chunk -------------------------------------------------------------------------------------------------

    def findings(self, items: Sequence[Item]) -> Iterator[Finding]:
        parents = self.parents(items)
        for item in items:
            yield self._judged(item, parents)

    def _judged(self, item: Item, parents: dict[str, Parent]) -> Finding:
        marketo_id = self.value(item, "Program ID")
        parent = None if "" in item.failed else self.linked(item, parents)
        pk = self.matches.get(item.number)
        record = None if pk is None or parent is None else self._record(self.costs[pk], parent)
        cost_id, month = self.value(item, "Cost ID"), self.value(item, "Month") or ""
        if "" not in item.failed:
            self.require(item, record)
            if record is None and parent is not None and not cost_id and "Cost ID" not in item.failed:
                self._warn_of_similar(item, parent, month)
        month, amount = (
            self.value(item, name) or (record[place] if record else "")
            for name, place in (("Month", _MONTH), ("Amount", _AMOUNT))
        )
        key = SEPARATOR.join((cost_id, marketo_id)) if cost_id and marketo_id else ""
        return self.finish(item, record, f"{month[:7]} {amount}".strip(), key=key)

    def _record(self, kept: Record, parent: Parent) -> Record:
        """A cost as other kinds read it from the database."""
        return (*belonging(kept, parent), *(kept[place] for place in self._places))

    def _warn_of_similar(self, item: Item, parent: Parent, month: str) -> None:
        similar = self.free.get((parent.pk, month))
        if similar:
            listed = ", ".join(f"“{_content(self.costs[pk])}”" for pk in similar[:_NAMED])
            self.complain(
                item,
                "Month",
                f"will be added as another cost. “{parent.name}” has {listed} in this month, which is not in this "
                "file: to change that one, give its Cost ID or edit it on its page.",
                level="warning",
            )

    def once(self) -> list[Once]:
        return [Once("key", "Cost ID", self.position("Cost ID"))] if "Cost ID" in self.index else []

    def unsent(
        self, item: Item, record: Record, changed: Sequence[int], accepted: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        names = [self.written[place].name for place in changed]
        content = next((name for name in names if name in _CONTENT), None)
        text = _content(record)
        if content and accepted.get(f"{COST_PREFIX}{record[0]}", "") != text:
            yield content, text


class _Matching:
    """Finds out which row of a file means which cost. Keeps of each row at most a few numbers."""

    def __init__(self) -> None:
        self.by_id: dict[tuple[str, str], int] = {}
        self.matches: dict[int, int] = {}
        self._numbers: dict[_Key, int] = {}
        self._pools: list[list[int]] = []
        self._with_id: set[int] = set()
        # Rows that equal a cost: their numbers, and which pool of equal costs it is; those with a Cost ID apart.
        self._equal: dict[bool, tuple[array[int], array[int]]] = {
            with_id: (array("q"), array("q")) for with_id in (True, False)
        }

    def add(self, record: Record, key: _Key) -> None:
        """Add a cost."""
        if record[_ID]:
            self.by_id[record[_PROGRAM], record[_ID]] = record[0]
            self._with_id.add(record[0])
        number = self._numbers.setdefault(key, len(self._pools))
        if number == len(self._pools):
            self._pools.append([])
        self._pools[number].append(record[0])

    def seek(self, number: int, program: str, cost_id: str, key: _Key | None) -> None:
        """Add a row; ``key`` is ``None`` if it cannot be read."""
        pk = self.by_id.get((program, cost_id)) if cost_id else None
        if pk is not None:
            self.matches[number] = pk
        elif key is not None and (pool := self._numbers.get(key)) is not None:
            rows, pools = self._equal[bool(cost_id)]
            rows.append(number)
            pools.append(pool)

    def done(self) -> dict[int, int]:
        """Number of a row to the cost it means, once all costs and rows are added.

        Rows that bring an ID go first: they say which of two equal costs gets it. Costs with an ID are taken before
        those without, the oldest first.
        """
        taken = set(self.matches.values())
        for with_id in (True, False):
            self._match(zip(*self._equal[with_id], strict=True), taken, with_id=with_id)
        return self.matches

    def _match(self, rows: Iterable[tuple[int, int]], taken: set[int], *, with_id: bool) -> None:
        free: dict[int, list[int]] = {}
        for number, pool in rows:
            if pool not in free:
                costs = sorted(self._pools[pool], key=lambda pk: (pk not in self._with_id, pk), reverse=True)
                free[pool] = [pk for pk in costs if pk not in taken and not (with_id and pk in self._with_id)]
            if free[pool]:
                self.matches[number] = free[pool].pop()
                taken.add(self.matches[number])


def _content(record: Record) -> str:
    """A cost as one line; the same words as of the model."""
    return f"{record[_MONTH][:7]} {record[_AMOUNT]} {record[_NOTE]}".rstrip()
