"""An answer that never came, or is not what was asked for: what is certain then."""

from __future__ import annotations

import socket

import pytest

from mobjects.local.ports import HOST, find_free_port
from mobjects.marketo.errors import ConfigError, MarketoError, OutcomeUnknown, RefusalReason, Rejected, Unavailable
from mobjects.marketo.rest.request import RequestTooLarge
from tests.support.rest_server import asset_success, exchange_of, failure, success

OPPORTUNITIES = "/rest/v1/opportunities.json"
PROGRAM = "/rest/asset/v1/program/1001.json"
BODY = {"action": "createOnly", "input": [{"name": "Größe"}]}


LOST = [
    ({"cut": True}, "The connection broke before Marketo's answer was complete"),
    ({"silent": True}, r"Marketo did not answer within 0\.2 s"),
    ({"body": "{", "short_by": 5}, "The connection broke before Marketo's answer was complete"),
    ({"body": b"no gzip", "headers": {"Content-Encoding": "gzip"}}, "The connection broke before Marketo's answer"),
]


@pytest.mark.parametrize(("reply", "words"), LOST)
def test_an_answer_that_never_came_leaves_a_write_unknown_and_a_read_failed(server, make_calls, reply, words):
    calls = make_calls(lead_timeout_seconds=0.2 if "silent" in reply else 5.0)
    server.answer(**reply)
    with pytest.raises(OutcomeUnknown, match=words) as caught:
        calls.write_json(OPPORTUNITIES, BODY)
    assert "is not known" in caught.value.message
    assert exchange_of(caught.value).response == ""
    assert "Größe" in exchange_of(caught.value).request
    server.answer(**reply)
    with pytest.raises(Unavailable, match=words):
        calls.read(OPPORTUNITIES)


def test_each_api_has_a_time_out_of_its_own(server, make_calls):
    server.answer(silent=True)
    with pytest.raises(OutcomeUnknown, match=r"within 0\.1 s"):
        make_calls(asset_timeout_seconds=0.1).write_form(PROGRAM, {"name": "x"})
    server.answer(silent=True)
    with pytest.raises(OutcomeUnknown, match=r"within 0\.1 s"):
        make_calls(lead_timeout_seconds=0.1).write_json(OPPORTUNITIES, BODY)


NOT_MARKETO = [
    ("<html>Bad Gateway</html>", 502, "HTTP 502, an HTML page"),
    ("<!DOCTYPE html>", 200, "HTTP 200, an HTML page"),
    ("", 200, "HTTP 200, an empty answer"),
    ("hello", 503, "HTTP 503, something that is not JSON"),
    ('{"success": true, "result": [', 200, "HTTP 200, JSON that was cut off"),
    ("[]", 200, "HTTP 200, JSON that is no object"),
    ('{"result": []}', 200, "HTTP 200, JSON that does not say whether the call succeeded"),
    ('{"success": "true", "result": []}', 200, "JSON that does not say whether"),
    ('{"success": true, "result": []}', 502, "HTTP 502, JSON that says the opposite"),
    ('{"success": true, "result": {}}', 200, "JSON whose result is no list"),
    ('{"success": true, "result": [NaN]}', 200, "JSON that was cut off"),
    ("[" * 100000, 200, "something that is not JSON"),
]


@pytest.mark.parametrize(("body", "status", "words"), NOT_MARKETO)
def test_an_answer_that_is_not_marketos_leaves_a_write_unknown_and_a_read_failed(server, calls, body, status, words):
    server.answer(body, status)
    with pytest.raises(OutcomeUnknown, match="is not Marketo's REST API") as caught:
        calls.write_json(OPPORTUNITIES, BODY)
    assert words in caught.value.message
    assert exchange_of(caught.value).http_status == status
    server.answer(body, status)
    with pytest.raises(Unavailable):
        calls.read(OPPORTUNITIES)


