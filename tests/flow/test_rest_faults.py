"""Every fault the sandbox can script over REST, in the middle of sending: the other half of the fault matrix.

See :mod:`tests.flow.test_faults`. Each run ends with the three questions of :mod:`tests.support.invariants`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from mobjects.models import SyncJob
from mobjects.sandbox.fault_injection import FaultKind, RestFaultKind
from mobjects.sync.send.selection import OperationChoice
from tests.support import fault_cases, fault_matrix, faulty_site, invariants
from tests.support.fault_cases import Sending
from tests.support.fault_matrix import Facts
from tests.support.faulty_site import FaultyRest
from tests.support.rest_fault_cases import (
    EVERY,
    LOOK_UP_FAULTS,
    NOT_OVER_REST,
    REST,
    REST_FAULTS,
    REST_SENDINGS,
    WRITES,
    RestFault,
)
from tests.support.rest_site import impatient

pytestmark = [pytest.mark.django_db(transaction=True)]

WRITING = bool(os.environ.get("WRITE_FAULT_MATRIX"))
AT_LOOK_UP, SAYS = f"{REST}look-up: ", f"{REST}after: "
LOOK_UPS = "GET /rest/v1/opportunities.json*"


class Observed:
    """Lines of the document as they come in."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[str, list[str]]] = {"REST table": {}, "REST look-ups": {}, "REST words": {}}

    def add(self, section: str, fault: RestFault, lines: list[str]) -> None:
        """Take them in; unless the document is being written, see that it has them."""
        self.lines[section][fault.words] = lines
        if not WRITING:
            fault_matrix.stands_in_document(lines)

    def write(self) -> None:
        found = {
            section: [line for fault in REST_FAULTS for line in lines.get(fault.words, [])]
            for section, lines in self.lines.items()
        }
        reasons = [fault_matrix.line(f"only over SOAP: {words}", reason) for words, reason in NOT_OVER_REST.items()]
        fault_matrix.write({**found, "not over REST": reasons})


@pytest.fixture(scope="module")
def observed() -> Iterator[Observed]:
    lines = Observed()
    yield lines
    if WRITING:
        lines.write()


@pytest.fixture
def faulty(sandbox, queue, settings, marketo_rest_settings) -> FaultyRest:
    return FaultyRest(sandbox, queue, settings)


@pytest.mark.parametrize("fault", REST_FAULTS, ids=lambda fault: fault.words)
def test_nothing_is_lost_nothing_doubled_and_the_history_tells(faulty, observed, fault):
    found, said = {}, {}
    for sending in REST_SENDINGS:
        if sending.words in fault.sendings:
            found[sending.words], words = walk(faulty, fault, sending)
            said[words] = sending
    lines = fault_matrix.rows(REST + fault.words, found, every=len(EVERY))
    observed.add("REST table", fault, lines)
    if not fault.applied:
        observed.add("REST words", fault, [fault_matrix.line(SAYS + fault.words, " / ".join(said))])


def walk(faulty: FaultyRest, fault: RestFault, sending: Sending) -> tuple[Facts, str]:
    """Send under a fault, and see it through to the end."""
    faulty.begin()
    records = sending.prepare(faulty.sandbox)
    with ExitStack() as stack:
        if fault.timeout:
            stack.enter_context(impatient(fault.timeout))
        faulty.sandbox.faults.add(**fault.script, path=WRITES)
        job = faulty.request(records, sending.operation)
        assert faulty.sandbox.faults.list_pending() == []
        at_first, words = faulty_site.states(job, records), faulty_site.said_of(job)
        faulty.sandbox.faults.release_calls()
        if job.state not in SyncJob.FINAL_STATES:
            invariants.check(faulty.sandbox)
            faulty.let_wait(job)
        invariants.check(faulty.sandbox, *records)
        assert job.state in SyncJob.FINAL_STATES
        facts = Facts(
            at_first,
            faulty_site.by_itself(job, sent_again(job, records)),
            faulty_site.states(job, records),
            faulty_site.for_a_person(records),
        )
        faulty_site.help_out(faulty, records)
    return facts, words


def sent_again(job: SyncJob, records: list) -> int:
    """How many batches went out more than would have without a fault."""
    batches = job.batches.exclude(operation="GET").exclude(sent_at=None)
    at_once = batches.order_by("sequence").values_list("size", flat=True)[0]
    return max(0, batches.count() - (len(records) if at_once == 1 else 1))


# --- the look-up ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", LOOK_UP_FAULTS, ids=lambda fault: fault.words)
def test_a_spoilt_look_up_never_leads_to_a_second_insert(faulty, observed, fault):
    faulty.begin()
    record = fault_cases.opportunity()
    faulty.sandbox.faults.add("cut_after", path=WRITES)
    faulty.sandbox.faults.add(**fault.script, path=LOOK_UPS)
    job = faulty.request([record], OperationChoice.INSERT)
    faulty.let_wait(job)
    invariants.check(faulty.sandbox, record)
    assert faulty.sandbox.faults.list_pending() == []
    look_ups = job.batches.filter(operation="GET").count()
    states = faulty_site.states(job, [record])
    observed.add(
        "REST look-ups", fault, [fault_matrix.line(AT_LOOK_UP + fault.words, states, faulty.sends(), look_ups)]
    )
    faulty_site.help_out(faulty, [record])
    assert len(faulty.sandbox.store.opportunities) == 1


# --- the document ---------------------------------------------------------------------------


def test_every_kind_of_fault_is_tried_over_rest():
    # SOAP faults are of the other API; what arrives late takes two clocks (tests/flow/test_clocks.py); what somebody
    # changes in Marketo meanwhile is in tests/flow/test_program_calls.py.
    elsewhere = {FaultKind.SOAP, FaultKind.LATE, RestFaultKind.EDIT}
    kinds = {kind.value for kind in (*FaultKind, *RestFaultKind) if kind not in elsewhere}
    assert {fault.script["kind"] for fault in REST_FAULTS} == kinds


def test_every_fault_over_soap_has_its_equal_over_rest_or_a_reason():
    over_rest = {(fault.script["kind"], fault.applied) for fault in REST_FAULTS}
    for case in fault_cases.FAULTS:
        kind, applied = case.script["kind"], bool(case.script.get("applied"))
        has_equal = (("error" if kind == "soap" else kind), applied) in over_rest
        assert has_equal or (kind, not applied) in over_rest or case.words in NOT_OVER_REST, case.words
    assert set(NOT_OVER_REST) <= {case.words for case in fault_cases.FAULTS}


def test_the_document_is_about_these_faults_over_rest_and_no_others():
    expected = {REST + fault.words for fault in REST_FAULTS}
    expected |= {SAYS + fault.words for fault in REST_FAULTS if not fault.applied}
    expected |= {AT_LOOK_UP + fault.words for fault in LOOK_UP_FAULTS}
    assert fault_matrix.faults_in_document("REST table", "REST look-ups", "REST words") == expected
