"""Reading all that was created since a batch was lost, page by page: how far it has come is kept on the job.

A batch of new records is looked up in a call or two that way, not in one for each record; also where the worker's turn
ends, another one joins, or the worker dies in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Self

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.types import (
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoQuery,
    QueryPage,
    RecordAssociation,
    RemoteObject,
)
from mobjects.models import SyncBatch, SyncJob
from mobjects.sync.paging import load_progress, store_progress

RECORDS_TO_A_PAGE = 2
"""Given up where it takes more than a page for every two records: so much else came into being that one call for each
record is cheaper."""
MOST_FAILURES = 2

_NAME = "gathering"


@dataclass(frozen=True, slots=True)
class GatheredLookup:
    """What was read so far, and for which records.

    Args:
        kind: of the records.
        created_since: what is read.
        lost: our ids of the records, and when each was sent without an answer.
        found: what was found so far and may be one of them.
        position: Marketo's, of the next page.
        pages: read so far.
        failures: calls that brought no page.
        batch: our id of the call that brought the last page; 0 while there are more.
        over: decided about, or given up; what is still unknown of these records is looked up one by one.
    """

    kind: Kind
    created_since: datetime
    lost: Mapping[int, datetime]
    found: Sequence[RemoteObject] = ()
    position: str = ""
    pages: int = 0
    failures: int = 0
    batch: int = 0
    over: bool = False

    @property
    def query(self) -> MarketoQuery:
        """The query; the same for every page."""
        return MarketoQuery(self.kind, created_since=self.created_since)

    def after_page(self, batch: SyncBatch, page: QueryPage, may_be: Callable[[RemoteObject], bool]) -> Self:
        """Where it stands after a page.

        Args:
            may_be: whether an object may be one of the records at all.
        """
        pages = self.pages + 1
        found = [*self.found, *filter(may_be, page.found)]
        too_many = page.more and pages * RECORDS_TO_A_PAGE >= len(self.lost)
        position, last = (page.position, 0) if page.more else ("", batch.pk)
        gone_on = replace(self, found=found, position=position, pages=pages, batch=last)
        return gone_on.ended() if too_many else gone_on

    def after_failure(self, *, anew: bool) -> Self:
        """Where it stands after a call that brought no page.

        Args:
            anew: whether to begin with the first page, because Marketo refused the place.
        """
        kept = replace(self, found=(), position="", pages=0) if anew else self
        failures = self.failures + 1
        return kept.ended() if failures >= MOST_FAILURES else replace(kept, failures=failures)

    def ended(self) -> Self:
        """What is kept of it once it is over."""
        return replace(self, found=(), position="", over=True)


def load_gathering(job: SyncJob) -> GatheredLookup | None:
    """The job's latest, if it has begun one."""
    kept = load_progress(job).get(_NAME)
    if not kept:
        return None
    read = {
        "kind": Kind(kept["kind"]),
        "created_since": datetime.fromisoformat(kept["created_since"]),
        "lost": {int(pk): datetime.fromisoformat(since) for pk, since in kept["lost"].items()},
        "found": tuple(_read_object(each) for each in kept["found"]),
    }
    return GatheredLookup(**{**kept, **read})


@retry_on_database_error
def store_gathering(job: SyncJob, gathering: GatheredLookup) -> None:
    """Keep how far it has come."""
    kept = {each.name: getattr(gathering, each.name) for each in fields(gathering)}
    written = {
        "kind": gathering.kind.value,
        "created_since": gathering.created_since.isoformat(),
        "lost": {str(pk): since.isoformat() for pk, since in gathering.lost.items()},
        "found": [_write_object(each) for each in gathering.found],
    }
    store_progress(job, {**load_progress(job), _NAME: {**kept, **written}})


def _write_object(found: RemoteObject) -> dict[str, Any]:
    """An opportunity or a role; only programs have costs and tags."""
    return {
        "kind": found.kind.value,
        "marketo_id": found.marketo_id,
        "values": dict(found.values),
        "associations": [asdict(each) for each in found.associations],
        "created_at": found.created_at and found.created_at.isoformat(),
        "updated_at": found.updated_at and found.updated_at.isoformat(),
    }


def _read_object(kept: Mapping[str, Any]) -> RemoteObject:
    times = {name: kept[name] and datetime.fromisoformat(kept[name]) for name in ("created_at", "updated_at")}
    links = tuple(_read_links(kept["associations"]))
    return RemoteObject(**{**kept, **times, "kind": Kind(kept["kind"]), "associations": links})


def _read_links(kept: Iterable[Mapping[str, Any]]) -> Iterable[RecordAssociation]:
    for each in kept:
        key = ExternalKey(**each["key"]) if each["key"] else None
        yield RecordAssociation(LinkTarget(each["link"]), id=each["id"], key=key)
