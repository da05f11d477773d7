"""What the tests of the token have in common."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import Unavailable
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.identity import IdentityCalls
from mobjects.marketo.rest.tokens import TokenSource
from tests.support.rest_server import CLIENT_ID, SECRET, success

PATH = "/rest/v1/opportunities.json"


def used(server):
    """The tokens that calls came with, in order."""
    return [call.headers["Authorization"].removeprefix("Bearer ") for call in server.calls]


def read(server, calls, *answers):
    """Make a call for which the server has these answers."""
    for answer in answers or (success(),):
        server.answer(answer)
    return calls.read(PATH)


def unavailable(calls):
    with pytest.raises(Unavailable) as caught:
        calls.read(PATH)
    return caught.value


def source(server, client, store, clock, sleep):
    """The tokens of one more process."""
    settings = RestSettings(server.address, CLIENT_ID, SECRET)
    return TokenSource(settings, IdentityCalls(settings, lambda: client, clock), store, clock, sleep)
