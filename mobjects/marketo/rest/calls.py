"""Calls to Marketo's REST API with one set of credentials: the surface on which the kinds of records are built."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import httpx

from mobjects.marketo.errors import AuthError, MarketoError, RefusalReason
from mobjects.marketo.rest.attempt import RestAttempt
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.http import process_client
from mobjects.marketo.rest.identity import IdentityCalls
from mobjects.marketo.rest.replies import RestReply
from mobjects.marketo.rest.request import (
    FORM,
    JSON,
    OutgoingRequest,
    Parameter,
    build_read,
    build_read_post,
    encode_form,
    encode_json,
)
from mobjects.marketo.rest.tokens import TokenSource
from mobjects.marketo.shared_store import SharedStore


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RestCalls:
    """Makes calls. Safe to use from several threads.

    Each method raises a :class:`mobjects.marketo.errors.MarketoError` where the call as a whole does not succeed. A
    token that Marketo refuses is replaced and the call sent once more, because nothing was carried out; what was
    answered before stands in the exchange's ``earlier``.

    Args:
        settings: where Marketo is and who calls.
        store: what all processes share.
        client: the HTTP client, left open; that of this process if none is given.
        now: the time, aware.
        sleep: waits some seconds, for a token.
    """

    def __init__(
        self,
        settings: RestSettings,
        store: SharedStore,
        *,
        client: httpx.Client | None = None,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self._given_client = client
        self._now = now
        self._tokens = TokenSource(settings, IdentityCalls(settings, self._client, now), store, now, sleep)

    def read(self, path: str, params: Mapping[str, Parameter] | None = None) -> RestReply:
        """Read with a GET, or where the address would be too long with a POST that Marketo reads as one.

        Args:
            path: from ``/rest`` on, its parts percent-encoded.
            params: the query; what is ``None`` is left out, lists and objects become JSON text.

        Returns:
            The answer; without entries where the asset API says that it found nothing.

        Raises:
            MarketoError: never ``OutcomeUnknown``.
        """
        return self._call(build_read(self.settings.base, path, params or {}))

    def read_post(self, path: str, *, form: Mapping[str, Parameter] | None = None, body: object = None) -> RestReply:
        """Read with the parameters in the body of a POST: a form, or JSON where there is none.

        Raises:
            MarketoError: never ``OutcomeUnknown``.
        """
        return self._call(build_read_post(path, form=form, body=body))

    def write_json(self, path: str, body: object) -> RestReply:
        """Change something in the lead database.

        Args:
            path: from ``/rest/v1`` on.
            body: what JSON can hold, and decimals and dates.

        Raises:
            RequestTooLarge: nothing was sent; fewer records may fit.
            OutcomeUnknown: it may have been applied.
            MarketoError: it was not.
        """
        return self._call(OutgoingRequest("POST", path, body=encode_json(body), content_type=JSON, write=True))

    def write_form(
        self, path: str, fields: Mapping[str, Parameter], params: Mapping[str, Parameter] | None = None
    ) -> RestReply:
        """Change an asset, such as a program.

        Args:
            path: from ``/rest/asset/v1`` on.
            fields: the form; what is ``None`` is left out, lists and objects become JSON text.
            params: the query, where a call wants one.

        Raises:
            RequestTooLarge: nothing was sent.
            OutcomeUnknown: it may have been applied.
            MarketoError: it was not.
        """
        body = encode_form(fields).encode()
        return self._call(OutgoingRequest("POST", path, encode_form(params or {}), body, FORM, write=True))

    def _call(self, request: OutgoingRequest) -> RestReply:
        self.settings.check()
        token = self._tokens.current_token()
        try:
            return RestAttempt(self.settings, request, token).send(self._client(), self._now)
        except AuthError as error:
            if error.trouble is not RefusalReason.EXPIRED:
                raise
            refused = error
        self._tokens.discard(token)
        try:
            token = self._tokens.current_token()
        except MarketoError as error:
            _explain(error, refused)
            raise
        earlier = (refused.exchange,) if refused.exchange else ()
        try:
            return RestAttempt(self.settings, request, token, earlier).send(self._client(), self._now)
        except AuthError as error:
            if error.trouble is RefusalReason.EXPIRED:
                self._tokens.discard(token)
            raise

    def _client(self) -> httpx.Client:
        return self._given_client or process_client()


def _explain(error: MarketoError, refused: MarketoError) -> None:
    """No fresh token came: the history keeps the call that was refused, and what the identity service said after it."""
    error.code = error.code or refused.code
    if error.exchange is None:
        error.exchange = refused.exchange
    elif refused.exchange is not None:
        error.exchange = replace(error.exchange, earlier=(refused.exchange,))
