"""What writing leaves behind: programs being written, states from before, and what other people change."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from mobjects.sandbox.fault_injection import ScriptedFault
from mobjects.sandbox.rest.instance import RestInstance
from mobjects.sandbox.rest.rest_call import RestError
from mobjects.sandbox.rest.routes import Route
from mobjects.sandbox.state import SandboxStore, StoredCost
from mobjects.sandbox.values import read_month

_KEPT_STATES = 200


class WrittenState:
    """Refuses two writes on one program at once, and shows readers an older state where the instance lags.

    A second write while the first is under way is answered with 611, as clients of live instances report.
    """

    def __init__(self, store: SandboxStore, instance: RestInstance) -> None:
        self._store = store
        self._instance = instance
        self._lock = Lock()
        self._writing: set[str] = set()
        self._written_at: dict[str, datetime] = {}
        self._before: deque[tuple[datetime, SandboxStore]] = deque(maxlen=_KEPT_STATES)

    def clear(self) -> None:
        """Forget older states and what was written when."""
        with self._lock:
            self._written_at.clear()
            self._before.clear()

    @contextmanager
    def only_writer(self, route: Route, arguments: tuple[str, ...]) -> Iterator[None]:
        """Hold the program that a call writes, if it writes one.

        Raises:
            RestError: 611, it is being written, or was a moment ago.
        """
        if not (route.writes and route.is_asset):
            yield
            return
        program, now = arguments[0], self._store.clock.now()
        with self._lock:
            written_at = self._written_at.get(program)
            race = timedelta(seconds=self._instance.write_race_seconds)
            if program in self._writing or (written_at is not None and now - written_at < race):
                raise RestError("611", "System error")
            self._writing.add(program)
            self._written_at[program] = now
        try:
            yield
        finally:
            with self._lock:
                self._writing.discard(program)

    def remember(self) -> None:
        """Keep the state before a write, where readers see it later. The store is locked."""
        if self._instance.lag_seconds > 0:
            self._before.append((self._store.clock.now(), self._store.snapshot()))

    def visible_store(self) -> SandboxStore:
        """The state that readers see. The store is locked."""
        if self._instance.lag_seconds <= 0:
            return self._store
        shown = self._store.clock.now() - timedelta(seconds=self._instance.lag_seconds)
        return next((state for at, state in self._before if at > shown), self._store)


def edit_program(store: SandboxStore, edit: ScriptedFault) -> None:
    """Change a program as someone in Marketo would: add a cost, set a tag. A program that is not there stays away."""
    with store.lock:
        program = store.programs.get(edit.program)
        if program is None:
            return
        draft = replace(program, costs=dict(program.costs), tags=dict(program.tags), updated_at=store.clock.now())
        if edit.month:
            cost = StoredCost(store.new_id("Cost"), read_month(edit.month), edit.amount, edit.note)
            draft.costs[cost.id] = cost
        if edit.tag_type:
            draft.tags[edit.tag_type] = edit.tag_value
        store.programs[draft.id] = draft
