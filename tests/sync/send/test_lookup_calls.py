"""How many calls it takes to find out what became of a lost batch."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from mobjects.jobs.job_lease import acquire_job
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.errors import OutcomeUnknown, Rejected
from mobjects.models import Opportunity, OpportunityPersonRole, Program, SyncJob, SyncJobState
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.send.task import SendTask
from mobjects.sync.send.unknown_outcomes import UnknownOutcomeResolver
from mobjects.sync.task import JobContext
from mobjects.sync.transport_factory import open_transport
from tests import factories
from tests.support.meanwhile import SlowMarketo
from tests.support.rewriting import rewrite

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def lost(sandbox, *records, applied=True) -> SyncJob:
    sandbox.faults.add("cut_after" if applied else "cut_before", operation="syncMObjects")
    return factories.sync(*records)


def lost_deals(sandbox, count=100, *, applied=True) -> SyncJob:
    """So many new opportunities in a lost batch; more has come into being in Marketo since than a page holds."""
    job = lost(sandbox, *(factories.opportunity(name=f"Deal {number}") for number in range(count)), applied=applied)
    with sandbox.store.lock:
        for number in range(150):
            sandbox.store.create_object("Opportunity", {"Name": f"Somebody else's {number}"})
    return job


def look_ups(sandbox) -> int:
    return sum(call.operation == "getMObjects" for call in sandbox.calls)


def statuses(model) -> dict[str, int]:
    found: dict[str, int] = {}
    for status in model.objects.values_list("last_status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def in_short_turns(job: SyncJob, transport: Any = None) -> SyncJob:
    """Let a job go on in turns of one step, until it has ended."""
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True) as clock:
        for _ in range(30):
            lease = acquire_job(job)
            if lease is None:
                break
            here = JobContext(job, lease, transport or open_transport(), KeyFields(), factories.Unlimited())
            StepLoop(here, SendTask(here), turn_seconds=0).run()
            clock.shift(400)
    job.refresh_from_db()
    return job


def resolver(job: SyncJob, transport: Any = None) -> UnknownOutcomeResolver:
    here = factories.context(job, transport=transport or open_transport())
    return UnknownOutcomeResolver(here, SyncSelection.from_json(job.selection))


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_batch_of_a_hundred_takes_a_few_calls_though_each_turn_ends_at_once(sandbox, applied):
    job = in_short_turns(lost_deals(sandbox, applied=applied))
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"CREATED": 100})
    assert look_ups(sandbox) == (3 if applied else 2)
    assert len(sandbox.store.opportunities) == 250


def test_a_lost_batch_of_a_hundred_takes_a_few_calls_though_another_lane_joins(sandbox):
    job = lost_deals(sandbox)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        one = resolver(job)
        for _ in range(2):
            assert one.resolve_next()
            joined = factories.context(job).lease
            assert not one.resolve_next()
            joined.delete()
        job.leases.all().delete()
        assert resolver(job).resolve_next()
    assert (look_ups(sandbox), statuses(Opportunity)) == (3, {"CREATED": 100})


def test_a_worker_that_dies_between_reading_and_saving_leaves_what_was_read(sandbox):
    job = lost_deals(sandbox, 3)

    class Died(BaseException):
        pass

    def die(page):
        raise Died

    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        with pytest.raises(Died):
            resolver(job, SlowMarketo(die)).resolve_next()
        job.leases.all().delete()
        job = factories.later(factories.work(job))
    assert job.counts == {"CREATED": 3}


def test_a_lost_batch_of_roles_takes_a_few_calls(sandbox):
    factories.sync(*(factories.opportunity(name=f"Deal {number}") for number in range(20)))
    parents = Opportunity.objects.all()
    roles = [factories.role(of, person_id=19 + number) for of in parents for number in range(5)]
    job = in_short_turns(lost(sandbox, *roles))
    assert (job.counts, look_ups(sandbox)) == ({"CREATED": 100}, 1)
    assert statuses(OpportunityPersonRole) == {"CREATED": 100}


def many_programs(sandbox, count: int) -> list[Program]:
    """Programs with a new cost each, one after the other in Marketo."""
    with sandbox.store.lock:
        model = sandbox.store.programs[1001]
        for number in range(2000, 2000 + count):
            copy = replace(deepcopy(model), id=number, name=f"Program {number}")
            copy.costs.clear()
            sandbox.store.programs[number] = copy
    programs = [factories.program(marketo_id=number, name=f"Program {number}") for number in range(2000, 2000 + count)]
    for each in programs:
        factories.cost(each)
    return programs


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_batch_of_programs_takes_a_few_calls(sandbox, applied):
    job = in_short_turns(lost(sandbox, *many_programs(sandbox, 100), applied=applied))
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"UPDATED": 100})
    # Those that did not arrive are sent again, and the IDs of their costs read back.
    assert look_ups(sandbox) == (1 if applied else 2)
    assert {len(sandbox.store.programs[number].costs) for number in range(2000, 2100)} == {1}


def test_a_place_that_marketo_no_longer_knows_is_begun_again_once(sandbox):
    job = lost_deals(sandbox)
    forgets = iter([Rejected("No such position.", code="20122")])

    def answer(page):
        if look_ups(sandbox) == 2 and (error := next(forgets, None)):
            raise error

    job = in_short_turns(job, SlowMarketo(answer))
    assert (job.counts, look_ups(sandbox)) == ({"CREATED": 100}, 5)


@pytest.mark.parametrize("error", [Rejected("Not like this."), OutcomeUnknown("No answer in time.")])
def test_what_cannot_be_read_together_is_read_one_by_one(sandbox, error):
    records = [factories.opportunity(name=f"Deal {number}") for number in range(3)]
    job = lost(sandbox, *records)

    class Marketo(SlowMarketo):
        def find(self, query, position=""):
            page = super().find(query, position)
            if not query.name:
                raise error
            return page

    job = in_short_turns(job, Marketo(lambda page: None))
    assert (job.counts, look_ups(sandbox)) == ({"CREATED": 3}, 5)


def test_a_batch_that_is_lost_later_is_read_together_too(sandbox):
    job = in_short_turns(lost_deals(sandbox, 10))
    with time_machine.travel(timezone.now() + timedelta(hours=5), tick=True):
        records = [factories.opportunity(name=f"Late {number}") for number in range(10)]
        selection = SyncSelection(kinds=(Opportunity.KIND,)).to_json()
        job = rewrite(job, state=SyncJobState.WAITING, finished_at=None, selection=selection)
        Opportunity.objects.filter(pk__in=[each.pk for each in records]).update(
            last_status="UNKNOWN", unknown_since=timezone.now()
        )
        before = look_ups(sandbox)
        in_short_turns(job)
    assert look_ups(sandbox) == before + 1
