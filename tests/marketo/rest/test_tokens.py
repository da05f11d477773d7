"""The token: asked for once, shared, replaced when it is refused, waited for when it is about to end."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import pytest

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, RefusalReason, Unavailable
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.identity import IdentityCalls, Token
from mobjects.marketo.rest.tokens import LONGEST_SLEEP_SECONDS, REFUSED_SECONDS, TokenCipher, TokenSource
from mobjects.marketo.shared_store import MemoryStore
from tests.support.rest_server import CLIENT_ID, SECRET, failure, success

PATH = "/rest/v1/opportunities.json"
CREDENTIALS = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET}


def used(server):
    """The tokens that calls came with, in order."""
    return [call.headers["Authorization"].removeprefix("Bearer ") for call in server.calls]


def read(server, calls, *answers):
    """Make a call for which the server has these answers."""
    for answer in answers or (success(),):
        server.answer(answer)
    return calls.read(PATH)


def unavailable(calls):
    with pytest.raises(Unavailable) as caught:
        calls.read(PATH)
    return caught.value


def test_credentials_go_into_the_body(server, calls):
    read(server, calls)
    (call,) = server.identity_calls
    assert (call.method, call.path) == ("POST", "/identity/oauth/token")
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(call.body.decode())) == CREDENTIALS


@pytest.mark.parametrize("status", [400, 401, 405, 415])
def test_credentials_go_into_the_address_where_the_body_is_refused(server, calls, clock, status):
    server.refuse_token(status)
    server.give_token("token-1", left=120)
    server.give_token("token-2")
    read(server, calls)
    first, second = server.identity_calls
    assert (first.method, second.method, second.body) == ("POST", "GET", b"")
    assert dict(parse_qsl(urlsplit(second.path).query)) == CREDENTIALS
    clock.move(120)
    read(server, calls)
    # Now it is known.
    assert [call.method for call in server.identity_calls] == ["POST", "GET", "GET"]
    assert used(server) == ["token-1", "token-2"]


def test_refused_credentials_are_said_with_the_settings(server, calls):
    said = {"error": "invalid_client", "error_description": f"No such client with {SECRET}"}
    server.refuse_token(body=said)
    server.refuse_token(body=said)
    with pytest.raises(AuthError) as caught:
        calls.read(PATH)
    assert caught.value.trouble is None
    assert caught.value.message == (
        "Marketo refused the client ID or its secret; check MARKETO_CLIENT_ID and MARKETO_CLIENT_SECRET "
        "(or MARKETO_CLIENT_SECRET_FILE). (invalid_client: No such client with ***)"
    )
    exchange = caught.value.exchange
    assert exchange.http_status == 401
    assert exchange.identity == {"Client ID": CLIENT_ID}
    assert exchange.request.startswith("GET /identity/oauth/token?grant_type=client_credentials&client_id=b417d98f")
    assert exchange.request.endswith("&client_secret=***")
    assert "No such client with ***" in exchange.response
    assert server.calls == []


@pytest.mark.parametrize(
    ("body", "status", "error", "words"),
    [
        ("<html>", 502, Unavailable, "is not Marketo's identity service: HTTP 502, an HTML page. Try again later"),
        ("<html>", 404, ConfigError, "Nothing was sent; check MARKETO_REST_ENDPOINT"),
        ("{}", 200, Unavailable, "HTTP 200, JSON without a token"),
        ('{"access_token": "", "expires_in": 3599}', 200, Unavailable, "JSON without a token"),
        ('{"access_token": 5, "expires_in": 3599}', 200, Unavailable, "JSON without a token"),
        ('{"access_token": "tok\\nen-1", "expires_in": 3599}', 200, Unavailable, "JSON without a token"),
        ('{"access_token": "tokén-1", "expires_in": 3599}', 200, Unavailable, "JSON without a token"),
        ('{"access_token": "token-1"}', 200, Unavailable, "JSON without a token"),
        ('{"access_token": "token-1", "expires_in": "soon"}', 200, Unavailable, "JSON without a token"),
        ('{"access_token": "token-1", "exp', 200, Unavailable, "JSON that was cut off"),
        ('{"access_token": "token-1", "expires_in": 3599}', 500, Unavailable, "HTTP 500, JSON without a token"),
    ],
)
def test_an_identity_service_that_does_not_answer_as_it_should(server, calls, body, status, error, words):
    server.refuse_token(status, body)
    with pytest.raises(MarketoError) as caught:
        calls.read(PATH)
    assert type(caught.value) is error
    assert words in caught.value.message
    assert "token-1" not in repr(caught.value.exchange) + caught.value.message
    assert server.calls == []


def test_an_identity_service_that_is_cut_off_was_not_called(server, calls):
    server.refuse_token(cut=True)
    assert "connection broke" in unavailable(calls).message


@pytest.mark.parametrize("left", [3599, "3599", 3599.5], ids=repr)
def test_a_token_is_asked_for_once(server, calls, clock, left):
    server.give_token("token-1", left)
    read(server, calls)
    clock.move(3538)
    read(server, calls)
    assert used(server) == ["token-1", "token-1"]


def test_a_token_with_less_than_a_minute_left_is_not_used_again(server, calls, clock):
    read(server, calls)
    clock.move(3540)
    server.give_token("token-1", 59)
    assert unavailable(calls).retry_after_seconds == 60.0


def test_all_processes_share_a_token_that_the_store_does_not_show(server, make_calls, store):
    read(server, make_calls())
    read(server, make_calls())
    assert len(server.identity_calls) == 1
    assert "token-1" not in repr(vars(store))
    assert SECRET not in repr(vars(store))


def test_another_caller_or_another_instance_shares_nothing(server, make_calls):
    read(server, make_calls())
    read(server, make_calls(client_id="another"))
    assert len(server.identity_calls) == 2
    read(server, make_calls(endpoint=server.address.replace("127.0.0.1", "localhost")))
    assert len(server.identity_calls) == 3


def test_a_secret_that_was_changed_makes_the_kept_token_unreadable(server, make_calls):
    read(server, make_calls())
    read(server, make_calls(client_secret="another"))
    assert len(server.identity_calls) == 2


@pytest.mark.parametrize("left", [0, 3, 4])
def test_a_token_that_ends_within_seconds_is_waited_out_and_asked_for_anew(server, calls, clock, left):
    server.give_token("token-1", left)
    server.give_token("token-2")
    read(server, calls)
    assert clock.slept == [left + 1]
    assert used(server) == ["token-2"]


@pytest.mark.parametrize("left", [-5, 0])
def test_waiting_for_a_better_token_has_an_end(server, calls, clock, left):
    for _ in range(9):
        server.give_token("token-1", left)
    assert unavailable(calls).retry_after_seconds == LONGEST_SLEEP_SECONDS
    assert len(server.identity_calls) == 3
    assert sum(clock.slept) <= 3 * LONGEST_SLEEP_SECONDS
    assert server.calls == []


@pytest.mark.parametrize("left", [5, 30, 59])
def test_a_longer_wait_is_left_to_the_job(server, calls, clock, left):
    server.give_token("token-1", left)
    error = unavailable(calls)
    assert error.message == (
        f"Marketo's token is about to end or was refused, and Marketo gives no other one for {left + 1} s."
    )
    assert error.retry_after_seconds == left + 1
    assert clock.slept == []


def test_nobody_asks_before_there_can_be_another_token(server, make_calls, clock):
    server.give_token("token-1", 40)
    unavailable(make_calls())
    clock.move(20)
    assert unavailable(make_calls()).retry_after_seconds == 21.0
    assert len(server.identity_calls) == 1
    clock.move(21)
    server.give_token("token-2")
    read(server, make_calls())
    assert used(server) == ["token-2"]


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


def source(server, client, store, clock, sleep):
    """The tokens of one more process."""
    settings = RestSettings(server.address, CLIENT_ID, SECRET)
    return TokenSource(settings, IdentityCalls(settings, lambda: client, clock), store, clock, sleep)


def test_one_process_asks_while_the_others_wait_for_its_answer(server, client, store, clock):
    asking = source(server, client, store, clock, clock.sleep)

    def answer_comes(seconds):
        clock.sleep(seconds)
        if len(clock.slept) == 3:
            asking.keep(Token("token-1", clock.seconds() + 3599))

    waiting = source(server, client, store, clock, answer_comes)
    with store.lock(waiting.name, 30):
        assert waiting.current_token().value == "token-1"
    assert len(clock.slept) == 3
    assert server.identity_calls == []


class Overtaken(MemoryStore):
    """A store in which another process asks and is answered just before one gets the lock."""

    def lock(self, name, seconds):
        self.others.keep(self.token)
        return super().lock(name, seconds)


def test_an_answer_that_came_while_the_lock_was_waited_for_is_used(server, client, clock):
    store = Overtaken(clock.seconds)
    store.others = source(server, client, store, clock, clock.sleep)
    store.token = Token("token-1", clock.seconds() + 3599)
    assert source(server, client, store, clock, clock.sleep).current_token() == store.token
    assert server.identity_calls == []


def test_a_process_that_asks_and_never_comes_back_holds_nobody_up(server, client, store, clock):
    waiting = source(server, client, store, clock, clock.sleep)
    with store.lock(waiting.name, 30):
        assert waiting.current_token().value == "token-1"
    assert sum(clock.slept) == pytest.approx(2.0)


class Forgetful:
    """A store that cannot be reached."""

    def get(self, name):
        return None

    def set(self, name, value, seconds):
        pass

    def delete(self, name):
        pass

    @contextmanager
    def lock(self, name, seconds):
        yield True


def test_a_store_that_cannot_be_reached_costs_calls_and_nothing_else(server, client, clock):
    tokens = source(server, client, Forgetful(), clock, clock.sleep)
    first = tokens.current_token()
    assert tokens.current_token() is first
    assert len(server.identity_calls) == 1
    server.give_token("token-2")
    tokens.discard(first)
    second = tokens.current_token()
    tokens.discard(second)
    for handed_out in ("token-1", "token-2"):
        server.give_token(handed_out)
        with pytest.raises(Unavailable):
            tokens.current_token()


@pytest.mark.parametrize("kept", [None, "", "not ours", "gAAAAA=="])
def test_what_the_store_holds_need_not_be_a_token(kept):
    assert TokenCipher(RestSettings("https://x.mktorest.com", CLIENT_ID, SECRET)).decrypt(kept) is None


def test_a_token_is_kept_so_that_only_its_owner_can_read_it():
    settings = [RestSettings("https://x.mktorest.com", CLIENT_ID, secret) for secret in (SECRET, SECRET, "other")]
    first, second, other = map(TokenCipher, settings)
    token = Token("token-1", 1.5)
    kept = first.encrypt(token)
    assert "token-1" not in kept
    assert second.decrypt(kept) == token
    assert other.decrypt(kept) is None
    assert "token-1" not in repr(token)


def test_threads_of_a_process_ask_once(server, calls):
    for _ in range(6):
        server.answer(success())
    threads = [threading.Thread(target=calls.read, args=(PATH,), daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.identity_calls) == 1
