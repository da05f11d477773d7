"""A yes or no that was never set reads as no over REST: that is no change of somebody in Marketo."""

from __future__ import annotations

import pytest

from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import Conflict, Opportunity, OpportunityPersonRole, SyncJobAction
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.pull.task import PullSelection
from tests import factories
from tests.factories import fresh

# Real transactions: the tests of this folder work as the processes do.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_rest_settings")]


@pytest.fixture
def deal():
    """An opportunity that is in Marketo, with a role; nobody has said of either yes or no."""
    deal = factories.opportunity(external_id="E-1", name="Deal")
    factories.role(deal)
    factories.sync()
    return fresh(deal)


def done(action, asked, kind=""):
    job = create_job(action, kind or asked.kind_of_job, asked.to_json())
    run_job(job)
    job.refresh_from_db()
    return job


def pull(kind=Kind.OPPORTUNITY):
    return done(SyncJobAction.PULL, PullSelection(kind), kind.value)


def test_a_comparison_finds_no_difference(deal):
    job = done(SyncJobAction.COMPARE, CompareSelection((Kind.OPPORTUNITY, Kind.ROLE), None))
    assert job.counts == {"SAME": 2}


def test_a_pull_changes_nothing(deal):
    pull()
    assert pull(Kind.ROLE).state == "succeeded"
    assert (fresh(deal).is_won, fresh(deal).revision) == (None, deal.revision)
    assert OpportunityPersonRole.objects.get().is_primary is None


def test_a_yes_that_was_not_sent_is_no_conflict_and_is_sent(deal, sandbox):
    Opportunity.objects.update(is_won=True)
    pull()
    assert not Conflict.objects.exists()
    assert fresh(deal).is_won is True
    factories.sync(fresh(deal))
    assert sandbox.store.opportunities[next(iter(sandbox.store.opportunities))].values["IsWon"] == "true"


def test_a_yes_that_became_no_in_marketo_is_pulled(deal, sandbox):
    Opportunity.objects.update(is_won=True)
    factories.sync(fresh(deal))
    (stored,) = sandbox.store.opportunities.values()
    stored.values["IsWon"] = "false"
    pull()
    assert fresh(deal).is_won is False


def test_a_no_that_was_cleared_here_stays_cleared(deal):
    Opportunity.objects.update(is_won=False)
    factories.sync(fresh(deal))
    Opportunity.objects.update(is_won=None)
    factories.sync(fresh(deal))
    pull()
    assert fresh(deal).is_won is None
    assert done(SyncJobAction.COMPARE, CompareSelection((Kind.OPPORTUNITY,), None)).counts == {"SAME": 1}
