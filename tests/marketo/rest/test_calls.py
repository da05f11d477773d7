"""The wire: what goes out, what comes back, and what an answer that never came leaves behind."""

from __future__ import annotations

from tests.support.rest_server import success

OPPORTUNITIES = "/rest/v1/opportunities.json"


def test_a_write_goes_as_json_with_the_token(server, calls):
    server.answer(success({"seq": 0, "status": "created", "marketoGUID": "g"}))
    reply = calls.write_json(OPPORTUNITIES, {"action": "createOnly", "input": [{"name": "Größe"}]})
    (call,) = server.calls
    assert (call.method, call.path) == ("POST", OPPORTUNITIES)
    assert call.headers["Authorization"] == "Bearer token-1"
    assert call.headers["Content-Type"] == "application/json"
    assert call.json() == {"action": "createOnly", "input": [{"name": "Größe"}]}
    assert reply.result == [{"seq": 0, "status": "created", "marketoGUID": "g"}]
    assert reply.request_id == "e42b#14272d07d78"
    assert "access_token" not in call.path
