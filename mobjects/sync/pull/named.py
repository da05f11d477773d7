"""Pulling objects by what they are called, where Marketo cannot list all of their kind: named ones, or those held here.

What is held here is read by its id; what has none yet by its key, and gets its id then. Objects that nobody named and
that are not held here are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop as _

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.types import Kind, QueryPage
from mobjects.models import SyncBatch, SyncResult, SyncResultStatus, records_of_kind
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.job_results import GONE, build_result, save_results
from mobjects.sync.paging import (
    NamedBy,
    NamedChunk,
    NamedPlace,
    PageCursor,
    load_progress,
    next_held_chunk,
    read_page,
    store_progress,
)
from mobjects.sync.pull.apply import PulledPage
from mobjects.sync.task import JobContext

NO_KEY = {
    Kind.OPPORTUNITY: _("It has neither a {id} nor an external ID, so it cannot be looked for in Marketo."),
    Kind.ROLE: _("It has no {id}, and its opportunity no external ID, so it cannot be looked for in Marketo."),
}
NOT_THERE = {
    NamedBy.KEY: _("Marketo has no opportunity with this external ID."),
    NamedBy.OPPORTUNITY: _("Marketo has no such role of its opportunity."),
}
NO_ROLES = _("Marketo has no roles of the opportunity with this external ID.")


class NamedPull:
    """The steps of a pull of one kind that Marketo cannot list.

    Args:
        context: of the job.
        kind: which objects.
        ids: our own ids of the records to read; ``None`` for all that are held here.
        named_by, names: what a person named instead; roles by ``OPPORTUNITY`` or ``ID``.
    """

    def __init__(
        self, context: JobContext, kind: Kind, ids: Sequence[int] | None, named_by: NamedBy, names: Sequence[str]
    ) -> None:
        self._context, self._kind, self._ids = context, kind, ids
        self._named_by, self._names = named_by, names
        self._keys = context.keys
        by_key = NamedBy.KEY if kind is Kind.OPPORTUNITY else NamedBy.OPPORTUNITY
        self._phases = (NamedBy.ID, by_key) if context.keys.opportunity else (NamedBy.ID,)

    def step(self) -> bool:
        """Read a page, or see that nothing is left; see :class:`mobjects.sync.task.JobTask`."""
        place = NamedPlace.from_json(load_progress(self._context.job))
        if place.page.done:
            return False
        if place.chunk is None:
            place = self._next_chunk(place)
        if place.chunk is None:
            self._end(place)
            return True
        store_progress(self._context.job, place.to_json())
        answered = read_page(self._context, place.chunk.to_query(self._kind, self._keys), place.page)
        if answered is not None:
            self._save(*answered, place, place.chunk)
        return True

    def _next_chunk(self, place: NamedPlace) -> NamedPlace:
        if self._names:
            names = list(self._names[place.after :][: self._keys.traits.named_to_a_query])
            chunk = NamedChunk(self._named_by, names, names) if names else None
            return replace(place, after=place.after + len(names), chunk=chunk)
        while place.phase < len(self._phases):
            by = self._phases[place.phase]
            if taken := next_held_chunk(self._held(), by, self._keys, self._kind, place.after):
                return replace(place, chunk=taken[0], after=taken[1])
            place = NamedPlace(phase=place.phase + 1)
        return place

    def _held(self) -> SyncedQuerySet:
        found = records_of_kind(self._kind)
        return found if self._ids is None else found.filter(pk__in=self._ids)

    @retry_on_database_error
    def _save(self, batch: SyncBatch, page: QueryPage, place: NamedPlace, chunk: NamedChunk) -> None:
        with transaction.atomic():
            rows = PulledPage(self._context, batch, page.found, adds=bool(self._names)).apply()
            batch.size = len(page.found)
            batch.save(update_fields=["size"])
            if self._names:
                chunk = chunk.without_found(page.found, self._keys)
            else:
                chunk = chunk.without_records([row.record_id for row in rows])
            if page.more:
                place = replace(place, chunk=chunk, page=place.page.after_page(page))
            else:
                rows += self._missing(chunk, batch)
                place = replace(place, chunk=None, page=PageCursor())
            save_results(self._context.job, rows)
            store_progress(self._context.job, place.to_json())

    def _missing(self, chunk: NamedChunk, batch: SyncBatch) -> list[SyncResult]:
        """What was named and did not come."""
        if self._names:
            return [self._missing_name(chunk.by, str(name), batch) for name in chunk.missing]
        missing = records_of_kind(self._kind).filter(pk__in=chunk.missing)
        if chunk.by is NamedBy.ID:  # What has another id by now was not asked for.
            missing = missing.filter(**{f"{self._keys.id_column(self._kind)}__in": chunk.names})
        return self._results(missing, SyncResultStatus.MISSING, NOT_THERE.get(chunk.by, GONE), batch)

    def _missing_name(self, by: NamedBy, name: str, batch: SyncBatch) -> SyncResult:
        words = NO_ROLES if by is NamedBy.OPPORTUNITY else NOT_THERE.get(by, GONE)
        found = {NamedBy.ID: self._keys.id_column(self._kind), NamedBy.KEY: "external_id"}.get(by)
        record: Any = records_of_kind(self._kind).filter(**{found: name}).first() if found else None
        if record is not None:
            return build_result(self._context.job, record, SyncResultStatus.MISSING, batch=batch, error=words)
        return SyncResult(
            job=self._context.job,
            batch=batch,
            kind=self._kind.value,
            record_id=0,
            label=name[:255],
            revision=0,
            status=SyncResultStatus.MISSING.value,
            error=words,
        )

    def _results(
        self, records: SyncedQuerySet, status: SyncResultStatus, words: str, batch: SyncBatch | None = None
    ) -> list[SyncResult]:
        job = self._context.job
        return [build_result(job, record, status, batch=batch, error=words) for record in records.order_by("pk")]

    @retry_on_database_error
    def _end(self, place: NamedPlace) -> None:
        """Say which of the selected records there was nothing to look for by."""
        with transaction.atomic():
            if self._ids is not None:
                column = self._keys.id_column(self._kind)
                key = "external_id" if self._kind is Kind.OPPORTUNITY else "opportunity__external_id"
                nameless = self._held().filter(**{f"{column}__isnull": True, f"{key}__isnull": True})
                words = NO_KEY[self._kind].format(id=self._keys.traits.id_kind(self._kind).value)
                save_results(self._context.job, self._results(nameless, SyncResultStatus.HELD, words))
            store_progress(self._context.job, replace(place, page=PageCursor(done=True)).to_json())
