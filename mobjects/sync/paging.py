"""Reading what a query finds page by page, with the place to go on kept on the job.

Where an API cannot list the objects of a kind, they are read by what they are called, many with a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from django.utils.translation import gettext_noop as _

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoId,
    MarketoQuery,
    QueryPage,
    RecordAssociation,
    RemoteObject,
)
from mobjects.models import OpportunityPersonRole, SyncBatch, SyncedRecord, SyncJob
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.content.from_marketo import find_association
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.task import JobContext, read_from_marketo

BEGUN_AGAIN = _("Marketo no longer knew the place to go on from; begun again with the first page.")


@dataclass(frozen=True, slots=True)
class PageCursor:
    """Where the next step goes on.

    Args:
        position: Marketo's, of the next page; "" for the first.
        after: our own id of the record that was last dealt with, where records are walked one by one.
        begun_again: the position was refused once, and reading began anew.
        done: nothing is left.
    """

    position: str = ""
    after: int = 0
    begun_again: bool = False
    done: bool = False

    def to_json(self) -> dict[str, Any]:
        """As kept among the job's progress."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The reverse of :meth:`to_json`; names it does not know are somebody else's."""
        return cls(**{name: kept[name] for name in cls.__slots__ if name in kept})

    def after_page(self, page: QueryPage) -> Self:
        """The place after a page."""
        return replace(self, position=page.position if page.more else "", done=not page.more)


def load_progress(job: SyncJob) -> dict[str, Any]:
    """The job's progress as the database has it: another worker may have gone on."""
    kept: dict[str, Any] = SyncJob.objects.values_list("progress", flat=True).get(pk=job.pk)
    return kept


def store_progress(job: SyncJob, kept: Mapping[str, Any]) -> None:
    """Save where the job goes on; in one transaction with what was done."""
    job.progress = dict(kept)
    SyncJob.objects.filter(pk=job.pk).update(progress=job.progress)


def read_page(context: JobContext, query: MarketoQuery, place: PageCursor) -> tuple[SyncBatch, QueryPage] | None:
    """Read the page at a place.

    Returns:
        The call's batch and the page; ``None`` if Marketo no longer knows the place and reading begins anew. That
        happens once: pages that are read a second time do no harm, but a job must come to an end.

    Raises:
        WaitRequired, MarketoError: as :func:`mobjects.sync.task.read_from_marketo`.
    """
    cause = BEGUN_AGAIN if place.begun_again and not place.position else ""
    try:
        return read_from_marketo(
            context, query.kind, lambda: context.transport.find(query, place.position), cause=cause
        )
    except Rejected:
        if not place.position or place.begun_again:
            raise
        _restart_paging(context.job, place)
        return None


@retry_on_database_error
def _restart_paging(job: SyncJob, place: PageCursor) -> None:
    again = replace(place, position="", begun_again=True)
    store_progress(job, {**load_progress(job), **again.to_json()})


def query_by_id(kind: Kind, marketo_id: MarketoId) -> MarketoQuery:
    """The query for one object; archived programs are found by their id as well."""
    return MarketoQuery(kind, id=marketo_id, details=kind is Kind.PROGRAM)


# --- objects by what they are called --------------------------------------------------------


class NamedBy(StrEnum):
    """What a call finds objects by."""

    ID = "id"
    KEY = "key"
    OPPORTUNITY = "opportunity"
    """Roles, by the key of their opportunity."""


