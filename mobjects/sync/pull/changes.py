"""What a pull takes of objects, and saving it for many records with a statement for each kind of row."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from mobjects.db.bulk import bulk_update_rows
from mobjects.marketo.types import Kind, RemoteObject
from mobjects.models import RECORD_MODELS, Conflict, SyncBatch, SyncResult, SyncResultStatus
from mobjects.sync.conflicts.both_changed import close_agreed_conflict, open_both_changed
from mobjects.sync.content.from_marketo import RemoteContent
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.merge import MergeResult
from mobjects.sync.content.payload import FieldDifference, KeyFields, record_content
from mobjects.sync.content.write_local import RecordDraft, check_draft, draft_values, save_draft, save_drafts
from mobjects.sync.job_results import build_result
from mobjects.sync.task import JobContext

_REFERENCE = (("Name", "name", "Name"), ("Type", "type", "Type"), ("Workspace", "workspace", "Workspace Name"))
"""What is kept of a program for reading and never sent: our name, our field, Marketo's name."""


@dataclass(slots=True)
class PulledChange:
    """What is taken of an object.

    Args:
        found: the object.
        before: the record as it was found here; ``None`` if it is new.
        draft: the record with what is taken, nothing of it saved; a copy.
        seen: what Marketo holds.
        here: the record's content before.
        merged: the three sides put together.
        columns: what changes of the record besides its content.
        conflict: the open one of the record.
    """

    found: RemoteObject
    before: Any
    draft: RecordDraft
    seen: RemoteContent
    here: dict[str, str]
    merged: MergeResult
    columns: list[FieldDifference]
    conflict: Conflict | None = None

    @property
    def takes_content(self) -> bool:
        """Whether the record's content changes, or comes into being."""
        return self.before is None or bool(self.merged.incoming or self.seen.costs.new)

    @property
    def is_clean(self) -> bool:
        """Whether nothing here waited to be sent."""
        return self.before is None or not self.before.is_dirty


def plan_new(keys: KeyFields, found: RemoteObject, seen: RemoteContent) -> PulledChange:
    """A record for an object that is not here yet.

    Raises:
        RemoteValueRefused: a value cannot be kept here.
    """
    record: Any = RECORD_MODELS[found.kind](**{keys.id_column(found.kind): found.marketo_id})
    for _, field, theirs in _REFERENCE if found.kind is Kind.PROGRAM else ():
        setattr(record, field, found.values.get(theirs, ""))
    draft = draft_values(record, seen.values, keys, new=seen.costs.new)
    check_draft(draft)
    return PulledChange(found, None, draft, seen, {}, MergeResult({}), [])


def plan_known(
    keys: KeyFields, found: RemoteObject, record: Any, seen: RemoteContent, here: dict[str, str], merged: MergeResult
) -> PulledChange:
    """What a record here takes of an object.

    Raises:
        RemoteValueRefused: a value cannot be kept here; the record is as it was.
    """
    after = copy(record)
    columns = _set_reference_columns(found, after)
    own = bool(columns or merged.incoming)
    if keys.id_of(record) is None:
        setattr(after, keys.id_column(record.KIND), found.marketo_id)
        columns.append((keys.traits.id_kind(record.KIND).value, "", str(found.marketo_id)))
    draft = draft_values(after, merged.incoming, keys, new=seen.costs.new, ids=seen.costs.ids)
    draft.own = own
    check_draft(draft)
    return PulledChange(found, record, draft, seen, here, merged, columns)


def _set_reference_columns(found: RemoteObject, record: Any) -> list[FieldDifference]:
    changed = []
    for name, field, theirs in _REFERENCE if found.kind is Kind.PROGRAM else ():
        text, old = found.values.get(theirs, ""), getattr(record, field)
        if text and text != old:
            setattr(record, field, text)
            changed.append((name, old, text))
    return changed


def save_changes(
    context: JobContext, batch: SyncBatch, changes: Sequence[PulledChange], *, alone: bool = False
) -> list[SyncResult]:
    """Save changes of one kind of records, which the caller's transaction holds.

    Args:
        batch: the reading call.
        alone: row by row, each judged by all rules, so that a refusal says what is wrong.

    Returns:
        A result for each change, in their order, not saved yet.

    Raises:
        RemoteValueRefused, IntegrityError: one of them does not fit; the transaction has to be rolled back.
    """
    if not changes:
        return []
    if alone:
        for change in changes:
            save_draft(change.draft)
    else:
        save_drafts([change.draft for change in changes])
    kind = changes[0].found.kind
    taken = [change.draft.record.pk for change in changes if change.takes_content]
    now: dict[int, Any] = {record.pk: record for record in load_records(kind, taken)} if taken else {}
    written = [_Written(context.keys, change, now.get(change.draft.record.pk)) for change in changes]
    _store_sync_columns(context.keys, kind, [each for each in written if each.is_clean_now], clean=True)
    _store_sync_columns(context.keys, kind, [each for each in written if not each.is_clean_now], clean=False)
    return [_finish(context, batch, each) for each in written]


