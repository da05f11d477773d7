"""Access denied for one kind of records: the others go on, and the pages say which kind is halted and why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobjects import clock
from mobjects.jobs.control import reset_circuit
from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import Circuit, Opportunity, RecordStatus, SyncJobAction, SyncJobState, SyncResultStatus
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.send.halted_kinds import KIND_HALTED
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


@pytest.fixture
def denied(sandbox):
    """A job of which Marketo denies access to programs, which are sent first; and its records."""
    program = factories.program()
    factories.cost(program)
    deal = factories.opportunity()
    sandbox.faults.add("soap", code="20013")
    return factories.sync(), program, deal


def test_records_of_other_kinds_are_sent_in_the_same_job(denied):
    job, program, deal = denied
    assert job.state == SyncJobState.PROBLEMS
    assert factories.fresh(deal).marketo_id is not None
    assert factories.fresh(program).is_dirty
    assert Circuit.objects.get().kind == Kind.PROGRAM.value
    refused = job.results.get(kind=Kind.PROGRAM.value)
    assert (refused.status, "Marketo denied access" in refused.error) == (SyncResultStatus.NOT_SENT, True)


def test_later_jobs_hold_the_kind_back_without_a_call_until_a_person_resets(denied, sandbox):
    _, program, _ = denied
    calls = len(sandbox.calls)
    held = factories.sync(program)
    assert (held.state, len(sandbox.calls)) == (SyncJobState.PROBLEMS, calls)
    assert held.results.get().error.startswith(KIND_HALTED)
    assert factories.sync(factories.opportunity()).state == SyncJobState.SUCCEEDED
    assert reset_circuit(factories.user())
    assert factories.sync(program).state == SyncJobState.SUCCEEDED
    assert not factories.fresh(program).is_dirty


def test_the_pages_say_which_kind_is_halted(denied, groups, redis_url):
    browser = pages.client()
    banner = pages.text(browser.get("/admin/"))
    assert "Sending of programs is halted since" in banner
    connection = pages.text(browser.get("/admin/connection/"))
    assert "Halted now: Programs." in connection
    assert "Records of other kinds are sent." in connection


@pytest.mark.parametrize("lost", [1, 5])
def test_a_look_up_that_is_denied_is_a_note_and_the_rest_is_sent(sandbox, lost):
    program = factories.program()
    factories.cost(program)
    deals = [factories.opportunity(name=f"Deal {number}") for number in range(lost)]
    since = clock.now() - timedelta(days=1)
    Opportunity.objects.update(last_status=RecordStatus.UNKNOWN, unknown_since=since)
    sandbox.faults.add("soap", code="20013", operation="getMObjects", times=100)
    job = factories.sync()
    assert job.state == SyncJobState.PROBLEMS
    assert not factories.fresh(program).is_dirty
    held = job.results.filter(kind=Kind.OPPORTUNITY.value, status=SyncResultStatus.HELD)
    assert {each.record_id for each in held} == {each.pk for each in deals}
    assert all("could not be looked up in Marketo: Marketo denied access" in each.error for each in held)
    assert [call.types for call in sandbox.calls if call.operation == "getMObjects"].count(["Opportunity"]) == 1
    assert not Circuit.objects.exists()


def test_where_reading_first_is_denied_nothing_is_overwritten_unseen(sandbox):
    deals = [factories.opportunity(name=name) for name in ("first", "second")]
    factories.sync(*deals)
    Opportunity.objects.update(stage="Won")
    new = factories.opportunity(name="new")
    sandbox.faults.add("soap", code="20013", operation="getMObjects", times=100)
    job = factories.sync(read_first=True)
    assert job.counts == {"HELD": 2, "CREATED": 1}
    assert job.state == SyncJobState.PROBLEMS
    held = job.results.filter(status=SyncResultStatus.HELD)
    assert {each.record_id for each in held} == {deal.pk for deal in deals}
    assert all("to be read in Marketo before" in each.error and "denied access" in each.error for each in held)
    assert [call.operation for call in sandbox.calls].count("getMObjects") == 1
    assert all(factories.fresh(deal).is_dirty and factories.fresh(deal).read_at is None for deal in deals)
    assert not factories.fresh(new).is_dirty
    assert not Circuit.objects.exists()


def test_a_job_that_only_reads_stops_and_halts_nothing(sandbox):
    factories.opportunity(marketo_id=7)
    sandbox.faults.add("soap", code="20013")
    asked = CompareSelection((Kind.OPPORTUNITY,)).to_json()
    job = create_job(SyncJobAction.COMPARE, Kind.OPPORTUNITY.value, asked)
    run_job(job)
    job.refresh_from_db()
    assert job.state == SyncJobState.STOPPED
    assert not Circuit.objects.exists()
