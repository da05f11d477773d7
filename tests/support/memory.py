"""A Marketo in memory that can only be read: it keeps what a test puts in and gives it out page by page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from mobjects.marketo.errors import MarketoError, Rejected
from mobjects.marketo.transport_traits import DEFAULT_TRAITS
from mobjects.marketo.types import (
    Exchange,
    Kind,
    LinkTarget,
    MarketoQuery,
    QueryPage,
    RecordAssociation,
    RemoteCost,
    RemoteObject,
    TagValue,
)
from mobjects.models import SyncJob, SyncJobAction, WorkerLease
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.task import JobContext, JobTask

EXCHANGE = Exchange(request="<asked/>", response="<told/>", http_status=200)


class Memory:
    """Holds objects by kind and id. ``failing`` is raised by the next call instead of its answer."""

    name, endpoint, caller, delete_limit = "memory", "", "", 100
    traits = DEFAULT_TRAITS

    def __init__(self, *found: RemoteObject, page_size: int = 100) -> None:
        self.objects = {(each.kind, each.marketo_id): each for each in found}
        self.page_size = page_size
        self.asked: list[MarketoQuery] = []
        self.failing: MarketoError | None = None
        self.stale: set[str] = set()
        self.before_answer: Callable[[], object] = lambda: None

    def put(self, *found: RemoteObject) -> None:
        self.objects |= {(each.kind, each.marketo_id): each for each in found}

    def find(self, query: MarketoQuery, position: str = "") -> QueryPage:
        self.asked.append(query)
        if self.failing:
            error, self.failing = self.failing, None
            raise error
        if position in self.stale:
            raise Rejected("The stream position is no longer valid.", code="20122")
        after = int(position or 0)
        fits = [
            found
            for (kind, number), found in sorted(self.objects.items())
            if kind is query.kind and int(number) > after and query.id in (None, number)
        ]
        page = fits[: self.page_size]
        self.before_answer()
        return QueryPage(page, len(fits) > len(page), str(page[-1].marketo_id) if page else "", EXCHANGE)


class NoLimits:
    """Permits every call."""

    def permit_call(self) -> nullcontext[None]:
        return nullcontext()

    def count_further(self, calls: int) -> None:
        """Nothing is counted."""

    def claim_reading(self) -> bool:
        return False

    def note_calls_of_all(self, count: int) -> None:
        """Nothing is counted."""

    def reduce_concurrency(self) -> None:
        return None


def program(number: int = 1001, *, costs: Any = (), tags: Any = None, **values: str) -> RemoteObject:
    """A program; costs as (id, month, amount) or (id, month, amount, note), tags by type."""
    named = {"Channel": "Webinar", **(tags or {})}
    return RemoteObject(
        Kind.PROGRAM,
        number,
        {"Name": "Webinar", "Type": "Marketing Event", "Workspace Name": "Default", **values},
        costs=[cost(*each) for each in costs],
        tags=[TagValue(type_, value) for type_, value in named.items()],
    )


def cost(id: int | None, month: int, amount: str, note: str = "") -> RemoteCost:
    return RemoteCost(id, date(2026, month, 1), Decimal(amount), note)


def opportunity(number: int = 71, *links: RecordAssociation, **values: str) -> RemoteObject:
    return RemoteObject(Kind.OPPORTUNITY, number, {"Name": "Q1 2014", **values}, links)


def role(number: int = 81, opportunity: int = 71, person: int = 19, **values: str) -> RemoteObject:
    links = (RecordAssociation(LinkTarget.OPPORTUNITY, id=opportunity), RecordAssociation(LinkTarget.LEAD, id=person))
    return RemoteObject(Kind.ROLE, number, {"Role": "Influencer", **values}, links)


def context(
    transport: Any,
    selection: dict[str, Any],
    action: SyncJobAction = SyncJobAction.PULL,
    keys: KeyFields = KeyFields(),  # noqa: B008  # frozen
) -> JobContext:
    """The surroundings of a new job."""
    job = SyncJob.objects.create(action=action, kind=selection.get("kind", "several"), selection=selection)
    lease = WorkerLease.objects.create(job=job, process="test", renewed_at=timezone.now())
    return JobContext(job=job, lease=lease, transport=transport, keys=keys, rate_limiter=NoLimits())


def finished(make: Callable[[JobContext], JobTask], surroundings: JobContext) -> SyncJob:
    """Do all steps, each by a task made anew, as another process would."""
    while make(surroundings).step():
        pass
    make(surroundings).finish()
    surroundings.job.refresh_from_db()
    return surroundings.job
