"""What an answer writes down where something happened while it was under way."""

from __future__ import annotations

import pytest

from mobjects import jobs
from mobjects.marketo.contract import Answer, Exchange, Kind, Outcome, Status
from mobjects.models import Opportunity
from mobjects.sync import outcomes
from mobjects.sync.selection import Selection
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


@pytest.fixture
def record():
    return factories.opportunity()


@pytest.fixture
def job(record):
    return jobs.create_job(Selection(kinds=(Kind.OPPORTUNITY,)))


@pytest.fixture
def claim(job):
    return factories.claim_next(job, Kind.OPPORTUNITY)


def answered(job, claim, *told):
    outcomes.record_answer(job, claim.batch, claim.items, Answer(told, Exchange(request="")))


def test_an_id_that_an_import_brought_meanwhile_stays(job, record, claim):
    Opportunity.objects.update(marketo_id=64)
    answered(job, claim, Outcome(Status.CREATED, 7))
    assert factories.fresh(record).marketo_id == 64
