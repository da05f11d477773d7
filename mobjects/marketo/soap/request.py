"""One signed call: sent once, answered or turned into the error that says what is certain."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

import requests
from lxml.etree import _Element

from mobjects.marketo.errors import ConfigError, MarketoError, OutcomeUnknown, Unavailable
from mobjects.marketo.http_common import (
    NOT_HERE,
    NOT_SURE,
    RequestFailed,
    clock_offset_seconds,
    shown_headers,
    stored_text,
)
from mobjects.marketo.redaction import redact_secrets
from mobjects.marketo.soap import envelope, faults, http
from mobjects.marketo.soap.config import SoapSettings
from mobjects.marketo.soap.elements import InvalidResponse
from mobjects.marketo.soap.signature import SIGNED_AS, SIGNED_TIME, compute_signature, digest_of
from mobjects.marketo.types import Exchange
from mobjects.marketo.value_text import format_datetime
from mobjects.marking import gettext_noop as _

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: its result, the exchange, and Marketo's clock minus ours if it told."""

    result: _Element
    exchange: Exchange
    clock_offset_seconds: float | None


class Calls:
    """Makes calls with one set of credentials."""

    def __init__(self, settings: SoapSettings, session: requests.Session, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._timeouts = (settings.connect_timeout_seconds, settings.timeout_seconds)
        self._session = session
        self._now = now

    def call(
        self,
        operation: str,
        read: Callable[[Reply], T],
        *,
        write: bool,
        arguments: Mapping[str, Any] = MappingProxyType({}),
        objects: str = "",
    ) -> T:
        """Sign and send one call.

        Args:
            operation: name in the WSDL.
            read: makes of the answer what is wanted; raises :class:`InvalidResponse` where it cannot be trusted.
            write: whether Marketo may change something; decides what an answer that never came means.
            arguments: the operation's parameters in zeep's form.
            objects: see :func:`envelope.build_envelope`.

        Raises:
            MarketoError: of the class that fits; one caused by :class:`envelope.UnreadableResponse` means that what
                answered does not speak Marketo's SOAP.
        """
        self._settings.check()
        header = self._header()
        message = envelope.build_envelope(operation, header, arguments, objects)
        http_headers = envelope.http_headers(operation)
        attempt = _Attempt(self._settings, header, message, http_headers, write=write)
        try:
            response = http.post(self._session, self._settings.endpoint, message, http_headers, self._timeouts)
        except RequestFailed as error:
            raise attempt.lost_error(error.message, attempt.exchange(), maybe_applied=error.sent) from error
        reply = attempt.read(operation, response, clock_offset_seconds(response.headers.get("Date", ""), self._now()))
        try:
            return read(reply)
        except InvalidResponse as error:
            raise attempt.lost_error(str(error), reply.exchange, maybe_applied=True) from error

    def _header(self) -> envelope.AuthenticationHeader:
        settings = self._settings
        signed_at = format_datetime(self._now())
        signature = compute_signature(signed_at, settings.user_id, settings.encryption_key)
        return envelope.AuthenticationHeader(settings.user_id, signature, signed_at, settings.partner_id)


class _Attempt:
    """One attempt at a call; knows what went out, so that every error can tell."""

    def __init__(
        self,
        settings: SoapSettings,
        header: envelope.AuthenticationHeader,
        message: bytes,
        http_headers: Mapping[str, str],
        *,
        write: bool,
    ) -> None:
        self._settings = settings
        self._header = header
        self._message = message
        self._http_headers = http_headers
        self._write = write
        self._started = time.perf_counter()

    def lost_error(self, words: str, exchange: Exchange, *, maybe_applied: bool) -> MarketoError:
        if maybe_applied and self._write:
            return OutcomeUnknown(f"{words} {NOT_SURE}", exchange=exchange)
        return Unavailable(words, exchange=exchange)

    def read(self, operation: str, response: requests.Response, offset: float | None) -> Reply:
        exchange = self.exchange(response, offset)
        try:
            root = envelope.parse_envelope(response.content)
            fault = envelope.find_fault(root)
            if fault is not None:
                raise self._fault_error(faults.read_fault(fault), exchange, offset)
            if response.status_code != requests.codes.ok:
                raise envelope.UnreadableResponse(_("a SOAP answer that is not a fault"))
            return Reply(envelope.find_result(operation, root), exchange, offset)
        except envelope.UnreadableResponse as error:
            raise self._not_soap_error(str(error), response.status_code, exchange) from error

    def _fault_error(self, fault: faults.MarketoFault, exchange: Exchange, offset: float | None) -> MarketoError:
        rule = faults.fault_rule_for(fault.code)
        error = faults.error_class(rule, write=self._write)
        message = self._redact(faults.describe_fault(fault, write=self._write))
        return error(message, code=fault.code, exchange=exchange, clock_offset_seconds=offset, trouble=rule.trouble)

    def _not_soap_error(self, what: str, http_status: int, exchange: Exchange) -> MarketoError:
        words = _("What answers at %(endpoint)s is not Marketo's SOAP service: HTTP %(http_status)s, %(what)s.") % {
            "endpoint": self._settings.endpoint,
            "http_status": http_status,
            "what": what,
        }
        if http_status in NOT_HERE:
            return ConfigError(
                _("%(words)s Nothing was applied; check MARKETO_SOAP_ENDPOINT.") % {"words": words}, exchange=exchange
            )
        if self._write:
            return OutcomeUnknown(f"{words} {NOT_SURE}", exchange=exchange)
        return Unavailable(
            _("%(words)s Try again later; if it stays so, check MARKETO_SOAP_ENDPOINT.") % {"words": words},
            exchange=exchange,
        )

    def exchange(self, response: requests.Response | None = None, offset: float | None = None) -> Exchange:
        return Exchange(
            request=self._redact(self._message.decode()),
            response="" if response is None else self._redact(stored_text(response.content)),
            identity={SIGNED_AS: self._header.user_id, SIGNED_TIME: self._header.timestamp},
            request_headers=shown_headers(self._http_headers),
            response_headers={} if response is None else shown_headers(response.headers),
            signature_digest=digest_of(self._header.signature),
            http_status=None if response is None else response.status_code,
            seconds=time.perf_counter() - self._started,
            clock_offset_seconds=offset,
        )

    def _redact(self, text: str) -> str:
        settings = self._settings
        return redact_secrets(text, (self._header.signature, settings.encryption_key, settings.partner_id))
