import pytest

from mobjects.sandbox import SandboxServer
from tests.sandbox.rest.wire import RestWire


@pytest.fixture
def rest(sandbox: SandboxServer) -> RestWire:
    return RestWire(sandbox)
