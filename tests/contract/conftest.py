"""Every transport against the sandbox: each fixture parameter is one API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from mobjects.marketo.soap.transport import SoapTransport
from mobjects.marketo.transport import MarketoTransport
from mobjects.sandbox import KEY, USER_ID, SandboxServer
from tests.support.xml import ValidatingAdapter

Connect = Callable[..., MarketoTransport]


def _soap(sandbox: SandboxServer, options: dict[str, Any]) -> tuple[MarketoTransport, requests.Session]:
    session = requests.Session()
    session.mount("http://", ValidatingAdapter())
    given: dict[str, Any] = {
        "endpoint": sandbox.endpoint,
        "user_id": USER_ID,
        "encryption_key": KEY,
        "timeout_seconds": 5.0,
    }
    return SoapTransport(**(given | options), session=session), session


@pytest.fixture(params=[_soap], ids=["soap"])
def connect(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Iterator[Connect]:
    """Make a transport to the sandbox; keyword arguments replace its settings."""
    opened: list[requests.Session] = []

    def make(**options: Any) -> MarketoTransport:
        transport: MarketoTransport
        transport, session = request.param(sandbox, options)
        opened.append(session)
        return transport

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def marketo(connect: Connect) -> MarketoTransport:
    """A transport with the right settings."""
    return connect()
