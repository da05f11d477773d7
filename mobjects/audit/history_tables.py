"""Which tables are history, which of their columns are sealed, and from when on a row does not change any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from mobjects.models import (
    AuditEvent,
    EarlierCall,
    RecordEdit,
    SyncBatch,
    SyncBatchState,
    SyncJob,
    SyncResult,
    SyncResultStatus,
)

OVER_FOR = timedelta(hours=1)
"""What only a worker that was given up could still change is final so long after its job has ended."""

ENDED_BATCHES = (SyncBatchState.ANSWERED, SyncBatchState.REFUSED, SyncBatchState.PLANNED)
"""States of a batch that nothing follows; the answer to one that was given up may still come."""

OPEN_RESULTS = (SyncResultStatus.PENDING, SyncResultStatus.UNKNOWN)
"""Statuses that become another one: by an answer, or by a look-up, whenever that is."""

Key = int | str


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """One table of the history.

    Args:
        name: in seals.
        model: of its rows.
        columns: whose values are sealed, the primary key first. Not those that the database empties when something
            else is deleted (links to users, leases, schedules), nor figures that are counted from rows which are.
        ended: SQL that says of a row's columns, with ``{row}`` before them, that nothing here changes it any more.
    """

    name: str
    model: type[Model]
    columns: tuple[str, ...]
    ended: str = ""

    @property
    def table(self) -> str:
        """The table's name in the database."""
        return self.model._meta.db_table

    def rows(self, keys: Collection[Key]) -> QuerySet[Any]:
        """The rows with some keys that are still there."""
        found: QuerySet[Any] = self.model._base_manager.all()
        return found.filter(**{"pk__in" if self.model is SyncJob else "pk__among": keys})

    def find_key(self, text: object) -> Key:
        """A primary key as seals keep it: a number, or of a job the 32 digits of its id."""
        return UUID(str(text)).hex if self.model is SyncJob else int(str(text))


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"'{value!s}'" for value in values)


_CALL = ("request", "response", "identity", "headers", "signature_digest", "http_status", "seconds")
JOBS = HistoryTable(
    "job",
    SyncJob,
    (
        "id", "state", "action", "kind", "operation", "selection", "reason", "source", "username", "transport",
        "endpoint", "problem", "problem_text", "created_at", "started_at", "finished_at",
    ),
    f"{{row}}.state IN ({_listed(SyncJob.FINAL_STATES)})",
)  # fmt: skip
BATCHES = HistoryTable(
    "batch",
    SyncBatch,
    (
        "id", "job_id", "sequence", "attempt", "kind", "operation", "cause", "state", *_CALL, "fault_code",
        "fault_text", "created_at", "sent_at",
    ),
    f"{{row}}.state IN ({_listed(ENDED_BATCHES)})",
)  # fmt: skip
CALLS = HistoryTable("call", EarlierCall, ("id", "batch_id", "position", *_CALL))
RESULTS = HistoryTable(
    "result",
    SyncResult,
    (
        "id", "job_id", "batch_id", "kind", "record_id", "label", "position", "revision", "sent", "diff", "status",
        "marketo_id", "marketo_guid", "error", "created_at",
    ),
    f"{{row}}.status NOT IN ({_listed((*OPEN_RESULTS, SyncResultStatus.RETRIED))})",
)  # fmt: skip
EDITS = HistoryTable(
    "edit",
    RecordEdit,
    ("id", "kind", "record_id", "changes", "source", "username", "reference", "saving", "created_at"),
)
EVENTS = HistoryTable(
    "event",
    AuditEvent,
    ("id", "kind", "person_id", "username", "address", "model", "object_id", "words", "detail", "created_at"),
)
NUMBERED = (BATCHES, CALLS, RESULTS, EDITS, EVENTS)
"""Their ids grow."""

TABLES: dict[str, HistoryTable] = {each.name: each for each in (JOBS, *NUMBERED)}


def final_rows(table: HistoryTable, now: datetime) -> Q:
    """The condition that a row may be sealed."""
    over = Q(job__finished_at__lt=now - OVER_FOR)
    if table is BATCHES:
        given_up = Q(state__in=(SyncBatchState.NOT_SENT, SyncBatchState.UNKNOWN))
        return Q(state__in=ENDED_BATCHES) | (given_up & over)
    if table is RESULTS:
        return ~Q(status__in=(*OPEN_RESULTS, SyncResultStatus.RETRIED)) | (Q(status=SyncResultStatus.RETRIED) & over)
    return Q(state__in=SyncJob.FINAL_STATES) if table is JOBS else Q()
