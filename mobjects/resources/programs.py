"""Files of programs, of their period costs (one line for each), and of their tags."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, ClassVar

from django.db import models

from mobjects.marketo.attributes import Attribute
from mobjects.marketo.contract import DataType, Value
from mobjects.models import AllowedValues, Program, ProgramCost, ProgramTag
from mobjects.models.program import CHANNEL_TAG
from mobjects.resources.base import Keys, TransferResource, in_chunks
from mobjects.resources.columns import Column, LinkColumn, MonthColumn, id_column, text_column
from mobjects.resources.results import RowInput

PROGRAM_ID = LinkColumn(
    Attribute("Program ID", "Program Marketo ID", DataType.REFERENCE), "program", True, ("program", "marketo_id")
)


class ProgramResource(TransferResource):
    """Programs; their key is the Marketo ID."""

    KIND = "programs"
    NOUN = "program"
    key_names: ClassVar = ("Marketo ID",)

    class Meta:
        model = Program
        name = "Programs"

    def get_columns(self) -> Sequence[Column]:
        return (
            id_column("Marketo ID", "marketo_id", required=True),
            text_column("Name", "name", required=True),
            text_column("Type", "type"),
            text_column("Workspace", "workspace"),
            text_column("Channel", "channel"),
        )

    def missing_columns(self, names: set[str]) -> list[str]:
        return [] if "Marketo ID" in names else ["the column “Marketo ID”"]

    def prefetch(self, keys: Sequence[Keys]) -> None:
        self.programs = programs_of(key.get("Marketo ID") for key in keys)
        self.allowed = AllowedValues()

    def locate(self, row: RowInput) -> models.Model | None:
        return self.programs.get(row.values.get("Marketo ID"))

    def tokens(self, row: RowInput, instance: models.Model | None) -> Iterator[tuple[str, Hashable]]:
        if row.values.get("Marketo ID"):
            yield "Marketo ID", row.values["Marketo ID"]

    def check(self, instance: Any, row: RowInput) -> None:
        # What stands in Marketo already may be offered there no more; only what the file changes is judged.
        problem = self.allowed.problem(CHANNEL_TAG, instance.channel)
        if problem and "Channel" in {change.column for change in self.changes}:
            row.problem("Channel", problem)


def programs_of(marketo_ids: Any) -> dict[Value, Program]:
    """The programs with these Marketo IDs, by Marketo ID."""
    return {program.marketo_id: program for program in in_chunks(Program.objects.all(), "marketo_id", marketo_ids)}


class _ChildResource(TransferResource):
    """Rows that belong to a program."""

    programs: dict[Value, Program]

    def program(self, row: RowInput) -> Program | None:
        """The row's program; a problem is noted if there is none."""
        marketo_id = row.values.get("Program ID")
        program = self.programs.get(marketo_id)
        if program is None and marketo_id is not None and not row.failed("Program ID"):
            row.problem("Program ID", "there is no program with this Marketo ID here; import the program first.")
        return program

    def link(self, instance: Any, row: RowInput) -> None:
        program = self.programs.get(row.values.get("Program ID"))
        if program is not None:
            instance.program = program


class ProgramTagResource(_ChildResource):
    """Tags; their key is the program and the type, whose case does not matter."""

    KIND = "program-tags"
    NOUN = "tag"
    key_names: ClassVar = ("Program ID", "Type")

    class Meta:
        model = ProgramTag
        name = "Program tags"

    def get_columns(self) -> Sequence[Column]:
        return (PROGRAM_ID, text_column("Type", "type", required=True), text_column("Value", "value", required=True))

    def missing_columns(self, names: set[str]) -> list[str]:
        return [f"the column “{name}”" for name in self.key_names if name not in names]

    def prefetch(self, keys: Sequence[Keys]) -> None:
        self.programs = programs_of(key.get("Program ID") for key in keys)
        tags = in_chunks(ProgramTag.objects.all(), "program_id", (program.pk for program in self.programs.values()))
        self.allowed = AllowedValues()
        self.tags: dict[tuple[int, str], ProgramTag] = {}
        for tag in tags:
            self.tags[tag.program_id, tag.type] = tag
            self.tags.setdefault((tag.program_id, tag.type.lower()), tag)

    def locate(self, row: RowInput) -> models.Model | None:
        program, kind = self.program(row), str(row.values.get("Type") or "")
        if program is None:
            return None
        return self.tags.get((program.pk, kind)) or self.tags.get((program.pk, kind.lower()))

    def tokens(self, row: RowInput, instance: models.Model | None) -> Iterator[tuple[str, Hashable]]:
        if instance is not None:
            yield "Type", instance.pk
        elif row.values.get("Type"):
            yield "Type", (row.values.get("Program ID"), row.values["Type"].lower())

    def check(self, instance: Any, row: RowInput) -> None:
        problem = self.allowed.problem(instance.type, instance.value)
        if problem and {"Type", "Value"} & {change.column for change in self.changes}:
            row.problem("Value" if self.allowed.values(instance.type) else "Type", problem)

    def _assign(self, column: Column, instance: Any, value: Value) -> None:
        if column.name == "Type" and value and not instance._state.adding:
            return  # Found by it: another spelling of the same type is no change.
        super()._assign(column, instance, value)


