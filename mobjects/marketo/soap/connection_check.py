"""The result of a connection test, in words."""

from __future__ import annotations

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, Unavailable
from mobjects.marketo.http_common import RequestFailed
from mobjects.marketo.soap.envelope import UnreadableResponse
from mobjects.marketo.soap.faults import CLOCK_FAULT
from mobjects.marketo.transport import ConnectionVerdict, PingResult

# The Date header has whole seconds and a slow answer ages it; below this a clock is as good as right.
_NOTABLE_SECONDS = 30


def good(offset: float | None) -> PingResult:
    """The call was answered as it should be."""
    message = "Marketo answered and accepted the signature."
    if offset is not None and abs(offset) >= _NOTABLE_SECONDS:
        message += f" But {_clock_words(offset)}, and too large a difference makes it refuse calls."
    return PingResult(ConnectionVerdict.OK, message, offset)


def bad(error: MarketoError) -> PingResult:
    """The call failed."""
    offset = error.clock_offset_seconds
    if error.code == CLOCK_FAULT:
        return PingResult(ConnectionVerdict.CLOCK_OFF, _clock_fault_words(error), offset)
    return PingResult(_verdict(error), error.message, offset)


def _verdict(error: MarketoError) -> ConnectionVerdict:
    if isinstance(error.__cause__, UnreadableResponse):
        return ConnectionVerdict.NOT_MARKETO
    if isinstance(error, AuthError):
        return ConnectionVerdict.REFUSED
    if isinstance(error, ConfigError):
        return ConnectionVerdict.NOT_CONFIGURED
    if isinstance(error, Unavailable) and isinstance(error.__cause__, RequestFailed):
        return ConnectionVerdict.UNREACHABLE
    return ConnectionVerdict.ERROR


def _clock_fault_words(error: MarketoError) -> str:
    offset = error.clock_offset_seconds
    if offset is None:
        return f"{error.message} Marketo's answer does not tell its own time."
    if abs(offset) < _NOTABLE_SECONDS:
        return f"{error.message} By the Date of its answer the two clocks agree within {_NOTABLE_SECONDS} s."
    return f"Marketo refused the timestamp: {_clock_words(offset)}. Set this machine's clock right."


def _clock_words(offset: float) -> str:
    """Marketo's clock minus ours, said from this machine's side."""
    direction = "behind" if offset > 0 else "ahead of"
    return f"this machine's clock is {abs(round(offset))} s {direction} Marketo's"
