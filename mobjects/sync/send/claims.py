"""Taking records for a batch, so that no record is ever in two live batches, and writing the batch down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from mobjects import clock
from mobjects.db.bulk import bulk_insert_rows
from mobjects.db.planning import walk_in_order
from mobjects.db.prepared import SHARED, given, given_among
from mobjects.db.retry import retry_on_database_error
from mobjects.formatting import to_sentence
from mobjects.marketo.types import Kind, MarketoId, Operation
from mobjects.models import (
    RecordStatus,
    SyncBatch,
    SyncBatchState,
    SyncedRecord,
    SyncJob,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.content.loading import add_related
from mobjects.sync.content.payload import BuildResult, HeldBack, NothingToSend, Payload, build_payload
from mobjects.sync.job_results import (
    build_result,
    end_waiting_results,
    has_end,
    ids_of_result,
    save_results,
    short_labels,
    supersede_unknown,
)
from mobjects.sync.send.preview.planned import hold_unplanned
from mobjects.sync.send.selection import OperationChoice, SyncSelection, candidate_records, classify_records, has_id
from mobjects.sync.task import JobContext, next_sequence

_UNREAD = ("in_marketo", "read_at", "unknown_since", "last_error", "last_synced_at", "created_at", "modified_at")
"""Columns that sending does not look at."""


@dataclass(slots=True)  # Not frozen: a batch has hundreds, and those take three times as long to make.
class BatchItem:
    """A record in a batch, as it was when it was claimed."""

    pk: int
    revision: int
    marketo_id: MarketoId | None
    accepted: dict[str, str]
    payload: Payload


@dataclass(frozen=True, slots=True)
class StartedBatch:
    """A batch that is written down and about to be sent. Both are empty where nothing of it has to be sent."""

    batch: SyncBatch | None
    items: Sequence[BatchItem]


def sendable_records(context: JobContext, kind: Kind, operation: Operation, selection: SyncSelection) -> SyncedQuerySet:
    """Records that this job may send under an operation now, and has not dealt with yet."""
    found = _open(context, kind, operation, selection)
    if selection.read_first and operation is Operation.UPDATE:
        found = found.exclude(not_read_by(context.job), has_id(kind, context.keys))
    return found


def unread_records(context: JobContext, kind: Kind, operation: Operation, selection: SyncSelection) -> SyncedQuerySet:
    """Records that could be sent, once they have been read in Marketo."""
    return _open(context, kind, operation, selection).filter(not_read_by(context.job), has_id(kind, context.keys))


def count_batches(context: JobContext, kind: Kind, selection: SyncSelection, *, most: int) -> int:
    """How many batches this job may send now of what it has not dealt with yet; ``most`` where it is more than that.

    No more records are judged than that many batches hold: a worker that begins does not wait for a count of a million.
    """
    limits = {each: limit for each in Operation if (limit := context.transport.limit(kind, each))}
    if not limits or not candidate_records(kind, selection).exists():
        return 0
    found = classify_records(kind, selection, context.keys).filter(hold="", wire_operation__in=list(limits))
    found = found.exclude(has_end(context.job, kind)).order_by()
    counted = Counter(found.values_list("wire_operation", flat=True)[: most * max(limits.values())])
    return min(most, sum(-(-count // limits[Operation(operation)]) for operation, count in counted.items()))


def not_read_by(job: SyncJob) -> Q:
    """The condition that a record was not read in Marketo since a job began."""
    return Q(read_at__isnull=True) | Q(read_at__lt=job.started_at)


def _open(context: JobContext, kind: Kind, operation: Operation, selection: SyncSelection) -> SyncedQuerySet:
    found = classify_records(kind, selection, context.keys).filter(hold="", wire_operation=operation.value)
    return found.exclude(has_end(context.job, kind))


@retry_on_database_error
def claim_batch(
    context: JobContext, kind: Kind, operation: Operation, selection: SyncSelection, *, after: int, limit: int
) -> tuple[SyncBatch, int] | None:
    """Take the next records for a batch of this worker, which then waits to be sent (see :func:`start_batch`).

    Rows are locked, and those that another worker is taking are passed over, so a record is never in two batches.

    Returns:
        The batch, and our id of its last record, where the next claim goes on; ``None`` when there are no more.
    """
    with transaction.atomic():

        def make() -> QuerySet[Any]:
            found = sendable_records(context, kind, operation, selection).filter(pk__gt=given())
            return found.select_for_update(skip_locked=True, of=("self",)).values_list("pk")[:limit]

        if selection.is_whole:
            walk_in_order()
        # What it judges by the clock, it judges by that of where the walk began: it passes over more, and the next
        # walk comes by there again.
        ids = [pk for (pk,) in context.queries.ask(("sendable", kind, operation), make, after, anew=not after)]
        if not ids:
            return None
        batch = SyncBatch.objects.create(
            job=context.job,
            lease=context.lease,
            kind=kind.value,
            operation=operation.value,
            state=SyncBatchState.WAITING,
            sequence=next_sequence(context.job),
            size=len(ids),
        )
        SHARED.update(("claim", kind), lambda: _claim_statement(kind), ids, batch.pk)
    return batch, ids[-1]


def _claim_statement(kind: Kind) -> tuple[QuerySet[Any], dict[str, Any]]:
    of = records_of_kind(kind)
    return of.filter(pk__in=given_among(of.model._meta.pk)), {"claimed_by": given(1)}


@retry_on_database_error
def start_batch(context: JobContext, batch: SyncBatch, selection: SyncSelection) -> StartedBatch | None:
    """Begin a batch that waits to be sent, with its records as they are now, and write down what goes out.

    Records that turn out not to be sendable, or to hold nothing to send, get their result here and are let go.

    Returns:
        ``None`` if another worker took it first.
    """
    kind, operation = Kind(batch.kind), Operation(batch.operation)
    with transaction.atomic():
        batch.state, batch.lease, batch.sent_at = SyncBatchState.SENDING, context.lease, clock.now()
        if not SHARED.update("start", _start_statement, batch.pk, context.lease.pk, batch.sent_at):
            return None
        held = _claimed_records(context, kind, batch)
        # What a person gave a Marketo ID meanwhile goes out as an UPDATE, with the next slice.
        creates = selection.operation is OperationChoice.AUTO and operation is not Operation.UPDATE
        id_of = context.keys.id_of
        kept = [record for record in held if not record.ended and not (creates and id_of(record) is not None)]
        gone = {record.pk for record in held} - {record.pk for record in kept}
        if gone:
            records_of_kind(kind).filter(pk__in=gone).update(claimed_by=None)
        return _store_payloads(context, operation, kept, selection, batch)


def _start_statement() -> tuple[QuerySet[Any], dict[str, Any]]:
    waiting = SyncBatch.objects.filter(pk=given(), state=SyncBatchState.WAITING)
    sent_at = given(2, SyncBatch._meta.get_field("sent_at"))
    return waiting, {"state": SyncBatchState.SENDING, "lease": given(1), "sent_at": sent_at}


def _claimed_records(context: JobContext, kind: Kind, batch: SyncBatch) -> list[Any]:
    """The records of a batch; each has ``ended``: some may have got their result in this job before they were
    locked.
    """

    def make() -> QuerySet[Any]:
        claimed = records_of_kind(kind).filter(claimed_by=given()).order_by("pk").defer(*_UNREAD)
        found: QuerySet[Any] = claimed.annotate(ended=has_end(context.job, kind))
        return found

    held = context.queries.ask_records(("claimed", kind), make, batch.pk)
    add_related(kind, held)
    return held


def _store_payloads(
    context: JobContext, operation: Operation, taken: Sequence[SyncedRecord], selection: SyncSelection, batch: SyncBatch
) -> StartedBatch:
    built = [(record, _built(context, record, operation, selection)) for record in taken]
    if selection.of_dry_run:
        built = hold_unplanned(Kind(batch.kind), selection, built)
    sent = [(record, part) for record, part in built if isinstance(part, Payload)]
    # Also of those that another job has dealt with meanwhile, and of those that now hold nothing to send.
    supersede_unknown(context.job, Kind(batch.kind), [record.pk for record in taken])
    _release_unsendable(context.job, [(record, part) for record, part in built if not isinstance(part, Payload)])
    if not sent:
        batch.delete()
        return StartedBatch(None, ())
    if batch.size != len(sent):
        batch.size = len(sent)
        batch.save(update_fields=["size"])
    _expect(batch, sent)
    id_of, kept_of = context.keys.id_of, context.keys.kept_of
    items = [BatchItem(record.pk, record.revision, id_of(record), kept_of(record), part) for record, part in sent]
    return StartedBatch(batch, items)


def _expect(batch: SyncBatch, sent: Sequence[tuple[SyncedRecord, Payload]]) -> None:
    """Write down the results that a batch is going to have."""
    same = {"job": batch.job_id, "batch": batch.pk, "kind": batch.kind, "status": SyncResultStatus.PENDING.value}
    labels = short_labels(record for record, _ in sent)
    bulk_insert_rows(
        SyncResult,
        {**same, "error": "", "created_at": batch.sent_at},
        ("record_id", "label", "position", "revision", "sent", "diff", *ids_of_result(sent[0][0])),
        [
            (record.pk, label, position, record.revision, part.sent, part.diff, *ids_of_result(record).values())
            for position, ((record, part), label) in enumerate(zip(sent, labels, strict=True), start=1)
        ],
    )


def _built(context: JobContext, record: SyncedRecord, operation: Operation, selection: SyncSelection) -> BuildResult:
    part = build_payload(record, operation, context.keys, resend=selection.resend)
    problem = context.transport.problem(part.record, operation) if isinstance(part, Payload) else ""
    return HeldBack(to_sentence(problem)) if problem else part


def _release_unsendable(job: SyncJob, built: Sequence[tuple[SyncedRecord, BuildResult]]) -> None:
    results, ended = [], {}
    for record, part in built:
        changes: dict[str, object] = {"claimed_by": None}
        if isinstance(part, HeldBack):
            results.append(build_result(job, record, SyncResultStatus.HELD, error=part.reason))
        elif isinstance(part, NothingToSend):
            # What failed or was skipped has been taken back; what Marketo last answered stays.
            changes |= {"synced_revision": record.revision, "last_error": "", "unknown_since": None}
            results.append(build_result(job, record, SyncResultStatus.EQUAL, error=part.note))
            if record.last_status == RecordStatus.UNKNOWN:
                changes["last_status"] = ""
                ended[record.pk] = (SyncResultStatus.EQUAL, part.note)
        type(record).objects.filter(pk=record.pk).update(**changes)
    save_results(job, results)
    if ended:
        end_waiting_results(job, built[0][0].KIND, list(ended), lambda waiting: ended[waiting.record_id])