class ProgramCostResource(_ChildResource):
    """Period costs; their key is the program and Marketo's cost ID.

    Marketo does not tell the ID of a cost it adds, so most costs have none. A line without one that equals a
    cost of its program (month, amount, note) means that cost, each cost once; any other line is a new cost.
    """

    KIND = "program-costs"
    NOUN = "cost"
    key_names: ClassVar = ("Program ID", "Month", "Amount", "Note", "Cost ID")
    kept_ids: ClassVar = ("Cost ID",)

    class Meta:
        model = ProgramCost
        name = "Program costs"

    def get_columns(self) -> Sequence[Column]:
        return (
            PROGRAM_ID,
            MonthColumn(Attribute("Month", "Month", DataType.DATE), "month", True),
            Column(Attribute("Amount", "Amount", DataType.CURRENCY), "amount", True),
            text_column("Note", "note", 2000),
            id_column("Cost ID", "marketo_cost_id"),
        )

    def missing_columns(self, names: set[str]) -> list[str]:
        needed = ("Program ID",) if "Cost ID" in names else ("Program ID", "Month", "Amount")
        return [f"the column “{name}”" for name in needed if name not in names]

    def prefetch(self, keys: Sequence[Keys]) -> None:
        self.programs = programs_of(key.get("Program ID") for key in keys)
        by_pk = {program.pk: program for program in self.programs.values()}
        self.free: dict[int, ProgramCost] = {}
        for cost in in_chunks(ProgramCost.objects.order_by("pk"), "program_id", by_pk):
            cost.program = by_pk[cost.program_id]
            self.free[cost.pk] = cost
        self.matches: dict[int, ProgramCost] = {}
        self._match_ids(keys)
        # Lines that bring an ID go first: they say which cost they mean, or which of two equal ones gets it.
        self._match_equal(keys, with_id=True)
        self._match_equal(keys, with_id=False)

    def _match_ids(self, keys: Sequence[Keys]) -> None:
        by_id = {(cost.program.marketo_id, cost.marketo_cost_id): cost for cost in self.free.values()}
        for index, key in enumerate(keys):
            if key.get("Cost ID") is not None:
                cost = by_id.get((key.get("Program ID"), key["Cost ID"]))
                if cost is not None:
                    self.matches[index] = cost
                    self.free.pop(cost.pk, None)

    def _match_equal(self, keys: Sequence[Keys], *, with_id: bool) -> None:
        has_note = any("Note" in key for key in keys)
        pool: defaultdict[Hashable, list[ProgramCost]] = defaultdict(list)
        # Popped from the end: the oldest first, those without an ID before those with one.
        for cost in sorted(self.free.values(), key=lambda cost: (cost.marketo_cost_id is None, -cost.pk)):
            if not with_id or cost.marketo_cost_id is None:
                note = cost.note if has_note else None
                pool[cost.program.marketo_id, cost.month, cost.amount, note].append(cost)
        for index, key in enumerate(keys):
            if index in self.matches or (key.get("Cost ID") is not None) != with_id:
                continue
            note = (key.get("Note") or "") if has_note else None
            equal = pool.get((key.get("Program ID"), key.get("Month"), key.get("Amount"), note))
            if equal:
                self.matches[index] = equal.pop()
                del self.free[self.matches[index].pk]

    def locate(self, row: RowInput) -> models.Model | None:
        program, cost = self.program(row), self.matches.get(row.index)
        if cost is None and program is not None and row.values.get("Cost ID") is None:
            self._warn_of_similar(program, row)
        return cost

    def _warn_of_similar(self, program: Program, row: RowInput) -> None:
        similar = [
            cost.content_text
            for cost in self.free.values()
            if cost.program_id == program.pk and cost.month == row.values.get("Month")
        ]
        if similar:
            row.warn(
                "Month",
                f"will be added as another cost. “{program}” has {', '.join(f'“{text}”' for text in similar[:3])} in "
                "this month, which is not in this file: to change that one, give its Cost ID or edit it on its page.",
            )

    def tokens(self, row: RowInput, instance: models.Model | None) -> Iterator[tuple[str, Hashable]]:
        if row.values.get("Cost ID") is not None:
            yield "Cost ID", (row.values.get("Program ID"), row.values["Cost ID"])
