"""Every transport against the sandbox: each fixture parameter is one API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from mobjects.marketo.transport import MarketoTransport
from mobjects.sandbox import SandboxServer
from tests.contract.apis import APIS, Api
from tests.contract.held import Held
from tests.contract.records import Records

Connect = Callable[..., MarketoTransport]


@pytest.fixture(params=APIS, ids=[api.name for api in APIS])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """One of the APIs."""
    opened: Api = request.param()
    yield opened
    opened.close()


@pytest.fixture
def connect(api: Api, sandbox: SandboxServer) -> Connect:
    """Make a transport to the sandbox; keyword arguments replace its settings."""
    return partial(api.connect, sandbox)


@pytest.fixture
def fail(api: Api, sandbox: SandboxServer) -> Callable[..., None]:
    """Script what goes wrong with the next call of a sort."""
    return partial(api.add_fault, sandbox)


@pytest.fixture
def marketo(connect: Connect) -> MarketoTransport:
    """A transport with the right settings."""
    return connect()


@pytest.fixture
def held(api: Api, sandbox: SandboxServer) -> Held:
    """What Marketo holds."""
    return api.held(sandbox)


@pytest.fixture
def records(marketo: MarketoTransport) -> Records:
    """Makes records in the way of the API."""
    return Records(marketo)
