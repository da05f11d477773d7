"""Step after step of a job, until there is a reason to leave it."""

from __future__ import annotations

import pytest

from mobjects.jobs import lifecycle
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.errors import Unavailable
from mobjects.models import Circuit, SyncJob
from mobjects.sync.engine import SendTask
from tests import factories

State = SyncJob.State


@pytest.mark.django_db
def test_a_job_stopped_by_one_lane_does_not_wait_because_of_another(sandbox, marketo_settings):
    factories.opportunity()
    job = factories.job_in(State.QUEUED)
    sandbox.faults.add("soap", code="20014")
    here = factories.context(job)
    worker = StepLoop(here, None)
    lifecycle.stop(job, State.STOPPED, "refused", "Stopped.")
    worker._cope(Unavailable("later"))
    job.refresh_from_db()
    assert (job.state, job.waits_until, job.waits_for) == (State.STOPPED, None, "")


@pytest.mark.django_db
def test_no_lane_goes_on_while_the_connection_is_halted(sandbox, marketo_settings):
    factories.opportunity()
    job = factories.job_in(State.QUEUED)
    here = factories.context(job)
    Circuit.objects.create(reason="wrong key")
    StepLoop(here, SendTask(here)).run()
    assert sandbox.calls == []
