"""One attempt at a call; knows what went out, so that every error can tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

import httpx

from mobjects.marketo.errors import (
    AuthError,
    ConfigError,
    MarketoError,
    OutcomeUnknown,
    RefusalReason,
    Rejected,
    Unavailable,
)
from mobjects.marketo.http_common import (
    NOT_HERE,
    NOT_SURE,
    RequestFailed,
    clock_offset_seconds,
    shown_headers,
    stored_text,
)
from mobjects.marketo.redaction import redact_secrets
from mobjects.marketo.rest import codes
from mobjects.marketo.rest.config import ENDPOINT, RestSettings
from mobjects.marketo.rest.http import send_request
from mobjects.marketo.rest.identity import Token
from mobjects.marketo.rest.replies import Envelope, InvalidReply, NotMarketoReply, Reason, RestReply, parse_envelope
from mobjects.marketo.rest.request import OutgoingRequest, RequestTooLarge
from mobjects.marketo.types import Exchange
from mobjects.marking import gettext_noop as _


class RestAttempt:
    """Sends a request once.

    Args:
        settings: where Marketo is and who calls.
        request: what is sent.
        token: with which.
        earlier: what was tried before, for the history.
    """

    def __init__(
        self, settings: RestSettings, request: OutgoingRequest, token: Token, earlier: Sequence[Exchange] = ()
    ) -> None:
        self._settings, self._request, self._token, self._earlier = settings, request, token, earlier
        self._started = time.perf_counter()
        self._offset: float | None = None
        self._answer: httpx.Response | None = None
        self._request_id = ""

    def send(self, client: httpx.Client, now: Callable[[], datetime]) -> RestReply:
        """Send and read.

        Args:
            now: the time, aware; compared with the clock of the answer.

        Raises:
            MarketoError: of the class that fits; one caused by :class:`NotMarketoReply` means that what answered does
                not speak Marketo's REST.
        """
        settings, request = self._settings, self._request
        read_seconds = settings.asset_timeout_seconds if request.asset else settings.lead_timeout_seconds
        headers = httpx.Headers({"Authorization": f"Bearer {self._token.value}"})
        if request.content_type:
            headers["Content-Type"] = request.content_type
        try:
            self._answer = send_request(
                client,
                request.method,
                f"{settings.base}{request.target}",
                request.body,
                headers,
                (settings.connect_timeout_seconds, read_seconds),
            )
        except RequestFailed as error:
            raise self._lost_error(error.message, maybe_applied=error.sent) from error
        self._offset = clock_offset_seconds(self._answer.headers.get("Date", ""), now())
        return self._read(self._answer)

    def _read(self, answer: httpx.Response) -> RestReply:
        try:
            envelope = parse_envelope(answer.content, answer.status_code)
        except NotMarketoReply as error:
            raise self._not_marketo_error(str(error), answer.status_code) from error
        self._request_id = envelope.request_id
        try:
            return self._reply(envelope, self._result(envelope))
        except InvalidReply as error:
            raise self._lost_error(str(error), maybe_applied=True) from error

    def _result(self, envelope: Envelope) -> Sequence[object]:
        if not envelope.success:
            reason = _deciding(envelope.errors)
            if self._request.asset and not self._request.write and reason.code in codes.NOTHING_FOUND:
                return ()
            raise self._refused_error(reason)
        if envelope.result is not None:
            return envelope.result
        if self._request.asset and envelope.warnings:
            return ()
        raise InvalidReply(_("Marketo's answer has no result."))

    def _reply(self, envelope: Envelope, result: Sequence[object]) -> RestReply:
        return RestReply(
            result=result,
            warnings=envelope.warnings,
            request_id=envelope.request_id,
            more=envelope.more,
            next_page_token=envelope.next_page_token,
            exchange=self._exchange(),
            clock_offset_seconds=self._offset,
        )

    def _refused_error(self, reason: Reason) -> MarketoError:
        rule, write = codes.code_rule_for(reason.code), self._request.write
        words = self._redact(codes.describe_code(reason.code, reason.text, write=write))
        return self._error(codes.error_for(rule, write=write), words, code=reason.code, trouble=rule.trouble)

    def _lost_error(self, words: str, *, maybe_applied: bool) -> MarketoError:
        if maybe_applied and self._request.write:
            return self._error(OutcomeUnknown, f"{words} {NOT_SURE}")
        return self._error(Unavailable, words)

    def _not_marketo_error(self, what: str, status: int) -> MarketoError:
        """An answer that is no envelope: HTTP's own codes, or a gateway's page."""
        place = f"{self._settings.base}{self._request.path}"
        words = _("What answers at %(place)s is not Marketo's REST API: HTTP %(status)s, %(what)s.") % {
            "place": place,
            "status": status,
            "what": what,
        }
        if status in _HTTP_REFUSALS:
            kind, said, trouble = _HTTP_REFUSALS[status]
            return self._error(kind, f"{said} (HTTP {status}, {what})", trouble=trouble)
        if status in NOT_HERE:
            return self._error(
                ConfigError,
                _("%(words)s Nothing was applied; check %(endpoint)s.") % {"words": words, "endpoint": ENDPOINT},
            )
        if self._request.write:
            return self._error(OutcomeUnknown, f"{words} {NOT_SURE}")
        return self._error(
            Unavailable,
            _("%(words)s Try again later; if it stays so, check %(endpoint)s.")
            % {"words": words, "endpoint": ENDPOINT},
        )

    def _error(
        self, kind: type[MarketoError], words: str, *, code: str = "", trouble: RefusalReason | None = None
    ) -> MarketoError:
        error = kind(words)
        error.code, error.trouble = code, trouble
        error.exchange, error.clock_offset_seconds = self._exchange(), self._offset
        return error

    def _exchange(self) -> Exchange:
        answer = self._answer
        return Exchange(
            request=self._redact(self._request.to_text()),
            response="" if answer is None else self._redact(stored_text(answer.content)),
            identity={_("Client ID"): self._settings.client_id, _("Request ID"): self._request_id},
            request_headers={} if answer is None else shown_headers(answer.request.headers),
            response_headers={} if answer is None else shown_headers(answer.headers),
            http_status=None if answer is None else answer.status_code,
            seconds=time.perf_counter() - self._started,
            clock_offset_seconds=self._offset,
            earlier=self._earlier,
        )

    def _redact(self, text: str) -> str:
        return redact_secrets(text, (self._settings.client_secret, self._token.value))


_HTTP_REFUSALS: dict[int, tuple[type[MarketoError], str, RefusalReason | None]] = {
    401: (AuthError, _("Marketo did not accept the token; send again with a fresh one."), RefusalReason.EXPIRED),
    403: (Unavailable, _("Marketo, or a gateway in front of it, refused the call; nothing was applied."), None),
    413: (RequestTooLarge, _("The call is larger than Marketo takes; send fewer records at once."), None),
    414: (Rejected, _("The address of the call is longer than Marketo takes; ask for fewer records at once."), None),
    429: (Unavailable, _("Too many calls came; send again a little later."), RefusalReason.RATE),
}
"""By these HTTP says that the request was refused as it is (RFC 9110 and 6585), so nothing was applied."""


def _deciding(errors: Sequence[Reason]) -> Reason:
    """Of several reasons the one after which least is certain; the first one otherwise."""
    unknown = (each for each in errors if codes.code_rule_for(each.code).error is OutcomeUnknown)
    return next(unknown, errors[0] if errors else Reason("", ""))
