"""Writing what the review showed: row by row as it was shown, chunk by chunk, and never twice.

A chunk is one transaction, together with the number of its last row (``Import.committed_to``) and what was done to
each record (:class:`~mobjects.models.ImportChange`). So a commit that is called again goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from django.db import connection, models
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.edit_context import edit
from mobjects.db.retry import retry_on_database_error
from mobjects.imports.column_mapping import columns_of, refuse_gone_columns
from mobjects.imports.writing.commit_sql import CommitSql, get_commit_sqls
from mobjects.imports.writing.db_errors import Refused, by_halves, try_rows
from mobjects.imports.writing.row_by_row import write_row_by_row
from mobjects.imports.writing.target_tables import TARGETS, ImportTarget, sets_channel
from mobjects.marketo.types import Kind
from mobjects.models import (
    EditSource,
    Import,
    ImportChange,
    ImportMode,
    ImportProblem,
    ImportProblemLevel,
    ImportRow,
    ImportRowOutcome,
)

CHUNK = 5000
"""Rows of a file in one transaction, blank ones counted."""
MAX_NAMED_ROWS = 3
"""So many rows are named where all or nothing became nothing."""


AGAIN = _("Import the file again to see the difference.")
CHANGED_SINCE = _("was changed since the check; it was left as it is. %(again)s") % {"again": AGAIN}
GONE_SINCE = _("was deleted since the check; nothing was written. %(again)s") % {"again": AGAIN}
LINK_GONE_SINCE = _("the {} it belongs to was deleted since the check; it was not written. %(again)s") % {
    "again": AGAIN
}
CAME_SINCE = _("the same {} was added in another way since the check; it was not written. %(again)s") % {"again": AGAIN}


class NothingWritten(Exception):
    """All or nothing: a row could not be written, so nothing was; the message says which and why."""


def commit_import(imported: Import, alive: Callable[[int], None]) -> None:
    """Write the rows that the review showed as new or changed, from where an earlier call came to.

    A row whose record was changed, or whose key was taken, since the check is left out, and an
    :class:`~mobjects.models.ImportProblem` of level conflict says so.

    Args:
        imported: with ``mode`` and ``overwrite``; gets ``committed_to`` and ``written``.
        alive: called in each chunk's transaction with the number of its last row; what it raises undoes the chunk.

    Raises:
        NothingWritten: mode is all or nothing, and a row would have been left out.
        ColumnGone: a custom field that the rows hold was deleted since the check; what was written before stays.
    """
    _read(imported)
    if imported.mode == ImportMode.ALL:
        _everything(imported, alive)
    else:
        while _next_chunk(imported, alive):
            pass
    _read(imported)


@retry_on_database_error
def _read(imported: Import) -> None:
    imported.refresh_from_db(fields=["mode", "overwrite", "committed_to", "written"])


@retry_on_database_error
def _everything(imported: Import, alive: Callable[[int], None]) -> None:
    with edit(EditSource.IMPORT, reference=imported.pk):
        progress = _held(imported)
        while last := _end(imported, progress.committed_to):
            left = _chunk(imported, progress, last, alive)
            if left:
                raise NothingWritten(_named(left))
        progress.save(update_fields=["committed_to", "written"])


@retry_on_database_error
def _next_chunk(imported: Import, alive: Callable[[int], None]) -> bool:
    """Write the next chunk; ``False`` if there is none."""
    with edit(EditSource.IMPORT, reference=imported.pk):
        progress = _held(imported)
        last = _end(imported, progress.committed_to)
        if last:
            left = _chunk(imported, progress, last, alive)
            ImportProblem.objects.bulk_create(left, batch_size=500)
        progress.save(update_fields=["committed_to", "written"])
    return bool(last)


def _held(imported: Import) -> Import:
    """How far the import is, as the database has it; nobody else can move it until the transaction ends.

    Written to rather than only read: SQLite lets a transaction that began with reading no longer write if another one
    wrote meanwhile.
    """
    this = Import.objects.filter(pk=imported.pk)
    this.update(step_at=models.F("step_at"))
    progress = this.only("committed_to", "written").get()
    progress.written = {"created": 0, "changed": 0, "left": 0} | progress.written
    return progress


def _end(imported: Import, after: int) -> int:
    """The number of the last row of the next chunk; 0 if there is none."""
    # By bounds, not by an offset: where the planner knows no numbers yet, it would sort all rows that are left.
    rows = ImportRow.objects.filter(imported=imported).order_by()
    first = rows.filter(number__gt=after).aggregate(first=models.Min("number"))["first"]
    if first is None:
        return 0
    bounds = (first, first + CHUNK - 1)
    return int(rows.filter(number__range=bounds).aggregate(last=models.Max("number"))["last"])


def _chunk(imported: Import, progress: Import, last: int, alive: Callable[[int], None]) -> list[ImportProblem]:
    """Write one chunk; returns a problem, not saved, for each row that was left out."""
    first = progress.committed_to + 1
    alive(last)
    refuse_gone_columns(imported, columns_of(imported.kind))
    sql, *others = get_commit_sqls(imported.pk, imported.kind, overwrite=imported.overwrite)
    sql.hold_in_memory()
    sql.lock_records(first, last)
    refused = _write(sql, others, first, last)
    sql.note_revisions(first, last)
    done, wanted = _counted(imported, first, last)
    left = _left(imported, first, last, refused) if done["created"] + done["changed"] < wanted else []
    progress.committed_to = last
    for name, more in {**done, "left": len(left)}.items():
        progress.written[name] = progress.written.get(name, 0) + more
    return left


def _write(sql: CommitSql, others: Sequence[CommitSql], first: int, last: int) -> Mapping[int, str]:
    """Write the rows between two numbers; what the database said of those that it refused."""

    def write(start: int, end: int, *, all_free: bool = False) -> None:
        now = clock.now()
        for each in (sql, *others):
            each.change_records(start, end, now)
        sql.create_records(start, end, now, all_free=all_free)

    def write_one_by_one(start: int, end: int) -> Refused:
        return write_row_by_row(sql, others, start, end, clock.now())

    if connection.vendor == "sqlite":
        return dict(by_halves(first, last, write, sql.target.model))
    if try_rows(first, last, partial(write, all_free=True)) is None:
        return {}
    return dict(by_halves(first, last, write, sql.target.model, one_by_one=write_one_by_one))


def _counted(imported: Import, first: int, last: int) -> tuple[dict[str, int], int]:
    """How many rows between two created a record and changed one, how many of these the channel of one (if any did),
    and how many should have.
    """
    bounds = {"number__range": (first, last)}
    changes = ImportChange.objects.filter(imported=imported, **bounds).order_by()
    found = changes.values_list("created").annotate(n=models.Count("pk"), of_records=models.Count("record_id"))
    counted = {created: (rows, rows - of_records) for created, rows, of_records in found}
    (created, _), (changed, channels) = counted.get(True, (0, 0)), counted.get(False, (0, 0))
    done = {"created": created, "changed": changed, **({"channels": channels} if channels else {})}
    return done, rows_to_write(imported).filter(**bounds).count()


# --- what was left out ------------------------------------------------------------------------------------------


def rows_to_write(imported: Import) -> QuerySet[ImportRow]:
    """The rows that a commit is to write."""
    return ImportRow.objects.filter(imported=imported, outcome__in=outcomes_to_write(imported))


def outcomes_to_write(imported: Import) -> list[str]:
    """The outcomes of the rows that a commit is to write."""
    return [
        ImportRowOutcome.NEW,
        ImportRowOutcome.CHANGED,
        *([ImportRowOutcome.CONFLICT] if imported.overwrite else []),
    ]


def unwritten_rows(imported: Import) -> QuerySet[ImportRow]:
    """The chosen rows that a commit, once it is done, did not write."""
    return annotate_change(rows_to_write(imported)).filter(change=None)  # type: ignore[misc]  # an alias


def annotate_change(rows: QuerySet[ImportRow]) -> QuerySet[ImportRow]:
    """Rows with ``change``: the id of what was done because of them, if anything was.

    Looked up for each row. A join, which EXISTS would become, goes wrong where the planner knows no numbers yet.
    """
    done = ImportChange.objects.filter(imported=OuterRef("imported"), number=OuterRef("number")).order_by()
    return rows.alias(change=Subquery(done.values("pk")[:1]))


def _left(imported: Import, first: int, last: int, refused: Mapping[int, str]) -> list[ImportProblem]:
    """A problem, not saved, for each row between two that was not written.

    Args:
        refused: what the database said, by row.
    """
    rows = list(unwritten_rows(imported).filter(number__range=(first, last)).order_by("number"))
    target = TARGETS[imported.kind]
    here = _existing(target.model, [row.record_id for row in rows])
    parents = [_linked(row, target) for row in rows]
    linked = _existing(target.link_field.related_model, parents) if target.link else set()
    same = {"imported": imported, "level": ImportProblemLevel.CONFLICT}
    return [
        ImportProblem(
            **same,
            number=row.number,
            rule=refused.get(row.number) or _explain_unwritten(imported.kind, row, here, linked),
        )
        for row in rows
    ]


def _explain_unwritten(kind: str, row: ImportRow, here: set[int], linked: set[int]) -> str:
    """Why a row was not written.

    Args:
        kind: of the file.
        row: of it.
        here: ids of the records that still exist.
        linked: ids of the records to link to that still exist.
    """
    target = TARGETS[kind]
    if row.outcome != ImportRowOutcome.NEW and not sets_channel(kind, row) and row.record_id not in here:
        return GONE_SINCE
    parent = _linked(row, target)
    if parent is not None and parent not in linked:
        return LINK_GONE_SINCE.format(target.link_field.related_model._meta.verbose_name)
    if row.outcome == ImportRowOutcome.NEW:
        return CAME_SINCE.format(target.model._meta.verbose_name)
    return CHANGED_SINCE


def _linked(row: ImportRow, target: ImportTarget) -> int | None:
    value = row.data.get(target.link_field.attname) if target.link else None
    return None if value is None else int(value)


def _existing(model: type[models.Model], ids: Sequence[int | None]) -> set[int]:
    wanted = sorted({pk for pk in ids if pk is not None})
    records = model._default_manager.order_by()
    parts = (wanted[start : start + 500] for start in range(0, len(wanted), 500))
    return {pk for part in parts for pk in records.filter(pk__in=part).values_list("pk", flat=True)}


def _named(left: list[ImportProblem]) -> str:
    labels = dict(
        ImportRow.objects.filter(
            imported=left[0].imported, number__in=[problem.number for problem in left[:MAX_NAMED_ROWS]]
        ).values_list("number", "label")
    )
    rows = [
        _("row %(number)s (“%(label)s”): %(rule)s")
        % {"number": problem.number, "label": labels[problem.number], "rule": problem.rule}
        for problem in left[:MAX_NAMED_ROWS]
    ]
    more = (
        _(" And %(count)s more.") % {"count": f"{len(left) - MAX_NAMED_ROWS:,}"} if len(left) > MAX_NAMED_ROWS else ""
    )
    return _("Nothing was written, because not everything could be. %(rows)s%(more)s") % {
        "rows": " ".join(rows),
        "more": more,
    }


def owner_ids(imported: Import) -> tuple[Kind, QuerySet[ImportChange, int]]:
    """The kind and our ids of the synced records that an import changed and that were not undone: of costs and tags
    those of their programs.
    """
    ids = ImportChange.objects.filter(imported=imported, undone__in=ImportChange.STANDING_OUTCOMES).order_by("owner_id")
    return TARGETS[imported.kind].owner, ids.values_list("owner_id", flat=True).distinct()
