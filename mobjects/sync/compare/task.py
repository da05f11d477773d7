"""Compare: which synced records differ from Marketo now. Changes neither side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.types import Kind, MarketoQuery, QueryPage, RemoteObject
from mobjects.models import RECORD_MODELS, SyncBatch, SyncedRecord, SyncResult, SyncResultStatus, records_of_kind
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.content.cost_matching import format_cost
from mobjects.sync.content.former_names import UNKNOWN_VALUE
from mobjects.sync.content.from_marketo import RemoteContent, RemoteReader
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import FieldDifference, KeyFields, record_content
from mobjects.sync.job_results import GONE, IN_BATCH, SENT_MEANWHILE, add_counts, build_result
from mobjects.sync.paging import (
    NamedBy,
    NamedChunk,
    NamedPlace,
    PageCursor,
    can_list,
    load_progress,
    next_held_chunk,
    query_by_id,
    read_page,
    store_progress,
)
from mobjects.sync.task import JobContext, JobTask, KindSelection, read_from_marketo

MAX_ONE_BY_ONE = 50
"""Up to so many records are read by their ids; for more, reading the whole kind takes fewer calls."""
MISSING_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class CompareSelection(KindSelection):
    """What a person asked to compare."""

    def to_json(self) -> dict[str, Any]:
        """As kept on the job."""
        return {"kinds": [kind.value for kind in self.kinds], "ids": list(self.ids) if self.ids is not None else None}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The reverse of :meth:`to_json`; also takes a selection of records to send."""
        ids = kept.get("ids")
        return cls(tuple(Kind(kind) for kind in kept["kinds"]), tuple(ids) if ids is not None else None)


