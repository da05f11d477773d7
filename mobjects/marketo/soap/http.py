"""One HTTP POST, and certainty about whether any of it went out."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping

import requests

from mobjects.marketo.http_common import (
    USER_AGENT,
    RequestBody,
    RequestFailed,
    describe_lost_answer,
    describe_proxy_failure,
    first_cause,
    join_answer,
)
from mobjects.marking import gettext_noop as _

PIECE_BYTES = 65_536
"""Of an answer, unpacked, at a time."""


def post(
    session: requests.Session, address: str, message: bytes, headers: Mapping[str, str], timeouts: tuple[float, float]
) -> requests.Response:
    """Send one request. Redirects are not followed: the signed header would go to whatever address the answer names.

    Args:
        timeouts: longest waits, in seconds, for a connection and for the next part of an answer.

    Raises:
        RequestFailed: saying why, and whether any of the body went out.
    """
    body = RequestBody(message)
    try:
        with session.post(
            address,
            data=body,
            headers={"User-Agent": USER_AGENT, **headers},
            timeout=timeouts,
            allow_redirects=False,
            stream=True,
        ) as response:
            # Where requests itself keeps what it has read; it would read without an end.
            response._content = join_answer(response.iter_content(PIECE_BYTES))
            return response
    # OSError covers requests' own errors; an impossible host name is a ValueError of the layer below.
    except (OSError, ValueError) as error:
        connect_seconds, read_seconds = timeouts
        timed_out = isinstance(error, requests.Timeout)
        lost = describe_lost_answer(read_seconds, timed_out=timed_out)
        words = lost if body.sent else _connect_words(error, address, connect_seconds)
        raise RequestFailed(words, sent=body.sent) from error


def _connect_words(error: Exception, address: str, seconds: float) -> str:
    root = first_cause(error)
    if isinstance(error, requests.exceptions.ProxyError):
        status = re.search(r"Tunnel connection failed: (\d{3})", str(error))
        return describe_proxy_failure(status[1] if status else "", root)
    if isinstance(error, requests.Timeout):
        return _("%(address)s did not accept a connection within %(seconds)s s.") % {
            "address": address,
            "seconds": f"{seconds:g}",
        }
    if isinstance(root, socket.gaierror):
        return _("The host name of %(address)s could not be found; check MARKETO_SOAP_ENDPOINT and the network.") % {
            "address": address
        }
    if isinstance(root, ConnectionRefusedError):
        return _("%(address)s refused the connection; check MARKETO_SOAP_ENDPOINT.") % {"address": address}
    if isinstance(root, ssl.SSLCertVerificationError):
        return _("The certificate of %(address)s is not valid: %(verify_message)s.") % {
            "address": address,
            "verify_message": root.verify_message,
        }
    if isinstance(root, ssl.SSLError):
        return _("%(address)s does not speak TLS as it should; check MARKETO_SOAP_ENDPOINT.") % {"address": address}
    return _("%(address)s could not be reached (%(error)s).") % {"address": address, "error": type(root).__name__}
