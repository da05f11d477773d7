"""The store of an installation, on a real Redis; without one it knows nothing and lets everybody pass."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from mobjects.local.ports import HOST, find_free_port
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.identity import IdentityCalls, Token
from mobjects.marketo.rest.tokens import TokenSource
from mobjects.marketo.shared_store import MemoryStore
from mobjects.shared_store_redis import RedisStore, open_shared_store
from mobjects.sync.installation.identity import get_installation
from tests.support.rest_server import CLIENT_ID, SECRET


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def store(redis):
    return RedisStore("here")


@pytest.fixture
def lost():
    """A store whose Redis is not there."""
    with Redis(HOST, find_free_port(), retry=Retry(NoBackoff(), 0)) as client:
        yield RedisStore("here", client)


def test_what_is_kept_has_an_end_in_redis(store, redis):
    store.set("a", "ü", 10)
    assert store.get("a") == "ü"
    (key,) = redis.keys("*")
    assert key == b"marketo-shared-here:a"
    assert 9_000 < redis.pttl(key) <= 10_000
    store.set("b", "x", 0)
    store.set("c", "x", -5)
    assert (store.get("b"), store.get("c")) == (None, None)


def test_what_is_kept_can_be_forgotten(store):
    store.set("a", "x", 10)
    store.delete("a")
    assert store.get("a") is None


def test_installations_share_a_redis_and_nothing_in_it(store):
    there = RedisStore("there")
    store.set("a", "x", 10)
    with store.lock("a", 10) as mine, there.lock("a", 10) as other:
        assert (mine, other) == (True, True)
    assert there.get("a") is None


def test_a_lock_is_had_by_one_until_it_is_given_back(store, redis):
    with store.lock("a", 10) as first, RedisStore("here").lock("a", 10) as second:
        assert (first, second) == (True, False)
        assert 9_000 < redis.pttl("marketo-shared-here:lock:a") <= 10_000
    with store.lock("a", 10) as free:
        assert free


def test_a_lock_that_ran_out_is_not_freed_for_who_has_it_now(store, redis):
    key = "marketo-shared-here:lock:a"
    with store.lock("a", 10):
        redis.set(key, "another")  # It ran out, and another one has it.
    assert redis.get(key) == b"another"


def test_without_redis_nothing_is_known_and_everybody_may_pass(lost, caplog):
    lost.set("a", "x", 10)
    assert lost.get("a") is None
    lost.delete("a")
    with lost.lock("a", 10) as first, lost.lock("a", 10) as second:
        assert (first, second) == (True, True)
    assert "What workers share about Marketo is not shared now: Redis cannot be reached." in caplog.text


@pytest.mark.django_db
def test_the_store_carries_the_name_of_the_installation(redis):
    assert isinstance(open_shared_store(), MemoryStore)
    identity = get_installation().identity
    open_shared_store().set("a", "x", 10)
    assert redis.keys("*") == [f"marketo-shared-{identity}:a".encode()]


def test_a_token_is_in_no_dump_of_redis(store, redis):
    settings = RestSettings("https://123-abc-456.mktorest.com", CLIENT_ID, SECRET)

    def now():
        return datetime(2026, 3, 2, 12, tzinfo=UTC)

    def tokens():
        return TokenSource(settings, IdentityCalls(settings, httpx.Client, now), store, now, pytest.fail)

    token = Token("cdf01657-110d-4155-99a7-f986b2ff13a0:int", now().timestamp() + 3599)
    tokens().keep(token)
    assert tokens().current_token() == token
    tokens().discard(Token("another", token.expires_at))
    dump = b"\n".join(key + (redis.get(key) or b"") for key in redis.keys("*"))
    assert len(redis.keys("*")) == 2
    for secret in (token.value, SECRET, CLIENT_ID):
        assert secret.encode() not in dump
