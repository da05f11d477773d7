"""Planning what makes or removes parts of programs: copies of period costs, and tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext_noop as _

from mobjects.bulk_edits.changes import ALREADY
from mobjects.bulk_edits.operations import Do, EditOperation
from mobjects.bulk_edits.planning import GONE, PlannedRow, Planner
from mobjects.marketo.value_text import to_text
from mobjects.models import AllowedValues, BulkEditOutcome, Program, ProgramCost, ProgramTag

HAS_NO_TAG = _("there is no such tag")
SAME_MONTH = _("it is in this month already")
HAS_COPY = _("the program has the same cost in this month already")


class CopyPlanner(Planner):
    """Plans copies of period costs in another month. What the program has there already is not doubled."""

    def __init__(self, operation: EditOperation) -> None:
        self._month = date.fromisoformat(operation.value)

    def plan_rows(self, ids: Sequence[int]) -> list[PlannedRow]:
        names = ("pk", "program", "month", "amount", "note")
        costs = ProgramCost.objects.filter(pk__among=ids)
        found = {pk: values for pk, *values in costs.values_list(*names)}
        programs = {values[0] for values in found.values()}
        there = ProgramCost.objects.filter(program__pk__among=programs, month=self._month)
        free = Counter(there.exclude(pk__among=ids).values_list("program", "amount", "note"))
        rows = []
        for pk in ids:
            if pk not in found:
                rows.append(PlannedRow(pk, BulkEditOutcome.REFUSED.value, reason=GONE))
                continue
            program, month, amount, note = found[pk]
            old = describe_cost(month, amount, note)
            if month == self._month:
                rows.append(PlannedRow(pk, BulkEditOutcome.UNCHANGED.value, None, old, None, SAME_MONTH))
            elif free[program, amount, note]:
                free[program, amount, note] -= 1
                rows.append(PlannedRow(pk, BulkEditOutcome.UNCHANGED.value, None, old, None, HAS_COPY))
            else:
                new = describe_cost(self._month, amount, note)
                rows.append(PlannedRow(pk, BulkEditOutcome.CHANGED.value, None, old, new))
        return rows


def describe_cost(month: date, amount: object, note: str) -> str:
    """A cost as one line."""
    return f"{month:%Y-%m} {to_text(amount)} {note}".rstrip()  # type: ignore[arg-type]  # a decimal


class TagPlanner(Planner):
    """Plans adding, changing or removing the tag of one type."""

    def __init__(self, operation: EditOperation) -> None:
        self._removes = operation.do == Do.UNTAG
        self._type, self._value = operation.sought, operation.value
        self._problem = "" if self._removes else AllowedValues().find_problem(self._type, self._value)

    def plan_rows(self, ids: Sequence[int]) -> list[PlannedRow]:
        revisions = dict(Program.objects.filter(pk__among=ids).values_list("pk", "revision"))
        tags = ProgramTag.objects.filter(program__pk__among=ids, type__iexact=self._type)
        found = {program: (name, value) for program, name, value in tags.values_list("program", "type", "value")}
        return [self._plan(pk, revisions.get(pk), *found.get(pk, (self._type, None))) for pk in ids]

    def _plan(self, pk: int, revision: int | None, spelled: str, old: str | None) -> PlannedRow:
        if revision is None:
            return PlannedRow(pk, BulkEditOutcome.REFUSED.value, reason=GONE)
        if self._removes and old is None:
            return PlannedRow(pk, BulkEditOutcome.UNCHANGED.value, reason=HAS_NO_TAG)
        if not self._removes and old == self._value:
            return PlannedRow(pk, BulkEditOutcome.UNCHANGED.value, None, old, None, ALREADY)
        new = None if self._removes else self._value
        if self._problem:
            return PlannedRow(pk, BulkEditOutcome.REFUSED.value, None, old, new, self._problem)
        return PlannedRow(pk, BulkEditOutcome.CHANGED.value, revision, old, new, "", {"type": spelled})
