"""Look-ups during which something happens here: what they are about is looked at again before anything is saved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from mobjects.jobs.requests import create_sync_job
from mobjects.marketo.types import Kind
from mobjects.models import Conflict, Opportunity, RecordStatus
from mobjects.sync.send.cost_ids import CostIdReader
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.send.unknown_outcomes import UnknownOutcomeResolver
from tests import factories
from tests.support.concurrent import concurrently
from tests.support.meanwhile import SlowMarketo
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


@pytest.fixture
def record():
    return factories.opportunity(name="Lost")


@pytest.fixture
def lost(sandbox, record):
    """A job whose sending arrived, without an answer."""
    sandbox.faults.add("cut_after", operation="syncMObjects")
    return factories.sync(record)


def look_up(job, meanwhile=lambda page: None):
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        here = factories.context(job, transport=SlowMarketo(meanwhile))
        return UnknownOutcomeResolver(here, SyncSelection.from_json(job.selection)).resolve_next()


def change(**values):
    """Something that is done to the record while Marketo looks."""
    return lambda page: Opportunity.objects.update(**values) and None


def other_batch():
    return pages.batch(pages.job())


def test_what_another_job_took_meanwhile_is_left_to_it(lost, record):
    other = other_batch()
    assert look_up(lost, change(claimed_by=other))
    record = factories.fresh(record)
    assert (record.claimed_by, record.last_status, record.marketo_id) == (other, RecordStatus.UNKNOWN, None)


def test_what_was_settled_meanwhile_stays_as_it_is(lost, record):
    settled = {"last_status": "UPDATED", "marketo_id": 64, "accepted": {"Name": "Settled"}, "unknown_since": None}
    assert look_up(lost, change(**settled))
    record = factories.fresh(record)
    assert {name: getattr(record, name) for name in settled} == settled
    assert not lost.results.filter(batch__operation="GET").exists()


def test_an_id_that_the_record_got_meanwhile_stays(lost, record):
    assert look_up(lost, change(marketo_id=64))
    record = factories.fresh(record)
    assert (record.marketo_id, record.last_status) == (64, RecordStatus.CREATED)


def test_what_may_stand_on_a_further_page_is_not_taken_for_absent(sandbox, lost, record):
    sandbox.store.opportunities.clear()
    assert look_up(lost, lambda page: replace(page, more=True, position="further"))
    assert Conflict.objects.get().record_id == record.pk
    assert factories.fresh(record).last_status == RecordStatus.UNKNOWN


def test_while_other_lanes_work_on_the_job_nothing_is_looked_up(sandbox, lost):
    factories.context(lost)
    calls = len(sandbox.calls)
    assert not look_up(lost)
    assert len(sandbox.calls) == calls


@pytest.mark.django_db(transaction=True)
def test_a_record_is_held_while_its_outcome_is_saved(lost, record):
    other = other_batch()

    def claim():
        Opportunity.objects.filter(pk=record.pk, claimed_by=None).update(claimed_by=other)

    with concurrently(claim, before='UPDATE "mobjects_opportunity"'):
        look_up(lost)
    record = factories.fresh(record)
    assert (record.last_status, record.claimed_by) == (RecordStatus.CREATED, other)


def test_costs_whose_ids_cannot_be_found_are_read_back_once(sandbox):
    factories.cost(factories.program())
    without_costs = SlowMarketo(lambda page: replace(page, found=[replace(each, costs=()) for each in page.found]))
    job = factories.work(create_sync_job(SyncSelection(kinds=(Kind.PROGRAM,))), transport=without_costs)
    assert [call.operation for call in sandbox.calls] == ["syncMObjects", "getMObjects"]
    assert job.results.get(status="LOOKED_UP").error == "Cost IDs read from Marketo: none that fits."


def test_while_other_lanes_work_on_the_job_no_costs_are_read_back(sandbox):
    factories.cost(program := factories.program())
    job = create_sync_job(SyncSelection(kinds=(Kind.PROGRAM,)))
    pages.result(job, kind="Program", record_id=program.pk, status="UPDATED")
    here = factories.context(job)
    factories.context(job)
    assert not CostIdReader(here).read_next_page()
    assert sandbox.calls == []
