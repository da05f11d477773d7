"""What came of an import: per row, and summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from import_export.results import Result, RowResult

from mobjects.marketo.values import shown


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one row.

    Args:
        row: number in the file; the header row is 1.
        column: the column's name; empty if the row as a whole is wrong.
        value: the cell, or empty.
        rule: what is wrong and what would be right.
    """

    row: int
    column: str
    value: str
    rule: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"row {self.row}", self.column, self.value and shown(self.value)) if part)
        return f"{place}: {self.rule}"


@dataclass(frozen=True, slots=True)
class Change:
    """A field's value before and after, as text."""

    column: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that adds a record or changes one."""

    row: int
    is_new: bool
    label: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Summary:
    """An import's counts of rows, and what there is to tell.

    Args:
        refused: why the file as a whole was refused; empty if it was not.
        problems: in the order of the file.
        warnings: things that are allowed but may not be meant.
    """

    new: int
    changed: int
    unchanged: int
    failed: int
    refused: str
    problems: Sequence[Problem]
    warnings: Sequence[Problem]
    rows: Sequence[ChangedRow]

    @property
    def ok(self) -> bool:
        """Whether the file can be, or was, imported."""
        return not (self.refused or self.failed)


class RowRefused(ValidationError):
    """A row with problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__([str(problem) for problem in problems])
        self.problems = problems


@dataclass(slots=True)
class RowInput:
    """The row being imported: its cells and typed values by column name, and what was found out about it."""

    index: int
    number: int
    cells: dict[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def problem(self, column: str, rule: str) -> None:
        """Note that a column breaks a rule."""
        self.problems.append(self._about(column, rule))

    def warn(self, column: str, text: str) -> None:
        """Note something that is allowed but may not be meant."""
        self.warnings.append(self._about(column, text))

    def failed(self, *columns: str) -> bool:
        """Whether any of the columns has a problem already."""
        return any(problem.column in columns for problem in self.problems)

    def _about(self, column: str, text: str) -> Problem:
        cell = self.cells.get(column)
        value = "" if cell is None else str(cell)
        return Problem(self.number, column, value, text.removeprefix(f"{shown(value)} "))


class ImportedRow(RowResult):
    """import-export's row result with what our previews need."""

    number: int = 0
    changes: Sequence[Change] = ()
    warnings: Sequence[Problem] = ()


def summarise(result: Result) -> Summary:
    """Sum up what import-export reports of a run of one of our resources."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    rows: list[ChangedRow] = []
    for row in result.rows:
        warnings += row.warnings
        if isinstance(row.validation_error, RowRefused):
            problems += row.validation_error.problems
        problems += [Problem(row.number, "", "", f"could not be imported: {error.error}") for error in row.errors]
        if row.is_new() or row.is_update():
            rows.append(ChangedRow(row.number, row.is_new(), row.object_repr or "", row.changes))
    totals = result.totals
    return Summary(
        new=totals[RowResult.IMPORT_TYPE_NEW],
        changed=totals[RowResult.IMPORT_TYPE_UPDATE],
        unchanged=totals[RowResult.IMPORT_TYPE_SKIP],
        failed=totals[RowResult.IMPORT_TYPE_INVALID] + totals[RowResult.IMPORT_TYPE_ERROR],
        refused=" ".join(str(error.error) for error in result.base_errors),
        problems=problems,
        warnings=warnings,
        rows=rows,
    )