@pytest.mark.parametrize("status", [301, 307, 404, 405, 410, 501])
def test_nothing_at_this_address_is_a_wrong_setting(server, calls, status):
    server.answer("<html>", status)
    with pytest.raises(ConfigError, match="Nothing was applied; check MARKETO_REST_ENDPOINT"):
        calls.write_json(OPPORTUNITIES, BODY)


@pytest.mark.parametrize(
    ("status", "error", "trouble"),
    [
        (403, Unavailable, None),
        (413, RequestTooLarge, None),
        (414, Rejected, None),
        (429, Unavailable, RefusalReason.RATE),
    ],
)
def test_what_http_itself_refuses_was_certainly_not_applied(server, calls, status, error, trouble):
    server.answer("<html>", status)
    with pytest.raises(MarketoError) as caught:
        calls.write_json(OPPORTUNITIES, BODY)
    assert type(caught.value) is error
    assert caught.value.trouble is trouble
    assert f"HTTP {status}" in caught.value.message


def test_a_redirect_is_not_followed_with_the_token(server, calls):
    server.answer("", 302, headers={"Location": f"{server.address}/elsewhere"})
    with pytest.raises(OutcomeUnknown):
        calls.write_json(OPPORTUNITIES, BODY)
    assert len(server.calls) == 1


def test_a_lead_database_answer_without_result_is_not_guessed_at(server, calls):
    for _ in range(2):
        server.answer({"requestId": "a#1", "success": True})
    with pytest.raises(OutcomeUnknown, match=r"Marketo's answer has no result\. Whether"):
        calls.write_json(OPPORTUNITIES, BODY)
    with pytest.raises(Unavailable, match="Marketo's answer has no result"):
        calls.read(OPPORTUNITIES)


def test_the_asset_api_says_with_a_warning_that_it_found_nothing(server, calls):
    warning = "No assets found for the given search criteria."
    server.answer(asset_success(warnings=(warning,)))
    reply = calls.read("/rest/asset/v1/program/byName.json", {"name": "x"})
    assert (list(reply.result), reply.warnings) == ([], [warning])
    server.answer(asset_success())
    with pytest.raises(OutcomeUnknown, match="has no result"):
        calls.write_form(PROGRAM, {"name": "x"})


@pytest.mark.parametrize("code", ["702", "710", 702], ids=repr)
def test_an_asset_that_is_not_there_may_also_be_an_error(server, calls, code):
    server.answer(failure(code))
    assert list(calls.read(PROGRAM).result) == []
    server.answer(failure(code))
    with pytest.raises(Rejected):
        calls.write_form(PROGRAM, {"name": "x"})


def test_a_refused_connection_was_certainly_not_applied(make_calls, server):
    server.answer(success())
    make_calls().read(OPPORTUNITIES)  # The token is known.
    with pytest.raises(Unavailable, match=r"refused the connection; check MARKETO_REST_ENDPOINT") as caught:
        make_calls(endpoint=f"http://{HOST}:{find_free_port()}").write_json(OPPORTUNITIES, BODY)
    assert exchange_of(caught.value).http_status is None


def test_a_connection_that_nobody_accepts_was_certainly_not_used(server, make_calls, calls):
    server.answer(success())
    calls.read(OPPORTUNITIES)
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        # Fill the queue of waiting connections, so that the next one is left without an answer.
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        calls = make_calls(endpoint=f"http://{HOST}:{listener.getsockname()[1]}", connect_timeout_seconds=0.05)
        with pytest.raises(Unavailable, match=r"did not accept a connection within 0\.05 s"):
            calls.write_json(OPPORTUNITIES, BODY)
        for each in waiting:
            each.close()


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (f"https://{'a' * 64}.invalid", "could not be reached"),
        ("https://no-such-host.invalid", "The host name no-such-host.invalid could not be found"),
        ("{server}", "does not speak TLS as it should"),
    ],
)
def test_a_connection_that_fails_while_it_is_made_was_certainly_not_used(server, make_calls, endpoint, words):
    address = endpoint.replace("{server}", server.address.replace("http:", "https:"))
    with pytest.raises(Unavailable, match=words):
        make_calls(endpoint=address).write_json(OPPORTUNITIES, BODY)
