"""Writing down what became of a batch: answered, refused, not applied, unknown. One short transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Least
from django.utils.translation import gettext_noop

from mobjects import clock
from mobjects.db.bulk import bulk_update_rows
from mobjects.db.retry import retry_on_database_error
from mobjects.formatting import to_sentence
from mobjects.marketo.errors import MarketoError, OutcomeUnknown
from mobjects.marketo.reason_masking import reason_key
from mobjects.marketo.types import ACCEPTED_STATUSES, BatchResponse, Kind, OutcomeStatus, RecordOutcome
from mobjects.models import (
    RECORD_MODELS,
    Conflict,
    ConflictReason,
    ProgramCost,
    RecordStatus,
    SyncBatch,
    SyncBatchState,
    SyncJob,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.content.doubtful import mark_doubtful
from mobjects.sync.content.payload import KeyFields, fixed_names
from mobjects.sync.job_results import (
    add_counts,
    build_result,
    end_waiting_results,
    results_of_record,
    save_results,
    sent_again_by,
    short_label,
)
from mobjects.sync.send.answered_rows import find_late_ends, hold_batch, hold_records, results_of_batch
from mobjects.sync.send.claims import BatchItem
from mobjects.sync.send.held_now import explain_holds
from mobjects.sync.send.naming.answered_ids import (
    describe_outcome,
    find_foreign_ids,
    reject_foreign_id,
    save_replaced,
)
from mobjects.sync.send.selection import SyncSelection, candidate_records, classify_records, ordered_kinds
from mobjects.sync.task import close_batch, next_sequence
from mobjects.sync.transport_factory import key_fields

HELD_PAGE_SIZE = 1000

_AS_SENT = "(SELECT sent FROM mobjects_syncresult WHERE id = %s)"

_AnsweredItem = tuple[BatchItem, RecordOutcome, RecordOutcome]
"""What was sent, what is made of the answer, and the answer."""


@retry_on_database_error
def record_answer(job: SyncJob, batch: SyncBatch, items: Sequence[BatchItem], answer: BatchResponse) -> None:
    """Save the outcomes of an answered batch on its records, results and job.

    What Marketo says about a record that it accepted is a note for the result; the record has no error then.
    """
    kind, keys = Kind(batch.kind), key_fields()
    with transaction.atomic():
        hold_batch(batch)
        results = {record_id: (pk, status) for record_id, pk, status in results_of_batch(batch)}
        # Not all are pending where the lease expired before this answer came after all. What was decided
        # since then stays as it is.
        live = [
            (item, outcome)
            for item, outcome in zip(items, answer.outcomes, strict=True)
            if results[item.pk][1] in (SyncResultStatus.PENDING, SyncResultStatus.UNKNOWN)
        ]
        taken = find_foreign_ids(kind, live, keys)
        mine = hold_records(batch, keys)
        final = [(item, reject_foreign_id(item, given, taken, mine.get(item.pk)), given) for item, given in live]
        now = clock.now()
        _save_on_records(kind, keys, [(*row, results[row[0].pk][0]) for row in final if row[0].pk in mine], now)
        statuses = _statuses(final)
        late = find_late_ends(batch, results, [(item, statuses[item.pk], outcome) for item, outcome, _ in final])
        column = keys.id_column(kind)
        none = "" if column == "marketo_guid" else None
        _open_conflicts(job, kind, final, statuses)
        bulk_update_rows(
            SyncResult,
            {"status": "%s", column: "%s", "error": "%s", "reason_key": "%s"},
            [
                (statuses[item.pk], given.marketo_id or none, words, reason_key(words), results[item.pk][0])
                for item, outcome, given in final
                for words in [describe_outcome(item, outcome)]
            ],
        )
        close_batch(batch, SyncBatchState.ANSWERED, answer.exchange, at=now)
        changes = Counter(statuses.values())
        changes.subtract(status for _, status in results.values() if status == SyncResultStatus.UNKNOWN)
        add_counts(job, changes)
        again = {item.pk: outcome for item, outcome, _ in final if item.pk in mine and mine[item.pk].was_lost}
        if again:
            _end_earlier(job, kind, {pk: (outcome.status, outcome.message) for pk, outcome in again.items()})
        late.tell(job)


def _statuses(final: Sequence[_AnsweredItem]) -> dict[int, str]:
    """The status of each result, by our id: one that was accepted under an ID that cannot be taken is to be decided."""
    conflict = SyncResultStatus.CONFLICT.value
    return {
        item.pk: conflict if outcome is not given and given.status in ACCEPTED_STATUSES else outcome.status.value
        for item, outcome, given in final
    }


def _open_conflicts(job: SyncJob, kind: Kind, final: Sequence[_AnsweredItem], statuses: Mapping[int, str]) -> None:
    """Ask a person about records that were accepted as objects that they cannot be; nobody sends them until then."""
    for item, _, given in final:
        if statuses[item.pk] != SyncResultStatus.CONFLICT:
            continue
        record = records_of_kind(kind).filter(pk=item.pk).first()
        if record is None:
            continue
        there = {"id": given.marketo_id, "values": item.payload.sent, "created_at": None, "updated_at": None}
        values = {
            "label": short_label(record),
            "reason": ConflictReason.AMBIGUOUS,
            "base": item.payload.sent,
            "here": item.payload.sent,
            "candidates": [there],
            "job": job,
        }
        Conflict.objects.get_or_create(values, kind=kind.value, record_id=item.pk, decided_at=None)


def _end_earlier(job: SyncJob, kind: Kind, ends: Mapping[int, tuple[str, str]]) -> None:
    """End earlier sendings by other jobs that were never answered: this job has sent the records again.

    Args:
        ends: our id of the record to the status and words that it got here.
    """

    def end_of(waiting: SyncResult) -> tuple[SyncResultStatus, str]:
        status, words = ends[waiting.record_id]
        return sent_again_by(job, SyncResultStatus(status), words)

    end_waiting_results(job, kind, list(ends), end_of)


def _save_on_records(
    kind: Kind, keys: KeyFields, outcomes: Sequence[tuple[BatchItem, RecordOutcome, RecordOutcome, int]], now: datetime
) -> None:
    """Save what became of each record.

    Args:
        outcomes: each with the id of its result.
        now: by the database's clock.
    """
    column, free = keys.id_column(kind), {"unknown_since": None, "claimed_by": None}
    former_keys = keys.others if kind is Kind.OPPORTUNITY else []
    said = {
        "last_status": "%s",
        "last_error": "%s",
        "answered_revision": "%s",
        column: f"COALESCE({column}, %s)",
        "synced_revision": "%s",
    }
    complete, accepted, others = [], [], []
    for item, outcome, _, result in outcomes:
        known = outcome.marketo_id if outcome.status is not OutcomeStatus.FAILED else None
        error = "" if outcome.status in ACCEPTED_STATUSES else outcome.message
        row = (outcome.status.value, error, item.revision, known)
        # The revision that was sent, not the one of now: an edit made meanwhile stays dirty.
        if (
            outcome.status in ACCEPTED_STATUSES
            and not item.accepted
            and all(item.payload.sent.values())
            and not any(name in item.payload.sent for name in former_keys)
        ):
            complete.append((*row, item.revision, result, item.pk))
        elif outcome.status in ACCEPTED_STATUSES:
            merged = item.accepted | item.payload.sent
            values = {name: text for name, text in merged.items() if text != ""}
            if former_keys and (not item.accepted or merged.get(keys.opportunity) == ""):
                values = keys.mark_empty(values)
            accepted.append((*row, item.revision, values, item.pk))
        else:
            # Stays dirty, or becomes so if it was sent again without changes.
            others.append((*row, max(item.revision - 1, 0), item.pk))
    model = RECORD_MODELS[kind]
    synced = {**free, "last_synced_at": now}
    # What was all of it is written down already.
    bulk_update_rows(model, {**said, "accepted": _AS_SENT}, complete, same=synced, by_id=("accepted",))
    bulk_update_rows(model, {**said, "accepted": "%s"}, accepted, same=synced)
    behind = f"{'MIN' if connection.vendor == 'sqlite' else 'LEAST'}(synced_revision, %s)"
    bulk_update_rows(model, {**said, "synced_revision": behind}, others, same=free)
    save_replaced(kind, keys, [(item, outcome) for item, outcome, *_ in outcomes if item.payload.record.replaced])


@retry_on_database_error
def record_unsent(job: SyncJob, batch: SyncBatch, error: MarketoError, *, again: bool) -> None:
    """Save that a batch was certainly not applied.

    Args:
        again: whether a further attempt is to be made; its batch then waits and keeps the records claimed.
    """
    with transaction.atomic():
        if not _is_sending(batch):
            return
        further = None
        if again:
            same = {"sequence": batch.sequence, "part_of": batch.part_of, "size": batch.size}
            further = _successor(batch, **same, attempt=batch.attempt + 1, cause=error.message)
        records_of_kind(Kind(batch.kind)).filter(claimed_by=batch).update(claimed_by=further)
        status = SyncResultStatus.RETRIED if again else SyncResultStatus.NOT_SENT
        _close_without_answer(job, batch, SyncBatchState.NOT_SENT, status, error)


@retry_on_database_error
def record_halves(job: SyncJob, batch: SyncBatch, error: MarketoError) -> None:
    """Save that a batch was refused as a whole, and let its two halves wait to be sent by themselves."""
    of = records_of_kind(Kind(batch.kind))
    words = gettext_noop("Half of batch %(sequence)s, which was refused as a whole.") % {"sequence": batch.sequence}
    with transaction.atomic():
        if not _is_sending(batch):
            return
        ids = list(batch.results.order_by("position").values_list("record_id", flat=True))
        middle = (len(ids) + 1) // 2
        for half in (ids[:middle], ids[middle:]):
            part = _successor(batch, sequence=next_sequence(job), part_of=batch, size=len(half), cause=words)
            of.filter(claimed_by=batch, pk__in=half).update(claimed_by=part)
        _close_without_answer(job, batch, SyncBatchState.REFUSED, SyncResultStatus.RETRIED, error)


@retry_on_database_error
def record_refused(job: SyncJob, batch: SyncBatch, error: MarketoError) -> None:
    """Save that a batch was refused and nothing of it applied: each of its records has failed."""
    with transaction.atomic():
        if not _is_sending(batch):
            return
        kind, failed = Kind(batch.kind), SyncResultStatus.FAILED
        claimed = records_of_kind(kind).filter(claimed_by=batch)
        again = claimed.filter(last_status=RecordStatus.UNKNOWN).values_list("pk", flat=True)
        ends = dict.fromkeys(again, (failed.value, error.message))
        _let_go(claimed, RecordStatus.FAILED, error)
        _close_without_answer(job, batch, SyncBatchState.REFUSED, failed, error)
        if ends:
            _end_earlier(job, kind, ends)


@retry_on_database_error
def record_unknown(job: SyncJob, batch: SyncBatch, error: MarketoError) -> None:
    """Save that a batch may or may not have been applied. Its records count as changed until that is looked up."""
    with transaction.atomic():
        if not _is_sending(batch):
            return
        claimed = records_of_kind(Kind(batch.kind)).filter(claimed_by=batch)
        _doubt(claimed, batch)
        _let_go(claimed, RecordStatus.UNKNOWN, error, unknown_since=batch.sent_at)
        _close_without_answer(job, batch, SyncBatchState.UNKNOWN, SyncResultStatus.UNKNOWN, error)


@retry_on_database_error
def abandon_sending_batches(job: SyncJob, message: str, lease: int | None = None) -> None:
    """After a crash: every batch still being sent may or may not have been applied; a reading call was just lost.

    Args:
        lease: only what its worker was sending; ``None`` means all of the job.
    """
    error = OutcomeUnknown(message)
    sending = job.batches.filter(state=SyncBatchState.SENDING)
    for batch in sending if lease is None else sending.filter(lease_id=lease):
        deletes, pending = batch.operation == "DELETE", batch.results.filter(status=SyncResultStatus.PENDING)
        if pending.exists() and not deletes:
            record_unknown(job, batch, error)
        else:
            # What was deleted already can be deleted again, so nothing has to be looked up.
            pending.update(status=SyncResultStatus.RETRIED, error=message)
            records_of_kind(Kind(batch.kind)).filter(claimed_by=batch).update(claimed_by=None)
            batch.fault_text = message
            close_batch(batch, SyncBatchState.UNKNOWN if deletes else SyncBatchState.NOT_SENT, None)


@retry_on_database_error
def cancel_waiting_batches(job: SyncJob, words: str, status: SyncResultStatus = SyncResultStatus.NOT_SENT) -> None:
    """Give up what still waits to be sent: its records are let go and stay changed.

    Args:
        job: nobody works on it.
        words: why, in English.
        status: of the results; a passing one where the job may send those records later.
    """
    with transaction.atomic():
        for batch in job.batches.select_for_update().filter(state=SyncBatchState.WAITING):
            claimed = records_of_kind(Kind(batch.kind)).filter(claimed_by=batch)
            given_up = [
                build_result(job, record, status, batch=batch, position=position, error=words)
                for position, record in enumerate(claimed.order_by("pk"), start=1)
            ]
            claimed.update(claimed_by=None)
            batch.fault_text = words
            close_batch(batch, SyncBatchState.NOT_SENT, None)
            save_results(job, given_up)


def record_all_held(job: SyncJob, selection: SyncSelection, keys: KeyFields) -> None:
    """Write down all records that a job holds back and has no result of yet, with the reason."""
    for kind in ordered_kinds(selection):
        has_result = Exists(results_of_record(job, kind).exclude(status__in=SyncResult.PASSING_STATUSES))
        for part in selection.iter_parts():
            record_held(job, kind, part, keys, has_result)


def record_held(job: SyncJob, kind: Kind, selection: SyncSelection, keys: KeyFields, has_result: Any) -> None:
    """Write down the records of a kind that this job holds back, with the reason.

    Args:
        has_result: a subquery of results; a record with one of them has its result in this job already.
    """
    if not candidate_records(kind, selection).exists():  # Judging none is as dear as judging one.
        return
    held = classify_records(kind, selection, keys).exclude(hold="").exclude(has_result)
    if kind is Kind.ROLE:
        held = held.select_related("opportunity")
    last = 0
    # Page by page: on SQLite the snapshot of a cursor that is still open keeps us from writing.
    while page := list(held.filter(pk__gt=last)[:HELD_PAGE_SIZE]):
        last = page[-1].pk
        _save_held(job, page, keys)


@retry_on_database_error
def _save_held(job: SyncJob, held: Sequence[Any], keys: KeyFields) -> None:  # records with their ``hold``
    exact = explain_holds(held, keys)
    with transaction.atomic():
        status = SyncResultStatus.HELD
        reasons = [(record, exact.get(record.pk) or to_sentence(record.hold)) for record in held]
        save_results(job, [build_result(job, record, status, error=reason) for record, reason in reasons])


def _is_sending(batch: SyncBatch) -> bool:
    """Not any more where its lease expired before the answer came: its records are being looked up then."""
    return hold_batch(batch) == SyncBatchState.SENDING


def _successor(batch: SyncBatch, **values: Any) -> SyncBatch:
    same = {"job_id": batch.job_id, "kind": batch.kind, "operation": batch.operation}
    return SyncBatch.objects.create(**same, state=SyncBatchState.WAITING, **values)


def _close_without_answer(
    job: SyncJob,
    batch: SyncBatch,
    state: SyncBatchState,
    status: SyncResultStatus,
    error: MarketoError,
) -> None:
    pending = batch.results.filter(status=SyncResultStatus.PENDING)
    changed = pending.update(status=status, error=error.message, reason_key=reason_key(error.message))
    batch.fault_code, batch.fault_text = error.code, error.message
    close_batch(batch, state, error.exchange)
    add_counts(job, {status.value: changed})


def _let_go(
    claimed: SyncedQuerySet, status: RecordStatus, error: MarketoError, unknown_since: datetime | None = None
) -> None:
    sent = SyncResult.objects.filter(batch=OuterRef("claimed_by"), record_id=OuterRef("pk")).values("revision")
    claimed.update(
        claimed_by=None,
        unknown_since=unknown_since,
        last_status=status,
        last_error=error.message,
        answered_revision=Coalesce(Subquery(sent[:1]), F("revision")),
        # Not accepted, so still to be sent, even if it was sent again without changes.
        synced_revision=Least(F("synced_revision"), F("revision") - 1),
    )


def _doubt(claimed: SyncedQuerySet, batch: SyncBatch) -> None:
    """Take what was sent for changed until it is accepted, even if it is put back to what was accepted before."""
    sent = dict(batch.results.values_list("record_id", "sent"))
    kind, keys = Kind(batch.kind), key_fields()
    by_id = kind is Kind.PROGRAM and keys.traits.has_cost_ids
    known = ProgramCost.objects.filter(marketo_cost_id__isnull=False)
    costs = {cost.content_key for cost in known.filter(program__in=sent)} if by_id else set()
    fixed = fixed_names(kind, keys)
    read = claimed.only("accepted", *(["external_id", "custom_attributes"] if kind is Kind.OPPORTUNITY else []))
    rows = [(mark_doubtful(keys.kept_of(record), sent[record.pk], costs, fixed), record.pk) for record in read]
    bulk_update_rows(RECORD_MODELS[kind], {"accepted": "%s"}, rows)
