"""One HTTP POST, and certainty about whether any of it went out."""

from __future__ import annotations

import io
import re
import socket
import ssl
from collections.abc import Mapping

import requests

from mobjects.marketo.http_common import USER_AGENT, first_cause


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


def post(
    session: requests.Session, address: str, message: bytes, headers: Mapping[str, str], timeouts: tuple[float, float]
) -> requests.Response:
    """Send one request. Redirects are not followed: the signed header would go to whatever address the answer names.

    Args:
        timeouts: longest waits, in seconds, for a connection and for the next part of an answer.

    Raises:
        NoAnswer: saying why, and whether any of the body went out.
    """
    body = _Body(message)
    try:
        return session.post(
            address,
            data=body,
            headers={"User-Agent": USER_AGENT, **headers},
            timeout=timeouts,
            allow_redirects=False,
        )
    # OSError covers requests' own errors; an impossible host name is a ValueError of the layer below.
    except (OSError, ValueError) as error:
        connect_seconds, read_seconds = timeouts
        words = _lost_words(error, read_seconds) if body.sent else _connect_words(error, address, connect_seconds)
        raise NoAnswer(words, sent=body.sent) from error


def _lost_words(error: Exception, seconds: float) -> str:
    if isinstance(error, requests.Timeout):
        return f"Marketo did not answer within {seconds:g} s."
    return "The connection broke before Marketo's answer was complete."


def _connect_words(error: Exception, address: str, seconds: float) -> str:
    root = first_cause(error)
    if isinstance(error, requests.exceptions.ProxyError):
        return _proxy_words(str(error), root)
    if isinstance(error, requests.Timeout):
        return f"{address} did not accept a connection within {seconds:g} s."
    if isinstance(root, socket.gaierror):
        return f"The host name of {address} could not be found; check MARKETO_SOAP_ENDPOINT and the network."
    if isinstance(root, ConnectionRefusedError):
        return f"{address} refused the connection; check MARKETO_SOAP_ENDPOINT."
    if isinstance(root, ssl.SSLCertVerificationError):
        return f"The certificate of {address} is not valid: {root.verify_message}."
    if isinstance(root, ssl.SSLError):
        return f"{address} does not speak TLS as it should; check MARKETO_SOAP_ENDPOINT."
    return f"{address} could not be reached ({type(root).__name__})."


def _proxy_words(text: str, root: BaseException) -> str:
    """What a proxy of this machine's network did; Marketo's address has nothing to do with it."""
    check = "check HTTPS_PROXY and the proxy of this network"
    status = re.search(r"Tunnel connection failed: (\d{3})", text)
    if status:
        wants = " (it wants a user name and a password)" if status[1] == "407" else ""
        return f"The proxy in front of Marketo refused the connection with HTTP {status[1]}{wants}; {check}."
    if isinstance(root, socket.gaierror):
        return f"The host name of the proxy in front of Marketo could not be found; {check}."
    return f"The proxy in front of Marketo could not be reached ({type(root).__name__}); {check}."
