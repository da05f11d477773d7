"""The wire: what goes out, what comes back, and what an answer that never came leaves behind."""

from __future__ import annotations

import gzip
import json
import logging
import os
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from urllib.parse import parse_qs, parse_qsl

import pytest

from mobjects.marketo.errors import ConfigError, MarketoError, Rejected
from mobjects.marketo.rest import http
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.http import new_client, process_client
from mobjects.marketo.rest.request import LARGEST_BODY_BYTES, LONGEST_ADDRESS_BYTES, RequestTooLarge
from mobjects.marketo.shared_store import MemoryStore
from tests.support.rest_server import CLIENT_ID, SECRET, TOKEN_PATH, asset_success, failure, success

OPPORTUNITIES = "/rest/v1/opportunities.json"
PROGRAM = "/rest/asset/v1/program/1001.json"
BODY = {"action": "createOnly", "input": [{"name": "Größe"}]}


def test_a_write_goes_as_json_with_the_token(server, calls):
    server.answer(success({"seq": 0, "status": "created", "marketoGUID": "g"}))
    reply = calls.write_json(OPPORTUNITIES, BODY)
    (call,) = server.calls
    assert (call.method, call.path) == ("POST", OPPORTUNITIES)
    assert call.headers["Authorization"] == "Bearer token-1"
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["Accept-Encoding"] == "gzip"
    assert call.headers["User-Agent"] == "marketo-admin"
    assert call.json() == BODY
    assert reply.result == [{"seq": 0, "status": "created", "marketoGUID": "g"}]
    assert reply.request_id == "e42b#14272d07d78"


def test_json_carries_amounts_dates_and_cleared_fields(server, calls):
    server.answer(success())
    moment = datetime(2026, 3, 2, 12, tzinfo=UTC)
    values = [Decimal("1604.47"), Decimal("3000.00"), moment, moment.date(), None, True]
    calls.write_json(OPPORTUNITIES, values)
    assert server.calls[0].body == b'[1604.47,3000,"2026-03-02T12:00:00+00:00","2026-03-02",null,true]'


@pytest.mark.parametrize("value", [Decimal("nan"), object(), "\ud800", {1, 2}, 2**64])
def test_what_json_cannot_carry_is_refused_before_anything_is_sent(server, calls, value):
    with pytest.raises(Rejected, match="something that JSON cannot carry: ") as caught:
        calls.write_json(OPPORTUNITIES, {"input": [value]})
    assert caught.value.exchange is None
    assert server.calls == []


def test_an_asset_is_written_as_a_form_with_json_in_its_fields(server, calls):
    server.answer(asset_success({"id": 1001}))
    costs = [{"startDate": "2026-01-01", "cost": 2000, "note": "x & ü"}]
    calls.write_form(PROGRAM, {"costs": costs, "costsDestructiveUpdate": True, "name": "", "tags": None})
    (call,) = server.calls
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    fields = dict(parse_qsl(call.body.decode(), keep_blank_values=True))
    assert json.loads(fields.pop("costs")) == costs
    assert fields == {"costsDestructiveUpdate": "true", "name": ""}


def test_a_tag_is_written_by_its_address_and_query(server, calls):
    server.answer(asset_success({"id": 1001}))
    calls.write_form("/rest/asset/v1/program/1001/tag/Line%20of%2FBusiness.json", {}, {"tagValue": "A & B"})
    (call,) = server.calls
    assert call.path == "/rest/asset/v1/program/1001/tag/Line%20of%2FBusiness.json?tagValue=A+%26+B"
    assert (call.method, call.body) == ("POST", b"")


def test_a_read_goes_as_a_get_with_a_query(server, calls):
    server.answer(success({"id": 1}, moreResult=True, nextPageToken="NEXT=="))
    reply = calls.read(OPPORTUNITIES, {"filterType": "dedupeFields", "filterValues": "a,b c", "nextPageToken": None})
    (call,) = server.calls
    assert (call.method, call.body) == ("GET", b"")
    assert call.path == f"{OPPORTUNITIES}?filterType=dedupeFields&filterValues=a%2Cb+c"
    assert (reply.more, reply.next_page_token) == (True, "NEXT==")


