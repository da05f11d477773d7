"""Tokens: who gets one, how long it lives, and what is answered to a call without a good one."""

import pytest
import requests

from tests.sandbox.rest.wire import CREDENTIALS, Refused


def usage(rest, **headers):
    return rest.call("GET", "/v1/stats/usage.json", headers=headers)


@pytest.mark.parametrize("sent", [{"data": CREDENTIALS}, {"data": None, "params": CREDENTIALS}])
def test_parameters_are_read_from_a_form_body_and_from_the_query(rest, sent):
    answer = rest.identify(**sent)
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert list(body) == ["access_token", "token_type", "expires_in", "scope"]
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3599) or body["expires_in"] == 3600


def test_an_instance_may_refuse_the_form_body_and_take_the_query(rest, sandbox):
    sandbox.instance.form_token = False
    assert (rest.identify().status_code, rest.identify().json()["error"]) == (401, "unauthorized")
    assert rest.identify(data=None, params=CREDENTIALS).status_code == 200


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "x"}, 401, "invalid_client"),
        ({"client_id": "x"}, 401, "invalid_client"),
        ({"client_secret": "한글"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_bad_credentials_are_refused_with_a_status_of_http(rest, changed, status, error):
    answer = rest.identify(data={**CREDENTIALS, **changed})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert "success" not in answer.json()


def test_the_same_token_comes_again_with_what_is_left_until_it_ends(rest, sandbox):
    sandbox.store.clock.freeze(sandbox.store.clock.now())
    first = rest.identify().json()
    sandbox.store.clock.advance(3595)
    again = rest.identify().json()
    assert (again["access_token"], again["expires_in"]) == (first["access_token"], 5)
    sandbox.store.clock.advance(5)
    other = rest.identify().json()
    assert other["access_token"] != first["access_token"]
    assert other["expires_in"] == 3600


def test_a_token_may_be_left_with_less_than_a_second(rest, sandbox):
    sandbox.store.clock.freeze(sandbox.store.clock.now())
    sandbox.tokens.expire_in(0.5, sandbox.store.clock.now())
    assert rest.identify().json()["expires_in"] == 0


@pytest.mark.parametrize(
    ("headers", "code"),
    [({"Authorization": ""}, "600"), ({"Authorization": "Basic x"}, "600"), ({"Authorization": "Bearer x"}, "601")],
)
def test_a_call_without_a_good_token_is_refused(rest, headers, code):
    with pytest.raises(Refused) as refused:
        usage(rest, **headers)
    assert refused.value.code == code


def test_an_expired_token_is_602(rest, sandbox):
    usage(rest)
    sandbox.store.clock.advance(3601)
    with pytest.raises(Refused, match="expired") as refused:
        usage(rest)
    assert refused.value.code == "602"


@pytest.mark.parametrize("code", ["601", "602"])
def test_a_dead_token_is_handed_out_again_until_it_ends(rest, sandbox, code):
    dead = rest.identify().json()["access_token"]
    sandbox.tokens.refuse_current(code, sandbox.store.clock.now())
    assert rest.identify().json()["access_token"] == dead
    with pytest.raises(Refused) as refused:
        usage(rest)
    assert refused.value.code == code
    sandbox.store.clock.advance(3601)
    rest.token = ""
    assert usage(rest)["success"]


def test_a_token_in_the_query_does_not_count(rest):
    token = rest.identify().json()["access_token"]
    url = f"{rest.server.rest_endpoint}/v1/stats/usage.json"
    answer = requests.get(url, params={"access_token": token}, timeout=5)
    assert answer.json()["errors"][0]["code"] == "600"


def test_neither_token_nor_secret_is_logged_or_shown(rest, sandbox):
    token = rest.identify(data=None, params=CREDENTIALS).json()["access_token"]
    rest.identify()
    rest.identify(data=None, json=CREDENTIALS)
    requests.get(f"{rest.server.rest_endpoint}/v1/stats/usage.json", params={"access_token": token}, timeout=5)
    usage(rest)
    shown = str([call.as_json() for call in sandbox.calls])
    shown += "".join(requests.get(f"{sandbox.url}/calls/{call.sequence}", timeout=5).text for call in sandbox.calls)
    assert [secret for secret in (token, CREDENTIALS["client_secret"]) if secret in shown] == []
    assert "client_secret=***" in shown
    assert CREDENTIALS["client_secret"] not in repr(sandbox.app.rest.tokens._credentials)


def test_calls_for_a_token_are_logged_but_not_counted(rest, sandbox):
    rest.identify()
    usage(rest)
    assert [call.operation for call in sandbox.calls] == [
        "POST /identity/oauth/token",
        "POST /identity/oauth/token",
        "GET /rest/v1/stats/usage.json",
    ]
    assert sandbox.load.calls == 1


def test_there_is_nothing_else_at_the_identity_endpoint(sandbox):
    assert requests.get(f"{sandbox.identity_endpoint}/oauth/other", timeout=5).status_code == 404
