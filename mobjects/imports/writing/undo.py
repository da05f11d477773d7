"""Taking a commit back: what it changed is restored, what it created is removed, what moved on since is left alone.

Whether a record moved on is told by its revision, which the database raises with every change of its content, and
by its own values where they do not count for that. The answer of a sync raises no revision: a record that was synced
since is restored, and then holds something to sync again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, F

from mobjects import clock
from mobjects.db.edit_context import edit
from mobjects.db.planning import refresh_statistics
from mobjects.db.retry import retry_on_database_error
from mobjects.imports.writing.db_errors import by_halves
from mobjects.imports.writing.target_tables import targets_of_kind
from mobjects.imports.writing.undo_sql import REASONS, UndoSql
from mobjects.models import EditSource, Import, ImportChange, ImportRow, UndoOutcome

CHUNK = 5000
"""Changes in one transaction."""


WHICH = {
    "restored": "reason = '' AND NOT created",
    "removed": "reason = '' AND created",
    "left": "reason <> ''",
}
"""Each figure of a preview, and the condition that a change counts for it."""


@dataclass(frozen=True, slots=True)
class ForeseenUndo:
    """What an undo would do about the record of a row.

    Args:
        number: of the row in the file.
        label: of the record.
        owner_id: our id of the synced record.
        why: it is left alone, as a sentence without its subject; "" if it is not.
    """

    number: int
    label: str
    owner_id: int
    why: str


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What an undo would do now. What was undone already is not counted."""

    imported: Import
    restored: int
    removed: int
    left: int

    def list_records(self, which: str = "left", offset: int = 0, limit: int = 50) -> list[ForeseenUndo]:
        """A part of what a figure counts (a key of :data:`WHICH`), in the order of the file."""
        statement, params = _all_verdicts(self.imported)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT number, owner_id, reason FROM ({statement}) v WHERE {WHICH[which]} "  # noqa: S608
                "ORDER BY number LIMIT %s OFFSET %s",
                [*params, limit, offset],
            )
            found = cursor.fetchall()
        rows = ImportRow.objects.filter(imported=self.imported, number__in=[number for number, _, _ in found])
        labels = dict(rows.values_list("number", "label"))
        return [
            ForeseenUndo(number, labels.get(number, ""), owner, REASONS[code] if code else "")
            for number, owner, code in found
        ]


def preview_undo(imported: Import) -> UndoPreview:
    """Count what an undo would do now; nothing is written."""
    statement, params = _all_verdicts(imported)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT reason <> '', created, count(*) FROM ({statement}) v GROUP BY 1, 2",  # noqa: S608
            params,
        )
        counted = {(bool(left), bool(created)): count for left, created, count in cursor.fetchall()}
    left = counted.get((True, True), 0) + counted.get((True, False), 0)
    return UndoPreview(imported, counted.get((False, False), 0), counted.get((False, True), 0), left)


def undo_import(imported: Import, alive: Callable[[int], None]) -> None:
    """Take back what an import did, as far as nothing moved on since; goes on where an earlier call came to.

    The last rows come first: what took over the key of another row gives it back before that one needs it.

    Args:
        imported: gets ``undone``, the counts.
        alive: called in each chunk's transaction with the number of changes dealt with so far; what it raises undoes
            the chunk.
    """
    refresh_statistics(ImportChange, ImportRow, *(target.model for target in targets_of_kind(imported.kind)))
    while _next_chunk(imported, alive):
        pass
    imported.refresh_from_db(fields=["undone"])


def _reversals(imported: Import) -> list[UndoSql]:
    """What takes an import back, for each target of its kind."""
    return [UndoSql(imported.pk, target) for target in targets_of_kind(imported.kind)]


def _all_verdicts(imported: Import) -> tuple[str, list[Any]]:
    """A query of all changes that were not dealt with yet, and its parameters; see :meth:`UndoSql.verdicts_query`."""
    queries = [reversal.verdicts_query(0, imported.committed_to) for reversal in _reversals(imported)]
    return " UNION ALL ".join(query for query, _ in queries), [value for _, params in queries for value in params]


@retry_on_database_error
def _next_chunk(imported: Import, alive: Callable[[int], None]) -> bool:
    """Undo the next chunk; ``False`` if there is none."""
    with edit(EditSource.IMPORT_UNDO, reference=imported.pk):
        this = Import.objects.filter(pk=imported.pk)
        this.update(step_at=F("step_at"))  # Takes SQLite's write lock, and the row's, before anything is looked at.
        waiting = ImportChange.objects.filter(imported=imported, undone=UndoOutcome.NO).order_by("-number")
        numbers = list(waiting.values_list("number", flat=True)[:CHUNK])
        counts = this.values_list("undone", flat=True).get()
        alive(sum(counts.values()) + len(numbers))
        if numbers:
            _undo(imported, numbers[-1], numbers[0])
        this.update(undone=_counts(imported))
    return bool(numbers)


def _undo(imported: Import, first: int, last: int) -> None:
    """Deal with the changes of some rows."""
    reversal, *others = _reversals(imported)
    reversal.lock_records(first, last)

    def revert_rows(start: int, end: int) -> None:
        for each in (reversal, *others):
            each.save_verdicts(start, end)
        reversal.remove_created(start, end)
        for each in (reversal, *others):
            each.restore_changed(start, end, clock.now())

    for number, why in by_halves(first, last, revert_rows, reversal.target.model, last_first=True):
        changes = ImportChange.objects.filter(imported=imported, number=number)
        changes.update(undone=UndoOutcome.LEFT, undone_note=why)


def _counts(imported: Import) -> dict[str, int]:
    """How many changes were dealt with in which way."""
    changes = ImportChange.objects.filter(imported=imported).order_by()
    found = dict(changes.values_list("undone").annotate(n=Count("pk")))
    return {
        state.value: found.get(state.value, 0)
        for state in (UndoOutcome.RESTORED, UndoOutcome.REMOVED, UndoOutcome.LEFT)
    }
