"""A token that Marketo refuses: replaced, the call sent again once, and left alone if Marketo hands it out again."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import AuthError, RefusalReason, Unavailable
from mobjects.marketo.rest.identity import Token
from mobjects.marketo.rest.tokens import REFUSED_SECONDS
from tests.support.rest_server import failure, success
from tests.support.rest_tokens import PATH, read, source, unavailable, used


@pytest.mark.parametrize("code", ["600", "601", "602", 601], ids=repr)
def test_a_refused_token_is_replaced_and_the_call_sent_again_with_the_new_one(server, calls, code):
    read(server, calls)
    server.give_token("token-2")
    reply = read(server, calls, failure(code), success({"id": 7}))
    assert reply.result == [{"id": 7}]
    assert used(server) == ["token-1", "token-1", "token-2"]
    (earlier,) = reply.exchange.earlier
    assert '"success": false' in earlier.response
    assert "token-1" not in repr(reply.exchange)


def test_http_401_is_a_refused_token_too(server, calls):
    server.answer("<html>", 401)
    server.give_token("token-1")
    server.give_token("token-2")
    read(server, calls)
    assert used(server) == ["token-1", "token-2"]


def test_a_body_is_sent_again_whole(server, calls):
    server.give_token("token-1")
    server.give_token("token-2")
    server.answer(failure("602"))
    server.answer(success())
    calls.write_json(PATH, {"input": [1]})
    assert [call.json() for call in server.calls] == [{"input": [1]}] * 2


def test_a_call_is_sent_again_once(server, calls):
    for number in (1, 2):
        server.give_token(f"token-{number}")
        server.answer(failure("602", "Access token expired"))
    with pytest.raises(AuthError) as caught:
        calls.read(PATH)
    assert (caught.value.trouble, caught.value.code) == (RefusalReason.EXPIRED, "602")
    assert len(caught.value.exchange.earlier) == 1
    assert used(server) == ["token-1", "token-2"]
    # Neither is tried again.
    server.give_token("token-3")
    read(server, calls)
    assert used(server)[2:] == ["token-3"]


def test_what_another_process_got_meanwhile_is_used(server, make_calls):
    first, second = make_calls(), make_calls()
    read(server, first)
    read(server, second)
    server.give_token("token-2")
    read(server, first, failure("601"), success())
    read(server, second, failure("601"), success())
    assert used(server) == ["token-1", "token-1", "token-1", "token-2", "token-1", "token-2"]
    assert len(server.identity_calls) == 2


def test_a_dead_token_that_is_handed_out_again_is_waited_for(server, make_calls, clock):
    calls = make_calls()
    server.give_token("token-1")
    server.give_token("token-1")
    server.answer(failure("601", "Access token invalid"))
    error = unavailable(calls)
    assert error.retry_after_seconds == REFUSED_SECONDS + 1
    assert error.code == "601"
    assert "Access token invalid" in error.exchange.response
    # It is known as dead to every process, and Marketo is not asked for another one meanwhile.
    for each in (calls, make_calls()):
        unavailable(each)
    assert len(server.identity_calls) == 2
    assert used(server) == ["token-1"]
    clock.move(REFUSED_SECONDS + 1)
    server.give_token("token-2")
    read(server, make_calls())
    assert used(server) == ["token-1", "token-2"]


def test_a_token_that_was_refused_to_one_process_is_not_used_by_another(server, client, store, clock):
    one, another = (source(server, client, store, clock, clock.sleep) for _ in range(2))
    one.discard(Token("token-1", clock.seconds() + 3599))
    with pytest.raises(Unavailable):
        another.current_token()
    assert len(server.identity_calls) == 1


def test_a_token_that_was_refused_by_mistake_is_tried_again_after_a_minute(server, calls, clock):
    for _ in range(3):
        server.give_token("token-1", 1000)
    server.answer(failure("601"))
    unavailable(calls)
    clock.move(REFUSED_SECONDS + 1)
    read(server, calls)
    assert used(server) == ["token-1", "token-1"]


def test_a_dead_token_about_to_end_is_waited_out(server, calls, clock):
    server.give_token("token-1", 61)
    server.answer(failure("602"))
    server.give_token("token-1", 3)
    server.give_token("token-2")
    read(server, calls, success())
    assert clock.slept == [4.0]
    assert used(server) == ["token-1", "token-2"]


def test_an_error_of_the_identity_service_after_a_refusal_keeps_both_calls(server, calls):
    server.give_token("token-1")
    server.answer(failure("601"))
    server.refuse_token(500, "<html>")
    error = unavailable(calls)
    assert "identity service" in error.message
    assert [each.request.split()[1] for each in (*error.exchange.earlier, error.exchange)] == [
        PATH,
        "/identity/oauth/token",
    ]
