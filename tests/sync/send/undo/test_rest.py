"""Over REST costs have no IDs and go as a whole list, and tags can be taken away: an undo puts all of it back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.jobs.requests import create_job, create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, ProgramCost, ProgramTag, SyncJobAction
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.sync.send.undo.test_task import outcomes, undo

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_rest_settings")]


def in_marketo(sandbox) -> tuple[list[tuple[int, str]], dict[str, str]]:
    """Costs and tags of the program as they are there now."""
    held = sandbox.store.programs[1001]
    return sorted((int(each.amount), each.note) for each in held.costs.values()), dict(held.tags)


def test_costs_and_tags_go_back_to_what_they_were(sandbox):
    program = factories.program(name=sandbox.store.programs[1001].name)
    cost = factories.cost(program, amount=Decimal(100))
    factories.sync(program)
    before = in_marketo(sandbox)
    ProgramCost.objects.filter(pk=cost.pk).update(amount=150)
    factories.cost(program, amount=Decimal(200), note="Hall")
    factories.tag(program)
    job = factories.sync(program)
    assert [len(held) for held in in_marketo(sandbox)] == [len(held) + 1 for held in before]

    undoing = undo(job)

    assert outcomes(undoing) == {program.pk: [("RESTORED", ""), ("UPDATED", "")]}
    assert in_marketo(sandbox) == before
    assert [int(each.amount) for each in program.costs.all()] == [100]
    assert not ProgramTag.objects.exists()
    assert not factories.fresh(program).is_dirty
    assert factories.sync(program).counts == {}


def test_an_opportunity_goes_back_and_a_role_whose_key_changed_stays(sandbox):
    deal = factories.opportunity(external_id="E-1", stage="Open")
    role = factories.role(deal)
    factories.sync()
    Opportunity.objects.update(stage="Won")
    OpportunityPersonRole.objects.update(role="Sponsor")
    undoing = undo(factories.sync())
    said = list(undoing.results.order_by("pk").values_list("kind", "status"))
    assert said == [("Opportunity", "RESTORED"), ("OpportunityPersonRole", "HELD"), ("Opportunity", "UPDATED")]
    assert [each.values["Stage"] for each in sandbox.store.opportunities.values()] == ["Open"]
    assert factories.fresh(role).role == "Sponsor"


def test_a_dry_run_makes_no_call_and_is_sent_exactly(sandbox):
    deal = factories.opportunity(external_id="E-1", stage="Open")
    factories.sync()
    Opportunity.objects.update(stage="Won")
    calls = len(sandbox.calls)
    selection = SyncSelection((Kind.OPPORTUNITY,))
    kept = create_job(SyncJobAction.DRY_RUN, selection.kind_of_job, selection.to_json())
    run_job(kept)
    assert len(sandbox.calls) == calls
    (batch,) = kept.batches.all()
    assert '"stage": "Won"' in batch.request or '"stage":"Won"' in batch.request
    sending = create_sync_job(SyncSelection((Kind.OPPORTUNITY,), of_dry_run=str(kept.pk)))
    run_job(sending)
    sending.refresh_from_db()
    assert sending.counts == {"UPDATED": 1}
    assert factories.fresh(deal).accepted["Stage"] == "Won"
