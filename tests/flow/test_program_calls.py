"""One update of a program over REST after the other, and each of its calls in turn goes wrong, to the end of the job.

Marketo adds the costs that it is sent, and a list of tags takes away those that it lacks, so this is where something
could be doubled, lost or wiped. While the job waits, somebody in Marketo enters a cost of their own.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mobjects.models import Program, ProgramCost, ProgramTag, SyncJob, SyncJobState
from mobjects.sandbox.state import StoredCost
from tests import factories
from tests.support import fault_cases, fault_matrix, faulty_site, invariants
from tests.support.faulty_site import FaultyRest
from tests.support.rest_site import impatient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

WRITING = bool(os.environ.get("WRITE_FAULT_MATRIX"))
PROGRAM = 1001
ANY_CALL = "/rest/asset/*"
HASTY_SECONDS = 0.5

FAULTS: dict[str, dict[str, Any]] = {
    "No answer in time": {"kind": "slow", "seconds": 60.0},
    "Cut before": {"kind": "cut_before"},
    "Cut after": {"kind": "cut_after"},
    "604": {"kind": "error", "code": "604"},
    "604, applied": {"kind": "error", "code": "604", "applied": True},
}
"""By column of the document."""

Row = tuple[str, Decimal, str]
KNOWN: list[Row] = [("2026-06", Decimal(500), "ads"), ("2026-06", Decimal(20), ""), ("2026-07", Decimal(7), "")]
FOREIGN: Row = ("2026-06", Decimal(33), "theirs")
MEANWHILE: Row = ("2026-08", Decimal(44), "meanwhile")
NEW: Row = ("2026-08", Decimal(1), "")
TAGS = {"Region": "AMER", "Fiscal Quarter": "FY26 Q1"}
FOREIGN_TAGS = {"Product Line": "Cloud"}


@dataclass(frozen=True, slots=True)
class Update:
    """Something that a person changes here, in words, and what Marketo is to hold then.

    Args:
        words: for the document.
        change: makes the change.
        costs, tags: that are known here, afterwards.
    """

    words: str
    change: Callable[[Program], object]
    costs: list[Row]
    tags: dict[str, str]


def add_cost(program: Program) -> None:
    month, amount, note = NEW
    factories.cost(program, month=date.fromisoformat(f"{month}-01"), amount=amount, note=note)


def change_cost(program: Program) -> None:
    ProgramCost.objects.filter(note="ads").update(amount=Decimal(600))


def remove_cost(program: Program) -> None:
    program.costs.get(amount=Decimal(7)).delete()


def set_tag(program: Program) -> None:
    ProgramTag.objects.filter(type="Region").update(value="EMEA")


def remove_tag(program: Program) -> None:
    program.tags.get(type="Fiscal Quarter").delete()


def change_all(program: Program) -> None:
    for change in (add_cost, change_cost, remove_cost, set_tag, remove_tag):
        change(program)


CHANGED = [("2026-06", Decimal(600), "ads"), *KNOWN[1:]]
UPDATES = [
    Update("cost added", add_cost, [*KNOWN, NEW], TAGS),
    Update("cost changed", change_cost, CHANGED, TAGS),
    Update("cost removed", remove_cost, KNOWN[:2], TAGS),
    Update("tag set", set_tag, KNOWN, {**TAGS, "Region": "EMEA"}),
    Update("tag removed", remove_tag, KNOWN, {"Region": "AMER"}),
    Update("all of it", change_all, [*CHANGED[:2], NEW], {"Region": "EMEA"}),
]


@pytest.fixture
def faulty(sandbox, queue, settings, marketo_rest_settings) -> FaultyRest:
    return FaultyRest(sandbox, queue, settings)


@pytest.fixture(scope="module")
def observed() -> Iterator[dict[str, list[str]]]:
    lines: dict[str, list[str]] = {}
    yield lines
    if WRITING:
        fault_matrix.write({"program calls": [line for update in UPDATES for line in lines.get(update.words, [])]})


def prepare(faulty: FaultyRest, update: Update) -> Program:
    """A program that is the same on both sides, but for what only Marketo knows and the update."""
    faulty.begin()
    store = faulty.sandbox.store
    program = factories.program(marketo_id=PROGRAM, name=store.programs[PROGRAM].name)
    Program.objects.filter(pk=program.pk).update(channel=store.programs[PROGRAM].channel)
    for month, amount, note in KNOWN:
        factories.cost(program, month=date.fromisoformat(f"{month}-01"), amount=amount, note=note)
    for tag_type, value in TAGS.items():
        factories.tag(program, type=tag_type, value=value)
    with store.lock:
        store.programs[PROGRAM].tags.clear()
        store.programs[PROGRAM].costs.clear()
    fault_cases.synced(faulty.sandbox, factories.fresh(program))
    with store.lock:
        store.programs[PROGRAM].tags |= FOREIGN_TAGS
        number, (month, amount, note) = store.new_id("Cost"), FOREIGN
        store.programs[PROGRAM].costs[number] = StoredCost(number, date.fromisoformat(f"{month}-01"), f"{amount}", note)
    update.change(factories.fresh(program))
    return factories.fresh(program)


def calls_of(faulty: FaultyRest, update: Update) -> list[str]:
    """The calls that an update takes where nothing goes wrong."""
    job = faulty.request([prepare(faulty, update)])
    assert job.state == SyncJobState.SUCCEEDED
    holds(faulty, update)
    names = [call.operation for call in faulty.sandbox.calls if "/asset/" in call.operation]
    return [name.replace("/rest/asset/v1/", "").replace(f"/{PROGRAM}", "") for name in names]


def holds(faulty: FaultyRest, update: Update, *more: Row) -> None:
    """Marketo holds each cost once, and each tag."""
    stored = faulty.sandbox.store.programs[PROGRAM]
    costs = Counter((f"{cost.month:%Y-%m}", Decimal(cost.amount), cost.note) for cost in stored.costs.values())
    assert costs == Counter([*update.costs, FOREIGN, *more])
    assert stored.tags == {**update.tags, **FOREIGN_TAGS}


@pytest.mark.parametrize("update", UPDATES, ids=lambda update: update.words)
def test_each_call_in_turn_goes_wrong_and_no_cost_is_doubled_or_lost_and_no_tag_wiped(faulty, observed, update):
    calls = calls_of(faulty, update)
    lines = []
    for nth, name in enumerate(calls, start=1):
        cells = [walk(faulty, update, nth, script) for script in FAULTS.values()]
        lines.append(fault_matrix.line(update.words, f"{nth} of {len(calls)}: {name}", *cells))
    observed[update.words] = lines
    if not WRITING:
        fault_matrix.stands_in_document(lines)


def walk(faulty: FaultyRest, update: Update, nth: int, script: dict[str, Any]) -> str:
    """Spoil a call, let somebody enter a cost right after it, and see the job through to its end."""
    program = prepare(faulty, update)
    faulty.sandbox.faults.add(**script, path=ANY_CALL, nth=nth)
    month, amount, note = MEANWHILE
    entered = {"program": PROGRAM, "month": month, "amount": str(amount), "note": note}
    faulty.sandbox.faults.add("edit", **entered, applied=True, path=ANY_CALL, nth=nth)
    with impatient(HASTY_SECONDS) if script["kind"] == "slow" else nullcontext():
        job = faulty.request([program])
    assert faulty.sandbox.faults.list_pending() == []
    faulty.sandbox.faults.release_calls()
    if job.state not in SyncJob.FINAL_STATES:
        invariants.history_tells(faulty.sandbox)
        faulty.let_wait(job)
    assert faulty_site.states(job, [program]) == "Finished (Synced)"
    holds(faulty, update, MEANWHILE)
    invariants.history_tells(faulty.sandbox, [program])
    a_second_job_sends_nothing(faulty, program)
    return faulty_site.by_itself(job, job.batches.exclude(operation="GET").exclude(sent_at=None).count() - 1)


def a_second_job_sends_nothing(faulty: FaultyRest, program: Program) -> None:
    before = faulty.sends()
    assert faulty.request([program]).state == SyncJobState.SUCCEEDED
    assert faulty.sends() == before


def test_the_document_is_about_these_updates_and_no_others():
    assert fault_matrix.faults_in_document("program calls") == {update.words for update in UPDATES}
