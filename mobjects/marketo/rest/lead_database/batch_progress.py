"""What became of a batch so far: its calls and outcomes. A batch may need several calls, and a later one may fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mobjects.marketo.errors import MarketoError, OutcomeUnknown
from mobjects.marketo.types import BatchResponse, Exchange, OutcomeStatus, RecordOutcome
from mobjects.marking import gettext_noop as _

_NOTHING_SENT = "(nothing was sent)"
_APPLIED = frozenset({OutcomeStatus.CREATED, OutcomeStatus.UPDATED, OutcomeStatus.DELETED})


@dataclass(slots=True)
class BatchProgress:
    """Gathers what the calls of a batch brought.

    Args:
        size: how many records the batch has.
        exchanges: the calls, in order.
        outcomes: by the record's position in the batch.
        changed: whether Marketo has changed something already.
    """

    size: int
    exchanges: list[Exchange] = field(default_factory=list)
    outcomes: dict[int, RecordOutcome] = field(default_factory=dict)
    changed: bool = False

    def set_outcome(self, position: int, outcome: RecordOutcome) -> None:
        """Say what became of a record."""
        self.outcomes[position] = outcome
        self.changed = self.changed or outcome.status in _APPLIED

    def refuse_record(self, position: int, why: str) -> None:
        """Say that a record is not sent, and why."""
        message = _("It was not sent: %(reason)s.") % {"reason": why.rstrip(".")}
        self.outcomes[position] = RecordOutcome(OutcomeStatus.FAILED, None, message)

    def response(self) -> BatchResponse:
        """The answer for the whole batch; each record has its outcome by now."""
        outcomes = [self.outcomes[position] for position in range(self.size)]
        return BatchResponse(outcomes, join_exchanges(self.exchanges))

    def failure(self, error: MarketoError) -> MarketoError:
        """What a call's failure means for the whole batch, with the calls before it.

        Once Marketo has changed something, "nothing was applied" would be wrong for some of the records, and there is
        no way to say it of the others alone. Sending all of them again is safe: each is found by its key or GUID.
        """
        exchanges = [*self.exchanges, *([error.exchange] if error.exchange else [])]
        joined = join_exchanges(exchanges) if exchanges else None
        if not self.changed or isinstance(error, OutcomeUnknown):
            error.exchange = joined
            return error
        words = _("A part of the batch was applied, then a further call failed: %(message)s") % {
            "message": error.message
        }
        return OutcomeUnknown(
            words,
            code=error.code,
            exchange=joined,
            clock_offset_seconds=error.clock_offset_seconds,
            retry_after_seconds=error.retry_after_seconds,
        )


def join_exchanges(exchanges: Sequence[Exchange]) -> Exchange:
    """The last of several calls, with those before it as its earlier ones."""
    flat = [replace(each, earlier=()) for call in exchanges for each in (*call.earlier, call)]
    if not flat:
        return Exchange(_NOTHING_SENT)
    *earlier, last = flat
    return replace(last, earlier=tuple(earlier))
