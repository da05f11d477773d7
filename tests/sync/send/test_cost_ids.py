"""Reading back the ids of costs that were just accepted: in pages, and a note where it fails."""

from __future__ import annotations

import pytest

from mobjects.jobs.requests import create_sync_job
from mobjects.marketo.errors import AuthError, ConfigError, OutcomeUnknown, RefusalReason, Rejected, Unavailable
from mobjects.models import Circuit, ProgramCost, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support.meanwhile import SlowMarketo
from tests.sync.send.test_lookup_calls import look_ups, many_programs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]

FAILURES = [
    AuthError("Access denied.", code="20013"),
    AuthError("Expired.", code="20016", trouble=RefusalReason.EXPIRED),
    ConfigError("A setting is missing."),
    OutcomeUnknown("An unknown fault.", code="29999"),
    Rejected("Not like this.", code="20110"),
    Unavailable("A web page in place of an answer."),
    Unavailable("The calls of the day are used up.", code="20015", trouble=RefusalReason.QUOTA),
]


def send_programs(sandbox, count: int, meanwhile=lambda page: None):
    many_programs(sandbox, count)
    job = create_sync_job(SyncSelection())
    return factories.work(job, transport=SlowMarketo(meanwhile))


def test_the_ids_of_five_hundred_programs_are_read_in_pages(sandbox):
    many_programs(sandbox, 500)
    job = factories.sync()
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"UPDATED": 500})
    assert look_ups(sandbox) == 5
    there = {number for number in range(2000, 2500) for number in sandbox.store.programs[number].costs}
    assert set(ProgramCost.objects.values_list("marketo_cost_id", flat=True)) == there
    assert job.results.filter(status="LOOKED_UP").count() == 500


def test_programs_that_lie_far_apart_take_no_more_calls_than_one_each(sandbox):
    many_programs(sandbox, 250)
    programs = [factories.program(marketo_id=number, name=f"Old {number}") for number in (1001, 1002)]
    ProgramCost.objects.exclude(program__marketo_id__in=(2000, 2249)).delete()
    for each in programs:
        factories.cost(each)
    assert factories.sync().state == SyncJobState.SUCCEEDED
    assert look_ups(sandbox) <= 4
    assert not ProgramCost.objects.filter(marketo_cost_id=None).exists()


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: f"{type(error).__name__} {error.code}")
def test_a_reading_that_fails_is_a_note_and_no_halt(sandbox, error):
    def fail(page):
        raise error

    job = send_programs(sandbox, 3, fail)
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"UPDATED": 3})
    assert not Circuit.objects.exists()
    notes = set(job.results.filter(status="LOOKED_UP").values_list("error", flat=True))
    assert notes == {f"The cost IDs could not be read: {error.message} The next sync tries again."}


def test_a_reading_that_failed_is_made_up_for_by_the_next_job_about_the_program(sandbox):
    def fail(page):
        raise Rejected("Not like this.")

    send_programs(sandbox, 3, fail)
    ProgramCost.objects.update(amount="77.00")
    assert factories.work(create_sync_job(SyncSelection())).counts == {"HELD": 3}
    assert factories.work(create_sync_job(SyncSelection())).counts == {"UPDATED": 3}
    assert {cost.amount for cost in sandbox.store.programs[2001].costs.values()} == {"77.00"}


@pytest.mark.parametrize("trouble", [RefusalReason.RATE, RefusalReason.AT_ONCE])
def test_where_a_short_wait_helps_the_job_waits(sandbox, trouble):
    errors = [Unavailable("Too many calls.", trouble=trouble)]

    def fail_once(page):
        if errors:
            raise errors.pop()

    job = send_programs(sandbox, 3, fail_once)
    assert job.state == SyncJobState.WAITING
    factories.later(job)
    assert not ProgramCost.objects.filter(marketo_cost_id=None).exists()


def test_what_was_read_is_said_without_amounts_and_notes():
    program = factories.program()
    cost = factories.cost(program, amount=4711, note="Hall")
    job = factories.sync(program)
    cost.refresh_from_db()
    said = job.results.get(status="LOOKED_UP").error
    assert said == f"Cost IDs read from Marketo: 2026-06 is cost {cost.marketo_cost_id}."
