"""Sending over REST, against the sandbox over HTTP: what is created, changed, made anew and removed there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.models import OpportunityPersonRole, ProgramCost, ProgramTag
from mobjects.sandbox import CLIENT_ID, CLIENT_SECRET
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rest(sandbox, redis_url, settings):
    settings.MARKETO = {
        **settings.MARKETO,
        "TRANSPORT": "rest",
        "REST_ENDPOINT": sandbox.rest_endpoint,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
    }
    return sandbox


def test_opportunities_and_roles_are_created_changed_and_made_anew(rest):
    deal = factories.opportunity(external_id="E-1", amount="5.00")
    role = factories.role(deal)
    assert factories.sync().counts == {"CREATED": 2}
    assert factories.fresh(deal).marketo_guid
    type(deal).objects.update(stage="Won")
    OpportunityPersonRole.objects.update(role="Sponsor")
    old = factories.fresh(role).marketo_guid
    job = factories.sync()
    assert sum(job.counts.values()) == 2
    assert [row.status for row in job.results.order_by("pk")] == ["UPDATED", "CREATED"]
    assert factories.fresh(role).marketo_guid not in (None, old)
    assert len(rest.store.roles) == 1
    assert factories.sync().counts == {}


def test_costs_and_tags_of_a_program_are_added_changed_and_removed(rest):
    program = factories.program(name=rest.store.programs[1001].name)
    factories.cost(program, amount=Decimal(100))
    factories.cost(program, amount=Decimal(200), note="Hall")
    factories.tag(program)
    assert factories.sync(program).counts == {"UPDATED": 1}
    ProgramCost.objects.filter(amount=200).delete()
    ProgramCost.objects.filter(amount=100).update(amount=150)
    ProgramTag.objects.all().delete()
    job = factories.sync(program)
    assert job.counts == {"UPDATED": 1}, job.results.get().error
    assert not factories.fresh(program).is_dirty
    assert factories.sync(program).counts == {}
