"""The one interface between the sync engine and Marketo; docs/transports.md prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mobjects.marketo import types
from mobjects.marketo.transport_traits import TransportTraits
from mobjects.marking import gettext_noop as _


class ConnectionVerdict(StrEnum):
    """Result of testing the connection."""

    OK = _("ok")
    NOT_CONFIGURED = _("not configured")
    REFUSED = _("credentials refused")
    CLOCK_OFF = _("clock off")
    UNREACHABLE = _("unreachable")
    NOT_MARKETO = _("not Marketo")
    ERROR = _("error")


@dataclass(frozen=True, slots=True)
class PingResult:
    """Verdict of a connection test, with a sentence for the user.

    ``clock_offset_seconds`` is Marketo's clock minus ours, if the answer told it.
    """

    verdict: ConnectionVerdict
    message: str
    clock_offset_seconds: float | None = None


class MarketoTransport(Protocol):
    """A way to talk to one Marketo instance.

    Every method that calls Marketo raises a :class:`mobjects.marketo.errors.MarketoError`
    when the call as a whole does not succeed, except :meth:`ping`, which turns it into a verdict.
    """

    name: str
    """As in its entry (:mod:`mobjects.marketo.transport_entry`)."""
    endpoint: str
    """Where Marketo is; calls to one endpoint share its limits."""
    caller: str
    """Who calls, as Marketo knows them; shown to people."""
    delete_limit: int
    """How many objects one call of :meth:`delete` may hold."""
    traits: TransportTraits
    """The ways of its API, as in its entry."""

    def limit(self, kind: types.Kind, operation: types.Operation) -> int | None:
        """How many records of this kind one call may hold; ``None`` if Marketo does not support the operation."""
        ...

    def problem(self, record: types.OutgoingRecord, operation: types.Operation) -> str:
        """Why a record may not be sent, in words; "" if it may. One bad record would have its whole batch refused."""
        ...

    def render(self, batch: types.OutgoingBatch) -> str:
        """The request body that :meth:`send` would send, secrets masked. Sends nothing.

        Raises:
            Rejected: the batch may not be sent (too many records, unsupported operation).
        """
        ...

    def send(self, batch: types.OutgoingBatch) -> types.BatchResponse:
        """Send a batch; the answer holds exactly one outcome per record, in order."""
        ...

    def find(self, query: types.MarketoQuery, position: str = "") -> types.QueryPage:
        """One page of the objects that a query finds, by rising id; an empty page if there are none.

        Args:
            query: what to look for. The same for every page.
            position: from the page before; ``""`` for the first.

        Raises:
            Rejected: the query asks for what Marketo cannot answer, or the position is no longer valid.
        """
        ...

    def delete(self, kind: types.Kind, ids: Sequence[types.MarketoId]) -> types.BatchResponse:
        """Delete objects by their Marketo ids; one outcome per id, in order (DELETED, UNCHANGED or FAILED).

        Raises:
            Rejected: a kind that cannot be deleted, or too many at once (see :attr:`delete_limit`).
        """
        ...

    def describe(self, kind: types.Kind) -> types.DescribeResponse:
        """The fields Marketo knows for an object kind. Raises ``Rejected`` where a kind cannot be described."""
        ...

    def tags(self) -> types.TagValuesResponse:
        """All tag types of programs with the values they may have, the channel aside."""
        ...

    def channels(self) -> types.TagValuesResponse:
        """All channels that programs may have, under the type ``Channel``."""
        ...

    def calls_today(self) -> types.CallsToday:
        """How many calls all integrations have made today.

        Raises:
            Rejected: the API does not tell (see :attr:`TransportTraits.tells_calls`).
        """
        ...

    def ping(self) -> PingResult:
        """Test endpoint, credentials and clock without changing anything."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
