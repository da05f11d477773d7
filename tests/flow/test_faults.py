"""Every fault the sandbox can script, in the middle of every kind of sending, over real HTTP and the real queue.

Each ends with the three questions of :mod:`tests.support.invariants`. What is observed on the way is the fault matrix
in docs/; ``make fault-matrix`` writes it, any other run compares.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from mobjects.models import (
    SyncJob,
)
from mobjects.sandbox.fault_injection import FaultKind
from tests.support import fault_cases, fault_matrix, faulty_site, invariants
from tests.support.fault_cases import FAULTS, ONE_BAD_RECORD, SENDINGS, FaultCase, Sending
from tests.support.fault_matrix import Facts
from tests.support.faulty_site import Faulty

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings")]

WRITING = bool(os.environ.get("WRITE_FAULT_MATRIX"))
# Reading changes nothing, so "applied" makes no difference; and its answer has no status rows.
LOOK_UP_FAULTS = [
    case
    for case in FAULTS
    if case.script["kind"] not in ("bad_row", "row_status")
    and not case.script.get("applied")
    and case.words != ONE_BAD_RECORD
]
AT_LOOK_UP, SAYS = "look-up: ", "after: "
"""How the lines of the second and third table begin, so that each fault has lines of its own in each."""


class Observed:
    """Lines of the document as they come in."""

    def __init__(self) -> None:
        self.table: dict[str, list[str]] = {}
        self.look_ups: dict[str, list[str]] = {}
        self.words: dict[str, list[str]] = {}

    def write(self) -> None:
        parts = [(self.table, ""), (self.look_ups, AT_LOOK_UP), (self.words, SAYS)]
        table, look_ups, words = (
            [line for case in FAULTS for line in part.get(begin + case.words, [])] for part, begin in parts
        )
        fault_matrix.write({"table": table, "look-ups": look_ups, "words": words})


@pytest.fixture(scope="module")
def observed() -> Iterator[Observed]:
    lines = Observed()
    yield lines
    if WRITING:
        lines.write()


@pytest.fixture
def faulty(sandbox, queue, settings) -> Faulty:
    return Faulty(sandbox, queue, settings)


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.words)
def test_nothing_is_lost_nothing_doubled_and_the_history_tells(faulty, observed, case):
    found, said = {}, {}
    for sending in SENDINGS:
        found[sending.words], words = walk(faulty, case, sending)
        said[words] = sending
    observed.table[case.words] = table = fault_matrix.rows(case.words, found)
    words = [] if case.script.get("applied") else [fault_matrix.line(SAYS + case.words, " / ".join(said))]
    observed.words[SAYS + case.words] = words
    if not WRITING:
        fault_matrix.stands_in_document(table)
        fault_matrix.stands_in_document(words)


def walk(faulty: Faulty, case: FaultCase, sending: Sending) -> tuple[Facts, str]:
    """Send under a fault, and see it through to the end."""
    faulty.begin(**case.settings, **sending.settings)
    records = sending.prepare(faulty.sandbox)
    before = faulty.sends()
    faulty.sandbox.faults.add(**case.script, operation="syncMObjects")
    job = faulty.request(records)
    at_first, words = faulty_site.states(job, records), faulty_site.said_of(job)
    faulty.sandbox.faults.release_calls()
    if job.state not in SyncJob.FINAL_STATES:
        invariants.check(faulty.sandbox)
        faulty.let_wait(job)
    invariants.check(faulty.sandbox, *records)
    assert job.state in SyncJob.FINAL_STATES
    again = faulty.sends() - before - 1
    facts = Facts(
        at_first, faulty_site.by_itself(job, again), faulty_site.states(job, records), faulty_site.for_a_person(records)
    )
    faulty_site.help_out(faulty, records)
    return facts, words


# --- the look-up ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", LOOK_UP_FAULTS, ids=lambda case: case.words)
def test_a_spoilt_look_up_never_leads_to_a_second_insert(faulty, observed, case):
    faulty.begin(**case.settings)
    record = fault_cases.opportunity()
    faulty.sandbox.faults.add("cut_after", operation="syncMObjects")
    faulty.sandbox.faults.add(**case.script, operation="getMObjects")
    job = faulty.request([record])
    faulty.let_wait(job)
    invariants.check(faulty.sandbox, record)
    look_ups = job.batches.filter(operation="GET").count()
    row = [fault_matrix.line(AT_LOOK_UP + case.words, faulty_site.states(job, [record]), faulty.sends(), look_ups)]
    observed.look_ups[AT_LOOK_UP + case.words] = row
    if not WRITING:
        fault_matrix.stands_in_document(row)
    faulty_site.help_out(faulty, [record])
    assert len(faulty.sandbox.store.opportunities) == 1


# --- the document ---------------------------------------------------------------------------


def test_every_kind_of_fault_is_tried():
    # What reaches Marketo late takes two hosts and their clocks: tests/flow/test_clocks.py.
    assert {case.script["kind"] for case in FAULTS} == {kind.value for kind in FaultKind} - {FaultKind.LATE.value}


def test_the_document_is_about_these_faults_and_no_others():
    expected = {case.words for case in FAULTS}
    expected |= {SAYS + case.words for case in FAULTS if not case.script.get("applied")}
    expected |= {AT_LOOK_UP + case.words for case in LOOK_UP_FAULTS}
    assert fault_matrix.faults_in_document("table", "look-ups", "words") == expected
