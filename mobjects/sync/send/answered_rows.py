"""What an answer is written to: the batch, its results, and those of its records that are still its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from mobjects.db.prepared import SHARED, given
from mobjects.marketo.types import Kind, RecordOutcome
from mobjects.models import RecordStatus, SyncBatch, SyncResult, SyncResultStatus, records_of_kind
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.job_results import LateEnds
from mobjects.sync.send.claims import BatchItem
from mobjects.sync.send.naming.answered_ids import HeldRecord, describe_outcome


def hold_batch(batch: SyncBatch) -> str:
    """The batch's state. Holds its row: who ends a lease and who saves its answer after all take turns."""

    def make() -> QuerySet[Any]:
        return SyncBatch.objects.select_for_update().filter(pk=given()).order_by().values_list("state")

    ((state,),) = SHARED.ask("held batch", make, batch.pk)
    return str(state)


def results_of_batch(batch: SyncBatch) -> Iterator[tuple[Any, ...]]:
    """The results that a batch has, each as the record's id, its own and its status."""

    def make() -> QuerySet[Any]:
        found: QuerySet[Any] = SyncResult.objects.filter(batch=given()).order_by()
        return found.values_list("record_id", "pk", "status")

    return SHARED.ask("results of batch", make, batch.pk)


def hold_records(batch: SyncBatch, keys: KeyFields) -> dict[int, HeldRecord]:
    """The records that this sending is still the last of, locked.

    Not those that another job is sending, or has sent, since an answer that comes only now was given up.
    """
    of, column = records_of_kind(Kind(batch.kind)), keys.id_column(Kind(batch.kind))

    def make() -> QuerySet[Any]:
        sent_at = given(1, of.model._meta.get_field("unknown_since"))
        lost = Q(claimed_by=None, last_status=RecordStatus.UNKNOWN, unknown_since=sent_at)
        held = of.select_for_update(of=("self",)).filter(Q(claimed_by=given()) | lost)
        return held.order_by("pk").values_list("pk", "last_status", column)

    rows = SHARED.ask(("own records", batch.kind, column), make, batch.pk, batch.sent_at)
    return {pk: HeldRecord(status == RecordStatus.UNKNOWN, number) for pk, status, number in rows}


def find_late_ends(
    batch: SyncBatch, results: Mapping[int, tuple[int, str]], ends: Sequence[tuple[BatchItem, str, RecordOutcome]]
) -> LateEnds:
    """What an answer ends that counted as unknown; asked before the results are written. Hardly ever anything."""
    late, unknown = LateEnds(), SyncResultStatus.UNKNOWN
    if any(status == unknown for _, status in results.values()):
        words = dict(batch.results.filter(status=unknown).values_list("record_id", "error"))
        for item, status, outcome in ends:
            if item.pk in words:
                late.add(words[item.pk], status, describe_outcome(item, outcome))
    return late