class CompareTask(JobTask):
    """One page a step, kind by kind; after the last page of a kind, what no page held is missing in Marketo.

    Records without a difference are counted only: a row for each of 100,000 would say nothing.
    """

    single_worker = True

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.selection = CompareSelection.from_json(context.job.selection)

    def step(self) -> bool:
        kept = load_progress(self.context.job)
        compared = kept.get("kinds", [])
        kinds = [kind for kind in RECORD_MODELS if kind in self.selection.kinds and kind.value not in compared]
        if not kinds:
            return False
        kind, place = kinds[0], PageCursor.from_json(kept)
        began = kept.get("began") or clock.now().isoformat()
        if not can_list(kind, self.context.keys):
            self._compare_next_chunk(kind, NamedPlace.from_json(kept))
        elif self.selection.ids is not None and len(self.selection.ids) <= MAX_ONE_BY_ONE:
            self._compare_next_record(kind, place, began)
        elif place.done:
            self._missing(kind, place, began)
        else:
            query = MarketoQuery(kind, details=kind is Kind.PROGRAM, archived=kind is Kind.PROGRAM)
            if not kept.get("began"):
                # Before the first page is read: what is read from then on is not missing.
                store_progress(self.context.job, {**kept, "began": began})
            if answered := read_page(self.context, query, place):
                batch, page = answered
                self._save(batch, page, place.after_page(page), began)
        return True

    def _synced(self, kind: Kind) -> SyncedQuerySet:
        """The records to compare: those of which Marketo has accepted something."""
        known = {f"{self.context.keys.id_column(kind)}__isnull": False}
        found = records_of_kind(kind).filter(**known).exclude(accepted={})
        return found if self.selection.ids is None else found.filter(pk__in=self.selection.ids)

    # --- pages -------------------------------------------------------------------------------

    @retry_on_database_error
    def _save(self, batch: SyncBatch, page: QueryPage, place: PageCursor, began: str) -> None:
        with transaction.atomic():
            rows, same = self._compare(batch, page.found)
            batch.size = len(page.found)
            batch.save(update_fields=["size"])
            self._store_cursor(place, began)
            self._store_results(rows, same)

    def _compare(self, batch: SyncBatch, found: Sequence[RemoteObject]) -> tuple[list[SyncResult], list[int]]:
        """The results of what differs or cannot be compared, and our ids of the records that are the same."""
        kind = Kind(batch.kind)
        by_marketo_id = {each.marketo_id: each for each in found}
        here = records_of_kind(kind).filter(**{f"{self.context.keys.id_column(kind)}__in": by_marketo_id})
        locked = here.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
        seen_here = list(locked)
        records_of_kind(kind).filter(pk__in=seen_here).update(read_at=clock.now())
        compared = self._synced(kind).filter(pk__in=seen_here).values_list("pk", flat=True)
        reader = RemoteReader(kind, found, self.context.keys)
        positions = {each.marketo_id: position for position, each in enumerate(found, start=1)}
        rows, same = [], []
        for record in load_records(kind, list(compared)):
            called = self.context.keys.id_of(record) or 0
            row = self._compare_record(batch, record, reader.read_content(by_marketo_id[called], record))
            if row is None:
                same.append(record.pk)
            else:
                row.position = positions[called]
                rows.append(row)
        return rows, same

    def _compare_record(self, batch: SyncBatch, record: SyncedRecord, seen: RemoteContent) -> SyncResult | None:
        """The result of a record; ``None`` if it is the same."""
        job = self.context.job
        if record.claimed_by_id is not None:
            return build_result(job, record, SyncResultStatus.HELD, batch=batch, error=IN_BATCH)
        if batch.sent_at and record.last_synced_at and record.last_synced_at >= batch.sent_at:
            return build_result(job, record, SyncResultStatus.HELD, batch=batch, error=SENT_MEANWHILE)
        rest = seen.remote_only(record_content(record, self.context.keys))
        if rest != record.in_marketo:
            records_of_kind(record.KIND).filter(pk=record.pk).update(in_marketo=rest)
        accepted = self.context.keys.accepted_of(record)
        if accepted is not record.accepted:
            # What was the key over another API is a field like any other there.
            accepted = {**{name: text for name, text in record.accepted.items() if name in seen.values}, **accepted}
        changed = find_drift(accepted, seen)
        if not changed:
            return None
        words = _local(record, changed, self.context.keys)
        row = build_result(job, record, SyncResultStatus.DIFFERS, batch=batch, error=words)
        row.diff = [list(each) for each in changed]
        return row

    # --- one by one, and what is missing -------------------------------------------------------

    def _compare_next_record(self, kind: Kind, place: PageCursor, began: str) -> None:
        record = self._synced(kind).filter(pk__gt=place.after).order_by("pk").first()
        if record is None:
            self._next_kind(kind)
            return
        query, find = query_by_id(kind, self.context.keys.id_of(record) or 0), self.context.transport.find
        batch, page = read_from_marketo(self.context, kind, lambda: find(query))
        place = replace(place, after=record.pk)
        if page.found:
            self._save(batch, page, place, began)
        else:
            self._save_missing([record], place, began, batch)

    def _compare_next_chunk(self, kind: Kind, place: NamedPlace) -> None:
        """Read as many records as one call can name, or the next page of what it found."""
        if place.chunk is None:
            taken = next_held_chunk(self._synced(kind), NamedBy.ID, self.context.keys, kind, place.after)
            if taken is None:
                self._next_kind(kind)
                return
            place = replace(place, chunk=taken[0], after=taken[1], page=PageCursor())
            self._store_place(place)
        chunk = place.chunk
        if chunk is not None and (
            answered := read_page(self.context, chunk.to_query(kind, self.context.keys), place.page)
        ):
            self._save_chunk(*answered, place, chunk)

    @retry_on_database_error
    def _save_chunk(self, batch: SyncBatch, page: QueryPage, place: NamedPlace, chunk: NamedChunk) -> None:
        with transaction.atomic():
            rows, same = self._compare(batch, page.found)
            batch.size = len(page.found)
            batch.save(update_fields=["size"])
            chunk = chunk.without_records([*same, *(row.record_id for row in rows)])
            if page.more:
                place = replace(place, chunk=chunk, page=place.page.after_page(page))
            else:
                job, status = self.context.job, SyncResultStatus.MISSING
                # What is under way, or has another id by now, was not asked for.
                still = {f"{self.context.keys.id_column(Kind(batch.kind))}__in": chunk.names, "claimed_by": None}
                missing = self._synced(Kind(batch.kind)).filter(pk__in=chunk.missing, **still).order_by("pk")
                rows += [build_result(job, record, status, batch=batch, error=GONE) for record in missing]
                place = replace(place, chunk=None, page=PageCursor())
            self._store_place(place)
            self._store_results(rows, same)

    def _store_place(self, place: NamedPlace) -> None:
        store_progress(self.context.job, {**load_progress(self.context.job), **place.to_json()})

    def _missing(self, kind: Kind, place: PageCursor, began: str) -> None:
        """Records that no page held, and that were not sent since the first page was asked for."""
        moment = datetime.fromisoformat(began)
        unread = Q(read_at__isnull=True) | Q(read_at__lt=moment)
        unsent = Q(last_synced_at__isnull=True) | Q(last_synced_at__lt=moment)
        found = self._synced(kind).filter(unread & unsent, claimed_by__isnull=True, pk__gt=place.after)
        page = list(found.order_by("pk")[:MISSING_PAGE_SIZE])
        if page:
            self._save_missing(page, replace(place, after=page[-1].pk), began)
        else:
            self._next_kind(kind)

    @retry_on_database_error
    def _save_missing(
        self, missing: Sequence[SyncedRecord], place: PageCursor, began: str, batch: SyncBatch | None = None
    ) -> None:
        with transaction.atomic():
            self._store_cursor(place, began)
            job, status = self.context.job, SyncResultStatus.MISSING
            self._store_results([build_result(job, record, status, batch=batch, error=GONE) for record in missing])

    def _next_kind(self, kind: Kind) -> None:
        done = load_progress(self.context.job).get("kinds", [])
        store_progress(self.context.job, {**NamedPlace().to_json(), "kinds": [*done, kind.value], "began": None})

    def _store_cursor(self, place: PageCursor, began: str) -> None:
        kept = load_progress(self.context.job)
        store_progress(self.context.job, {**kept, **place.to_json(), "began": began})

    def _store_results(self, rows: Sequence[SyncResult], same: Sequence[int] = ()) -> None:
        SyncResult.objects.bulk_create(rows)
        counts = Counter(str(row.status) for row in rows)
        add_counts(self.context.job, counts | {SyncResultStatus.SAME.value: len(same)})