class _Written:
    """A change that was saved, and what the sync engine's own columns become by it.

    Args:
        keys: names of the external key fields.
        change: saved.
        record: as the database has it by now; ``None`` if its content is as it was.
    """

    def __init__(self, keys: KeyFields, change: PulledChange, record: Any) -> None:
        self.change, before = change, change.before
        self.after = record_content(record, keys) if record is not None else change.here
        self.record = record if record is not None else change.draft.record
        here, after = change.here, self.after
        names = dict.fromkeys((*here, *after))
        content = [(name, here.get(name, ""), after.get(name, "")) for name in names]
        self.changed = change.columns + [each for each in content if each[0] not in here or each[1] != each[2]]
        accepted = change.merged.accepted | {name: text for name, text in after.items() if name not in here}
        self.accepted = keys.mark_empty(accepted) if change.found.kind is Kind.OPPORTUNITY else accepted
        self.remote_only = change.seen.remote_only(after)
        revision = self.record.revision
        self.synced_revision: int = before.synced_revision if before is not None else 0
        self.answered_revision: int = before.answered_revision if before is not None else 0
        self.stored = before is None or self.accepted != before.accepted or bool(self.changed)
        held_by_now = before is not None and before.is_dirty and after == accepted
        #: Whether nothing is left to send, which was not known before.
        self.is_clean_now = (self.stored and (change.is_clean or after == accepted)) or held_by_now
        if self.is_clean_now:
            self.synced_revision = revision
        elif self.stored:
            self.synced_revision = min(self.synced_revision, max(revision - 1, 0))
        # A refusal speaks of what was sent; what came from Marketo since is no correction of it.
        if before is not None and change.takes_content and before.answered_revision == before.revision:
            self.answered_revision = revision
        self.differs = self.stored or held_by_now or self.remote_only != self.record.in_marketo


def _store_sync_columns(keys: KeyFields, kind: Kind, written: Sequence[_Written], *, clean: bool) -> None:
    """Write down what Marketo holds; of ``clean`` ones also that nothing is left to send.

    What Marketo last answered stays.
    """
    columns = ("accepted", "synced_revision", "answered_revision", "in_marketo", keys.id_column(kind))
    rows = [
        (
            each.accepted,
            each.synced_revision,
            each.answered_revision,
            each.remote_only,
            each.change.found.marketo_id,
            each.record.pk,
        )
        for each in written
        if each.differs
    ]
    same = {"last_error": "", "unknown_since": None} if clean else {}
    bulk_update_rows(RECORD_MODELS[kind], dict.fromkeys(columns, "%s"), rows, same=same)


def _finish(context: JobContext, batch: SyncBatch, written: _Written) -> SyncResult:
    change = written.change
    if change.before is None:
        row = build_result(context.job, written.record, SyncResultStatus.ADDED, batch=batch)
        row.diff = [[name, "", text] for name, text in written.after.items()]
        return row
    if change.merged.conflicts:
        there = change.seen.comparable_with(written.accepted)
        record = change.draft.record
        open_both_changed(context.job, record, change.found, base=written.accepted, here=written.after, there=there)
    elif change.conflict is not None:
        close_agreed_conflict(change.conflict)
    return _build_result(context, batch, written)


def _build_result(context: JobContext, batch: SyncBatch, written: _Written) -> SyncResult:
    merged, here, seen = written.change.merged, written.change.here, written.change.seen
    status = SyncResultStatus.TAKEN if written.changed else SyncResultStatus.SAME
    if merged.conflicts:
        status = SyncResultStatus.CONFLICT
    row = build_result(context.job, written.change.draft.record, status, batch=batch)
    disputed = [[name, here.get(name, ""), seen.values.get(name, "")] for name in merged.conflicts]
    row.diff = [*disputed, *map(list, written.changed)]
    words = []
    if merged.conflicts:
        words.append(
            gettext_noop("Changed here and in Marketo: %(conflicts)s. Decide which is right.")
            % {"conflicts": ", ".join(merged.conflicts)}
        )
    if merged.local_only and written.change.before.is_dirty:
        words.append(
            gettext_noop("Changed here and not sent yet: %(local_only)s.")
            % {"local_only": ", ".join(merged.local_only)}
        )
    row.error = " ".join(words)
    return row
