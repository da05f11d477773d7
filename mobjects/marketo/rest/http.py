"""One HTTP request, and certainty about whether any of it went out."""

from __future__ import annotations

import atexit
import logging
import os
import re
import socket
import ssl
from urllib.request import getproxies, proxy_bypass

import httpx

from mobjects.marketo.errors import ConfigError
from mobjects.marketo.http_common import (
    USER_AGENT,
    RequestBody,
    RequestFailed,
    describe_lost_answer,
    describe_proxy_failure,
    first_cause,
    join_answer,
)
from mobjects.marketo.rest.config import ENDPOINT
from mobjects.marking import gettext_noop as _

# Longer than a worker needs between two calls, shorter than servers keep a connection that nobody uses: one that they
# closed meanwhile would lose the next request.
_KEPT_SECONDS = 5.0
_CONNECTIONS = 20


class _HideQuery(logging.Filter):
    """httpx logs each address at INFO. What stands behind its question mark is nobody's business."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_without_query(each) for each in record.args)
        return True


def _without_query(value: object) -> object:
    return str(value).partition("?")[0] if isinstance(value, httpx.URL) else value


logging.getLogger("httpx").addFilter(_HideQuery())


def new_client() -> httpx.Client:
    """A client with connections of its own. Certificates are verified; the proxy is that of the environment.

    It follows no redirect: the token would go to whatever address the answer names.

    Raises:
        ConfigError: what the environment says of proxies or certificates cannot be used.
    """
    limits = httpx.Limits(
        max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=_KEPT_SECONDS
    )
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip"}
    try:
        return httpx.Client(headers=headers, limits=limits, follow_redirects=False)
    except OSError as error:  # An SSLError is one.
        words = _("The certificates that SSL_CERT_FILE or SSL_CERT_DIR name cannot be read (%(error)s).") % {
            "error": type(error).__name__
        }
    except (ImportError, ValueError, httpx.InvalidURL):
        words = _(
            "The proxy of HTTPS_PROXY or ALL_PROXY cannot be used; give one that starts with http:// or https://."
        )
    # Not while the error is handled, which may repeat the password of the proxy.
    raise ConfigError(words)


_clients: dict[int, httpx.Client] = {}


def process_client() -> httpx.Client:
    """The client of this process. A forked process gets its own: two cannot speak over one connection."""
    client = _clients.get(os.getpid())
    if client is None or client.is_closed:
        client = _clients[os.getpid()] = new_client()
    return client


@atexit.register
def close_process_client() -> None:
    """Close this process's connections."""
    client = _clients.pop(os.getpid(), None)
    if client is not None:
        client.close()


def send_request(
    client: httpx.Client,
    method: str,
    address: str,
    body: bytes,
    headers: httpx.Headers,
    timeouts: tuple[float, float],
) -> httpx.Response:
    """Send one request and read the whole answer.

    Args:
        address: with its query.
        headers: they hold the token, so no plain dictionary, which would show it.
        timeouts: longest waits, in seconds, for a connection and for the next part of an answer.

    Raises:
        RequestFailed: saying why, and whether any of the body went out.
    """
    connect_seconds, read_seconds = timeouts
    timeout = httpx.Timeout(read_seconds, connect=connect_seconds, pool=connect_seconds)
    content = None if method == "GET" else RequestBody(body)
    try:
        with client.stream(method, address, content=content, headers=headers, timeout=timeout) as response:
            # Where httpx itself keeps what it has read; it would read without an end.
            response._content = join_answer(response.iter_bytes())
            return response
    # OSError: no certificates on this machine; ValueError: an impossible host name.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        sent = content.sent if content else not isinstance(error, _NOT_CONNECTED)
        timed_out = isinstance(error, httpx.TimeoutException)
        lost = describe_lost_answer(read_seconds, timed_out=timed_out)
        words = lost if sent else _connect_words(error, address, connect_seconds)
        raise RequestFailed(words, sent=sent) from error


_NOT_CONNECTED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    ValueError,
)


def _connect_words(error: Exception, address: str, seconds: float) -> str:
    root = first_cause(error)
    host = httpx.URL(address).host if not isinstance(error, httpx.InvalidURL) else _("The endpoint")
    if isinstance(error, httpx.TimeoutException):
        return _("%(host)s did not accept a connection within %(seconds)s s.") % {
            "host": host,
            "seconds": f"{seconds:g}",
        }
    if isinstance(root, ssl.SSLCertVerificationError):
        return _("The certificate of %(host)s is not valid: %(verify_message)s.") % {
            "host": host,
            "verify_message": root.verify_message,
        }
    if isinstance(root, ssl.SSLError):
        return _("%(host)s does not speak TLS as it should; check %(endpoint)s.") % {"host": host, "endpoint": ENDPOINT}
    if isinstance(error, httpx.ProxyError) or (isinstance(error, httpx.ConnectError) and _has_proxy(address)):
        status = re.match(r"(\d{3})\b", str(error))
        return describe_proxy_failure(status[1] if status else "", root)
    if isinstance(root, socket.gaierror):
        return _("The host name %(host)s could not be found; check %(endpoint)s and the network.") % {
            "host": host,
            "endpoint": ENDPOINT,
        }
    if isinstance(root, ConnectionRefusedError):
        return _("%(host)s refused the connection; check %(endpoint)s.") % {"host": host, "endpoint": ENDPOINT}
    return _("%(host)s could not be reached (%(error)s).") % {"host": host, "error": type(root).__name__}


def _has_proxy(address: str) -> bool:
    """Whether the environment puts a proxy between us and this address. Then it is the proxy that is connected to."""
    url, proxies = httpx.URL(address), getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.host)
