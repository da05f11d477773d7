"""Doing what was planned, and taking it back, a chunk at a time. The caller's transaction holds the bulk edit's row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime

from mobjects.bulk_edits.field_sql import FieldSql
from mobjects.bulk_edits.operations import Do, EditOperation, edited_fields
from mobjects.bulk_edits.part_writing import CopyApplier, TagApplier
from mobjects.bulk_edits.planning import FIELD_GONE
from mobjects.bulk_edits.rows import mark_rows, rows_between
from mobjects.imports.writing.db_errors import by_halves
from mobjects.models import BulkEdit, BulkEditOutcome


class Applier(ABC):
    """Writes the rows of a bulk edit between two numbers, both included."""

    @abstractmethod
    def apply_chunk(self, first: int, last: int, now: datetime) -> None:
        """Do it to the records that are still as they were shown; the rows of others are marked."""

    @abstractmethod
    def undo_chunk(self, first: int, last: int, now: datetime) -> None:
        """Take it back where nothing came after it; the rows of others are marked."""


class FieldApplier(Applier):
    """Changes one field."""

    def __init__(self, asked: BulkEdit, model_name: str, operation: EditOperation) -> None:
        self._pk = asked.pk
        self._sql = FieldSql(asked.pk, model_name, operation.field)

    def apply_chunk(self, first: int, last: int, now: datetime) -> None:
        self._sql.lock_records(first, last)
        self._sql.leave_changed(first, last)
        self._write(self._sql.write_new, BulkEditOutcome.LEFT, first, last, now)

    def undo_chunk(self, first: int, last: int, now: datetime) -> None:
        self._sql.lock_records(first, last)
        self._sql.keep_changed(first, last)
        self._write(self._sql.write_old, BulkEditOutcome.KEPT, first, last, now)

    def _write(
        self,
        write: Callable[[int, int, datetime], None],
        refused: BulkEditOutcome,
        first: int,
        last: int,
        now: datetime,
    ) -> None:
        """Write rows; where the database refuses some, all others, and mark these."""
        for number, why in by_halves(first, last, lambda start, end: write(start, end, now), self._sql.model):
            mark_rows(self._pk, {number: why}, refused)


class NoApplier(Applier):
    """Leaves everything as it is: the field is not there any more."""

    def __init__(self, asked: BulkEdit) -> None:
        self._pk = asked.pk

    def apply_chunk(self, first: int, last: int, now: datetime) -> None:
        self._mark(first, last, BulkEditOutcome.LEFT)

    def undo_chunk(self, first: int, last: int, now: datetime) -> None:
        self._mark(first, last, BulkEditOutcome.KEPT)

    def _mark(self, first: int, last: int, outcome: BulkEditOutcome) -> None:
        mark_rows(self._pk, {row.number: FIELD_GONE for row in rows_between(self._pk, first, last)}, outcome)


def build_applier(asked: BulkEdit, model_name: str, operation: EditOperation) -> Applier | CopyApplier | TagApplier:
    """What does an operation."""
    if operation.do == Do.COPY:
        return CopyApplier(asked, operation)
    if operation.do in (Do.TAG, Do.UNTAG):
        return TagApplier(asked, operation)
    if operation.field not in edited_fields(model_name):
        return NoApplier(asked)
    return FieldApplier(asked, model_name, operation)
