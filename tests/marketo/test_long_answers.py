"""An answer is read up to a bound, also after it was unpacked; what a longer one says is not guessed."""

from __future__ import annotations

import gzip

import httpx
import pytest
import requests

from mobjects.marketo.http_common import MOST_ANSWER_BYTES, RequestFailed, join_answer
from mobjects.marketo.rest import http as rest_http
from mobjects.marketo.soap import http as soap_http
from tests.support.scripted_server import Reply, ScriptedServer

PACKED = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}


@pytest.fixture
def server():
    with ScriptedServer() as running:
        yield running


def soap_post(address):
    with requests.Session() as session:
        return soap_http.post(session, address, b"<x/>", {}, (5, 5)).content


def rest_request(address):
    with rest_http.new_client() as client:
        return rest_http.send_request(client, "POST", address, b"{}", httpx.Headers(), (5, 5)).content


@pytest.mark.parametrize("ask", [soap_post, rest_request])
def test_a_bomb_is_not_unpacked_to_its_end_and_what_it_answers_is_not_known(server, ask):
    server.replies.append(Reply(gzip.compress(bytes(2 * MOST_ANSWER_BYTES), 9), headers=PACKED))
    with pytest.raises(RequestFailed, match="longer than 50 MB and was not read") as failed:
        ask(server.address)
    assert failed.value.sent


@pytest.mark.parametrize("ask", [soap_post, rest_request])
def test_a_packed_answer_is_read_whole(server, ask):
    server.replies.append(Reply(gzip.compress(b"answer" * 100_000), headers=PACKED))
    assert ask(server.address) == b"answer" * 100_000


def test_the_bound_is_exact():
    assert join_answer([b"12", b"34"], most=4) == b"1234"
    with pytest.raises(RequestFailed):
        join_answer(iter([b"12", b"34", b"5"]), most=4)
