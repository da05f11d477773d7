"""The SOAP transport: makes each call once, signed, and says for every record what became of it.

It never retries. Whether a call may be repeated depends on what the records are keyed by, which is for the caller
to know; the class of an error says what is certain (see :mod:`mobjects.marketo.errors`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import requests
from lxml import etree

from mobjects.marketo import types
from mobjects.marketo.errors import MarketoError, Rejected
from mobjects.marketo.redaction import MASK
from mobjects.marketo.soap import (
    connection_check,
    envelope,
    query_request,
    query_responses,
    serializer,
    sync_responses,
    validation,
)
from mobjects.marketo.soap.config import SoapSettings
from mobjects.marketo.soap.request import Calls
from mobjects.marketo.transport import PingResult
from mobjects.marketo.transport_traits import DEFAULT_TRAITS
from mobjects.marketo.value_text import format_datetime
from mobjects.marking import gettext_noop as _

_SYNC = "syncMObjects"
_utc_now = partial(datetime.now, UTC)


class SoapTransport:
    """Marketo's SOAP API, as a :class:`mobjects.marketo.transport.MarketoTransport`.

    Args:
        endpoint: the instance's own address, ``https://<munchkin>.mktoapi.com/soap/mktows/<version>``.
        user_id: the API user.
        encryption_key: the secret that signs; never shown, logged or stored.
        partner_id: LaunchPoint key, optional.
        timeout_seconds: longest wait for an answer to begin or go on. Calls of 30 s to 2 min are normal.
        connect_timeout_seconds: longest wait for a connection.
        now: the clock that is signed; gives aware datetimes.
        session: an HTTP session to send with; closing it stays the caller's business.

    Nothing is checked here: a missing or unusable setting is a ``ConfigError`` when a call is made.
    """

    name = "soap"
    delete_limit = validation.MAX_RECORDS
    traits = DEFAULT_TRAITS

    def __init__(
        self,
        *,
        endpoint: str,
        user_id: str,
        encryption_key: str,
        partner_id: str = "",
        timeout_seconds: float = 60.0,
        connect_timeout_seconds: float = 10.0,
        now: Callable[[], datetime] = _utc_now,
        session: requests.Session | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.caller = user_id
        self._partner_id = partner_id
        self._now = now
        self._owns_session = session is None
        self._session = session or requests.Session()
        settings = SoapSettings(
            endpoint=endpoint,
            user_id=user_id,
            encryption_key=encryption_key,
            partner_id=partner_id,
            timeout_seconds=timeout_seconds,
            connect_timeout_seconds=connect_timeout_seconds,
        )
        self._calls = Calls(settings, self._session, now)

    def __repr__(self) -> str:
        return f"SoapTransport(user_id={self.caller!r})"

    def limit(self, kind: types.Kind, operation: types.Operation) -> int | None:
        """How many records of a kind one call may hold; ``None`` if Marketo does not support the operation."""
        return validation.batch_limit(kind, operation)

    def problem(self, record: types.OutgoingRecord, operation: types.Operation) -> str:
        """Why a record may not be sent, in words; "" if it may."""
        return validation.find_problem(record, operation)

    def render(self, batch: types.OutgoingBatch) -> str:
        """The envelope that :meth:`send` would send now, indented, its secrets masked. Sends nothing.

        Raises:
            Rejected: the batch may not be sent.
        """
        validation.check_batch(batch)
        header = envelope.AuthenticationHeader(
            self.caller, MASK, format_datetime(self._now()), self._partner_id and MASK
        )
        message = envelope.build_envelope(_SYNC, header, _arguments(batch), serializer.write_records(batch.records))
        return etree.tostring(etree.fromstring(message), pretty_print=True, encoding="unicode")

    def send(self, batch: types.OutgoingBatch) -> types.BatchResponse:
        """Send a batch with syncMObjects.

        Returns:
            Exactly one outcome per record, in the batch's order.

        Raises:
            Rejected: refused before sending, or by Marketo as a whole; nothing was applied.
            ConfigError, AuthError, Unavailable: nothing was applied.
            OutcomeUnknown: it may have been applied, or the answer cannot be matched to the records.
        """
        validation.check_batch(batch)
        return self._calls.call(
            _SYNC,
            lambda reply: types.BatchResponse(sync_responses.parse_outcomes(batch, reply.result), reply.exchange),
            write=True,
            arguments=_arguments(batch),
            objects=serializer.write_records(batch.records),
        )

    def find(self, query: types.MarketoQuery, position: str = "") -> types.QueryPage:
        """One page of the objects that a query finds, with getMObjects.

        Raises:
            Rejected: Marketo cannot be asked this, or the position is no longer valid.
            MarketoError: the call failed, or its answer cannot be trusted; ``Unavailable`` then.
        """
        query_request.check_query(query)
        return self._calls.call(
            "getMObjects",
            lambda reply: query_responses.parse_page(query, reply.result, reply.exchange),
            write=False,
            arguments=query_request.build_arguments(query, position),
        )

    def delete(self, kind: types.Kind, ids: Sequence[types.MarketoId]) -> types.BatchResponse:
        """Delete opportunities or roles with deleteMObjects. The roles of an opportunity stay, without it.

        Returns:
            One outcome per id, in order: DELETED, UNCHANGED (there was none) or FAILED.

        Raises:
            Rejected: refused before sending, or by Marketo as a whole; nothing was deleted.
            ConfigError, AuthError, Unavailable: nothing was deleted.
            OutcomeUnknown: something may have been deleted.
        """
        validation.check_deletion(kind, ids)
        records = [types.OutgoingRecord(kind, marketo_id=number) for number in ids]
        return self._calls.call(
            "deleteMObjects",
            lambda reply: types.BatchResponse(sync_responses.parse_deletions(records, reply.result), reply.exchange),
            write=True,
            arguments={"mObjectList": {"mObject": []}},
            objects=serializer.write_records(records),
        )

    def describe(self, kind: types.Kind) -> types.DescribeResponse:
        """The fields that Marketo knows for opportunities or roles (describeMObject).

        Raises:
            Rejected: programs cannot be described.
            MarketoError: the call failed.
        """
        if kind is types.Kind.PROGRAM:
            raise Rejected(_("Marketo does not describe the fields of programs."))
        return self._calls.call(
            "describeMObject",
            lambda reply: query_responses.parse_description(reply.result, reply.exchange),
            write=False,
            arguments={"objectName": kind.value},
        )

    def tags(self) -> types.TagValuesResponse:
        """All tag types but the channel, with their values (getTags)."""
        return self._calls.call(
            "getTags", lambda reply: query_responses.parse_tags(reply.result, reply.exchange), write=False
        )

    def channels(self) -> types.TagValuesResponse:
        """All channels (getChannels)."""
        return self._calls.call(
            "getChannels", lambda reply: query_responses.parse_channels(reply.result, reply.exchange), write=False
        )

    def calls_today(self) -> types.CallsToday:
        """Not told by SOAP. Always raises Rejected."""
        raise Rejected(_("Marketo's SOAP API does not tell how many calls were made."))

    def ping(self) -> PingResult:
        """Test endpoint, credentials and clock with listMObjects, which changes nothing."""
        try:
            offset = self._calls.call("listMObjects", lambda reply: reply.clock_offset_seconds, write=False)
        except MarketoError as error:
            return connection_check.bad(error)
        return connection_check.good(offset)

    def close(self) -> None:
        """Release connections, unless the session was handed in."""
        if self._owns_session:
            self._session.close()


def _arguments(batch: types.OutgoingBatch) -> dict[str, Any]:
    return {"mObjectList": {"mObject": []}, "operation": batch.operation.value}