def find_drift(accepted: Mapping[str, str], seen: RemoteContent) -> list[FieldDifference]:
    """What Marketo last accepted, and what it holds now, where the two differ; extra costs by their Marketo id."""
    names = dict.fromkeys((*seen.values, *accepted))
    changed = [(name, accepted.get(name, ""), seen.values.get(name, "")) for name in names]
    extra = [
        (
            gettext_noop("Cost in Marketo, ID %(id)s") % {"id": cost.id}
            if cost.id
            else gettext_noop("Cost in Marketo"),
            "",
            format_cost(cost),
        )
        for cost in (*seen.costs.new, *seen.costs.unclear)
    ]
    return [*(each for each in changed if each[1] != each[2] and each[1] != UNKNOWN_VALUE), *extra]


def _local(record: Any, changed: Sequence[FieldDifference], keys: KeyFields) -> str:
    here = record_content(record, keys)
    other = [name for name, old, _ in changed if here.get(name, "") != old and name in {*here, *record.accepted}]
    texts = [
        gettext_noop("%(name)s is “%(here)s”") % {"name": name, "here": here[name]}
        if here.get(name)
        else gettext_noop("%(name)s is empty") % {"name": name}
        for name in other
    ]
    return gettext_noop("Here, not sent yet: %(texts)s.") % {"texts": "; ".join(texts)} if texts else ""
