"""The scripted server, with every request it got held to Marketo's schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.scripted_server import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server for each test: a call that a test gave up on may arrive late, and would take another's answer."""
    with ScriptedServer() as running:
        yield running
    assert running.bad_requests == []
