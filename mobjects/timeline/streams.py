"""The streams that the history of a record is put together from: each newest first, each read on from a position.

Every read goes by an index on the record, and brings a page at most; none grows with the tables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, ClassVar

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Replace
from django.utils.translation import gettext as _

from mobjects.marketo.types import Kind
from mobjects.models import (
    Conflict,
    EditSource,
    ImportChange,
    ImportRow,
    RecordEdit,
    SyncJobAction,
    SyncResult,
    SyncResultStatus,
    UndoOutcome,
)
from mobjects.timeline.authors import describe_source, name_tokens
from mobjects.timeline.entries import VALUES_SHOWN, EntryKind, TimelineEntry, TimelineFilter, merge_changes
from mobjects.timeline.fields import PREFIXES, ListNamesField, row_names_field
from mobjects.timeline.import_values import ValueChange, import_values, rows_of_changes, tag_types

KINDS_OF_SOURCES = {
    EditSource.PULL: EntryKind.READ,
    EditSource.DECISION: EntryKind.DECISION,
    EditSource.DELETED: EntryKind.DELETION,
    EditSource.RESTORED: EntryKind.UNDO,
}
"""What an edit is, by its source; any other is an edit."""
SENDING = (SyncJobAction.SEND, SyncJobAction.DELETE)
TAKEN = (SyncResultStatus.TAKEN, SyncResultStatus.ADDED)
"""What a pull changed; the same values stand in its edits, where these are kept."""
_START = datetime(1970, 1, 1, tzinfo=UTC)
_HEAVY = ("batch__request", "batch__response")


class TimelineStream(ABC):
    """Entries of one sort about one record."""

    name: ClassVar[str]
    kinds: ClassVar[tuple[EntryKind, ...]]
    has_fields: ClassVar[bool] = True
    most: ClassVar[int | None] = None
    """So many rows are read, if that is not as many as the entries that are asked for."""

    def __init__(self, kind: Kind, record_id: int, narrowed: TimelineFilter) -> None:
        self.kind, self.record_id, self.narrowed = kind, record_id, narrowed
        self.is_cut = False
        """Whether the last read stopped before the page was full, though there is more."""

    @property
    def is_wanted(self) -> bool:
        """Whether any of its entries may be shown."""
        return self.narrowed.wants(*self.kinds) and (self.has_fields or not self.narrowed.field)

    @abstractmethod
    def of_record(self) -> QuerySet[Any]:
        """All rows of its table about the record. Neighbours among :data:`STREAMS` that share a table are read in one
        query.
        """

    @abstractmethod
    def rows(self, after: str) -> QuerySet[Any]:
        """Its rows behind a position, newest first; "" is the start.

        Raises:
            ValueError: there is no such position.
        """

    @abstractmethod
    def entries(self, found: list[Any], count: int) -> list[TimelineEntry]:
        """What its newest rows say, at most so many entries."""

    def order(self, row: Any) -> Any:
        """What its rows rise by, in the order of :meth:`rows`."""
        return -row.pk

    def complete(self, found: Iterable[Any]) -> None:
        """Read what belongs to rows of its table, before they are made entries; for most, nothing."""
        del found

    def in_groups(self, found: list[Any], key: Callable[[Any], Hashable], count: int) -> list[list[Any]]:
        """Neighbours that belong together, at most so many groups."""
        groups = [list(group) for _key, group in groupby(found, key=key)]
        if len(found) == VALUES_SHOWN and len(groups) > 1:
            groups.pop()  # It may go on.
        self.is_cut = len(found) == VALUES_SHOWN and len(groups) < count
        return groups[:count]


class EditStream(TimelineStream):
    """What the triggers kept."""

    name, kinds = "edit", (EntryKind.EDIT, EntryKind.READ, EntryKind.DECISION, EntryKind.DELETION, EntryKind.UNDO)

    most = VALUES_SHOWN

    def of_record(self) -> QuerySet[Any]:
        return edits_of(self.kind, self.record_id)

    def rows(self, after: str) -> QuerySet[Any]:
        edits = self.of_record()
        edits = edits.filter(pk__lt=int(after)) if after else edits
        edits = edits.filter(username=self.narrowed.person) if self.narrowed.person else edits
        if self.narrowed.field:
            edits = edits.filter(ListNamesField("changes", self.narrowed.field))
        if self.narrowed.what == EntryKind.EDIT:
            edits = edits.exclude(source__in=KINDS_OF_SOURCES)
        elif self.narrowed.what:
            edits = edits.filter(source__in=[s for s, kind in KINDS_OF_SOURCES.items() if kind == self.narrowed.what])
        return edits

    def entries(self, found: list[Any], count: int) -> list[TimelineEntry]:
        groups = self.in_groups(found, _saved_together, count)
        tokens = name_tokens([group[0] for group in groups])
        return [self._entry(group, tokens) for group in groups]

    def _entry(self, group: list[RecordEdit], tokens: Mapping[str, str]) -> TimelineEntry:
        newest, source = group[0], EditSource(group[0].source)
        changes = merge_changes([tuple(change) for edit in reversed(group) for change in edit.changes])
        return TimelineEntry(
            at=newest.created_at,
            kind=KINDS_OF_SOURCES.get(source, EntryKind.EDIT),
            title=describe_source(source, newest.reference, tokens),
            position=str(group[-1].pk),
            person=newest.username,
            changes=changes,
            source=source,
            reference=newest.reference,
            # Before it came into being there was nothing.
            restores="" if any(name == "Name" and not old for name, old, _new in changes) else f"edit-{newest.pk}",
        )


def _saved_together(edit: RecordEdit) -> Hashable:
    """What edits that were saved together share; of costs and tags that were changed from outside, their moment."""
    is_part = edit.changes[0][0].startswith(PREFIXES)
    return edit.saving or (edit.created_at if is_part else edit.pk)


class ImportStream(TimelineStream):
    """What imports wrote."""

    name, kinds = "import", (EntryKind.IMPORT,)

    most = VALUES_SHOWN

    def of_record(self) -> QuerySet[Any]:
        done = ImportChange.objects.filter(owner_kind=self.kind.value, owner_id=self.record_id)
        if self.narrowed.field:
            mine = ImportRow.objects.filter(imported=OuterRef("imported"), number=OuterRef("number"))
            found = row_names_field(self.kind, self.narrowed.field)
            done = done.filter(Exists(mine.filter(found)))
        return done.select_related("imported").only(
            *(field.name for field in ImportChange._meta.concrete_fields),
            *(f"imported__{name}" for name in _IMPORT_FIELDS),
        )

    def rows(self, after: str) -> QuerySet[Any]:
        changes = self.of_record().order_by("-pk")
        changes = changes.filter(pk__lt=int(after)) if after else changes
        if self.narrowed.person:
            changes = changes.filter(imported__committed_by=self.narrowed.person)
        return changes

    def complete(self, found: Iterable[Any]) -> None:
        changes = list(found)
        rows, types = rows_of_changes(changes), tag_types(changes)
        for change in changes:
            row = rows.get((change.imported_id, change.number))
            change.values = import_values(change, row, types) if row is not None else []

    def together(self, change: ImportChange) -> Hashable:
        """What changes that make one entry share."""
        return change.imported_id

    def entries(self, found: list[Any], count: int) -> list[TimelineEntry]:
        entries = []
        for group in self.in_groups(found, self.together, count):
            values: list[ValueChange] = [value for change in reversed(group) for value in change.values]
            entries.append(self._entry(group, merge_changes(values)))
        return entries

    def _entry(self, group: list[ImportChange], values: list[ValueChange]) -> TimelineEntry:
        imported = group[0].imported
        created = any(change.created and change.record_id == change.owner_id for change in group)
        return TimelineEntry(
            at=imported.committed_at or imported.created_at,
            kind=EntryKind.IMPORT,
            title=_("Import: created") if created else _("Import"),
            position=str(group[-1].pk),
            person=imported.committed_by,
            changes=values,
            imported=imported,
            row=group[0].number if len(group) == 1 else 0,
            removed_at=imported.rows_removed_at,
            since=imported.committed_at,
            restores=f"import-{group[0].pk}" if values and not created else "",
        )


class ImportUndoStream(ImportStream):
    """What undoing imports took back, or left."""

    name, kinds = "undo", (EntryKind.UNDO,)

    def rows(self, after: str) -> QuerySet[Any]:
        moment = F("imported__undone_at")
        changes = self.of_record().exclude(undone=UndoOutcome.NO).filter(imported__undone_at__isnull=False)
        changes = changes.order_by(moment.desc(), "-pk")
        if after:
            micro, pk = (int(part) for part in after.split("-"))
            at = _START + timedelta(microseconds=micro)
            changes = changes.filter(Q(imported__undone_at__lt=at) | Q(imported__undone_at=at, pk__lt=pk))
        if self.narrowed.person:
            changes = changes.filter(imported__undone_by=self.narrowed.person)
        return changes

    def order(self, row: Any) -> Any:
        return _START - row.imported.undone_at, -row.pk

    def together(self, change: ImportChange) -> Hashable:
        return change.imported_id, change.undone

    def _entry(self, group: list[ImportChange], values: list[ValueChange]) -> TimelineEntry:
        first, imported = group[0], group[0].imported
        at = imported.undone_at or imported.created_at
        left = first.undone == UndoOutcome.LEFT
        return TimelineEntry(
            at=at,
            kind=EntryKind.UNDO,
            title=_("Undo of an import: %(outcome)s") % {"outcome": first.get_undone_display().lower()},
            position=f"{(at - _START) // timedelta(microseconds=1)}-{group[-1].pk}",
            person=imported.undone_by,
            changes=[] if left else [(name, new, old) for name, old, new in values],
            imported=imported,
            row=first.number if len(group) == 1 else 0,
            note=first.undone_note,
            removed_at=imported.rows_removed_at,
            since=at,
        )


class ResultStream(TimelineStream):
    """What was sent to Marketo, looked up or read there."""

    name, kinds = "result", (EntryKind.SEND, EntryKind.READ, EntryKind.DELETION)

    def of_record(self) -> QuerySet[Any]:
        results = SyncResult.objects.filter(kind=self.kind.value, record_id=self.record_id).order_by("-pk")
        return results.select_related("job", "batch").defer(*_HEAVY).annotate(as_edit=self._is_edit())

    def rows(self, after: str) -> QuerySet[Any]:
        results = self.of_record()
        results = results.filter(pk__lt=int(after)) if after else results
        results = results.filter(job__username=self.narrowed.person) if self.narrowed.person else results
        if field := self.narrowed.field:
            results = results.filter(Q(ListNamesField("diff", field)) | Q(sent__has_key=field, diff=[]))
        if self.narrowed.what == EntryKind.SEND:
            results = results.filter(job__action__in=SENDING)
        elif self.narrowed.what == EntryKind.READ:
            results = results.exclude(job__action__in=SENDING)
        elif self.narrowed.what:
            results = results.filter(status=SyncResultStatus.DELETED)
        return results

    def entries(self, found: list[Any], count: int) -> list[TimelineEntry]:
        return [_result_entry(row, as_edit=row.as_edit) for row in found[:count]]

    def _is_edit(self) -> Exists:
        """Whether the values of a pull stand in edits, which name its job without dashes."""
        job = Replace(Cast(OuterRef("job_id"), TextField()), Value("-"), Value(""))
        edits = edits_of(self.kind, self.record_id).filter(source=EditSource.PULL, reference=job)
        return Exists(edits.order_by())


def _result_entry(row: SyncResult, *, as_edit: bool) -> TimelineEntry:
    sending = row.job.action in SENDING
    kept = as_edit and row.status in TAKEN
    return TimelineEntry(
        at=row.created_at,
        kind=EntryKind.SEND if sending else EntryKind.READ,
        title=row.get_status_display(),
        position=str(row.pk),
        person=row.job.username,
        changes=[] if kept else _result_changes(row),
        result=row,
        removed_at=None if _result_changes(row) else row.job.values_removed_at,
        since=row.job.finished_at,
        restores=f"result-{row.pk}" if row.job.action == SyncJobAction.SEND and row.sent else "",
    )


def _result_changes(row: SyncResult) -> list[ValueChange]:
    if row.diff:
        return [(name, old, new) for name, old, new in row.diff]
    return [(name, text, text) for name, text in row.sent.items()]


class ConflictStream(TimelineStream):
    """What a person had to decide."""

    name, kinds, has_fields = "found", (EntryKind.DECISION,), False

    def of_record(self) -> QuerySet[Any]:
        return Conflict.objects.filter(kind=self.kind.value, record_id=self.record_id)

    def rows(self, after: str) -> QuerySet[Any]:
        if self.narrowed.person:
            return Conflict.objects.none()
        found = self.of_record().order_by("-pk")
        return found.filter(pk__lt=int(after)) if after else found

    def entries(self, found: list[Any], count: int) -> list[TimelineEntry]:
        return [
            TimelineEntry(
                at=conflict.created_at,
                kind=EntryKind.DECISION,
                title=_("A person has to decide") if conflict.decided_at is None else _("A person had to decide"),
                position=str(conflict.pk),
                note=conflict.answer_text if conflict.decided_at is None else "",
                conflict=conflict,
            )
            for conflict in found[:count]
        ]


class DecisionStream(ConflictStream):
    """What was decided."""

    name = "decided"

    def rows(self, after: str) -> QuerySet[Any]:
        found = self.of_record().filter(decided_at__isnull=False).order_by("-decided_at", "-pk")
        if after:
            micro, pk = (int(part) for part in after.split("-"))
            at = _START + timedelta(microseconds=micro)
            found = found.filter(Q(decided_at__lt=at) | Q(decided_at=at, pk__lt=pk))
        return found.filter(username=self.narrowed.person) if self.narrowed.person else found

    def order(self, row: Any) -> Any:
        return _START - row.decided_at, -row.pk

    def entries(self, found: list[Any], count: int) -> list[TimelineEntry]:
        return [
            TimelineEntry(
                at=conflict.decided_at,
                kind=EntryKind.DECISION,
                title=_("Decided"),
                position=f"{(conflict.decided_at - _START) // timedelta(microseconds=1)}-{conflict.pk}",
                person=conflict.username,
                note=conflict.answer_text,
                conflict=conflict,
            )
            for conflict in found[:count]
            if conflict.decided_at is not None
        ]


_IMPORT_FIELDS = (
    "kind",
    "file_name",
    "created_at",
    "committed_at",
    "committed_by",
    "undone_at",
    "undone_by",
    "rows_removed_at",
)


def edits_of(kind: Kind, record_id: int) -> QuerySet[RecordEdit]:
    """What was changed about one record, its costs and tags included, newest first."""
    return RecordEdit.objects.filter(kind=kind.value, record_id=record_id).order_by("-pk")


STREAMS: tuple[type[TimelineStream], ...] = (
    EditStream,
    ImportStream,
    ImportUndoStream,
    ResultStream,
    ConflictStream,
    DecisionStream,
)
