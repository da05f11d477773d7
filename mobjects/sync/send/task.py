"""Sending: what a step of a sync job does. Claim, build, send, write down; in the order Marketo needs.

Knows the transport interface and the models; knows neither SOAP nor REST nor the queue.
No network call is made inside a transaction.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, Min, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.counting import LIMIT, read_bounded
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import MarketoError, OutcomeUnknown, RefusalReason, Rejected
from mobjects.marketo.transport import MarketoTransport
from mobjects.marketo.types import BatchResponse, Kind, Operation, OutgoingBatch
from mobjects.models import RecordStatus, SyncBatch, SyncBatchState, SyncJob, SyncResult, records_of_kind
from mobjects.sync import marketo_settings
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import KeyFields, Payload, build_payload
from mobjects.sync.installation import marks
from mobjects.sync.installation.identity import get_installation
from mobjects.sync.job_results import has_end
from mobjects.sync.retry_policy import RetryAction, retry_rule_for
from mobjects.sync.send import claims, results
from mobjects.sync.send.claims import BatchItem
from mobjects.sync.send.cost_ids import CostIdReader
from mobjects.sync.send.halted_kinds import halt_kind
from mobjects.sync.send.naming.answered_ids import find_wrong_id
from mobjects.sync.send.preflight import hold_unread, preflight_read
from mobjects.sync.send.selection import (
    MAY_STILL_RUN,
    WHOLE_SIZE,
    SyncSelection,
    candidate_records,
    classify_records,
    ordered_kinds,
)
from mobjects.sync.send.unknown_outcomes import UnknownOutcomeResolver
from mobjects.sync.task import JobContext, count_calls

SENDING_ORDER = (Operation.UPDATE, Operation.UPSERT, Operation.INSERT)
REFUSED_IN_A_ROW = 20
"""So many refused calls, one after the other, end a job. A few bad records among good ones cause far fewer in a row."""

ALL = 2**31 - 2
"""More records than there are."""

_Phase = tuple[Kind, SyncSelection, Operation]


class SendTask:
    """Sends what a job selected, a batch at a step. Any number of workers may work on one job.

    Args:
        context: the job and what it works with.
    """

    single_worker = False

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._selection = SyncSelection.from_json(context.job.selection)
        self._outcome_resolver = UnknownOutcomeResolver(context, self._selection)
        reads_back = Kind.PROGRAM in self._selection.kinds and context.keys.traits.has_cost_ids
        self._cost_ids = CostIdReader(context) if reads_back else None
        self._phases: list[_Phase] = [
            (kind, part, operation)
            for kind in ordered_kinds(self._selection)
            for part in self._selection.iter_parts()
            for operation in SENDING_ORDER
            if context.transport.limit(kind, operation)
        ]
        self._phase = 0
        self._after = 0
        self._looked_at: datetime | None = None
        self._redis = marks.connect()
        self._identity = get_installation().identity

    def wanted_workers(self) -> int:
        """How many workers the work is for: as many as there are batches to send now, and no more than may work on one
        job; one if each record is read first.

        What the job is done with is no work: a worker that came for it would find none, and call others as it comes.
        """
        if not self._context.job.planned:
            self._note_planned(most=LIMIT)
        if self._selection.read_first:
            return 1
        wanted, most = 0, marketo_settings.workers_per_job()
        for kind in ordered_kinds(self._selection):
            for part in self._selection.iter_parts():
                if wanted < most:
                    wanted += claims.count_batches(self._context, kind, part, most=most - wanted)
        return wanted

    @retry_on_database_error
    def _note_planned(self, *, most: int) -> None:
        """Write down how many records the job is about, unless they are more than ``most``: to count a million would
        keep its first batch waiting, so it is done after that.
        """
        job, parts = self._context.job, list(self._selection.iter_parts(WHOLE_SIZE))
        counted = {
            f"{kind} {number}": candidate_records(kind, part)
            for kind in ordered_kinds(self._selection)
            for number, part in enumerate(parts)
        }
        # In one statement: what others of this job get accepted meanwhile is counted here or there.
        own = {"counts": SyncJob.objects.filter(pk=job.pk).order_by().values("counts")}
        found = read_bounded(counted, own, limit=most)
        accepted: Counter[str] = Counter(json.loads(found.pop("counts")))
        if sum(found.values()) > most:
            return
        job.planned = sum(found.values())
        if not (self._selection.resend or self._selection.of_dry_run):  # These are about what was accepted, too.
            job.planned += sum(accepted[status] for status in SyncResult.ACCEPTED_STATUSES)
        job.save(update_fields=["planned"])

    def step(self) -> bool:
        """Send a batch that waits; else look up a lost sending; else send the next slice. One call at most."""
        self._looked_at = clock.now()
        batch = self._waiting()
        if batch is None and (
            self._outcome_resolver.resolve_next() or (self._selection.read_first and self._read_next_records())
        ):
            return True
        batch = batch or self._claim_next()
        if batch is None:
            return self._cost_ids is not None and self._cost_ids.read_next_page()
        self._send_waiting(batch)
        job = self._context.job
        if not job.planned:
            job.refresh_from_db(fields=["planned"])  # Another worker may have counted.
        if not job.planned:
            self._note_planned(most=ALL)
        return True

    def due_at(self) -> datetime | None:
        """When the first of the lost sendings can no longer be running in Marketo.

        Judged as of the last step: what came due since then was waiting for it, and is not over.
        """
        since = []
        for kind in ordered_kinds(self._selection):
            for part in self._selection.iter_parts():
                if not candidate_records(kind, part).exists():
                    continue
                found = classify_records(kind, part, self._context.keys, at=self._looked_at)
                found = found.exclude(has_end(self._context.job, kind))
                waiting = found.filter(last_status=RecordStatus.UNKNOWN, hold=MAY_STILL_RUN).order_by()
                since.append(waiting.aggregate(since=Min("unknown_since"))["since"])
        known: list[datetime] = list(filter(None, since))
        return min(known) + marketo_settings.unknown_outcome_delay() if known else None

    def finish(self) -> None:
        """Write down what was held back, and why."""
        results.record_all_held(self._context.job, self._selection, self._context.keys)

    def _read_next_records(self) -> bool:
        """Read what is to be changed in Marketo, as much as one call may name, until a batch of it can be sent."""
        for kind, part, operation in self._phases:
            if operation is not Operation.UPDATE:
                continue
            limit = self._context.transport.limit(kind, operation)
            if claims.sendable_records(self._context, kind, operation, part)[:limit].count() == limit:
                return False
            unread = claims.unread_records(self._context, kind, operation, part)
            most = min(self._context.keys.traits.named_to_a_query, limit or 1)
            pks = list(unread.values_list("pk", flat=True)[:most])
            if pks:
                self._read(kind, pks, unread)
                return True
        return False

    def _read(self, kind: Kind, pks: Sequence[int], unread: QuerySet[Any]) -> None:
        try:
            preflight_read(self._context, kind, pks)
        except MarketoError as error:
            if error.trouble is RefusalReason.ACCESS:  # It would be denied for each of them.
                hold_unread(self._context.job, kind, list(unread.values_list("pk", flat=True)), error)
                return
            # The history has it. What Marketo no longer has, sending it will tell.
            if not error.concerns_only_this:
                raise
        records_of_kind(kind).filter(claims.not_read_by(self._context.job), pk__in=pks).update(read_at=clock.now())

    # --- batches ---

    def _waiting(self) -> SyncBatch | None:
        """A batch of this worker, or of none, that waits to be sent. Reserved first: a permit is not spent in vain."""
        for (pk,) in self._context.queries.ask("waiting", self._newest_waiting):
            if self._all_waiting().filter(pk=pk).update(lease=self._context.lease):
                return SyncBatch.objects.get(pk=pk)
        return None

    def _all_waiting(self) -> QuerySet[SyncBatch]:
        free = Q(lease=None) | Q(lease=self._context.lease)
        # Written out, as the index of the waiting ones is: SQLite does not use it for a value that it is told later.
        waiting = RawSQL(f"'{SyncBatchState.WAITING.value}'", ())  # noqa: S611 -- a word of ours
        return self._context.job.batches.filter(free, state=waiting)

    def _newest_waiting(self) -> QuerySet[Any]:
        # The newest first, so that halving goes to the bottom of one half before it begins with the other.
        # As an expression: for a plain column SQLite would go through all batches of the job by the index of that.
        newest = self._all_waiting().order_by((F("sequence") + 0).desc(), "-attempt").values_list("pk")
        return newest[: marketo_settings.workers_per_job()]

    def _send_waiting(self, batch: SyncBatch) -> None:
        with self._context.rate_limiter.permit_call():
            claim = claims.start_batch(self._context, batch, self._selection)
            if claim is not None and claim.batch is not None:
                marks.raise_mark(self._identity, claim.batch.pk, self._redis)
                self._send(claim.batch, claim.items)

    def _claim_next(self) -> SyncBatch | None:
        """The next slice of records, walking over kinds and operations; ``None`` once a whole round found none."""
        idle = 0
        while idle <= len(self._phases) and self._phases:
            kind, part, operation = self._phases[self._phase]
            claimed = self._claim(kind, part, operation)
            if claimed is not None:
                batch, self._after = claimed
                return batch
            # From the start of the next phase; the first round may begin in the middle of one, so one more is due.
            idle += 1
            self._phase, self._after = (self._phase + 1) % len(self._phases), 0
        return None

    def _claim(self, kind: Kind, part: SyncSelection, operation: Operation) -> tuple[SyncBatch, int] | None:
        limit = self._context.transport.limit(kind, operation)
        # Asked first, because most kinds of most jobs hold nothing at all, and judging records is dear.
        if not limit or not (self._after or candidate_records(kind, part).exists()):
            return None
        return claims.claim_batch(self._context, kind, operation, part, after=self._after, limit=limit)

    def _send(self, batch: SyncBatch, items: Sequence[BatchItem]) -> None:
        job = self._context.job
        operation = Operation(batch.operation)
        try:
            outgoing = OutgoingBatch(operation, [item.payload.record for item in items], checked=True)
            answer = count_calls(self._context.rate_limiter, lambda: self._context.transport.send(outgoing))
            _check_answer(items, answer, self._context.keys.id_word(Kind(batch.kind)))
        except MarketoError as error:
            self._record_error(batch, error)
            if retry_rule_for(error).action is RetryAction.HALT_KIND:
                halt_kind(job, items[0].payload.record.kind, error)
                return
            if not isinstance(error, Rejected) or self._all_are_refused():
                raise
        else:
            results.record_answer(job, batch, items, answer)

    def _all_are_refused(self) -> bool:
        """Whether the trouble is not with single records: halving would make two calls for each of them."""
        ended = self._context.job.batches.filter(answered_at__isnull=False).exclude(operation="GET")
        last = list(ended.order_by("-answered_at").values_list("state", flat=True)[:REFUSED_IN_A_ROW])
        return last == [SyncBatchState.REFUSED] * REFUSED_IN_A_ROW

    def _record_error(self, batch: SyncBatch, error: MarketoError) -> None:
        job, action = self._context.job, retry_rule_for(error).action
        if isinstance(error, OutcomeUnknown):
            results.record_unknown(job, batch, error)
        elif action is RetryAction.HALVE and batch.size > 1 and error.exchange is not None:
            results.record_halves(job, batch, error)
        elif isinstance(error, Rejected):
            # This request is wrong; the next may be right.
            results.record_refused(job, batch, error)
        else:
            halted = (RetryAction.HALT, RetryAction.HALT_KIND)
            results.record_unsent(job, batch, error, again=action not in halted)


def render_batches(
    selection: SyncSelection, transport: MarketoTransport, keys: KeyFields
) -> Iterator[tuple[Kind, Operation, int, str]]:
    """What sending a selection would send now, batch by batch: kind, operation, size, body with secrets masked.

    Claims, sends and saves nothing. Roles that wait for an opportunity are not rendered.
    """
    for kind in ordered_kinds(selection):
        for operation in SENDING_ORDER:
            limit = transport.limit(kind, operation)
            sendable = classify_records(kind, selection, keys).filter(hold="", wire_operation=operation.value)
            last = 0
            while limit and (ids := list(sendable.filter(pk__gt=last).values_list("pk", flat=True)[:limit])):
                last = ids[-1]
                built = [
                    build_payload(record, operation, keys, resend=selection.resend)
                    for record in load_records(kind, ids)
                ]
                sendable_now = [part.record for part in built if isinstance(part, Payload)]
                allowed = [record for record in sendable_now if not transport.problem(record, operation)]
                if allowed:
                    yield kind, operation, len(allowed), transport.render(OutgoingBatch(operation, allowed))


def _check_answer(items: Sequence[BatchItem], answer: BatchResponse, word: str) -> None:
    """The last guard against results on the wrong record: count and known ids must agree."""
    if len(answer.outcomes) != len(items):
        message = _("Marketo answered %(rows)s rows for %(records)s records.") % {
            "rows": len(answer.outcomes),
            "records": len(items),
        }
        raise OutcomeUnknown(message, exchange=answer.exchange)
    if problem := find_wrong_id(items, answer.outcomes, word):
        raise OutcomeUnknown(problem, exchange=answer.exchange)
