"""What has a period and hangs on no job: files and rows of imports, deleted records, edits, downloads, sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.db.models import Count, Exists, Max, Min, Model, OuterRef, QuerySet

from mobjects.db.done_once import KEPT
from mobjects.models import (
    AuditEvent,
    BulkDeletion,
    BulkDeletionState,
    BulkEdit,
    BulkEditRow,
    BulkEditState,
    DeletedRecord,
    Download,
    IdempotencyKey,
    Import,
    ImportFix,
    ImportGroup,
    ImportPart,
    ImportProblem,
    ImportRow,
    ImportState,
    Notice,
    OpenCondition,
    PurgeKind,
    RecordEdit,
    WorkerLease,
)
from mobjects.retention.kinds import (
    CHUNK,
    PREVIEWED,
    Chunk,
    DueRows,
    HolderKind,
    Part,
    RetentionKind,
    clear_values,
    delete_rows,
    ended_before,
    walk_rows,
)
from mobjects.retention.periods import session_model

IMPORTS_OVER = (ImportState.COMMITTED, ImportState.UNDONE, ImportState.REFUSED, ImportState.DISCARDED)
"""An import that waits for a person, or that a worker is at, is not over, however old."""


def imports_over(until: datetime) -> QuerySet[Import]:
    """Imports that are over, and to which nothing happened since a moment; their corrections are over, too."""
    over = Import.objects.filter(state__in=IMPORTS_OVER, created_at__lt=until)
    working = WorkerLease.objects.filter(imported=OuterRef("pk"))
    return over.exclude(Exists(working)).filter(ended_before(until, "checked_at", "committed_at", "undone_at"))


class FileKind(HolderKind):
    """Uploaded files, with the samples of their columns."""

    kind, holders, marker = PurgeKind.FILES, Import, "file_removed_at"
    parts = (Part(ImportPart.objects.all(), "imported", delete_rows("pieces"), weight=100),)

    def due(self, until: datetime) -> QuerySet[Import]:
        return imports_over(until).filter(file_removed_at__isnull=True)

    def mark_holders(self, pks: Collection[Any]) -> None:
        Import.objects.filter(pk__in=pks).update(samples=[])
        super().mark_holders(pks)


class RowKind(HolderKind):
    """What the check found in each row. Which records an import changed, and when, stays; its undo does not."""

    kind, holders, marker = PurgeKind.ROWS, Import, "rows_removed_at"
    parts = (
        Part(ImportFix.objects.all(), "imported", delete_rows("corrections")),
        Part(ImportGroup.objects.all(), "imported", delete_rows("problems")),
        Part(ImportProblem.objects.all(), "imported", delete_rows("problems")),
        Part(ImportRow.objects.all(), "imported", delete_rows("rows"), key="number"),
    )

    def due(self, until: datetime) -> QuerySet[Import]:
        return imports_over(until).filter(rows_removed_at__isnull=True)

    def rows(self, until: datetime) -> QuerySet[ImportRow]:
        return ImportRow.objects.filter(imported__in=self.due(until).values("pk")).order_by()


class DeletionKind(HolderKind):
    """The values of what was deleted by a list, which could be brought back until then."""

    kind, holders, marker = PurgeKind.DELETIONS, BulkDeletion, "values_removed_at"
    parts = (Part(DeletedRecord.objects.exclude(values={}), "deletion", clear_values("records", values={})),)

    def due(self, until: datetime) -> QuerySet[BulkDeletion]:
        over = BulkDeletion.objects.filter(state__in=(BulkDeletionState.DELETED, BulkDeletionState.UNDONE))
        over = over.filter(created_at__lt=until, values_removed_at__isnull=True)
        return over.filter(ended_before(until, "ended_at", "undone_at"))

    def rows(self, until: datetime) -> QuerySet[DeletedRecord]:
        return DeletedRecord.objects.filter(deletion__in=self.due(until).values("pk")).order_by()


class BulkEditKind(HolderKind):
    """Old and new values of bulk edits, which could be undone until then; of those nobody confirmed, the plan."""

    kind, holders, marker = PurgeKind.BULK_EDITS, BulkEdit, "values_removed_at"
    parts = (Part(BulkEditRow.objects.all(), "bulk_edit", delete_rows("rows"), key="number"),)

    def due(self, until: datetime) -> QuerySet[BulkEdit]:
        idle = BulkEdit.objects.exclude(state__in=(*BulkEdit.WORKING_STATES, BulkEditState.HELD))
        idle = idle.filter(created_at__lt=until, values_removed_at__isnull=True)
        return idle.filter(ended_before(until, "step_at", "ended_at", "undone_at"))

    def rows(self, until: datetime) -> QuerySet[BulkEditRow]:
        return BulkEditRow.objects.filter(bulk_edit__in=self.due(until).values("pk")).order_by()

    def mark_holders(self, pks: Collection[Any]) -> None:
        """A plan that nobody confirmed goes as a whole; of one that was refused stays that it was."""
        plans = BulkEdit.objects.filter(pk__in=pks, state__in=(BulkEditState.CHOOSING, BulkEditState.REVIEW))
        plans.filter(approvals=None).delete()
        super().mark_holders(pks)


class OrderedKind(RetentionKind):
    """Rows that go as a whole, and whose ids rise with their time: no index on the time is needed."""

    model: ClassVar[type[Model]]
    name: ClassVar[str]

    def due(self, until: datetime) -> QuerySet[Any]:
        return self.model._default_manager.filter(created_at__lt=until)

    def has_due(self, until: datetime) -> bool:
        oldest = self.model._default_manager.order_by("pk").values_list("created_at", flat=True).first()
        return oldest is not None and oldest < until

    def preview(self, until: datetime, limit: int = PREVIEWED) -> DueRows:
        """As for all kinds; along the ids, so that nothing behind the first ``limit`` rows is looked at."""
        rows = self.model._default_manager.order_by("pk")
        end = rows.values_list("pk", "created_at")[limit : limit + 1].first()
        looked_at = (rows if end is None else rows.filter(pk__lt=end[0])).order_by().filter(created_at__lt=until)
        found = looked_at.aggregate(count=Count("pk"), oldest=Min("created_at"), newest=Max("created_at"))
        more = end is not None and end[1] < until
        return DueRows(found["count"], found["oldest"], None if more else found["newest"], more)

    def iter_chunks(self, until: datetime) -> Iterator[Chunk]:
        rows, delete = self.model._default_manager.order_by("pk"), delete_rows(self.name)
        page = list(rows.values_list("pk", "created_at")[:CHUNK])
        while due := [pk for pk, created_at in page if created_at < until]:
            yield partial(delete, self.model._default_manager.filter(pk__in=due))
            page = list(rows.filter(pk__gt=page[-1][0]).values_list("pk", "created_at")[:CHUNK])


class EditKind(OrderedKind):
    """What people changed, value by value; a record's history says from when on it is whole."""

    kind, model, name = PurgeKind.EDITS, RecordEdit, "edits"


