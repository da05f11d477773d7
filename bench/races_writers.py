"""Two who write a record at once: forms, a chunk of an import, a page of a pull, an undo."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from threading import Barrier
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client

from mobjects.imports.writing.undo import undo_import
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, Program, ProgramCost, SyncedRecord
from tests import factories
from tests.imports import rows
from tests.support import memory, pulls
from tests.support.admin_forms import browser_of, change_url, open_form

SAVED, ASKED, BROKEN = "saved", "asked", "broken"
JITTER_SECONDS = 0.004
"""One of the two starts later by up to this much."""


@dataclass(frozen=True, slots=True)
class Writer:
    """One of two: writes, says what became of it, and whether its value is there."""

    write: Callable[[], str]
    is_there: Callable[[], bool]


class Arena:
    """Makes records and lets two write them at once, in threads that last."""

    def __init__(self) -> None:
        self._pool, self._numbers = ThreadPoolExecutor(2), count(1)
        self._random = random.Random(9)  # noqa: S311 -- the same races each time
        people = [get_user_model().objects.create_superuser(name) for name in ("olga", "ben")]
        self._browsers: list[Client] = [browser_of(person) for person in people]
        self._pattern = self._form_pattern(stage="New")
        self._imported_pattern = self._form_pattern(stage="Imported")
        program = factories.program(marketo_id=next(self._numbers))
        factories.cost(program)
        self._program_pattern = open_form(self._browsers[0], program)

    def close(self) -> None:
        """End the threads' connections and the threads."""
        barrier = Barrier(2)
        for _ in range(2):
            self._pool.submit(_close_connections, barrier)
        self._pool.shutdown()

    def race(self, kind: str, number: int) -> Iterator[str]:
        """One race; gives "lost" for each edit that was lost, and else how it ended."""
        same_field = number % 2 == 0
        makers = {
            "form-form": self._form_form,
            "form-cost": self._form_cost,
            "form-import": self._form_import,
            "form-pull": self._form_pull,
            "undo-form": self._undo_form,
        }
        writers = makers[kind](same_field)
        said = self._at_once(writers)
        there = [writer.is_there() for writer in writers]
        lost = [said_so == SAVED and not is_there for said_so, is_there in zip(said, there, strict=True)]
        yield from ("lost" for each in lost if each)
        if not any(lost):
            yield BROKEN if BROKEN in said else ASKED if ASKED in said else "both"

    def _at_once(self, writers: tuple[Writer, Writer]) -> list[str]:
        barrier, late = Barrier(2), self._random.randrange(2)
        waits = [self._random.uniform(0, JITTER_SECONDS) if place == late else 0 for place in range(2)]

        def run(writer: Writer, wait: float) -> str:
            barrier.wait()
            time.sleep(wait)
            try:
                return writer.write()
            except Exception as error:  # noqa: BLE001 -- counted
                print(f"{type(error).__name__}: {error}")  # noqa: T201
                return BROKEN

        return list(self._pool.map(run, writers, waits))

    # --- the races ---

    def _form_form(self, same: bool) -> tuple[Writer, Writer]:
        record = self._record()
        other = {"stage": "Lost"} if same else {"next_step": "Call"}
        return self._form(0, record, self._pattern, stage="Won"), self._form(1, record, self._pattern, **other)

    def _form_cost(self, same: bool) -> tuple[Writer, Writer]:
        program = Program.objects.create(marketo_id=next(self._numbers), name="Webinar")
        cost = factories.cost(program)
        own = {"costs-0-id": str(cost.pk), "costs-0-program": str(program.pk)}
        pattern = self._program_pattern | {name: value for name, value in own.items() if name in self._program_pattern}
        other = {"amount": "3"} if same else {"note": "Hall"}
        return self._cost_form(0, program, cost, pattern, amount="2"), self._cost_form(
            1, program, cost, pattern, **other
        )

    def _form_import(self, same: bool) -> tuple[Writer, Writer]:
        record = self._record()
        field = "stage" if same else "next_step"
        old = "New" if same else ""
        imported = rows.checked("opportunities", rows.changed(record, **{field: (old, "Imported")}))

        def commit() -> str:
            rows.commit(imported)
            return SAVED if imported.written["changed"] else ASKED if rows.left(imported) else BROKEN

        return self._form(0, record, self._pattern, stage="Won"), Writer(commit, _holds(record, **{field: "Imported"}))

    def _form_pull(self, same: bool) -> tuple[Writer, Writer]:
        number = next(self._numbers)
        record = pulls.in_step(self._record(marketo_id=number))  # type: ignore[no-untyped-call]  # a test's helper
        theirs = {"Stage": "Open"} if same else {"Stage": "New", "NextStep": "Wait"}
        found = memory.Memory(memory.opportunity(number, **theirs))

        def pull() -> str:
            (result,) = pulls.pull(found, Kind.OPPORTUNITY).results.all()  # type: ignore[no-untyped-call]  # likewise
            return {"TAKEN": SAVED, "CONFLICT": ASKED, "HELD": ASKED}.get(result.status, BROKEN)

        here = {"stage": "Open"} if same else {"next_step": "Wait"}
        return self._form(0, record, self._pattern, stage="Won"), Writer(pull, _holds(record, **here))

    def _undo_form(self, same: bool) -> tuple[Writer, Writer]:
        record = self._record()
        imported = rows.commit(rows.checked("opportunities", rows.changed(record, stage=("New", "Imported"))))

        def undo() -> str:
            undo_import(imported, lambda number: None)
            return SAVED if imported.undone["restored"] else ASKED if imported.undone["left"] else BROKEN

        typed = {"stage": "Won"} if same else {"next_step": "Call"}
        return self._form(0, record, self._imported_pattern, **typed), Writer(undo, _holds(record, stage="New"))

    # --- what they are made of ---

    def _record(self, **values: Any) -> Opportunity:
        return factories.opportunity(**{"stage": "New", "external_id": f"R-{next(self._numbers)}", **values})

    def _form_pattern(self, **values: Any) -> dict[str, str]:
        """An opened form, for other records that hold the same; rendering it for each would take most of the time."""
        record = self._record(external_id="PATTERN", **values)
        form = open_form(self._browsers[0], record)
        record.delete()
        return form

    def _form(self, person: int, record: Opportunity, pattern: dict[str, str], **typed: str) -> Writer:
        keys = {name: record.external_id or "" for name, value in pattern.items() if value == "PATTERN"}
        return Writer(lambda: self._send(person, record, pattern | keys | typed), _holds(record, **typed))

    def _cost_form(
        self, person: int, program: Program, cost: ProgramCost, pattern: dict[str, str], **typed: str
    ) -> Writer:
        given = pattern | {f"costs-0-{name}": value for name, value in typed.items()}
        held = _holds(cost, **{name: int(value) if value.isdecimal() else value for name, value in typed.items()})
        return Writer(lambda: self._send(person, program, given), held)

    def _send(self, person: int, record: SyncedRecord, form: dict[str, str]) -> str:
        response = self._browsers[person].post(change_url(record), form)
        words = b"changed this record while you were editing it"
        return {302: SAVED, 200: ASKED if words in response.content else BROKEN}.get(response.status_code, BROKEN)


def _close_connections(barrier: Barrier) -> None:
    barrier.wait()  # So that each thread does it.
    connections.close_all()


def _holds(row: Any, **values: Any) -> Callable[[], bool]:
    return lambda: type(row).objects.filter(pk=row.pk, **values).exists()
