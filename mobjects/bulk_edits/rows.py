"""The rows of a bulk edit: written by the plan, marked where something came between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from mobjects.bulk_edits.planning import PlannedRow
from mobjects.db.bulk import bulk_insert_rows
from mobjects.imports.writing.target_tables import execute_sql
from mobjects.models import BulkEdit, BulkEditOutcome, BulkEditRow

_COLUMNS = ("number", "record_id", "outcome", "version", "old", "new", "reason", "more")


def save_rows(pk: int, first: int, planned: Sequence[PlannedRow]) -> None:
    """Write planned rows, numbered from ``first`` on."""
    rows = [(first + place, *row) for place, row in enumerate(planned)]
    bulk_insert_rows(BulkEditRow, {"bulk_edit": pk, "made_id": None}, _COLUMNS, rows)


def clear_rows(edits: Iterable[int]) -> None:
    """Delete what was planned."""
    found: QuerySet[Any] = BulkEditRow.objects.filter(bulk_edit__in=list(edits))
    found._raw_delete(found.db)  # nothing refers to them


def rows_between(pk: int, first: int, last: int) -> list[BulkEditRow]:
    """The rows of a chunk that change something."""
    found = BulkEditRow.objects.filter(bulk_edit=pk, number__range=(first, last), outcome=BulkEditOutcome.CHANGED)
    return list(found.order_by("number"))


def mark_rows(pk: int, reasons: Mapping[int, str], outcome: BulkEditOutcome) -> None:
    """Note what did not become of rows, and why, by their numbers."""
    for number, why in reasons.items():
        BulkEditRow.objects.filter(bulk_edit=pk, number=number).update(outcome=outcome, reason=why)


def note_made(pk: int, made: Mapping[int, int]) -> None:
    """Note our ids of what was made, by the numbers of rows."""
    table = BulkEditRow._meta.db_table
    for number, record in made.items():
        execute_sql(f"UPDATE {table} SET made_id = %s WHERE bulk_edit_id = %s AND number = %s", record, pk, number)  # noqa: S608


def count_outcomes(asked: BulkEdit) -> dict[str, int]:
    """How many rows there are of each outcome; counts of the plan do not say what was left."""
    found = BulkEditRow.objects.filter(bulk_edit=asked.pk, outcome__in=(BulkEditOutcome.LEFT, BulkEditOutcome.KEPT))
    return {
        outcome.value: found.filter(outcome=outcome).count() for outcome in (BulkEditOutcome.LEFT, BulkEditOutcome.KEPT)
    }
