from collections.abc import Iterator

import pytest

from mobjects.sandbox import SandboxServer
from tests.sandbox.wire import Wire


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(port=0) as server:
        yield server


@pytest.fixture
def wire(sandbox: SandboxServer) -> Wire:
    return Wire(sandbox)
