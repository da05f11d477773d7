"""The way back over real HTTP: from the sandbox into an empty database, changed here, sent, and read again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import (
    Conflict,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    SyncJobAction,
)
from mobjects.sandbox.fields import OPPORTUNITY_KEY
from mobjects.sync.compare.task import CompareSelection
from mobjects.sync.pull.task import PullSelection
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings", "redis_url")]


def run(action, kind, selection):
    job = create_job(action, kind, selection)
    run_job(job)
    job.refresh_from_db()
    return job


def pull(kind, **asked):
    return run(SyncJobAction.PULL, kind.value, PullSelection(kind, **asked).to_json())


def compare(*kinds):
    return run(SyncJobAction.COMPARE, "several", CompareSelection(kinds).to_json())


def held_by(sandbox):
    """Costs and tags of all programs in the sandbox, as we name them."""
    programs = sandbox.store.programs.values()
    costs = {
        (each.id, cost.id, cost.month, Decimal(cost.amount), cost.note)
        for each in programs
        for cost in each.costs.values()
    }
    tags = {(each.id, type_, value) for each in programs for type_, value in each.tags.items()}
    channels = {(each.id, each.channel) for each in programs}
    return costs, tags, channels


def held_here():
    costs = ProgramCost.objects.values_list("program__marketo_id", "marketo_cost_id", "month", "amount", "note")
    tags = ProgramTag.objects.values_list("program__marketo_id", "type", "value")
    return set(costs), set(tags), set(Program.objects.values_list("marketo_id", "channel"))


def test_forty_programs_are_pulled_changed_sent_and_pulled_again(sandbox):
    assert pull(Kind.PROGRAM, archived=True).counts == {"ADDED": 40}
    assert held_here() == held_by(sandbox)
    assert not Program.objects.dirty().exists()
    total = ProgramCost.objects.count()
    assert total == sum(len(each.costs) for each in sandbox.store.programs.values())

    cost = ProgramCost.objects.order_by("pk").first()
    cost.amount, cost.note = Decimal("777.70"), "정정"
    cost.save()
    new = factories.cost(Program.objects.order_by("pk").last(), amount=Decimal("5"))
    assert compare(Kind.PROGRAM).counts == {"SAME": 40}
    assert factories.sync(kinds=(Kind.PROGRAM,)).counts == {"UPDATED": 2}
    kept = sandbox.store.programs[cost.program.marketo_id].costs[cost.marketo_cost_id]
    assert (Decimal(kept.amount), kept.note) == (Decimal("777.70"), "정정")

    assert pull(Kind.PROGRAM, archived=True).counts == {"SAME": 40}
    new.refresh_from_db()
    assert new.marketo_cost_id
    assert ProgramCost.objects.count() == total + 1
    assert held_here() == held_by(sandbox)
    assert not Program.objects.dirty().exists()
    assert compare(Kind.PROGRAM).counts == {"SAME": 40}
    assert not Conflict.objects.exists()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, 38),
        ({"name": "2026-01 Webinar - Cloud Cost Control"}, 1),
        ({"workspace": "Europe"}, 12),
        ({"tag_type": "Channel", "tag_value": "Webinar"}, 5),
    ],
)
def test_a_pull_can_be_narrowed(sandbox, asked, expected):
    pull(Kind.PROGRAM, **asked)
    assert Program.objects.count() == expected


def test_only_what_changed_lately_is_pulled(sandbox):
    since = sandbox.store.clock.now() - timedelta(minutes=1)
    assert pull(Kind.PROGRAM, updated_since=since).counts == {}
    program = sandbox.store.programs[1003]
    program.updated_at = sandbox.store.clock.now()
    assert pull(Kind.PROGRAM, updated_since=since).counts == {"ADDED": 1}


def test_opportunities_and_roles_come_back_as_they_were_sent(sandbox, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": OPPORTUNITY_KEY}
    first = factories.opportunity(
        external_id="E-1", description="<&> 한국어\n2", amount=Decimal("501"), quantity=Decimal("2.5"), company_id=7
    )
    factories.role(first, is_primary=True)
    assert factories.sync().counts == {"CREATED": 2}
    sent = Opportunity.objects.values("description", "amount", "quantity", "company_id", "external_id").get()
    Opportunity.objects.all().delete()

    assert pull(Kind.OPPORTUNITY).counts == {"ADDED": 1}
    assert pull(Kind.ROLE).counts == {"ADDED": 1}
    assert Opportunity.objects.values(*sent).get() == sent
    assert OpportunityPersonRole.objects.get().is_primary
    assert compare(Kind.OPPORTUNITY, Kind.ROLE).counts == {"SAME": 2}
    assert factories.sync().counts == {}


def test_more_than_a_page_is_read_to_the_end(sandbox):
    for number in range(250):
        sandbox.store.create_object("Opportunity", {"Name": f"Deal {number}"})
    job = pull(Kind.OPPORTUNITY)
    assert (job.counts, [batch.size for batch in job.batches.order_by("sequence")]) == (
        {"ADDED": 250},
        [100, 100, 50],
    )
    sandbox.store.delete_object("Opportunity", Opportunity.objects.latest("pk").marketo_id)
    assert compare(Kind.OPPORTUNITY).counts == {"SAME": 249, "MISSING": 1}