@pytest.mark.parametrize("spare", [0, -1])
def test_an_address_over_eight_kilobytes_goes_into_a_body(server, calls, spare):
    server.answer(success())
    start = f"{server.address}{OPPORTUNITIES}?filterValues="
    values = "v" * (LONGEST_ADDRESS_BYTES - len(start) - spare)
    calls.read(OPPORTUNITIES, {"filterValues": values})
    (call,) = server.calls
    if spare == 0:
        assert (call.method, call.path) == ("GET", f"{OPPORTUNITIES}?filterValues={values}")
    else:
        assert (call.method, call.path) == ("POST", f"{OPPORTUNITIES}?_method=GET")
        assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert parse_qs(call.body.decode()) == {"filterValues": [values]}


def test_keys_of_several_parts_are_asked_for_by_json(server, calls):
    server.answer(success())
    calls.read_post("/rest/v1/opportunities/roles.json", body={"filterType": "dedupeFields", "input": []})
    (call,) = server.calls
    assert call.path == "/rest/v1/opportunities/roles.json?_method=GET"
    assert call.json() == {"filterType": "dedupeFields", "input": []}


def test_a_form_can_be_asked_with(server, calls):
    server.answer(success())
    calls.read_post(OPPORTUNITIES, form={"filterType": "dedupeFields", "batchSize": 300})
    assert server.calls[0].body == b"filterType=dedupeFields&batchSize=300"


def test_a_body_over_one_megabyte_is_refused_here(server, calls):
    server.answer(success())
    fitting = "x" * (LARGEST_BODY_BYTES - 2)
    calls.write_json(OPPORTUNITIES, fitting)
    with pytest.raises(RequestTooLarge, match="would hold 1,000,001 bytes, and Marketo takes 1,000,000") as caught:
        calls.write_json(OPPORTUNITIES, f"{fitting}x")
    assert isinstance(caught.value, Rejected)
    assert caught.value.size == LARGEST_BODY_BYTES + 1
    assert len(server.calls) == 1


@pytest.mark.parametrize("path", ["/rest/asset/v1/program/1/tag//delete.json", "/bulk/v1/x", "/rest/v1/a?b=c", "x"])
def test_a_path_with_an_empty_part_never_leaves(server, calls, path):
    with pytest.raises(Rejected, match="is no path of Marketo's REST API"):
        calls.write_form(path, {})
    assert server.calls == []


@pytest.mark.parametrize("ending", ["", "/", "/rest", "/rest/", "//rest//", "/identity", "/identity/oauth/token"])
def test_the_endpoint_works_however_it_was_pasted(server, make_calls, ending):
    server.answer(success())
    make_calls(endpoint=f"{server.address}{ending}").read(OPPORTUNITIES)
    assert [call.path for call in server.identity_calls] == [TOKEN_PATH]
    assert [call.path for call in server.calls] == [OPPORTUNITIES]


def test_calls_use_one_connection(server, calls):
    for _ in range(3):
        server.answer(success())
        calls.read(OPPORTUNITIES)
    assert len({call.connection for call in [*server.calls, *server.identity_calls]}) == 1


def test_a_compressed_answer_is_read(server, calls):
    server.answer(gzip.compress(json.dumps(success({"id": 1})).encode()), headers={"Content-Encoding": "gzip"})
    reply = calls.read(OPPORTUNITIES)
    assert reply.result == [{"id": 1}]
    assert '"id": 1' in reply.exchange.response


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 200", b"HTTP/1.1 200 ", b"HTTP/1.1 200"])
def test_the_reason_phrase_is_not_looked_at(server, calls, line):
    server.answer(success({"id": 1}), status_line=line)
    assert calls.read(OPPORTUNITIES).result == [{"id": 1}]


def test_the_exchange_tells_everything_but_the_secrets(server, calls):
    server.answer(success({"seq": 0, "echo": f"token-1 and {SECRET}"}))
    exchange = calls.write_json(OPPORTUNITIES, BODY).exchange
    assert exchange.request == f'POST {OPPORTUNITIES}\n\n{{"action":"createOnly","input":[{{"name":"Größe"}}]}}'
    assert '"echo": "*** and ***"' in exchange.response
    assert exchange.identity == {"Client ID": CLIENT_ID, "Request ID": "e42b#14272d07d78"}
    assert exchange.http_status == 200
    assert 0 < exchange.seconds < 5
    assert exchange.earlier == ()


def test_the_exchange_of_a_read_tells_its_query(server, calls):
    server.answer(success())
    assert calls.read(OPPORTUNITIES, {"fields": "name"}).exchange.request == f"GET {OPPORTUNITIES}?fields=name"


