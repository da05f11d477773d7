"""The fault of a proxy is said of the proxy, not of Marketo's address; a bad certificate is named."""

from __future__ import annotations

import socket
import ssl
import threading

import httpx
import pytest

from mobjects.local.ports import HOST, find_free_port
from mobjects.marketo.errors import ConfigError
from mobjects.marketo.http_common import RequestFailed
from mobjects.marketo.rest.http import new_client, send_request

pytestmark = pytest.mark.usefixtures("no_proxies")
ADDRESS = "https://123-abc-456.mktorest.com/rest/v1/opportunities.json"
CHECK = "check HTTPS_PROXY and the proxy of this network."


@pytest.fixture
def no_proxies(monkeypatch):
    """No proxy but that of the test."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


class Failing(httpx.BaseTransport):
    """A wire that breaks while the connection is made."""

    def __init__(self, error, cause=None):
        self.error, self.cause = error, cause

    def handle_request(self, request):
        raise self.error from self.cause


def failure(client):
    with client, pytest.raises(RequestFailed) as caught:
        send_request(client, "POST", ADDRESS, b"{}", httpx.Headers(), (5.0, 5.0))
    assert not caught.value.sent
    return caught.value.message


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(("status", "wants"), [(407, " (it wants a user name and a password)"), (403, "")])
def test_a_proxy_that_refuses_is_named(status, wants, variable, monkeypatch):
    def refuse():
        with server.accept()[0] as asked:
            asked.recv(65536)
            asked.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    with socket.create_server((HOST, 0)) as server:
        monkeypatch.setenv(variable, f"http://user:very-secret@{HOST}:{server.getsockname()[1]}")
        thread = threading.Thread(target=refuse)
        thread.start()
        said = failure(new_client())
        thread.join()
    assert said == f"The proxy in front of Marketo refused the connection with HTTP {status}{wants}; {CHECK}"


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("no-such-proxy.invalid:3128", "The host name of the proxy in front of Marketo could not be found"),
        ("closed", "The proxy in front of Marketo could not be reached (ConnectionRefusedError)"),
    ],
)
def test_a_proxy_that_is_not_there_is_named(proxy, words, monkeypatch):
    address = proxy.replace("closed", f"{HOST}:{find_free_port()}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:very-secret@{address}")
    assert failure(new_client()) == f"{words}; {CHECK}"


def test_a_proxy_that_is_not_for_marketo_is_not_blamed(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://{HOST}:{find_free_port()}")
    monkeypatch.setenv("NO_PROXY", "mktorest.com")
    error = httpx.ConnectError("failed")
    said = failure(httpx.Client(transport=Failing(error, ConnectionRefusedError())))
    assert said == "123-abc-456.mktorest.com refused the connection; check MARKETO_REST_ENDPOINT."


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ALL_PROXY", "socks5://user:very-secret@127.0.0.1:1080", "HTTPS_PROXY or ALL_PROXY"),
        ("HTTPS_PROXY", "ftp://user:very-secret@127.0.0.1:21", "HTTPS_PROXY or ALL_PROXY"),
        ("SSL_CERT_FILE", "no-such-file.pem", "SSL_CERT_FILE"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(variable, value, words, monkeypatch):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=words) as caught:
        new_client()
    assert "very-secret" not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:1"])
def test_a_bad_certificate_is_named(proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_message = "certificate has expired"
    said = failure(httpx.Client(transport=Failing(httpx.ConnectError("failed"), error)))
    assert said == "The certificate of 123-abc-456.mktorest.com is not valid: certificate has expired."


def test_a_wire_that_fails_in_another_way_has_not_sent_anything():
    said = failure(httpx.Client(transport=Failing(OSError("no CA bundle"))))
    assert said == "123-abc-456.mktorest.com could not be reached (OSError)."
