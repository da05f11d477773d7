"""Two workers whose clocks disagree, and a batch that is long on its way: nothing is sent twice, nothing is lost."""

from __future__ import annotations

from collections import Counter

import pytest

from mobjects.jobs.host_clock import HostClockOff, list_wrong_host_clocks
from mobjects.jobs.requests import create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import Conflict, HostClock, Opportunity, SyncJob
from mobjects.sandbox import SandboxServer
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import open_transport
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]
RECORDS = 100
TRANSIT_SECONDS = 40
STEP_SECONDS = 20
TURNS = 60


@pytest.fixture
def sandbox():
    """A Marketo that takes every signature, so that nothing but our own care keeps a host from sending."""
    with SandboxServer(window_seconds=7200) as server:
        yield server


@pytest.fixture
def deals():
    for number in range(RECORDS):
        factories.opportunity(name=f"Deal {number}")


def turn(world, job, minutes):
    """A worker on a host whose clock is so far off works for a turn, if that host may."""
    with world.host(minutes):
        try:
            run_job(job)
        except HostClockOff:
            return


def in_turn(world, sandbox, hosts):
    """Work on a job about all that changed on these hosts by turns, after the first call was lost in transit."""
    with world.host():
        job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    sandbox.faults.add("late", seconds=TRANSIT_SECONDS, operation="syncMObjects")
    for number in range(TURNS):
        job.refresh_from_db()
        if job.state in SyncJob.FINAL_STATES:
            break
        turn(world, job, hosts[number % len(hosts)])
        world.advance(STEP_SECONDS)
    with world.host():  # Whatever is still on its way arrives.
        world.advance(3600)
        open_transport().ping()
    job.refresh_from_db()
    return job


def copies(sandbox):
    """How often each deal is in Marketo, by how many deals."""
    return Counter(Counter(each.values["Name"] for each in sandbox.store.opportunities.values()).values())


@pytest.mark.parametrize("minutes", [-20, -4, -0.8, 0.8, 4, 20])
@pytest.mark.parametrize("off_first", [True, False])
def test_a_batch_lost_between_hosts_whose_clocks_disagree_is_there_once(sandbox, deals, world, minutes, off_first):
    hosts = (minutes, 0) if off_first else (0, minutes)
    job = in_turn(world(), sandbox, hosts)
    assert copies(sandbox) == {1: RECORDS}
    assert job.counts == {"CREATED": RECORDS}
    assert not Opportunity.objects.filter(marketo_id=None).exists()
    assert not Conflict.objects.exists()


@pytest.mark.parametrize(
    ("minutes", "words"), [(-4, "4 min 0 s behind the database's"), (20, "20 min 0 s ahead of the database's")]
)
def test_a_host_whose_clock_is_off_sends_nothing_and_says_so(sandbox, deals, world, minutes, words):
    world = world()
    job = in_turn(world, sandbox, [minutes])
    assert not sandbox.store.opportunities
    assert job.state == "not_queued"
    with world.host(minutes), pytest.raises(HostClockOff, match=f"{words}.*until it is within 60 s"):
        run_job(job)
    assert len(list_wrong_host_clocks()) == 1
    with world.host():
        run_job(job)
    assert not HostClock.objects.exists()


@pytest.mark.parametrize("seconds", [-290, 290, -1700, 1700])
def test_marketos_own_clock_may_be_off(sandbox, deals, world, seconds):
    """Its moments are compared by the offset that its answers tell."""
    job = in_turn(world(marketo_seconds=seconds), sandbox, [0])
    assert (copies(sandbox), job.counts) == ({1: RECORDS}, {"CREATED": RECORDS})
