"""What an HTTP request and its answer tell, whichever API they belong to and whichever client sent them."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from mobjects.marketo.redaction import MASK
from mobjects.marking import gettext_noop as _

USER_AGENT = "marketo-admin"
NOT_SURE = _("Whether it was applied is not known.")
MAX_STORED_CHARACTERS = 1_000_000

NOT_HERE = frozenset({301, 307, 308, 404, 405, 410, 501})
"""By these HTTP says that no such resource is here, that it takes no such method, or that it lives elsewhere (RFC 9110,
section 15), so nothing that could have applied a change was reached. Anything else that does not speak Marketo's
language may come from a gateway in front of a Marketo that did the work."""


_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as they may be kept: those that prove who calls are masked."""
    return {name: MASK if name.lower() in _SECRET_HEADERS else value for name, value in headers.items()}


class RequestFailed(Exception):
    """No complete answer came.

    Args:
        message: why, as a sentence.
        sent: whether any part of the body may have reached the other side.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.sent = sent


MOST_ANSWER_BYTES = 50_000_000
"""No answer of Marketo's comes near it: 300 records are the most that one holds."""


def join_answer(pieces: Iterable[bytes], most: int = MOST_ANSWER_BYTES) -> bytes:
    """An answer as a whole, unpacked, as long as it is no longer than it may be.

    Raises:
        RequestFailed: it is longer. What the request did is not known then: the answer is not read.
    """
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > most:
            words = _("Marketo's answer is longer than %(megabytes)s MB and was not read.")
            raise RequestFailed(words % {"megabytes": f"{most / 1_000_000:,.0f}"}, sent=True)
    return bytes(found)


class RequestBody(io.BytesIO):
    """A request body that remembers whether sending it began.

    The HTTP client reads it only once the connection, TLS included, stands. So as long as nothing was read,
    Marketo cannot have seen all of the request, whatever the exception is called.
    """

    sent = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.sent = True
        return super().read(size)


def describe_lost_answer(seconds: float, *, timed_out: bool) -> str:
    """Why the answer to a request that went out did not come, as a sentence."""
    if timed_out:
        return _("Marketo did not answer within %(seconds)s s.") % {"seconds": f"{seconds:g}"}
    return _("The connection broke before Marketo's answer was complete.")


def describe_proxy_failure(status: str, root: BaseException) -> str:
    """What a proxy of this machine's network did, as a sentence; Marketo's address has nothing to do with it.

    Args:
        status: the HTTP status with which it refused; "" if it said none.
        root: the error at the bottom.
    """
    if status == "407":
        return _(
            "The proxy in front of Marketo refused the connection with HTTP 407 (it wants a user name and a password); "
            "check HTTPS_PROXY and the proxy of this network."
        )
    if status:
        words = _(
            "The proxy in front of Marketo refused the connection with HTTP %(status)s; check HTTPS_PROXY and the "
            "proxy of this network."
        )
        return words % {"status": status}
    if isinstance(root, socket.gaierror):
        return _(
            "The host name of the proxy in front of Marketo could not be found; check HTTPS_PROXY and the proxy of "
            "this network."
        )
    return _(
        "The proxy in front of Marketo could not be reached (%(error)s); check HTTPS_PROXY and the proxy of this "
        "network."
    ) % {"error": type(root).__name__}


def describe_wrong_clock(offset: float) -> str:
    """That this machine's clock is not Marketo's, as a sentence.

    Args:
        offset: Marketo's clock minus ours, in seconds; not 0.
    """
    behind = _("This machine's clock is %(seconds)s s behind Marketo's; set it right.")
    ahead = _("This machine's clock is %(seconds)s s ahead of Marketo's; set it right.")
    return (behind if offset > 0 else ahead) % {"seconds": f"{abs(offset):.0f}"}


def first_cause(error: BaseException) -> BaseException:
    """What the operating system said under three layers of HTTP libraries."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # one of them is set
    return error


def clock_offset_seconds(date: str, now: datetime) -> float | None:
    """The other side's clock minus ours, in whole seconds; ``None`` if the answer has no usable date.

    Args:
        date: the Date header of the answer, or "".
        now: aware; when the answer came.
    """
    try:
        return round((parsedate_to_datetime(date) - now).total_seconds(), 1)
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return None


def stored_text(content: bytes) -> str:
    """An answer as text that any database takes: cut to a bearable length, and without NUL."""
    text = content[: 4 * MAX_STORED_CHARACTERS].decode("utf-8", "replace").replace("\0", "\ufffd")
    if len(text) <= MAX_STORED_CHARACTERS:
        return text
    return f"{text[:MAX_STORED_CHARACTERS]}\n(cut: the answer had {len(content)} bytes)"
