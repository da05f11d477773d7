"""Saving what a page of a pull brought: which record is meant, and what of it is taken."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_noop

from mobjects import clock
from mobjects.db.edit_context import edit
from mobjects.marketo.types import Kind, LinkTarget, RemoteObject
from mobjects.models import (
    ConflictReason,
    CustomField,
    EditSource,
    RecordStatus,
    SyncBatch,
    SyncedRecord,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.sync.conflicts.both_changed import find_open_conflicts
from mobjects.sync.content.from_marketo import OUR_NUMBER_PREFIX, RemoteReader, find_association
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.merge import merge_sides
from mobjects.sync.content.payload import OPPORTUNITY, PERSON_ID, record_content
from mobjects.sync.content.write_local import RemoteValueRefused
from mobjects.sync.job_results import IN_BATCH, SENT_MEANWHILE, build_result
from mobjects.sync.pull.changes import PulledChange, plan_known, plan_new, save_changes
from mobjects.sync.task import JobContext

UNKNOWN = gettext_noop("It was sent without an answer; that has to be looked up first.")
UNDECIDED = gettext_noop("A person has to decide about it first; see “To decide”.")
NO_OPPORTUNITY = gettext_noop("Its opportunity is not here; pull opportunities first.")


class PulledPage:
    """What one page brought.

    Args:
        context: of the job.
        batch: the reading call.
        found: its objects, of one kind.
        adds: whether objects that are not here are added; they are passed over otherwise.
    """

    def __init__(
        self, context: JobContext, batch: SyncBatch, found: Sequence[RemoteObject], *, adds: bool = True
    ) -> None:
        self.context, self.batch, self.found, self.adds = context, batch, found, adds
        self.kind = Kind(batch.kind)
        self.id_column = context.keys.id_column(self.kind)

    def apply(self) -> list[SyncResult]:
        """Save the page; to be called in a transaction.

        Returns:
            A result for each object that was not passed over, not saved yet.
        """
        source, job = EditSource.PULL, self.context.job
        with edit(source, username=job.username, reference=job.pk), CustomField.read_once():
            return self._apply()

    def _apply(self) -> list[SyncResult]:
        now = clock.now()
        self.reader = RemoteReader(self.kind, self.found, self.context.keys)
        self._load()
        rows = self._apply_together()
        for position, found in enumerate(self.found, start=1):
            if position in self.alone:
                rows[position] = self._apply_alone(found)
        records_of_kind(self.kind).filter(pk__in=set(self.read)).update(read_at=now)
        kept = []
        for position, row in sorted(rows.items()):
            if row is not None:
                row.position = position
                kept.append(row)
        return kept

    def _apply_together(self) -> dict[int, SyncResult | None]:
        """Save all that can be saved with a statement for each kind of row; ``alone`` has the positions of the rest."""
        rows: dict[int, SyncResult | None] = {}
        changes: dict[int, PulledChange] = {}
        ids = Counter(found.marketo_id for found in self.found)
        self.alone = {position for position, found in enumerate(self.found, start=1) if ids[found.marketo_id] > 1}
        for position, found in enumerate(self.found, start=1):
            if position in self.alone:
                continue
            try:
                planned = self._plan(found)
            except RemoteValueRefused:
                self.alone.add(position)
                continue
            if isinstance(planned, PulledChange):
                changes[position] = planned
            else:
                rows[position] = planned
        try:
            with transaction.atomic():
                written = save_changes(self.context, self.batch, list(changes.values()))
        except IntegrityError:
            # One of them does not fit what is here; each by itself, they say which.
            self.alone |= changes.keys()
            self._load()
            self.read += [row.record_id for row in rows.values() if row is not None and row.record_id]
            return rows
        self.read += [change.draft.record.pk for change in changes.values()]
        return rows | dict(zip(changes, written, strict=True))

    def _apply_alone(self, found: RemoteObject) -> SyncResult | None:
        try:
            # A record that cannot be kept leaves nothing of itself behind.
            with transaction.atomic():
                planned = self._plan(found)
                if not isinstance(planned, PulledChange):
                    return planned
                (row,) = save_changes(self.context, self.batch, [planned], alone=True)
        except RemoteValueRefused as error:
            return self._held(found, self._fresh(found), gettext_noop("Not taken. %(error)s") % {"error": error})
        record = planned.draft.record
        self.read.append(record.pk)
        # It may be there once more in this page.
        (self.by_id[found.marketo_id],) = load_records(self.kind, [record.pk])
        return row

    # --- which record is meant ---------------------------------------------------------------

    def _load(self) -> None:
        """Lock the records that may be meant, in one order for all, and load them."""
        ids = [found.marketo_id for found in self.found]
        meant, unknown = Q(**{f"{self.id_column}__in": ids}), Q(**{f"{self.id_column}__isnull": True})
        key = self.context.keys.opportunity
        if self.kind is Kind.OPPORTUNITY:
            names = [found.values.get("Name", "") for found in self.found]
            doubtful = Q(claimed_by__isnull=False) | Q(last_status=RecordStatus.UNKNOWN)
            sent = Exists(self._unanswered_results().filter(record_id=OuterRef("pk"), sent__Name__in=names))
            keyed = Q(external_id__in=[found.values[key] for found in self.found if found.values.get(key)])
            meant |= unknown & (keyed | (doubtful & (Q(name__in=names) | Q(sent))))
        elif self.kind is Kind.ROLE:
            parents = {self.reader.find_opportunity(found) for found in self.found} - {None}
            meant |= unknown & Q(opportunity__in=parents)
        chosen = records_of_kind(self.kind).filter(meant)
        locked = chosen.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
        self.local: list[Any] = load_records(self.kind, list(locked))
        called = self.context.keys.id_of
        self.by_id = {called(record): record for record in self.local if called(record) is not None}
        self.without_id = [record for record in self.local if called(record) is None]
        # Under what they were sent they are in Marketo now, if they are; they may have been edited since.
        self.sent: dict[int, list[dict[str, str]]] = defaultdict(list)
        lost = self._unanswered_results().filter(
            record_id__in=[record.pk for record in self.without_id if _in_doubt(record)]
        )
        for pk, sent_as in lost.values_list("record_id", "sent"):
            self.sent[pk].append(sent_as)
        self.open = find_open_conflicts(self.kind, [record.pk for record in self.local])
        self.read: list[int] = []

    def _unanswered_results(self) -> Any:  # a query set of results
        return SyncResult.objects.filter(
            kind=self.kind.value, status__in=(SyncResultStatus.PENDING, SyncResultStatus.UNKNOWN)
        )

    def _match(self, found: RemoteObject) -> Any:  # one of the synced models, or None
        if found.marketo_id in self.by_id:
            return self.by_id[found.marketo_id]
        free = (record for record in self.without_id if self.context.keys.id_of(record) is None)
        return next((record for record in free if self._is_same(record, found)), None)

    def _fresh(self, found: RemoteObject) -> Any:
        """The record as it is in the database, after its values could not be taken."""
        record = self._match(found)
        if record is not None:
            record.refresh_from_db()
        return record

    def _is_same(self, record: Any, found: RemoteObject) -> bool:
        """Whether a record whose id is not known is this object: by key, or by opportunity, person and role."""
        if self.kind is Kind.OPPORTUNITY:
            key = found.values.get(self.context.keys.opportunity, "")
            return bool(key) and record.external_id == key
        person = find_association(found, LinkTarget.LEAD)
        if not self._is_role_of(record, found) or person is None:
            return False
        if person.id is not None:
            return bool(record.person_id == person.id)
        return bool(
            person.key and person.key.field == self.context.keys.person and record.person_key == person.key.value
        )

    def _is_role_of(self, record: Any, found: RemoteObject) -> bool:
        parent = record.opportunity_id == self.reader.find_opportunity(found)
        return bool(parent and record.role == found.values.get("Role", ""))

    def _may_be(self, found: RemoteObject) -> Any:
        """A record that was or is being sent as new and may have become this object."""
        for record in self.without_id:
            alike = self._may_be_role(record, found) if self.kind is Kind.ROLE else _same_name(record, found)
            if _in_doubt(record) and (alike or any(self._was_sent_as(sent, found) for sent in self.sent[record.pk])):
                return record
        return None

    def _may_be_role(self, record: Any, found: RemoteObject) -> bool:
        """Whether opportunity and role are the same and the person may be, who is not always given the same way."""
        person = find_association(found, LinkTarget.LEAD)
        ids = {person.id if person else None, record.person_id} - {None}
        return self._is_role_of(record, found) and len(ids) < 2

    def _was_sent_as(self, sent: dict[str, str], found: RemoteObject) -> bool:
        """Whether an object may be what was sent."""
        if self.kind is not Kind.ROLE:
            return sent.get("Name") == found.values.get("Name", "")
        person = find_association(found, LinkTarget.LEAD)
        ids = {str(person.id) if person and person.id else None, sent.get(PERSON_ID)} - {None}
        opportunity = sent.get(OPPORTUNITY) == f"{OUR_NUMBER_PREFIX}{self.reader.find_opportunity(found)}"
        return opportunity and sent.get("Role", "") == found.values.get("Role", "") and len(ids) < 2

    # --- what is taken -----------------------------------------------------------------------

    def _plan(self, found: RemoteObject) -> PulledChange | SyncResult | None:
        """What is to be saved of an object, judged by itself; or why nothing is; ``None`` to pass it over."""
        record = self._match(found)
        if record is None:
            return self._plan_new(found) if self.adds else None
        if reason := self._hold(record):
            return self._held(found, record, reason)
        seen = self.reader.read_content(found, record)
        here = record_content(record, self.context.keys)
        there = seen.comparable_with(record.accepted)
        merged = merge_sides(self.context.keys.merge_base(record), here, there, clean=not record.is_dirty)
        if self.kind is Kind.ROLE and self.reader.find_opportunity(found) is None:
            return self._held(found, record, NO_OPPORTUNITY)
        change = plan_known(self.context.keys, found, record, seen, here, merged)
        change.conflict = self.open.get(record.pk)
        # In memory as well: another object of this page must not be taken for this record.
        setattr(record, self.id_column, found.marketo_id)
        return change

    def _plan_new(self, found: RemoteObject) -> PulledChange | SyncResult:
        doubtful = self._may_be(found) if self.kind is not Kind.PROGRAM else None
        if doubtful is not None:
            words = gettext_noop(
                "It may be “%(doubtful)s”, which was sent without an answer so far; that has to be looked up first."
            ) % {"doubtful": doubtful}
            return self._held(found, None, words)
        if self.kind is Kind.ROLE and self.reader.find_opportunity(found) is None:
            return self._held(found, None, NO_OPPORTUNITY)
        return plan_new(self.context.keys, found, self.reader.read_content(found, None))

    # --- what is told ------------------------------------------------------------------------

    def _hold(self, record: Any) -> str:
        self.read.append(record.pk)
        if record.claimed_by_id is not None:
            return IN_BATCH
        if record.last_status == RecordStatus.UNKNOWN:
            return UNKNOWN
        if self.batch.sent_at and record.last_synced_at and record.last_synced_at >= self.batch.sent_at:
            return SENT_MEANWHILE
        conflict = self.open.get(record.pk)
        return UNDECIDED if conflict and conflict.reason == ConflictReason.AMBIGUOUS else ""

    def _held(self, found: RemoteObject, record: SyncedRecord | None, words: str) -> SyncResult:
        if record is not None:
            row = build_result(self.context.job, record, SyncResultStatus.HELD, batch=self.batch, error=words)
        else:
            label = found.values.get("Name") or found.values.get("Role") or self.kind.value
            row = SyncResult(
                job=self.context.job,
                batch=self.batch,
                kind=self.kind.value,
                record_id=0,
                label=f"{label} ({found.marketo_id})"[:255],
                revision=0,
                status=SyncResultStatus.HELD.value,
                error=words,
            )
        setattr(row, self.id_column, found.marketo_id)
        return row


def _in_doubt(record: Any) -> bool:
    return record.claimed_by_id is not None or record.last_status == RecordStatus.UNKNOWN


def _same_name(record: Any, found: RemoteObject) -> bool:
    return bool(record.name == found.values.get("Name", ""))