@pytest.mark.parametrize("seconds", [0, 95, -95])
def test_the_clocks_are_compared(server, calls, clock, seconds):
    moment = clock.now + timedelta(seconds=seconds)
    server.answer(success(), headers={"Date": format_datetime(moment, usegmt=True)})
    reply = calls.read(OPPORTUNITIES)
    assert reply.clock_offset_seconds == reply.exchange.clock_offset_seconds == seconds


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"endpoint": ""}, "MARKETO_REST_ENDPOINT is not set"),
        ({"client_id": ""}, "MARKETO_CLIENT_ID is not set"),
        ({"client_secret": ""}, "MARKETO_CLIENT_SECRET (or MARKETO_CLIENT_SECRET_FILE) is not set"),
        ({"endpoint": "123-abc-456.mktorest.com"}, "MARKETO_REST_ENDPOINT is not a web address"),
        ({"endpoint": "https://u:p@host/rest"}, "MARKETO_REST_ENDPOINT must not hold a user name or password"),
        ({"endpoint": "https://host/rest?x=1"}, "MARKETO_REST_ENDPOINT must end with its path"),
    ],
)
def test_an_unusable_setting_is_named(server, make_calls, given, words):
    with pytest.raises(ConfigError) as caught:
        make_calls(**given).read(OPPORTUNITIES)
    assert words in caught.value.message
    assert caught.value.exchange is None
    assert server.identity_calls == []


def test_no_secret_in_repr_log_or_exception(server, make_calls, caplog):
    caplog.set_level(logging.DEBUG)
    calls = make_calls()
    server.refuse_token()
    texts = [repr(calls), repr(vars(calls)), repr(calls.settings)]
    for answer in (success({"id": 1}), "<html>", failure("601"), failure("601"), {"success": None}):
        server.answer(answer)
        try:
            texts.append(repr(calls.write_json(OPPORTUNITIES, BODY)))
        except MarketoError as error:
            texts += [repr(error), repr(error.exchange), repr(error.__cause__), str(error.__context__)]
    assert any("client_secret" in call.path for call in server.identity_calls)
    everything = "\n".join([*texts, caplog.text])
    assert "HTTP Request: POST" in everything
    assert "client_secret=" not in caplog.text
    for secret in (SECRET, "y%2FSec%2Bret", "token-1"):
        assert secret not in everything


def test_concurrent_calls_do_not_mix(server, calls):
    answers = {}
    for _ in range(8):
        server.answer(success({"seq": 0}))

    def send(name):
        answers[name] = calls.write_json(OPPORTUNITIES, {"name": name}).exchange.request

    threads = [threading.Thread(target=send, args=(f"name-{index}",), daemon=True) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(f'"name":"{name}"' in request for name, request in answers.items())
    assert len(server.identity_calls) == 1


def test_a_process_has_one_client_and_a_forked_one_its_own():
    try:
        assert process_client() is process_client()
        own = process_client()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, b"same" if process_client() is own else b"other")
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reader, 10) == b"other"
        os.close(reader)
        os.close(writer)
    finally:
        http.close_process_client()
    assert own.is_closed
    replaced = process_client()
    assert not replaced.is_closed
    http.close_process_client()


def test_without_a_client_that_of_the_process_is_used(server, clock):
    settings = RestSettings(f"{server.address}/rest", CLIENT_ID, SECRET)
    server.answer(success())
    try:
        RestCalls(settings, MemoryStore(clock.seconds), now=clock).read(OPPORTUNITIES)
        assert not process_client().is_closed
    finally:
        http.close_process_client()
    assert len(server.calls) == 1


def test_the_proxy_of_the_environment_is_used(server, clock, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.address)
    server.answer(success({"id": 1}))
    server.give_token("token-1")
    settings = RestSettings("http://marketo.invalid/rest", CLIENT_ID, SECRET)
    with new_client() as client:
        # A proxy gets whole addresses, which the scripted one does not take apart.
        server.answers.extendleft([server.tokens.popleft()])
        reply = RestCalls(settings, MemoryStore(clock.seconds), client=client, now=clock).read(OPPORTUNITIES)
    assert reply.result == [{"id": 1}]
    assert server.calls[-1].path == f"http://marketo.invalid{OPPORTUNITIES}"
