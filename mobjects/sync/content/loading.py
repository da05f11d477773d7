"""Records with all that building a payload or comparing them reads, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import prefetch_related_objects

from mobjects.marketo.types import Kind
from mobjects.models import (
    SyncedRecord,
    records_of_kind,
)
from mobjects.models.synced_record import SyncedQuerySet


def load_records(kind: Kind, ids: Sequence[int]) -> list[SyncedRecord]:
    """Records with all that building a payload reads; a fixed number of queries."""
    return fetch_with_related(kind, records_of_kind(kind).filter(pk__in=ids).order_by("pk"))


def fetch_with_related(kind: Kind, found: SyncedQuerySet) -> list[SyncedRecord]:
    """What a query finds, with all that building a payload reads."""
    if kind is Kind.PROGRAM:
        found = found.prefetch_related("costs", "tags")
    if kind is Kind.ROLE:
        found = found.select_related("opportunity")
    return list(found)


def add_related(kind: Kind, records: Sequence[SyncedRecord]) -> None:
    """Load what building a payload reads besides the records."""
    prefetch_related_objects(records, *_RELATED[kind])


_RELATED = {Kind.PROGRAM: ("costs", "tags"), Kind.OPPORTUNITY: (), Kind.ROLE: ("opportunity",)}
