"""Sending one program: its channel, its tags one by one, its costs; then a look whether Marketo shows what was sent.

Never two writes on one program at once: the calls are made one after another, a batch holds one program, and the engine
claims it for that time.

Where nothing can have been applied, an error says so, or the outcome is FAILED in words. Once something has been, any
further failure leaves the outcome unknown, so that it is looked up before the program is sent again. Sending it again
is harmless at any time: tags and channel are set, not added, and costs are planned anew from what Marketo holds then.
"""

from __future__ import annotations

import time

from mobjects.marketo.errors import MarketoError, OutcomeUnknown
from mobjects.marketo.http_common import NOT_SURE
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.programs.cost_calls import CostCalls
from mobjects.marketo.rest.programs.cost_plan import touches_costs
from mobjects.marketo.rest.programs.logged_calls import LoggedCalls, Wait
from mobjects.marketo.rest.programs.program_facts import ProgramFacts
from mobjects.marketo.rest.programs.reading import ProgramReader, RemoteProgram
from mobjects.marketo.rest.programs.tag_calls import TagCalls
from mobjects.marketo.rest.programs.write_state import ProgramMissing, WriteRefused, WriteState
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.types import BatchResponse, OutcomeStatus, OutgoingRecord, RecordOutcome
from mobjects.marking import gettext_noop as _

CHANGED_IN_PART = _("The program was changed in part.")
MISSING_WORDS = _("Marketo does not have this program, so the update skipped it.")


def send_program(
    calls: RestCalls,
    record: OutgoingRecord,
    *,
    facts: ProgramFacts | None = None,
    store: SharedStore | None = None,
    wait: Wait = time.sleep,
) -> BatchResponse:
    """Update one program.

    Args:
        calls: to make calls with.
        record: passed :func:`mobjects.marketo.rest.programs.rules.program_problem`.
        facts: what is known of the instance.
        store: where what was written last is remembered.
        wait: lets some seconds pass.

    Returns:
        Its outcome: UPDATED, UNCHANGED (Marketo holds it all already), SKIPPED (there is no such program) or FAILED;
        and all calls as one exchange.

    Raises:
        OutcomeUnknown: something may have been applied.
        MarketoError: nothing was.
    """
    logged = LoggedCalls(calls, wait)
    sending = _ProgramSending(logged, record, facts or ProgramFacts(), store, calls.settings.base)
    try:
        outcome = sending.send()
    except OutcomeUnknown:
        raise
    except MarketoError as error:
        if not sending.state.applied:
            raise
        raise OutcomeUnknown(
            f"{CHANGED_IN_PART} {error.message} {NOT_SURE}",
            code=error.code,
            exchange=error.exchange,
            clock_offset_seconds=error.clock_offset_seconds,
            retry_after_seconds=error.retry_after_seconds,
        ) from error
    return BatchResponse((outcome,), logged.exchange)


class _ProgramSending:
    """The steps of one update, in their order."""

    def __init__(
        self, calls: LoggedCalls, record: OutgoingRecord, facts: ProgramFacts, store: SharedStore | None, base: str
    ) -> None:
        self._calls = calls
        self._record = record
        self._id = int(record.marketo_id or 0)
        self.state = WriteState()
        self._reader = ProgramReader(calls, facts)
        self._tags = TagCalls(calls, self._reader, record, facts, self.state)
        self._costs = CostCalls(calls, self._reader, record, store, base, self.state)

    def send(self) -> RecordOutcome:
        """Make the calls. Raises as :func:`send_program` says."""
        try:
            self._write()
        except ProgramMissing as error:
            if self.state.applied:
                raise self._calls.unknown(f"{CHANGED_IN_PART} {MISSING_WORDS}") from error
            return RecordOutcome(OutcomeStatus.SKIPPED, None, MISSING_WORDS)
        except WriteRefused as error:
            if self.state.applied:
                raise self._calls.unknown(f"{CHANGED_IN_PART} {error}", error.cause) from error
            return RecordOutcome(OutcomeStatus.FAILED, self._id, str(error))
        status = OutcomeStatus.UPDATED if self.state.applied else OutcomeStatus.UNCHANGED
        return RecordOutcome(status, self._id, " ".join(self.state.notes))

    def _write(self) -> None:
        """Costs are planned before anything is written, and last, right after they were read."""
        if touches_costs(self._record):
            self._costs.plan()
        reported = self._tags.set_channel()
        reported = self._tags.set_tags(reported) or reported
        if touches_costs(self._record):
            reported = self._costs.write() or reported
        self._check(reported)

    def _check(self, reported: RemoteProgram | None) -> None:
        if self._tags.needs_check:
            self._tags.check(reported)
        elif not self.state.applied and not touches_costs(self._record) and self._reader.read_by_id(self._id) is None:
            raise ProgramMissing
