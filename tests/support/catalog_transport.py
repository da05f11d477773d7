"""A Marketo in memory that can only be asked what it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from django.utils import timezone

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.types import DescribeResponse, Exchange, FieldDescription, Kind, TagValuesResponse
from mobjects.models import SyncJob, SyncJobAction, WorkerLease
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.task import JobContext

EXCHANGE = Exchange(request="<asked/>", response="<told/>", http_status=200)


def field(name: str, type: str = "string", **values: Any) -> FieldDescription:
    """A custom field that may be written."""
    return FieldDescription(
        **{"name": name, "label": name, "type": type, "size": None, "read_only": False, "custom": True, **values}
    )


STAGE = field("Stage", label="Stage", size=255, custom=False)
ROLE = field("Role", size=255, custom=False)


class CatalogTransport:
    """Tells what it was given; ``failing`` is raised by the next call instead."""

    name, endpoint, caller, delete_limit = "memory", "", "", 100

    def __init__(
        self,
        opportunity: Sequence[FieldDescription] = (STAGE,),
        role: Sequence[FieldDescription] = (ROLE,),
        tags: Mapping[str, Sequence[str]] | None = None,
        channels: Sequence[str] = (),
    ) -> None:
        self.fields = {Kind.OPPORTUNITY: opportunity, Kind.ROLE: role}
        self.all_tags = tags or {}
        self.all_channels = channels
        self.asked: list[str] = []
        self.failing: MarketoError | None = None

    def describe(self, kind: Kind) -> DescribeResponse:
        self._ask(kind.value)
        return DescribeResponse(self.fields[kind], EXCHANGE)

    def tags(self) -> TagValuesResponse:
        self._ask("tags")
        return TagValuesResponse(self.all_tags, EXCHANGE)

    def channels(self) -> TagValuesResponse:
        self._ask("channels")
        return TagValuesResponse({"Channel": self.all_channels}, EXCHANGE)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.failing:
            error, self.failing = self.failing, None
            raise error


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


def context(transport: Any, keys: KeyFields = KeyFields()) -> JobContext:  # noqa: B008  # frozen
    """The surroundings of a new job that asks this transport."""
    job = SyncJob.objects.create(action=SyncJobAction.DESCRIBE, kind="several", selection={})
    lease = WorkerLease.objects.create(job=job, process="test", renewed_at=timezone.now())
    return JobContext(job=job, lease=lease, transport=transport, keys=keys, rate_limiter=NoLimits())
