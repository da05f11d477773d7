"""Writing down what happens to a batch: claimed, answered, refused, unknown. One short transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from mobjects.marketo.contract import ACCEPTED, Answer, Exchange, Kind, Operation, Outcome, Record, Status
from mobjects.marketo.errors import MarketoError, OutcomeUnknown, Rejected
from mobjects.models import RecordStatus, SyncBatch, SyncedRecord, SyncJob, SyncResult, records
from mobjects.models.base import SyncedQuerySet
from mobjects.sync.payloads import Built, Equal, Held, KeyFields, Payload, build, doubted
from mobjects.sync.saving import insisting
from mobjects.sync.selection import Selection, classified, loaded

_States = tuple[SyncBatch.State, SyncResult.Status, RecordStatus | None]
"""What an unanswered batch, its results and its records become; ``None`` leaves the records as they were."""

HELD_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """A record in a batch, as it was when it was claimed."""

    pk: int
    revision: int
    marketo_id: int | None
    accepted: dict[str, str]
    payload: Payload


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that is written and ready to send; ``last_pk`` is where the next claim goes on."""

    batch: SyncBatch | None
    items: Sequence[Item]
    last_pk: int


@insisting
def claim(
    job: SyncJob,
    kind: Kind,
    operation: Operation,
    selection: Selection,
    keys: KeyFields,
    *,
    refuse: Callable[[Record, Operation], str],
    after: int,
    limit: int,
) -> Claim | None:
    """Take the next records for this job and write their batch down before anything is sent.

    A record is taken by a conditional UPDATE, so it is never in two live batches, and it is judged again
    once its row is locked: another job may have sent it since it was picked. Records that
    turn out not to be sendable, or to hold nothing to send, get their result here and are let go.

    Returns:
        ``None`` when there are no more; ``batch`` is ``None`` where nothing of this slice has to be sent.
    """
    sendable = classified(kind, selection, keys).filter(hold="", wire_operation=operation.value, pk__gt=after)
    with transaction.atomic():
        ids = list(sendable.values_list("pk", flat=True)[:limit])
        if not ids:
            return None
        batch = SyncBatch.objects.create(
            job=job, sequence=job.batches.count() + 1, kind=kind.value, operation=operation.value
        )
        # In one order for all, so that two claims wait for each other instead of dying in a deadlock.
        list(records(kind).select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
        sendable.filter(pk__in=ids).update(claimed_by=batch)
        claimed = [record for record in loaded(kind, ids) if record.claimed_by_id == batch.pk]
        built = [
            (record, _checked(build(record, operation, keys, resend=selection.resend), operation, refuse))
            for record in claimed
        ]
        _let_go(job, [(record, part) for record, part in built if not isinstance(part, Payload)])
        items = [_item(record, part) for record, part in built if isinstance(part, Payload)]
        if not items:
            batch.delete()
            return Claim(None, (), ids[-1])
        SyncResult.objects.bulk_create(_pending(job, batch, built))
        batch.size = len(items)
        batch.save(update_fields=["size"])
    return Claim(batch, items, ids[-1])


def record_held(job: SyncJob, kind: Kind, selection: Selection, keys: KeyFields) -> None:
    """Write down the records of a kind that this job holds back, with the reason."""
    held = classified(kind, selection, keys).exclude(hold="")
    if kind is Kind.ROLE:
        held = held.select_related("opportunity")
    last = 0
    # Page by page: on SQLite the snapshot of a cursor that is still open keeps us from writing.
    while page := list(held.filter(pk__gt=last)[:HELD_PAGE]):
        last = page[-1].pk
        _save_held(job, page)


@insisting
def _save_held(job: SyncJob, held: Sequence[Any]) -> None:  # records with their ``hold``
    with transaction.atomic():
        SyncResult.objects.bulk_create(
            [_result(job, record, SyncResult.Status.HELD, error=_sentence(record.hold)) for record in held]
        )
        _count(job, Counter({SyncResult.Status.HELD.value: len(held)}))


@insisting
def record_answer(job: SyncJob, batch: SyncBatch, items: Sequence[Item], answer: Answer) -> None:
    """Save the outcomes of an answered batch on its records, results and job."""
    kind = Kind(batch.kind)
    with transaction.atomic():
        taken = _ids_of_others(kind, items, answer.outcomes)
        results = {result.record_id: result for result in batch.results.all()}
        # Not all are pending where the job was taken for lost before this answer came after all.
        before = Counter(result.status for result in results.values() if result.status != SyncResult.Status.PENDING)
        now = timezone.now()
        for item, given in zip(items, answer.outcomes, strict=True):
            outcome = _without_taken_id(item, given, taken)
            _save_outcome(kind, item, outcome, now)
            result = results[item.pk]
            result.status, result.marketo_id, result.error = outcome.status.value, given.marketo_id, outcome.message
        SyncResult.objects.bulk_update(results.values(), ["status", "marketo_id", "error"])
        _close(batch, SyncBatch.State.ANSWERED, answer.exchange)
        _count(job, Counter(result.status for result in results.values()), instead_of=before)


def record_error(job: SyncJob, batch: SyncBatch, error: MarketoError) -> None:
    """Save that a batch did not get its answer: refused, certainly not applied, or unknown."""
    if isinstance(error, OutcomeUnknown):
        states: _States = (SyncBatch.State.UNKNOWN, SyncResult.Status.UNKNOWN, RecordStatus.UNKNOWN)
    elif isinstance(error, Rejected):
        states = SyncBatch.State.REFUSED, SyncResult.Status.FAILED, RecordStatus.FAILED
    else:
        states = SyncBatch.State.NOT_SENT, SyncResult.Status.NOT_SENT, None
    _close_without_answer(job, batch, states, error.message, code=error.code, exchange=error.exchange)


def abandon(job: SyncJob, message: str) -> None:
    """After a crash: every batch still being sent may or may not have been applied."""
    states = SyncBatch.State.UNKNOWN, SyncResult.Status.UNKNOWN, RecordStatus.UNKNOWN
    for batch in job.batches.filter(state=SyncBatch.State.SENDING):
        _close_without_answer(job, batch, states, message)


@insisting
def _close_without_answer(
    job: SyncJob,
    batch: SyncBatch,
    states: _States,
    message: str,
    *,
    code: str = "",
    exchange: Exchange | None = None,
) -> None:
    batch_state, result_status, record_status = states
    with transaction.atomic():
        claimed = records(Kind(batch.kind)).filter(claimed_by=batch)
        if record_status is None:
            claimed.update(claimed_by=None)
        else:
            if record_status is RecordStatus.UNKNOWN:
                _doubt(claimed, batch)
            # Not accepted, so still to be sent, even if it was sent again without changes.
            behind = Least(F("synced_revision"), F("revision") - 1)
            claimed.update(claimed_by=None, last_status=record_status, last_error=message, synced_revision=behind)
        changed = batch.results.update(status=result_status, error=message)
        batch.fault_code, batch.fault_text = code, message
        _close(batch, batch_state, exchange)
        _count(job, Counter({result_status.value: changed}))


def _doubt(claimed: SyncedQuerySet, batch: SyncBatch) -> None:
    """Take what was sent for changed until it is accepted, even if it is put back to what was accepted before."""
    sent = dict(batch.results.values_list("record_id", "sent"))
    in_doubt = list(claimed.only("accepted"))
    for record in in_doubt:
        record.accepted = doubted(record.accepted, sent[record.pk])
    claimed.bulk_update(in_doubt, ["accepted"])


def _save_outcome(kind: Kind, item: Item, outcome: Outcome, now: object) -> None:
    changes: dict[str, Any] = {"last_status": outcome.status.value, "last_error": outcome.message, "claimed_by": None}
    if outcome.marketo_id is not None and outcome.status is not Status.FAILED:
        changes["marketo_id"] = Coalesce("marketo_id", Value(outcome.marketo_id))
    if outcome.status in ACCEPTED:
        merged = item.accepted | item.payload.sent
        changes["accepted"] = {name: text for name, text in merged.items() if text != ""}
        # The revision that was sent, not the one of now: an edit made meanwhile stays dirty.
        changes["synced_revision"] = item.revision
        changes["last_synced_at"] = now
    else:
        # Stays dirty, or becomes so if it was sent again without changes.
        changes["synced_revision"] = Least(F("synced_revision"), Value(max(item.revision - 1, 0)))
    records(kind).filter(pk=item.pk).update(**changes)


def _ids_of_others(kind: Kind, items: Sequence[Item], outcomes: Sequence[Outcome]) -> set[int]:
    """Ids in an answer that are already known for other local records, or that it gives twice."""
    new = [
        outcome.marketo_id
        for item, outcome in zip(items, outcomes, strict=True)
        if outcome.marketo_id is not None and item.marketo_id is None
    ]
    owners = dict(records(kind).filter(marketo_id__in=new).values_list("marketo_id", "pk"))
    # A record's own id is not taken, even if it came to be known only since the record was claimed.
    own = {outcome.marketo_id: item.pk for item, outcome in zip(items, outcomes, strict=True)}
    twice = {marketo_id for marketo_id, times in Counter(new).items() if times > 1}
    return {marketo_id for marketo_id, pk in owners.items() if own[marketo_id] != pk} | twice


def _without_taken_id(item: Item, outcome: Outcome, taken: set[int]) -> Outcome:
    if item.marketo_id is not None or outcome.marketo_id not in taken:
        return outcome
    return Outcome(
        Status.FAILED,
        message=f"Marketo answered {outcome.status} with the ID {outcome.marketo_id}, which another record here "
        f"already has: both describe one object in Marketo. {outcome.message}".strip(),
    )


def _checked(part: Built, operation: Operation, refuse: Callable[[Record, Operation], str]) -> Built:
    problem = refuse(part.record, operation) if isinstance(part, Payload) else ""
    return Held(_sentence(problem)) if problem else part


def _item(record: SyncedRecord, payload: Payload) -> Item:
    return Item(record.pk, record.revision, record.marketo_id, record.accepted, payload)


def _pending(job: SyncJob, batch: SyncBatch, built: Sequence[tuple[SyncedRecord, Built]]) -> list[SyncResult]:
    sent = [(record, part) for record, part in built if isinstance(part, Payload)]
    return [
        _result(job, record, SyncResult.Status.PENDING, batch=batch, position=position, payload=payload)
        for position, (record, payload) in enumerate(sent, start=1)
    ]


def _let_go(job: SyncJob, built: Sequence[tuple[SyncedRecord, Built]]) -> None:
    results = []
    for record, part in built:
        changes: dict[str, object] = {"claimed_by": None}
        if isinstance(part, Held):
            results.append(_result(job, record, SyncResult.Status.HELD, error=part.reason))
        elif isinstance(part, Equal):
            # What failed or was skipped has been taken back.
            changes |= {"synced_revision": record.revision, "last_status": "", "last_error": ""}
            results.append(_result(job, record, SyncResult.Status.EQUAL, error=part.note))
        type(record).objects.filter(pk=record.pk).update(**changes)
    SyncResult.objects.bulk_create(results)
    _count(job, Counter(str(result.status) for result in results))


def _result(
    job: SyncJob,
    record: SyncedRecord,
    status: SyncResult.Status,
    *,
    batch: SyncBatch | None = None,
    position: int | None = None,
    payload: Payload | None = None,
    error: str = "",
) -> SyncResult:
    return SyncResult(
        job=job,
        batch=batch,
        kind=record.KIND.value,
        record_id=record.pk,
        label=str(record)[:255],
        position=position,
        revision=record.revision,
        sent=payload.sent if payload else {},
        diff=payload.diff if payload else [],
        status=status.value,
        marketo_id=record.marketo_id,
        error=error,
    )


def _close(batch: SyncBatch, state: SyncBatch.State, exchange: Exchange | None) -> None:
    batch.state = state
    batch.answered_at = timezone.now()
    if exchange is not None:
        batch.request, batch.response = exchange.request, exchange.response
        batch.user_id, batch.signed_at = exchange.user_id, exchange.signed_at
        batch.http_status, batch.seconds = exchange.http_status, exchange.seconds
    batch.save()


def _count(job: SyncJob, more: Counter[str], instead_of: Counter[str] | None = None) -> None:
    # What is in memory may come from an attempt that was rolled back.
    job.refresh_from_db(fields=["counts"])
    counts = Counter(job.counts)
    counts.update(more)
    counts.subtract(instead_of or Counter())
    job.counts = {status: count for status, count in counts.items() if count}
    job.save(update_fields=["counts"])


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."
