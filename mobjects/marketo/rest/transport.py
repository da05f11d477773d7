"""The REST transport: opportunities and roles in the lead database, programs among the assets, behind the one
interface.

It never retries, but for a token that has expired. Whether a call may be repeated is for the caller to know; the
class of an error says what is certain (see :mod:`mobjects.marketo.errors`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial

import httpx

from mobjects.marketo import types
from mobjects.marketo.errors import MarketoError, Rejected
from mobjects.marketo.probing import FactsSource
from mobjects.marketo.rest import programs
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.connection_check import check_connection, read_calls_today
from mobjects.marketo.rest.lead_database import paths, record_problems, record_queries
from mobjects.marketo.rest.lead_database.batch_progress import BatchProgress
from mobjects.marketo.rest.lead_database.field_catalogue import FieldCatalogue
from mobjects.marketo.rest.lead_database.party_lookup import PartyLookup
from mobjects.marketo.rest.lead_database.record_preview import render_records
from mobjects.marketo.rest.lead_database.record_queries import RecordFinder
from mobjects.marketo.rest.lead_database.record_sending import RecordSender
from mobjects.marketo.rest.traits import REST_TRAITS
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.transport import PingResult
from mobjects.marking import gettext_noop as _

_utc_now = partial(datetime.now, UTC)
_ORDER = (types.Kind.OPPORTUNITY, types.Kind.ROLE)


class RestTransport:
    """Marketo's REST API, as a :class:`mobjects.marketo.transport.MarketoTransport`.

    Args:
        settings: where Marketo is and who calls. A missing or unusable one is a ``ConfigError`` when a call is made.
        store: what all processes of a site share: the token, and which fields the instance has.
        facts: what was learned of the instance by asking it.
        client: the HTTP client, left open; that of this process if none is given.
        now: the time, aware.
        sleep: waits some seconds, for a token.
    """

    name = "rest"
    delete_limit = paths.MAX_RECORDS
    traits = REST_TRAITS

    def __init__(
        self,
        settings: RestSettings,
        store: SharedStore,
        *,
        facts: FactsSource = dict,
        client: httpx.Client | None = None,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.endpoint = settings.endpoint
        self.caller = settings.client_id
        self._store, self._sleep, self._facts_source = store, sleep, facts
        self._calls = RestCalls(settings, store, client=client, now=now, sleep=sleep)
        self._catalogue = FieldCatalogue(self._calls, store)
        self._sender = RecordSender(self._calls, self._catalogue, PartyLookup(self._calls, store))
        self._finder = RecordFinder(self._calls, self._catalogue)

    def __repr__(self) -> str:
        return f"RestTransport(client_id={self.caller!r})"

    def limit(self, kind: types.Kind, operation: types.Operation) -> int | None:
        """How many records of a kind one batch may hold; ``None`` if Marketo does not support the operation."""
        if kind is types.Kind.PROGRAM:
            return 1 if operation is types.Operation.UPDATE else None
        return paths.MAX_RECORDS

    def problem(self, record: types.OutgoingRecord, operation: types.Operation) -> str:
        """Why a record may not be sent, in words; "" if it may."""
        found = self._shape_problem(record, operation)
        known = None if found or record.kind is types.Kind.PROGRAM else self._catalogue.known_fields(record.kind)
        return found if known is None else record_problems.find_field_problem(record, known)

    def render(self, batch: types.OutgoingBatch) -> str:
        """The calls that :meth:`send` would make to write, the token masked; makes none.

        Raises:
            Rejected: the batch may not be sent.
        """
        self._check_batch(batch)
        parts = [
            render_records(self._catalogue, kind, batch.operation, records)
            for kind in _ORDER
            if (records := _numbered(batch, kind))
        ]
        parts += [programs.render_program(record) for _position, record in _numbered(batch, types.Kind.PROGRAM)]
        return "\n\n".join(parts)

    def send(self, batch: types.OutgoingBatch) -> types.BatchResponse:
        """Send a batch: opportunities before roles, as few calls as it needs; the exchange has all of them.

        Returns:
            Exactly one outcome per record, in the batch's order.

        Raises:
            Rejected: refused before sending, or by Marketo as a whole; nothing was applied.
            ConfigError, AuthError, Unavailable: nothing was applied.
            OutcomeUnknown: it may have been applied, or a part of it was, or the answer cannot be matched to the
                records.
        """
        self._check_batch(batch)
        progress = BatchProgress(len(batch.records))
        try:
            for kind in _ORDER:
                if records := _numbered(batch, kind):
                    self._sender.send_records(kind, batch.operation, records, progress)
            for position, record in _numbered(batch, types.Kind.PROGRAM):
                self._send_program(position, record, progress)
        except MarketoError as error:
            failed = progress.failure(error)
            raise failed from (error.__cause__ if failed is error else error)
        return progress.response()

    def find(self, query: types.MarketoQuery, position: str = "") -> types.QueryPage:
        """One page of the objects that a query finds.

        Raises:
            Rejected: Marketo cannot be asked this, or the position is no longer valid.
            MarketoError: the call failed, or its answer cannot be trusted; ``Unavailable`` then.
        """
        if query.kind is types.Kind.PROGRAM:
            return programs.find_programs(self._calls, query, position, facts=self._facts)
        record_queries.check_query(query)
        return self._finder.find_records(query, position)

    def delete(self, kind: types.Kind, ids: Sequence[types.MarketoId]) -> types.BatchResponse:
        """Delete opportunities or roles by GUID. The roles of an opportunity stay, without it.

        Returns:
            One outcome per id, in order: DELETED, UNCHANGED (there was none) or FAILED.

        Raises:
            Rejected: refused before sending, or by Marketo as a whole; nothing was deleted.
            ConfigError, AuthError, Unavailable: nothing was deleted.
            OutcomeUnknown: something may have been deleted.
        """
        if kind is types.Kind.PROGRAM:
            raise Rejected(_("Programs are not deleted from here; delete them in Marketo."))
        return self._sender.delete_records(kind, record_problems.check_guids(kind, ids))

    def describe(self, kind: types.Kind) -> types.DescribeResponse:
        """The fields that Marketo knows for opportunities or roles.

        Raises:
            Rejected: programs cannot be described.
            MarketoError: the call failed.
        """
        return self._catalogue.describe_fields(kind)

    def tags(self) -> types.TagValuesResponse:
        """All tag types of programs but the channel, with their values."""
        return programs.read_tags(self._calls)

    def channels(self) -> types.TagValuesResponse:
        """All channels that programs may have."""
        return programs.read_channels(self._calls)

    def calls_today(self) -> types.CallsToday:
        """How many calls all integrations have made today, as Marketo's statistics say."""
        return read_calls_today(self._calls)

    def ping(self) -> PingResult:
        """Test address, credentials, rights and clock; nothing is changed."""
        return check_connection(self._calls)

    def close(self) -> None:
        """The connections belong to the process, which keeps them for the next transport."""

    def _send_program(self, position: int, record: types.OutgoingRecord, progress: BatchProgress) -> None:
        answer = programs.send_program(self._calls, record, facts=self._facts, store=self._store, wait=self._sleep)
        progress.exchanges.append(answer.exchange)
        progress.set_outcome(position, answer.outcomes[0])

    @cached_property
    def _facts(self) -> programs.ProgramFacts:
        return programs.ProgramFacts.from_answers(self._facts_source())

    def _shape_problem(self, record: types.OutgoingRecord, operation: types.Operation) -> str:
        if self.limit(record.kind, operation) is None:
            return _("Marketo has no %(operation)s for programs, they can only be updated") % {"operation": operation}
        if record.kind is types.Kind.PROGRAM:
            return programs.program_problem(record)
        return record_problems.find_problem(record, operation)

    def _check_batch(self, batch: types.OutgoingBatch) -> None:
        if not batch.records:
            raise Rejected(_("There is nothing to send."))
        for kind in dict.fromkeys(record.kind for record in batch.records):
            most, number = self.limit(kind, batch.operation), len(_numbered(batch, kind))
            if most is not None and number > most:
                raise Rejected(
                    _("A batch holds at most %(most)s %(plurals)s; this one has %(number)s.")
                    % {"most": most, "plurals": paths.PLURALS[kind], "number": number}
                )
        for position, record in enumerate(() if batch.checked else batch.records, start=1):
            # Fields that the instance lacks are said record by record: one of them need not stop the others.
            if found := self._shape_problem(record, batch.operation):
                raise Rejected(
                    _("Record %(position)s of the batch (%(kind)s): %(found)s.")
                    % {"position": position, "kind": record.kind, "found": found}
                )


def _numbered(batch: types.OutgoingBatch, kind: types.Kind) -> list[tuple[int, types.OutgoingRecord]]:
    return [(position, record) for position, record in enumerate(batch.records) if record.kind is kind]
