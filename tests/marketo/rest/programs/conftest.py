"""Calls to the sandbox over real HTTP, and a program of the test's own in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.http import new_client
from mobjects.marketo.rest.programs import InstanceFacts, send_program
from mobjects.marketo.shared_store import MemoryStore
from mobjects.marketo.types import BatchResponse, OutgoingRecord
from mobjects.sandbox import SandboxServer
from mobjects.sandbox.fault_injection import FaultKind, RestFaultKind, ScriptedFault
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET
from mobjects.sandbox.state import StoredCost, StoredProgram
from tests.marketo.rest.programs.records import PROGRAM, CostText


class ProgramBox:
    """A sandbox with one program in view, and a client of it."""

    def __init__(self, sandbox: SandboxServer, calls: RestCalls) -> None:
        self.sandbox, self.calls = sandbox, calls
        self.store = MemoryStore()
        self.waits: list[float] = []

    @property
    def program(self) -> StoredProgram:
        return self.sandbox.store.programs[PROGRAM]

    def change_program(self, **values: Any) -> None:
        """As if it had always been so."""
        with self.sandbox.store.lock:
            self.sandbox.store.programs[PROGRAM] = replace(self.program, **values)

    def put_costs(self, *costs: CostText) -> None:
        """Let Marketo hold these, as month, amount and note, and no others."""
        store = self.sandbox.store
        rows = [StoredCost(store.new_id("Cost"), date.fromisoformat(f"{m}-01"), a, n) for m, a, n in costs]
        self.change_program(costs={row.id: row for row in rows})

    @property
    def costs(self) -> list[CostText]:
        """What Marketo holds, sorted."""
        return sorted((f"{cost.month:%Y-%m}", cost.amount, cost.note) for cost in self.program.costs.values())

    def script(self, kind: FaultKind | RestFaultKind, **options: Any) -> None:
        """Let something go wrong."""
        self.sandbox.faults.extend([ScriptedFault(kind, **options)])

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.sandbox.store.clock.advance(seconds)

    def send(self, record: OutgoingRecord, **facts: bool) -> BatchResponse:
        return send_program(self.calls, record, facts=InstanceFacts(**facts), store=self.store, wait=self.wait)

    def made(self) -> list[str]:
        """The calls that arrived, apart from those for tokens."""
        return [call.operation for call in self.sandbox.calls if "/identity/" not in call.operation]


@pytest.fixture
def http_client() -> Iterator[httpx.Client]:
    with new_client() as opened:
        yield opened


@pytest.fixture
def connect(sandbox: SandboxServer, http_client: httpx.Client) -> Callable[..., RestCalls]:
    """Make calls to the sandbox; keyword arguments replace settings."""

    def make(**given: Any) -> RestCalls:
        settings = {
            "endpoint": sandbox.rest_endpoint,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "asset_timeout_seconds": 10.0,
            **given,
        }
        return RestCalls(RestSettings(**settings), MemoryStore(), client=http_client)

    return make


@pytest.fixture
def box(sandbox: SandboxServer, connect: Callable[..., RestCalls]) -> ProgramBox:
    return ProgramBox(sandbox, connect())
