"""The result of a connection test, in words."""

from __future__ import annotations

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, Unavailable
from mobjects.marketo.http_common import RequestFailed, describe_wrong_clock
from mobjects.marketo.soap.envelope import UnreadableResponse
from mobjects.marketo.soap.faults import CLOCK_FAULT
from mobjects.marketo.transport import ConnectionVerdict, PingResult
from mobjects.marking import gettext_noop as _

# The Date header has whole seconds and a slow answer ages it; below this a clock is as good as right.
_NOTABLE_SECONDS = 30
_TIME_REFUSED = _("Marketo refused the timestamp.")
_TOO_FAR = _("Marketo refuses calls once the two clocks are too far apart.")


def good(offset: float | None) -> PingResult:
    """The call was answered as it should be."""
    message = _("Marketo answered and accepted the signature.")
    if offset is not None and abs(offset) >= _NOTABLE_SECONDS:
        message += f" {describe_wrong_clock(offset)} {_TOO_FAR}"
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
        return _("%(message)s Marketo's answer does not tell its own time.") % {"message": error.message}
    if abs(offset) < _NOTABLE_SECONDS:
        return _("%(message)s By the Date of its answer the two clocks agree within %(notable_seconds)s s.") % {
            "message": error.message,
            "notable_seconds": _NOTABLE_SECONDS,
        }
    return f"{_TIME_REFUSED} {describe_wrong_clock(offset)}"
