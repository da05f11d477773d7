"""Reading what a query finds page by page, with the place to go on kept on the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import Kind, MarketoId, MarketoQuery, QueryPage
from mobjects.models import SyncBatch, SyncJob
from mobjects.sync.task import JobContext, read_from_marketo

BEGUN_AGAIN = "Marketo no longer knew the place to go on from; begun again with the first page."


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
