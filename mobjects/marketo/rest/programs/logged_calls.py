"""The calls that one program, or one page, needs: made one after another, each kept for the history in its order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from mobjects.marketo.errors import MarketoError, OutcomeUnknown, Rejected, Unavailable
from mobjects.marketo.http_common import NOT_SURE
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.programs.write_state import ProgramMissing
from mobjects.marketo.rest.replies import InvalidReply, RestReply
from mobjects.marketo.rest.request import Parameter
from mobjects.marketo.types import Exchange
from mobjects.marking import gettext_noop as _

SYSTEM_ERROR = "611"
"""Marketo answers so for a moment after a write to the same asset, as clients of live instances report; it is what any
unhandled error is answered with too (Adobe's developer pages), so nothing certain follows from it."""
RACE_WAIT_SECONDS = 1.0
"""How long such a write is held back before it is sent once more."""

Wait = Callable[[float], None]


class LoggedCalls:
    """Makes calls and keeps what went over the wire. Errors carry all of it: the last call with those before it.

    Args:
        calls: to make them with.
        wait: lets some seconds pass.
    """

    def __init__(self, calls: RestCalls, wait: Wait = time.sleep) -> None:
        self._calls = calls
        self.wait = wait
        self._exchanges: list[Exchange] = []

    @property
    def exchange(self) -> Exchange:
        """The last call, with the earlier ones.

        Raises:
            ValueError: none was made.
        """
        if not self._exchanges:
            raise ValueError("no call was made")
        return replace(self._exchanges[-1], earlier=tuple(self._exchanges[:-1]))

    def read(self, path: str, params: Mapping[str, Parameter] | None = None) -> RestReply:
        """See :meth:`mobjects.marketo.rest.calls.RestCalls.read`."""
        return self._make(lambda: self._calls.read(path, params))

    def write(
        self, path: str, fields: Mapping[str, Parameter], params: Mapping[str, Parameter] | None = None
    ) -> RestReply:
        """See :meth:`mobjects.marketo.rest.calls.RestCalls.write_form`."""
        return self._make(lambda: self._calls.write_form(path, fields, params))

    def write_twice(
        self, path: str, fields: Mapping[str, Parameter], params: Mapping[str, Parameter] | None = None
    ) -> RestReply:
        """Write what may be written any number of times: after a system error once more, a moment later.

        Raises:
            OutcomeUnknown: it may have been applied; also if Marketo refuses the second attempt only.
            MarketoError: it was not.
        """
        try:
            return self.write(path, fields, params)
        except OutcomeUnknown as error:
            if error.code != SYSTEM_ERROR:
                raise
        self.wait(RACE_WAIT_SECONDS)
        try:
            return self.write(path, fields, params)
        except Rejected as error:
            raise self.unknown(error.message, error) from error

    def unreadable(self, error: InvalidReply) -> Unavailable:
        """An answer to a read that cannot be trusted."""
        return Unavailable(_("%(error)s Try again later.") % {"error": error}, exchange=self.exchange)

    def missing_program_error(self, reply: RestReply) -> Exception:
        """What an answer to a write means that tells of no program: there is none if a warning says so."""
        if reply.warnings:
            return ProgramMissing()
        return self.unknown(_("Marketo took the update and told of no program in its answer."))

    def unknown(self, words: str, cause: MarketoError | None = None) -> OutcomeUnknown:
        """Something may have been applied; the error holds all calls so far.

        Args:
            words: whole sentences, except that it is not known.
            cause: what the last call was refused with.
        """
        error = OutcomeUnknown(f"{words} {NOT_SURE}", exchange=self.exchange)
        if cause is not None:
            error.code, error.clock_offset_seconds = cause.code, cause.clock_offset_seconds
        return error

    def _make(self, call: Callable[[], RestReply]) -> RestReply:
        try:
            reply = call()
        except MarketoError as error:
            if error.exchange is not None:
                self._keep(error.exchange)
            error.exchange = self.exchange if self._exchanges else None
            raise
        self._keep(reply.exchange)
        return reply

    def _keep(self, exchange: Exchange) -> None:
        self._exchanges += (*exchange.earlier, replace(exchange, earlier=()))
