"""One HTTP POST, and certainty about whether any of it went out."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

import requests
from zeep import Transport

USER_AGENT = "marketo-admin"


class NoAnswer(Exception):
    """No complete answer came. ``sent`` says whether any part of the body may have reached the other side."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.sent = sent


class _Body(io.BytesIO):
    """A request body that remembers whether sending it began.

    The HTTP client reads it only once the connection, TLS included, stands. So as long as nothing was read,
    Marketo cannot have seen the request, whatever the exception is called.
    """

    sent = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.sent = True
        return super().read(size)


class Wire(Transport):
    """zeep's transport with both timeouts, no redirects and nothing logged.

    Redirects are not followed: the signed header would go to whatever address the answer names.
    """

    def __init__(self, session: requests.Session, *, connect_seconds: float, read_seconds: float) -> None:
        timeouts = (connect_seconds, read_seconds)
        # zeep's constructors have no types.
        super().__init__(timeout=connect_seconds, operation_timeout=timeouts, session=session)  # type: ignore[no-untyped-call]
        self.session.headers["User-Agent"] = USER_AGENT
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> requests.Response:
        """Send one request.

        Raises:
            NoAnswer: saying why, and whether any of the body went out.
        """
        body = _Body(message)
        try:
            return self.session.post(
                address, data=body, headers=headers, timeout=self.operation_timeout, allow_redirects=False
            )
        # OSError covers requests' own errors; an impossible host name is a ValueError of the layer below.
        except (OSError, ValueError) as error:
            words = self._lost_words(error) if body.sent else self._connect_words(error, address)
            raise NoAnswer(words, sent=body.sent) from error

    def _lost_words(self, error: Exception) -> str:
        if isinstance(error, requests.Timeout):
            return f"Marketo did not answer within {self._read_seconds:g} s."
        return "The connection broke before Marketo's answer was complete."

    def _connect_words(self, error: Exception, address: str) -> str:
        root = _root(error)
        if isinstance(error, requests.Timeout):
            return f"{address} did not accept a connection within {self._connect_seconds:g} s."
        if isinstance(root, socket.gaierror):
            return f"The host name of {address} could not be found; check MARKETO_SOAP_ENDPOINT and the network."
        if isinstance(root, ConnectionRefusedError):
            return f"{address} refused the connection; check MARKETO_SOAP_ENDPOINT."
        if isinstance(root, ssl.SSLCertVerificationError):
            return f"The certificate of {address} is not valid: {root.verify_message}."
        if isinstance(root, ssl.SSLError):
            return f"{address} does not speak TLS as it should; check MARKETO_SOAP_ENDPOINT."
        return f"{address} could not be reached ({type(root).__name__})."


def _root(error: BaseException) -> BaseException:
    """The first cause of an exception: what the operating system said under three layers of HTTP libraries."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # one of them is set
    return error


def clock_offset_seconds(response: requests.Response, now: datetime) -> float | None:
    """The other side's clock minus ours, from the Date header (whole seconds); ``None`` if it has no usable one."""
    try:
        date = parsedate_to_datetime(response.headers.get("Date", ""))
        return round((date - now).total_seconds(), 1)
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return None
