"""The fault of a proxy is said of the proxy, not of Marketo's address."""

from __future__ import annotations

import socket
import threading

import pytest
import requests

from mobjects.local.ports import HOST, find_free_port
from mobjects.marketo.http_common import RequestFailed
from mobjects.marketo.soap.http import post

ADDRESS = "https://123-ABC-456.mktoapi.com/soap/mktows/2_7"
CHECK = "check HTTPS_PROXY and the proxy of this network."


def refusal_through(proxy):
    session = requests.Session()
    session.trust_env, session.proxies = False, {"https": proxy}
    with pytest.raises(RequestFailed) as caught:
        post(session, ADDRESS, b"<x/>", {}, (5, 5))
    assert not caught.value.sent
    return caught.value.message


@pytest.mark.parametrize(("status", "wants"), [(407, " (it wants a user name and a password)"), (403, "")])
def test_a_proxy_that_refuses_is_named(status, wants):
    def refuse():
        with server.accept()[0] as asked:
            asked.recv(65536)
            asked.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    with socket.create_server((HOST, 0)) as server:
        thread = threading.Thread(target=refuse)
        thread.start()
        said = refusal_through(f"http://user:very-secret@{HOST}:{server.getsockname()[1]}")
        thread.join()
    assert said == f"The proxy in front of Marketo refused the connection with HTTP {status}{wants}; {CHECK}"


def test_a_proxy_whose_name_is_not_known_is_named():
    said = refusal_through("http://no-such-proxy.invalid:3128")
    assert said == f"The host name of the proxy in front of Marketo could not be found; {CHECK}"


def test_a_proxy_that_is_not_there_is_named():
    said = refusal_through(f"http://{HOST}:{find_free_port()}")
    assert said == f"The proxy in front of Marketo could not be reached (ConnectionRefusedError); {CHECK}"
