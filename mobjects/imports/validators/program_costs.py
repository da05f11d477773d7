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

from mobjects.imports.cell_parser import ParsedRow
from mobjects.imports.duplicates import SEPARATOR, UniqueRule
from mobjects.imports.staging import CheckedRow
from mobjects.imports.validators.base import CHUNK, RowSource
from mobjects.imports.validators.program_children import ParentProgram, ProgramChildValidator, with_parent
from mobjects.imports.validators.record_lookup import LEADING_VALUES, RecordLookup, StoredRecord
from mobjects.models import ProgramCost
from mobjects.models.program import COST_PREFIX
from mobjects.spreadsheets.csv_writer import iter_batches

_PROGRAM, _MONTH, _AMOUNT, _NOTE, _ID = range(LEADING_VALUES, LEADING_VALUES + 5)
_CONTENT = frozenset({"Month", "Amount", "Note"})
_NAMED = 3
"""So many similar costs are named in a warning."""

_Key = tuple[str, str, str, str]
"""Our id of the program, month, amount and note (empty if the file has none)."""


class CostValidator(ProgramChildValidator):
    """Judges rows of costs."""

    noun = "cost"
    model = ProgramCost
    extra_fields = ("program", "month", "amount", "note", "marketo_cost_id")
    key_names: ClassVar = ("Program ID", "Month", "Amount", "Note", "Cost ID")
    kept_id_column = "Cost ID"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lookup = RecordLookup(ProgramCost, self.extra_fields, [])
        kept = dict(zip(self.key_names, (_PROGRAM, _MONTH, _AMOUNT, _NOTE, _ID), strict=True))
        self._places = [kept[parser.name] for parser in self.written]
        self.has_note = "Note" in self.index
        self.costs: dict[int, StoredRecord] = {}
        """The costs of all programs that the file names, by our id."""
        self.matches: dict[int, int] = {}
        """Number of a row to our id of the cost it means."""
        self.free: dict[tuple[str, str], list[int]] = {}
        """Program and month to the costs that no row means."""

    # --- the whole file ------------------------------------------------------------------------------------------

    def prepare_file(self, rows: RowSource) -> None:
        matching = _CostMatcher()
        known: set[str] = set()
        for chunk in iter_batches(rows(), CHUNK):
            items = list(self.layout.parse_rows(chunk))
            parents = self.load_parents(items)
            new = {parent.pk for parent in parents.values()} - known
            known |= new
            for record in self.lookup.find_by_field("program_id", [int(pk) for pk in new]):
                # Months, amounts and notes repeat themselves.
                kept = tuple(sys.intern(value) if isinstance(value, str) else value for value in record)
                self.costs[record[0]] = kept
                matching.add_cost(kept, self._key_of(kept))
            for item in items:
                self._seek(item, parents, matching)
        self.matches = matching.match_rows()
        taken = set(self.matches.values())
        for pk, record in sorted(self.costs.items()):
            if pk not in taken:
                self.free.setdefault((record[_PROGRAM], record[_MONTH]), []).append(pk)

    def _seek(self, item: ParsedRow, parents: Mapping[str, ParentProgram], matching: _CostMatcher) -> None:
        parent = parents.get(self.get_value(item, "Program ID") or "")
        if parent is None or "" in item.failed:
            return
        cost_id = self.get_value(item, "Cost ID") or ""
        month, amount = self.get_value(item, "Month") or "", self.get_value(item, "Amount") or ""
        note = (self.get_value(item, "Note") or "") if self.has_note else ""
        readable = item.failed.isdisjoint(("Cost ID", "Month", "Amount", "Note"))
        matching.add_row(item.number, parent.pk, cost_id, (parent.pk, month, amount, note) if readable else None)

    def _key_of(self, record: StoredRecord) -> _Key:
        return record[_PROGRAM], record[_MONTH], record[_AMOUNT], record[_NOTE] if self.has_note else ""

    # --- a chunk -------------------------------------------------------------------------------------------------

    def validate_rows(self, items: Sequence[ParsedRow]) -> Iterator[CheckedRow]:
        parents = self.load_parents(items)
        for item in items:
            yield self._validate_row(item, parents)

    def _validate_row(self, item: ParsedRow, parents: dict[str, ParentProgram]) -> CheckedRow:
        marketo_id = self.get_value(item, "Program ID")
        parent = None if "" in item.failed else self.resolve_parent(item, parents)
        pk = self.matches.get(item.number)
        record = None if pk is None or parent is None else self._record(self.costs[pk], parent)
        self.blanks.fill(item, record)
        cost_id, month = self.get_value(item, "Cost ID"), self.get_value(item, "Month") or ""
        if "" not in item.failed:
            self.check_required(item, record)
            if record is None and parent is not None and not cost_id and "Cost ID" not in item.failed:
                self._warn_of_similar(item, parent, month)
        month, amount = (
            self.get_value(item, name) or (record[place] if record else "")
            for name, place in (("Month", _MONTH), ("Amount", _AMOUNT))
        )
        key = SEPARATOR.join((cost_id, marketo_id)) if cost_id and marketo_id else ""
        return self.build_checked_row(item, record, f"{month[:7]} {amount}".strip(), key=key)

    def _record(self, kept: StoredRecord, parent: ParentProgram) -> StoredRecord:
        """A cost as other kinds read it from the database."""
        return (*with_parent(kept, parent), *(kept[place] for place in self._places))

    def _warn_of_similar(self, item: ParsedRow, parent: ParentProgram, month: str) -> None:
        similar = self.free.get((parent.pk, month))
        if similar:
            listed = ", ".join(f"“{_content(self.costs[pk])}”" for pk in similar[:_NAMED])
            self.add_problem(
                item,
                "Month",
                f"will be added as another cost. “{parent.name}” has {listed} in this month, which is not in this "
                "file: to change that one, give its Cost ID or edit it on its page.",
                level="warning",
            )

    def unique_rules(self) -> list[UniqueRule]:
        return [UniqueRule("key", "Cost ID", self.column_position("Cost ID"))] if "Cost ID" in self.index else []

    def unsent_values(
        self, item: ParsedRow, record: StoredRecord, changed: Sequence[int], accepted: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        names = [self.written[place].name for place in changed]
        content = next((name for name in names if name in _CONTENT), None)
        text = _content(record)
        if content and accepted.get(f"{COST_PREFIX}{record[0]}", "") != text:
            yield content, text


class _CostMatcher:
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

    def add_cost(self, record: StoredRecord, key: _Key) -> None:
        """Add a cost."""
        if record[_ID]:
            self.by_id[record[_PROGRAM], record[_ID]] = record[0]
            self._with_id.add(record[0])
        number = self._numbers.setdefault(key, len(self._pools))
        if number == len(self._pools):
            self._pools.append([])
        self._pools[number].append(record[0])

    def add_row(self, number: int, program: str, cost_id: str, key: _Key | None) -> None:
        """Add a row; ``key`` is ``None`` if it cannot be read."""
        pk = self.by_id.get((program, cost_id)) if cost_id else None
        if pk is not None:
            self.matches[number] = pk
        elif key is not None and (pool := self._numbers.get(key)) is not None:
            rows, pools = self._equal[bool(cost_id)]
            rows.append(number)
            pools.append(pool)

    def match_rows(self) -> dict[int, int]:
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


def _content(record: StoredRecord) -> str:
    """A cost as one line; the same words as of the model."""
    return f"{record[_MONTH][:7]} {record[_AMOUNT]} {record[_NOTE]}".rstrip()
