"""The store of one process: what is kept ends, and a lock is had by one."""

from __future__ import annotations

import pytest

from mobjects.marketo.shared_store import MemoryStore


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return MemoryStore(clock)


def test_what_is_kept_ends(store, clock):
    store.set("a", "x", 10)
    clock.now += 9.9
    assert store.get("a") == "x"
    clock.now += 0.1
    assert store.get("a") is None


def test_what_is_kept_is_replaced_and_forgotten(store):
    store.set("a", "x", 10)
    store.set("a", "y", 10)
    store.set("b", "z", 0)
    assert (store.get("a"), store.get("b"), store.get("c")) == ("y", None, None)
    store.delete("a")
    store.delete("c")
    assert store.get("a") is None


def test_a_lock_is_had_by_one_until_it_is_given_back(store):
    with store.lock("a", 10) as first, store.lock("a", 10) as second, store.lock("b", 10) as other:
        assert (first, second, other) == (True, False, True)
    with store.lock("a", 10) as free:
        assert free


def test_a_lock_ends_and_is_then_anothers_who_keeps_it(store, clock):
    with store.lock("a", 10):
        clock.now += 10
        late = store.lock("a", 10)
        assert late.__enter__()
    with store.lock("a", 10) as third:
        assert not third
    late.__exit__(None, None, None)
    with store.lock("a", 10) as free:
        assert free
