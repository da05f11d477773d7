"""Asking Marketo's identity service for a token.

Adobe's developer pages document the parameters as part of the address. There a secret gets into the logs of every
gateway on the way, so they are sent as a form body first; only where that is refused they go into the address.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TypeGuard
from urllib.parse import urlencode

import httpx

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, Unavailable
from mobjects.marketo.http_common import NOT_HERE, RequestFailed, clock_offset_seconds, stored_text
from mobjects.marketo.redaction import MASK, redact_secrets
from mobjects.marketo.rest.config import CLIENT_ID, CLIENT_SECRET, ENDPOINT, RestSettings
from mobjects.marketo.rest.http import send_request
from mobjects.marketo.rest.replies import NotMarketoReply, decimal_number, parse_object
from mobjects.marketo.rest.request import FORM
from mobjects.marketo.types import Exchange
from mobjects.marking import gettext_noop as _

TOKEN_PATH = "/identity/oauth/token"  # noqa: S105 - a path
LONGEST_SECONDS = 20.0
"""For an answer; whoever waits for what another process gets would rather ask itself after that."""
_REFUSED = frozenset({400, 401, 403, 405, 411, 415, 422})


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and when it ends in seconds since 1970."""

    value: str = field(repr=False)
    expires_at: float

    @property
    def fingerprint(self) -> str:
        """Tells one token from another and may be seen."""
        return sha256(self.value.encode()).hexdigest()[:16]


class IdentityCalls:
    """Asks for tokens with one set of credentials. These calls do not count against Marketo's limits.

    Args:
        settings: where Marketo is and who calls.
        client: gives the HTTP client.
        now: the time, aware.
    """

    def __init__(self, settings: RestSettings, client: Callable[[], httpx.Client], now: Callable[[], datetime]) -> None:
        self._settings, self._client, self._now = settings, client, now
        self._in_address = False

    def request_token(self) -> Token:
        """Ask for the token. Marketo hands out the same one until it ends, with the seconds that are left.

        Raises:
            AuthError: the credentials are refused.
            ConfigError: there is no identity service at this address.
            Unavailable: it did not answer as it should.
        """
        if not self._in_address:
            attempt = self._attempt(in_address=False)
            if attempt.status not in _REFUSED:
                return attempt.read_token()
        attempt = self._attempt(in_address=True)
        token = attempt.read_token()
        self._in_address = True
        return token

    def _attempt(self, *, in_address: bool) -> _IdentityAttempt:
        settings = self._settings
        public = urlencode({"grant_type": "client_credentials", "client_id": settings.client_id})
        parameters = f"{public}&{urlencode({'client_secret': settings.client_secret})}"
        address = f"{settings.base}{TOKEN_PATH}" + (f"?{parameters}" if in_address else "")
        started, asked_at = time.perf_counter(), self._now()
        line = f"GET {TOKEN_PATH}?" if in_address else f"POST {TOKEN_PATH}\n\n"
        request = f"{line}{public}&client_secret={MASK}"
        try:
            response = send_request(
                self._client(),
                "GET" if in_address else "POST",
                address,
                b"" if in_address else parameters.encode(),
                httpx.Headers({} if in_address else {"Content-Type": FORM}),
                (settings.connect_timeout_seconds, min(LONGEST_SECONDS, settings.lead_timeout_seconds)),
            )
        except RequestFailed as error:
            exchange = Exchange(request, identity=self._identity(), seconds=time.perf_counter() - started)
            raise Unavailable(error.message, exchange=exchange) from error
        exchange = Exchange(
            request=request,
            response=self._shown_answer(response.content),
            identity=self._identity(),
            http_status=response.status_code,
            seconds=time.perf_counter() - started,
            clock_offset_seconds=clock_offset_seconds(response.headers.get("Date", ""), self._now()),
        )
        return _IdentityAttempt(settings, response.status_code, response.content, asked_at.timestamp(), exchange)

    def _identity(self) -> dict[str, str]:
        return {_("Client ID"): self._settings.client_id}

    def _shown_answer(self, content: bytes) -> str:
        secrets = [self._settings.client_secret, _token_of(content)]
        return redact_secrets(stored_text(content), secrets)


@dataclass(frozen=True, slots=True)
class _IdentityAttempt:
    """An answer of the identity service."""

    settings: RestSettings
    status: int
    content: bytes = field(repr=False)
    asked_at: float
    exchange: Exchange

    def read_token(self) -> Token:
        """The token; raises as :meth:`IdentityCalls.request_token`."""
        try:
            reply = parse_object(self.content)
            value, left = reply.get("access_token"), decimal_number(reply.get("expires_in"))
            if self.status == httpx.codes.OK and _is_token(value) and left is not None:
                return Token(value, self.asked_at + float(left))
            if self.status in _REFUSED:
                raise self._refused(f"{reply.get('error', '')}: {reply.get('error_description', '')}")
            raise NotMarketoReply(_("JSON without a token"))
        except NotMarketoReply as error:
            raise self._not_marketo(str(error)) from error

    def _refused(self, said: str) -> MarketoError:
        said = redact_secrets(" ".join(said.split())[:300], [self.settings.client_secret])
        return self._error(
            AuthError,
            _("Marketo refused the client ID or its secret; check %(client_id)s and %(client_secret)s. (%(said)s)")
            % {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "said": said},
        )

    def _not_marketo(self, what: str) -> MarketoError:
        place = f"{self.settings.base}{TOKEN_PATH}"
        words = _("What answers at %(place)s is not Marketo's identity service: HTTP %(status)s, %(what)s.") % {
            "place": place,
            "status": self.status,
            "what": what,
        }
        if self.status in NOT_HERE:
            return self._error(
                ConfigError,
                _("%(words)s Nothing was sent; check %(endpoint)s.") % {"words": words, "endpoint": ENDPOINT},
            )
        return self._error(
            Unavailable,
            _("%(words)s Try again later; if it stays so, check %(endpoint)s.")
            % {"words": words, "endpoint": ENDPOINT},
        )

    def _error(self, kind: type[MarketoError], message: str) -> MarketoError:
        offset = self.exchange.clock_offset_seconds
        return kind(message, exchange=self.exchange, clock_offset_seconds=offset)


def _is_token(value: object) -> TypeGuard[str]:
    """Whether a value can stand in a header."""
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()


def _token_of(content: bytes) -> str:
    """The token in an answer, so that it can be masked; "" if there is none."""
    try:
        return str(parse_object(content).get("access_token", ""))
    except NotMarketoReply:
        # Cut in the middle, it may hold a token all the same; nothing of it is kept.
        return stored_text(content) if b"access_token" in content else ""
