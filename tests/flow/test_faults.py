"""Every fault the sandbox can script, in the middle of every kind of sending, over real HTTP and the real queue.

Each ends with the three questions of :mod:`tests.support.invariants`. What is observed on the way is the fault matrix
in docs/; ``make fault-matrix`` writes it, any other run compares.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from mobjects.jobs.control import reset_circuit
from mobjects.jobs.recovery import sweep_jobs
from mobjects.jobs.requests import request_sync
from mobjects.models import (
    Circuit,
    Conflict,
    Installation,
    Opportunity,
    Program,
    RecordState,
    SyncedRecord,
    SyncJob,
    SyncJobState,
)
from mobjects.sandbox.fault_injection import FaultKind
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support import fault_cases, fault_matrix, invariants
from tests.support.fault_cases import FAULTS, ONE_BAD_RECORD, SENDINGS, FaultCase, Sending
from tests.support.fault_matrix import Facts

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
        fault_matrix.write(table, look_ups, words)


@pytest.fixture(scope="module")
def observed() -> Iterator[Observed]:
    lines = Observed()
    yield lines
    if WRITING:
        lines.write()


class _Worker(SimpleWorker):
    """Takes no commands while it works: leaving the channel for them takes longer than all the rest."""

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass


class Faulty:
    """A sandbox, a database and a queue in which one sending after the other can go wrong."""

    def __init__(self, sandbox, queue: Queue, settings) -> None:
        self.sandbox, self.queue, self.settings = sandbox, queue, settings
        self._usual = settings.MARKETO

    def begin(self, **marketo: Any) -> None:
        """Empty all three, and set what differs from the usual settings."""
        self.settings.MARKETO = {**self._usual, **marketo}
        random.seed(1)  # The same waits in every run, so that the document can be compared.
        for model in (SyncJob, Opportunity, Program, Conflict, Circuit):
            model.objects.all().delete()
        # That the history is deleted here is no restored backup.
        Installation.objects.update(is_marked=False)
        Path(self.settings.INSTALLATION_FILE).unlink(missing_ok=True)
        self.sandbox.reset()
        self.queue.connection.flushdb()

    def request(self, records: Sequence[SyncedRecord]) -> SyncJob:
        selection = SyncSelection(kinds=(records[0].KIND,), ids=tuple(record.pk for record in records))
        job = request_sync(selection)
        self.work()
        job.refresh_from_db()
        return job

    def work(self) -> None:
        """Let a worker call what is due and work until the queue is empty."""
        worker = _Worker([self.queue], connection=self.queue.connection, serializer=JSONSerializer)
        worker.work(burst=True, with_scheduler=True, logging_level="WARNING")

    def let_wait(self, job: SyncJob) -> None:
        """Each time the job waits, come back when it said; then the queue has to call it by itself."""
        for _ in range(20):
            job.refresh_from_db()
            if job.state != SyncJobState.WAITING or job.waits_until is None:
                return
            with time_machine.travel(job.waits_until + timedelta(seconds=1), tick=True):
                sweep_jobs()
                self.work()
        pytest.fail(f"{job} waits for ever: {job.waits_for}")

    def sends(self) -> int:
        return sum(call.operation == "syncMObjects" for call in self.sandbox.calls)


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
    at_first, words = states(job, records), said_of(job)
    faulty.sandbox.faults.release_calls()
    if job.state not in SyncJob.FINAL_STATES:
        invariants.check(faulty.sandbox)
        faulty.let_wait(job)
    invariants.check(faulty.sandbox, *records)
    assert job.state in SyncJob.FINAL_STATES
    again = faulty.sends() - before - 1
    facts = Facts(at_first, by_itself(job, again), states(job, records), for_a_person(records))
    help_out(faulty, records)
    return facts, words


def help_out(faulty: Faulty, records: Sequence[SyncedRecord]) -> None:
    """Do what is left for a person; both sides are equal then."""
    if Circuit.objects.filter(reset_at=None).exists():
        reset_circuit(factories.user("admin-" + os.urandom(4).hex()))
    if any(factories.fresh(record).is_dirty for record in records):
        faulty.let_wait(faulty.request(records))
        invariants.check(faulty.sandbox)
    invariants.both_sides_are_equal(faulty.sandbox)


# --- in words -------------------------------------------------------------------------------


def states(job: SyncJob, records: Sequence[SyncedRecord]) -> str:
    now = [RecordState(factories.fresh(record).current_state).label for record in records]
    return f"{job.get_state_display()} ({', '.join(dict.fromkeys(sorted(now)))})"


def by_itself(job: SyncJob, again: int) -> str:
    look_ups = job.batches.filter(operation="GET", cause__contains="not answered").count()
    parts = [f"looked up ({look_ups})"] if look_ups else []
    if again:
        parts.append(f"sent again ({again})")
    return ", ".join(parts) or "nothing"


def for_a_person(records: Sequence[SyncedRecord]) -> str:
    if Circuit.objects.filter(reset_at=None).exists():
        return "reset the connection"
    if Conflict.objects.filter(decided_at=None).exists():
        return "decide"
    left = [now for record in records if (now := factories.fresh(record)).is_dirty]
    if any(now.last_error for now in left):
        return "see the error, sync again"
    return "sync again" if left else "nothing"


def said_of(job: SyncJob) -> str:
    """What the history says of the spoilt call, without Marketo's own text and our own address."""
    batch = job.batches.exclude(fault_text="").first()
    if batch is not None:
        return re.sub(r"127\.0\.0\.1(:\d+)?", "(host)", re.sub(r" \(Marketo: .*\)", "", batch.fault_text))
    return job.results.exclude(error="").values_list("error", flat=True).first() or "nothing"


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
    row = [fault_matrix.line(AT_LOOK_UP + case.words, states(job, [record]), faulty.sends(), look_ups)]
    observed.look_ups[AT_LOOK_UP + case.words] = row
    if not WRITING:
        fault_matrix.stands_in_document(row)
    help_out(faulty, [record])
    assert len(faulty.sandbox.store.opportunities) == 1


# --- the document ---------------------------------------------------------------------------


def test_every_kind_of_fault_is_tried():
    # What reaches Marketo late takes two hosts and their clocks: tests/flow/test_clocks.py.
    assert {case.script["kind"] for case in FAULTS} == {kind.value for kind in FaultKind} - {FaultKind.LATE.value}


def test_the_document_is_about_these_faults_and_no_others():
    expected = {case.words for case in FAULTS}
    expected |= {SAYS + case.words for case in FAULTS if not case.script.get("applied")}
    expected |= {AT_LOOK_UP + case.words for case in LOOK_UP_FAULTS}
    assert fault_matrix.faults_in_document() == expected


def test_the_document_can_be_read_in_one_go():
    assert len(fault_matrix.DOCUMENT.read_text(encoding="utf-8").splitlines()) < 170
