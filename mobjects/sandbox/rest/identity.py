"""The identity endpoint: tokens for client credentials, handed out again until they expire.

Source: Adobe's authentication page. ``expires_in`` is what is left, so a caller may be given a token of a few seconds.
"""

from __future__ import annotations

import hmac
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import uuid4

from mobjects.sandbox.rest.instance import RestInstance
from mobjects.sandbox.rest.rest_call import FORM_TYPE, RestError, RestRequest

CLIENT_ID = "0b0f6a1e-5a4d-4c39-8a6b-7d5f3c2e1a90"
CLIENT_SECRET = "sandbox-client-secret-do-not-use-elsewhere"  # noqa: S105  # of the sandbox, printed in its documentation
API_USER = "api.user@sandbox.example.com"

_KEPT_TOKENS = 100


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The one custom service of a sandbox; the secret is kept out of the repr."""

    client_id: str = CLIENT_ID
    client_secret: str = field(default=CLIENT_SECRET, repr=False)


class IdentityRefused(Exception):
    """No token is given; ``status`` is that of HTTP, ``error`` and the text are in the body."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


@dataclass(slots=True)
class _Token:
    text: str
    expires_at: datetime
    refused_with: str = ""


class TokenIssuer:
    """Issues tokens and tells whether one is good. Times are those of the sandbox's clock."""

    def __init__(self, credentials: ClientCredentials, instance: RestInstance) -> None:
        self._credentials = credentials
        self._instance = instance
        self._lock = Lock()
        self._tokens: deque[_Token] = deque(maxlen=_KEPT_TOKENS)

    def clear(self) -> None:
        """Forget all tokens."""
        with self._lock:
            self._tokens.clear()

    def issue_token(self, request: RestRequest, now: datetime) -> dict[str, object]:
        """Answer a call of the identity endpoint.

        Raises:
            IdentityRefused: 400 for another grant type, 401 for wrong or missing credentials.
        """
        form_ignored = request.media_type == FORM_TYPE and not self._instance.form_token
        given = request.query_fields if form_ignored else request.form
        self._check_client(given)
        token = self._current(now)
        return {
            "access_token": token.text,
            "token_type": "bearer",
            "expires_in": int((token.expires_at - now).total_seconds()),
            "scope": API_USER,
        }

    def check_token(self, authorization: str, now: datetime) -> None:
        """Let a call pass or refuse it.

        Raises:
            RestError: 600 without a token, 601 for an unknown, 602 for an expired one.
        """
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise RestError("600", "Empty access token")
        sent = text.strip().encode()
        with self._lock:
            token = next((each for each in self._tokens if hmac.compare_digest(each.text.encode(), sent)), None)
        if token is None or token.refused_with == "601":
            raise RestError("601", "Access token invalid")
        if token.refused_with or now >= token.expires_at:
            raise RestError("602", "Access token expired")

    def expire_in(self, seconds: float, now: datetime) -> None:
        """Let the current token, made if there is none, end so soon."""
        self._current(now).expires_at = now + timedelta(seconds=seconds)

    def refuse_current(self, code: str, now: datetime) -> None:
        """Refuse the current token from now on with 601 or 602, but hand it out until it expires."""
        self._current(now).refused_with = code

    def _check_client(self, given: dict[str, str]) -> None:
        if "client_id" not in given:
            raise IdentityRefused(401, "unauthorized", "Full authentication is required to access this resource")
        known = hmac.compare_digest(given["client_id"].encode(), self._credentials.client_id.encode())
        secret = given.get("client_secret", "").encode()
        if not (hmac.compare_digest(secret, self._credentials.client_secret.encode()) and known):
            raise IdentityRefused(401, "invalid_client", "Bad client credentials")
        if given.get("grant_type") != "client_credentials":
            raise IdentityRefused(400, "unsupported_grant_type", "grant_type must be client_credentials")

    def _current(self, now: datetime) -> _Token:
        with self._lock:
            newest = self._tokens[-1] if self._tokens else None
            if newest is None or now >= newest.expires_at:
                newest = _Token(f"{uuid4()}:sj", now + timedelta(seconds=self._instance.token_seconds))
                self._tokens.append(newest)
            return newest
