"""The token: asked for once, shared, replaced when it is refused, waited for when it is about to end."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import pytest

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, Unavailable
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.identity import Token
from mobjects.marketo.rest.tokens import LONGEST_SLEEP_SECONDS, TokenCipher
from mobjects.marketo.shared_store import MemoryStore
from tests.support.rest_server import CLIENT_ID, SECRET, success
from tests.support.rest_tokens import PATH, read, source, unavailable, used

CREDENTIALS = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET}


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