class DownloadKind(OrderedKind):
    """Who took out which file."""

    kind, model, name = PurgeKind.DOWNLOADS, Download, "downloads"


class AuditKind(OrderedKind):
    """Who signed in, steered jobs, read payloads or was refused."""

    kind, model, name = PurgeKind.AUDIT, AuditEvent, "events"


class NoticeKind(OrderedKind):
    """Notices, with where they were delivered to; and that jobs failed which nobody repeated."""

    kind, model, name = PurgeKind.INBOX, Notice, "notices"

    def iter_chunks(self, until: datetime) -> Iterator[Chunk]:
        yield from super().iter_chunks(until)
        old = OpenCondition.objects.filter(about__startswith="job:", noticed_at__lt=until)
        yield from (partial(delete_rows("conditions"), part) for part in walk_rows(old))


class SessionKind(RetentionKind):
    """Sessions that are over; what is in them cannot be used any more. And keys under which nobody asks again."""

    kind, moment = PurgeKind.SESSIONS, "expire_date"

    def iter_chunks(self, until: datetime) -> Iterator[Chunk]:
        yield from (partial(delete_rows("sessions"), part) for part in walk_rows(self.due(until)))
        old = IdempotencyKey.objects.filter(created_at__lt=until - KEPT)
        yield from (partial(delete_rows("keys"), part) for part in walk_rows(old))

    def due(self, until: datetime) -> QuerySet[Any]:
        found: QuerySet[Any] = session_model()._default_manager.filter(expire_date__lt=until)
        return found
