"""Files of period costs, which have no key of their own unless Marketo's cost ID is known.

A row with a Cost ID means the cost with this ID, else an equal one without ID. A row without means an equal cost, each
cost once; any other row is a new cost. Which row gets which cost depends on the whole file: rows with an ID go first.
So the file is read once more before the check, and the costs of its programs are kept in memory, but not its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from mobjects.imports.cell_parser import ParsedRow
from mobjects.imports.duplicates import SEPARATOR, UniqueRule
from mobjects.imports.staging import CheckedRow
from mobjects.imports.validators.base import CHUNK, RowSource
from mobjects.imports.validators.cost_rows import CostRows, SoughtCost
from mobjects.imports.validators.program_children import ParentProgram, ProgramChildValidator, with_parent
from mobjects.imports.validators.record_lookup import LEADING_VALUES, RecordLookup, StoredRecord
from mobjects.models import ProgramCost
from mobjects.models.program import COST_PREFIX
from mobjects.spreadsheets.csv_writer import iter_batches

_PROGRAM, _MONTH, _AMOUNT, _NOTE, _ID = range(LEADING_VALUES, LEADING_VALUES + 5)
_CONTENT = frozenset({"Month", "Amount", "Note"})

_Costs = dict[int, StoredRecord]
"""By our id."""


class CostValidator(ProgramChildValidator):
    """Judges rows of costs."""

    noun = "cost"
    model = ProgramCost
    extra_fields = ("program", "month", "amount", "note", "marketo_cost_id")
    key_names: ClassVar = ("Program ID", "Month", "Amount", "Note", "Cost ID")
    kept_id_columns = ("Cost ID",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lookup = RecordLookup(ProgramCost, self.extra_fields, [])
        kept = dict(zip(self.key_names, (_PROGRAM, _MONTH, _AMOUNT, _NOTE, _ID), strict=True))
        self._places = [kept[parser.name] for parser in self.written]
        self.has_note = "Note" in self.index
        self.rows = CostRows()

    # --- the whole file ------------------------------------------------------------------------------------------

    def prepare_file(self, rows: RowSource) -> None:
        for chunk in iter_batches(rows(), CHUNK):
            items = list(self.layout.parse_rows(chunk))
            parents = self.load_parents(items)
            for item in items:
                self._add_row(item, parents)
        for programs in self.rows.iter_program_batches():
            costs: dict[int, list[SoughtCost]] = {program: [] for program in programs}
            for record in self.lookup.find_by_field("program_id", programs):
                costs[int(record[_PROGRAM])].append(self._sought(record))
            for program in programs:
                self.rows.match_program(program, costs.pop(program))

    def _add_row(self, item: ParsedRow, parents: Mapping[str, ParentProgram]) -> None:
        parent = parents.get(self.get_value(item, "Program ID") or "")
        if parent is None or "" in item.failed:
            return
        cost_id = 0 if "Cost ID" in item.failed else int(self.get_value(item, "Cost ID") or 0)
        month, amount = self.get_value(item, "Month") or "", self.get_value(item, "Amount") or ""
        readable = item.failed.isdisjoint(("Cost ID", "Month", "Amount", "Note"))
        content = self._content_hash(month, amount, self.get_value(item, "Note") or "") if readable else 0
        self.rows.add_row(int(parent.pk), SoughtCost(item.number, cost_id, hash(month), content))

    def _sought(self, record: StoredRecord) -> SoughtCost:
        month, amount, note = record[_MONTH], record[_AMOUNT], record[_NOTE]
        content = self._content_hash(month, amount, note)
        return SoughtCost(record[0], int(record[_ID] or 0), hash(month), content)

    def _content_hash(self, month: str, amount: str, note: str) -> int:
        return hash((month, amount, note if self.has_note else "")) or 1

    # --- a chunk -------------------------------------------------------------------------------------------------

    def validate_rows(self, items: Sequence[ParsedRow]) -> Iterator[CheckedRow]:
        parents = self.load_parents(items)
        costs = self._load_costs(items, parents)
        for item in items:
            yield self._validate_row(item, parents, costs)

    def _load_costs(self, items: Sequence[ParsedRow], parents: Mapping[str, ParentProgram]) -> _Costs:
        """The costs that some rows mean, and those that are named in warnings, by our id."""
        matches = (self.rows.matches.get(item.number) for item in items)
        wanted = {pk for pk in matches if pk is not None}
        for item in items:
            parent = parents.get(self.get_value(item, "Program ID") or "")
            wanted.update(self._similar(parent, self.get_value(item, "Month") or "") if parent else ())
        return {record[0]: record for record in self.lookup.find_by_field("id", wanted)}

    def _similar(self, parent: ParentProgram, month: str) -> list[int]:
        return self.rows.similar.get((int(parent.pk), hash(month)), [])

    def _validate_row(self, item: ParsedRow, parents: dict[str, ParentProgram], costs: _Costs) -> CheckedRow:
        marketo_id = self.get_value(item, "Program ID")
        parent = None if "" in item.failed else self.resolve_parent(item, parents)
        pk = self.rows.matches.get(item.number)
        kept = None if pk is None else costs.get(pk)
        record = None if kept is None or parent is None else self._record(kept, parent)
        self.blanks.fill(item, record)
        cost_id, month = self.get_value(item, "Cost ID"), self.get_value(item, "Month") or ""
        if "" not in item.failed:
            self.check_required(item, record)
            if record is None and parent is not None and not cost_id and "Cost ID" not in item.failed:
                self._warn_of_similar(item, parent, month, costs)
        month, amount = (
            self.get_value(item, name) or (record[place] if record else "")
            for name, place in (("Month", _MONTH), ("Amount", _AMOUNT))
        )
        key = SEPARATOR.join((cost_id, marketo_id)) if cost_id and marketo_id else ""
        return self.build_checked_row(item, record, f"{month[:7]} {amount}".strip(), key=key)

    def _record(self, kept: StoredRecord, parent: ParentProgram) -> StoredRecord:
        """A cost as other kinds read it from the database."""
        return (*with_parent(kept, parent), *(kept[place] for place in self._places))

    def _warn_of_similar(self, item: ParsedRow, parent: ParentProgram, month: str, costs: _Costs) -> None:
        similar = [costs[pk] for pk in self._similar(parent, month) if pk in costs]
        if similar:
            listed = ", ".join(f"“{_content(record)}”" for record in similar)
            self.add_problem(
                item,
                "Month",
                _(
                    "will be added as another cost. “%(name)s” has %(listed)s in this month, which is not in "
                    "this file: to change that one, give its Cost ID or edit it on its page."
                )
                % {"name": parent.name, "listed": listed},
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


def _content(record: StoredRecord) -> str:
    """A cost as one line; the same words as of the model."""
    return f"{record[_MONTH][:7]} {record[_AMOUNT]} {record[_NOTE]}".rstrip()