@dataclass(frozen=True, slots=True)
class NamedChunk:
    """Objects that one call names. Kept while it has further pages: each of them is asked for in the same words.

    Args:
        by: what they are found by.
        names: ids or keys.
        missing: what no page held yet: our own ids of records that are held here, or names that a person gave.
    """

    by: NamedBy
    names: Sequence[int | str]
    missing: Sequence[int | str]

    def to_query(self, kind: Kind, keys: KeyFields) -> MarketoQuery:
        """What Marketo is asked."""
        if self.by is NamedBy.ID:
            return MarketoQuery(kind, ids=tuple(self.names))
        named = tuple(ExternalKey(keys.opportunity, str(name)) for name in self.names)
        if self.by is NamedBy.KEY:
            return MarketoQuery(kind, keys=named)
        links = tuple(RecordAssociation(LinkTarget.OPPORTUNITY, key=key) for key in named)
        return MarketoQuery(kind, opportunities=links)

    def without_records(self, seen: Sequence[int]) -> Self:
        """What is left after a page that told of these records of ours."""
        known = set(seen)
        return replace(self, missing=[pk for pk in self.missing if pk not in known])

    def without_found(self, found: Sequence[RemoteObject], keys: KeyFields) -> Self:
        """What is left of the names after a page that held these objects."""
        seen = {self._name_of(each, keys).casefold() for each in found}
        return replace(self, missing=[name for name in self.missing if str(name).casefold() not in seen])

    def _name_of(self, found: RemoteObject, keys: KeyFields) -> str:
        if self.by is NamedBy.ID:
            return str(found.marketo_id)
        if self.by is NamedBy.KEY:
            return found.values.get(keys.opportunity, "")
        link = find_association(found, LinkTarget.OPPORTUNITY)
        return link.key.value if link is not None and link.key is not None else ""


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """Where the next step goes on.

    Args:
        phase: index of what is found by; records with an id come before those that have only a key.
        after: our own id of the last record of the chunks before, or how many names they held.
        chunk: is being read; ``None`` to take the next.
        page: where in the chunk.
    """

    phase: int = 0
    after: int = 0
    chunk: NamedChunk | None = None
    page: PageCursor = field(default_factory=PageCursor)

    def to_json(self) -> dict[str, Any]:
        """As kept among the job's progress; the page's parts stand beside the others, where paging looks for them."""
        chunk = asdict(self.chunk) if self.chunk else None
        return {**self.page.to_json(), "phase": self.phase, "after": self.after, "chunk": chunk}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The reverse of :meth:`to_json`."""
        chunk = kept.get("chunk")
        return cls(
            phase=kept.get("phase", 0),
            after=kept.get("after", 0),
            chunk=NamedChunk(NamedBy(chunk["by"]), chunk["names"], chunk["missing"]) if chunk else None,
            page=PageCursor.from_json(kept),
        )


def next_held_chunk(
    records: SyncedQuerySet, by: NamedBy, keys: KeyFields, kind: Kind, after: int = 0
) -> tuple[NamedChunk, int] | None:
    """The next records held here that one call can name.

    Args:
        records: of the kind.
        by: ``ID`` takes those that have one; the others those that have none.
        after: our own id of the last one before.

    Returns:
        The chunk, and our own id of its last record; ``None`` if there are no more.
    """
    column = keys.id_column(kind)
    names = {NamedBy.ID: column, NamedBy.KEY: "external_id", NamedBy.OPPORTUNITY: "opportunity__external_id"}[by]
    found = records.filter(**{f"{column}__isnull": by is not NamedBy.ID, f"{names}__isnull": False}, pk__gt=after)
    rows = list(found.order_by("pk").values_list("pk", names)[: keys.traits.named_to_a_query])
    if not rows:
        return None
    chunk = NamedChunk(by, list(dict.fromkeys(name for _, name in rows)), [pk for pk, _ in rows])
    return chunk, rows[-1][0]


def can_list(kind: Kind, keys: KeyFields) -> bool:
    """Whether the API in use can read all objects of a kind without being told which."""
    return kind in keys.traits.listed


def can_find(record: SyncedRecord, keys: KeyFields) -> bool:
    """Whether the record that is held here can be looked for in Marketo."""
    if keys.id_of(record) is not None:
        return True
    owner: Any = record.opportunity if isinstance(record, OpportunityPersonRole) else record
    return not can_list(record.KIND, keys) and bool(keys.opportunity and owner.external_id)
