"""A scripted Marketo for each test, and calls to it under a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.http import new_client
from mobjects.marketo.shared_store import MemoryStore
from tests.support.rest_server import CLIENT_ID, SECRET, RestServer


class Clock:
    """A clock that moves only where somebody sleeps, or a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.move(seconds)


@pytest.fixture
def server() -> Iterator[RestServer]:
    with RestServer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock.seconds)


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """One for all tests: reading the certificates takes longer than most of them."""
    with new_client() as opened:
        yield opened


@pytest.fixture
def make_calls(server: RestServer, clock: Clock, store: MemoryStore, client: httpx.Client) -> Callable[..., RestCalls]:
    """Make calls as one more process would, with the settings that are given."""

    def make(**given: Any) -> RestCalls:
        settings = RestSettings(
            **{
                "endpoint": f"{server.address}/rest",
                "client_id": CLIENT_ID,
                "client_secret": SECRET,
                "lead_timeout_seconds": 5.0,
                "asset_timeout_seconds": 5.0,
                **given,
            }
        )
        return RestCalls(settings, store, client=client, now=clock, sleep=clock.sleep)

    return make


@pytest.fixture
def calls(make_calls: Callable[..., RestCalls]) -> RestCalls:
    return make_calls()
