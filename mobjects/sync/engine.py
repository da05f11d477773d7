"""The sync itself: claim, build, send, write down; batch after batch, in the order Marketo needs.

Knows the transport interface and the models; knows neither SOAP nor REST nor the queue.
No network call is made inside a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mobjects.marketo.contract import Answer, Batch, Kind, Operation, Transport
from mobjects.marketo.errors import MarketoError, OutcomeUnknown, Rejected
from mobjects.models import SyncBatch, SyncJob
from mobjects.sync import outcomes
from mobjects.sync.payloads import KeyFields, Payload, build
from mobjects.sync.selection import Selection, classified, forecast, loaded, ordered_kinds

SENDING_ORDER = (Operation.UPDATE, Operation.UPSERT, Operation.INSERT)
"""UPDATE first: what an INSERT creates would else be met again as an UPDATE in the same job."""


def run(job: SyncJob, transport: Transport, keys: KeyFields) -> None:
    """Send what a job selected and save every outcome.

    Args:
        job: in state running; its counts and plan are updated as it goes.
        transport: an open transport; not closed here.
        keys: names of the external key fields.

    Raises:
        MarketoError: the job cannot go on (credentials, connection, unknown outcome). The batch in
            hand is saved as such; what was not sent stays changed.
    """
    selection = Selection.from_json(job.selection)
    job.planned = sum(group.count for group in forecast(selection, keys))
    job.save(update_fields=["planned"])
    for kind in ordered_kinds(selection):
        for part in selection.parts():
            for operation in SENDING_ORDER:
                _send_all(job, transport, keys, part, kind, operation)
            outcomes.record_held(job, kind, part, keys)


def render(selection: Selection, transport: Transport, keys: KeyFields) -> Iterator[tuple[Kind, Operation, int, str]]:
    """What :func:`run` would send now, batch by batch: kind, operation, size, body with the signature masked.

    Claims, sends and saves nothing. Roles that wait for an opportunity are not rendered.
    """
    for kind in ordered_kinds(selection):
        for operation in SENDING_ORDER:
            limit = transport.limit(kind, operation)
            sendable = classified(kind, selection, keys).filter(hold="", wire_operation=operation.value)
            last = 0
            while limit and (ids := list(sendable.filter(pk__gt=last).values_list("pk", flat=True)[:limit])):
                last = ids[-1]
                built = [build(record, operation, keys, resend=selection.resend) for record in loaded(kind, ids)]
                sendable_now = [part.record for part in built if isinstance(part, Payload)]
                records = [record for record in sendable_now if not transport.problem(record, operation)]
                if records:
                    yield kind, operation, len(records), transport.render(Batch(operation, records))


def _send_all(
    job: SyncJob, transport: Transport, keys: KeyFields, selection: Selection, kind: Kind, operation: Operation
) -> None:
    limit = transport.limit(kind, operation)
    last = 0
    while limit and not _ended_by_others(job):
        claim = outcomes.claim(job, kind, operation, selection, keys, refuse=transport.problem, after=last, limit=limit)
        if claim is None:
            return
        last = claim.last_pk
        if claim.batch is not None:
            _send(job, transport, operation, claim.batch, claim.items)


def _ended_by_others(job: SyncJob) -> bool:
    """Whether the job was taken for lost (see :func:`mobjects.jobs.settle_lost`) while this process lived on."""
    return SyncJob.objects.filter(pk=job.pk, state__in=SyncJob.FINAL).exists()


def _send(
    job: SyncJob, transport: Transport, operation: Operation, batch: SyncBatch, items: Sequence[outcomes.Item]
) -> None:
    try:
        answer = transport.send(Batch(operation, [item.payload.record for item in items]))
        _check_answer(items, answer)
    except Rejected as error:
        # This request is wrong; the next may be right.
        outcomes.record_error(job, batch, error)
    except MarketoError as error:
        outcomes.record_error(job, batch, error)
        raise
    else:
        outcomes.record_answer(job, batch, items, answer)


def _check_answer(items: Sequence[outcomes.Item], answer: Answer) -> None:
    """The last guard against results on the wrong record: count and known ids must agree."""
    if len(answer.outcomes) != len(items):
        message = f"Marketo answered {len(answer.outcomes)} rows for {len(items)} records."
        raise OutcomeUnknown(message, exchange=answer.exchange)
    for position, (item, outcome) in enumerate(zip(items, answer.outcomes, strict=True), start=1):
        if item.marketo_id is not None and outcome.marketo_id not in {None, item.marketo_id}:
            message = f"Row {position} answers for Marketo ID {outcome.marketo_id}, but {item.marketo_id} was sent."
            raise OutcomeUnknown(message, exchange=answer.exchange)
