"""Faults over REST while a sending is undone, or what a dry run kept is sent: rows of the fault matrix."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from mobjects.jobs.approvals.gate import selection_of_dry_run
from mobjects.jobs.requests import create_sync_job, request_dry_run, request_undo
from mobjects.jobs.runner import run_job
from mobjects.models import Kind, Opportunity, SyncJob
from mobjects.sync.send.selection import SyncSelection
from tests.support import fault_cases, fault_matrix, faulty_site, invariants
from tests.support.fault_matrix import Facts
from tests.support.faulty_site import FaultyRest
from tests.support.rest_fault_cases import WRITES

pytestmark = [pytest.mark.django_db(transaction=True)]

WRITING = bool(os.environ.get("WRITE_FAULT_MATRIX"))
READS = "GET /rest/v1/opportunities.json*"
FAULTS = {
    "connection cut before": {"kind": "cut_before"},
    "connection cut after": {"kind": "cut_after"},
    "HTTP 500": {"kind": "http", "status": 500},
    "604, timed out": {"kind": "error", "code": "604", "text": "Request timed out"},
    "603, access denied": {"kind": "error", "code": "603", "text": "Access denied"},
}
CALLS = {"the reading before": READS, "the sending": WRITES}
UNDO, KEPT = "REST undo, ", "REST dry run, "


@pytest.fixture(scope="module")
def observed() -> Iterator[dict[str, list[str]]]:
    lines: dict[str, list[str]] = {}
    yield lines
    if WRITING:
        names = [*(UNDO + call for call in CALLS), f"{KEPT}the sending"]
        fault_matrix.write({"asked first": [line for name in names for line in lines.get(name, [])]})


@pytest.fixture
def faulty(sandbox, queue, settings, marketo_rest_settings) -> FaultyRest:
    faulty = FaultyRest(sandbox, queue, settings)
    faulty.begin()
    return faulty


def see_through(faulty: FaultyRest, job: SyncJob, records: list) -> Facts:
    """The job under its fault, and to its end: what is seen of it."""
    run_job(job)
    job.refresh_from_db()
    at_first = faulty_site.states(job, records)
    assert faulty.sandbox.faults.list_pending() == []
    faulty.let_wait(job)
    job.refresh_from_db()
    assert job.state in SyncJob.FINAL_STATES
    invariants.check(faulty.sandbox, *records)
    again = max(0, job.batches.exclude(operation="GET").exclude(sent_at=None).count() - 1)
    return Facts(
        at_first,
        faulty_site.by_itself(job, again),
        faulty_site.states(job, records),
        faulty_site.for_a_person(records),
    )


def note(observed: dict[str, list[str]], name: str, found: dict[str, Facts]) -> None:
    """Faults under which a call fared alike share a line."""
    observed[name] = fault_matrix.rows(name, found)
    if not WRITING:
        fault_matrix.stands_in_document(observed[name])


@pytest.mark.timeout(360)
@pytest.mark.parametrize("call", CALLS)
def test_an_undo_under_a_fault_tells_and_brings_back_the_old_values_or_leaves_them_changed(faulty, observed, call):
    found = {}
    for fault, answer in FAULTS.items():
        faulty.begin()
        records = fault_cases.changed_opportunities(faulty.sandbox)
        faulty.request(records)
        Opportunity.objects.update(stage="Lost")
        undone = faulty.request(records)
        sent = {record.pk: Opportunity.objects.get(pk=record.pk).accepted for record in records}
        faulty.sandbox.faults.add(**answer, path=CALLS[call])
        found[fault] = see_through(faulty, request_undo(undone, read_first=True), records)
        faulty_site.help_out(faulty, records)
        assert all(Opportunity.objects.get(pk=pk).accepted != values for pk, values in sent.items())
    note(observed, UNDO + call, found)


@pytest.mark.timeout(360)
def test_sending_what_a_dry_run_kept_tells_under_a_fault(faulty, observed):
    found = {}
    for fault, answer in FAULTS.items():
        faulty.begin()
        records = fault_cases.changed_opportunities(faulty.sandbox)
        before = faulty.sends()
        dry = request_dry_run(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
        run_job(dry)
        assert faulty.sends() == before
        faulty.sandbox.faults.add(**answer, path=WRITES)
        job = create_sync_job(selection_of_dry_run(dry), origin=dry)
        found[fault] = see_through(faulty, job, records)
        faulty_site.help_out(faulty, records)
    note(observed, f"{KEPT}the sending", found)
