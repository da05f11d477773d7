"""A large job over REST from end to end: its calls are counted, and what Marketo answered stands on each record."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from mobjects.marketo.types import Kind
from mobjects.models import (
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    SyncJobState,
)
from mobjects.models import records_of_kind as records_of
from tests import factories
from tests.support import invariants

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(360)]

RECORDS, PROGRAMS = 1000, 40
CALLS = {
    "POST /rest/v1/opportunities.json": 4,
    "POST /rest/v1/opportunities/roles.json": 4,
    "GET /rest/v1/opportunities/describe.json": 1,
    "GET /rest/v1/opportunities/roles/describe.json": 1,
    # A program: its costs are read, its channel and its tag set, its costs added. The answer to that shows all of it.
    "GET /rest/asset/v1/program/byName.json": PROGRAMS,
    "POST /rest/asset/v1/program/*/tag/Region.json": PROGRAMS,
    "POST /rest/asset/v1/program/*.json": 2 * PROGRAMS,
}


@pytest.fixture
def site(sandbox, marketo_rest_settings, settings):
    """Records of every kind, all of them new; limits that do not make it wait."""
    settings.MARKETO = {**marketo_rest_settings, "CALLS_PER_WINDOW": 10_000}
    numbers = range(1, RECORDS + 1)
    deals = Opportunity.objects.bulk_create(
        [Opportunity(external_id=f"E-{n}", name=f"Deal {n}", description=f"Deal no. {n}", amount=n) for n in numbers]
    )
    OpportunityPersonRole.objects.bulk_create(
        [OpportunityPersonRole(opportunity=deal, person_id=n % 500 + 1, role="Owner") for n, deal in enumerate(deals)]
    )
    for stored in list(sandbox.store.programs.values())[:PROGRAMS]:
        program = factories.program(marketo_id=stored.id, name=stored.name, channel=stored.channel)
        for month in (5, 6):
            note = f"{invariants.OURS}{stored.id}-{month}"
            factories.cost(program, month=date(2026, month, 1), amount=Decimal(stored.id), note=note)
        factories.tag(program, value="Korea")
        stored.tags.clear()  # What the answer for the channel shows already would not be set again.
    return sandbox


def made(sandbox, *, since=0):
    """The calls that arrived, by method and path without the number of a program; not tokens and usage."""
    later = [call.operation for call in sandbox.calls if call.sequence > since]
    names = [name for name in later if "/identity/" not in name and "/stats/" not in name]
    ids = [f"/{number}" for number in sandbox.store.programs]
    return Counter(next((name.replace(each, "/*") for each in ids if each in name), name) for name in names)


def last_call(sandbox):
    return max(call.sequence for call in sandbox.calls)


def test_a_thousand_of_each_and_forty_programs(site):
    job = factories.sync()
    assert (job.state, job.counts) == (
        SyncJobState.SUCCEEDED,
        {"CREATED": 2 * RECORDS, "UPDATED": PROGRAMS},
    )
    assert made(site) == CALLS
    every_record_has_its_id_and_status(site, job)
    invariants.check(site, *Opportunity.objects.all()[:3])
    invariants.both_sides_are_equal(site)
    a_second_job_sends_nothing(site)
    one_edited_cost_touches_one_program(site)


def every_record_has_its_id_and_status(sandbox, job):
    for kind in (Kind.OPPORTUNITY, Kind.ROLE):
        in_marketo = {stored.guid for stored in sandbox.store.objects[kind.value].values()}
        here = list(records_of(kind).values_list("marketo_guid", "last_status", "marketo_id"))
        assert {guid for guid, _, _ in here} == in_marketo
        assert {(status, number) for _, status, number in here} == {("CREATED", None)}
        assert set(job.results.filter(kind=kind).values_list("marketo_guid", flat=True)) == in_marketo
    assert set(Program.objects.values_list("last_status", flat=True)) == {"UPDATED"}
    batches = Counter(job.batches.values_list("kind", "size"))
    assert batches == {
        **{(kind.value, size): times for kind in (Kind.OPPORTUNITY, Kind.ROLE) for size, times in ((300, 3), (100, 1))},
        (Kind.PROGRAM.value, 1): PROGRAMS,
    }
    assert ProgramTag.objects.filter(value="Korea").count() == PROGRAMS


def a_second_job_sends_nothing(sandbox):
    before = last_call(sandbox)
    job = factories.sync()
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {})
    assert made(sandbox, since=before) == {}


def one_edited_cost_touches_one_program(sandbox):
    before = last_call(sandbox)
    cost = ProgramCost.objects.select_related("program").order_by("pk")[7]
    costs_before = {number: dict(stored.costs) for number, stored in sandbox.store.programs.items()}
    ProgramCost.objects.filter(pk=cost.pk).update(amount=Decimal(777))
    job = factories.sync()
    assert job.counts == {"UPDATED": 1}
    assert set(job.results.values_list("record_id", flat=True)) == {cost.program_id}
    assert made(sandbox, since=before) == {
        "GET /rest/asset/v1/program/byName.json": 1,
        "POST /rest/asset/v1/program/*.json": 1,
    }
    touched = {number for number, stored in sandbox.store.programs.items() if stored.costs != costs_before[number]}
    assert touched == {cost.program.marketo_id}
    amounts = sorted(Decimal(each.amount) for each in sandbox.store.programs[cost.program.marketo_id].costs.values())
    assert Decimal(777) in amounts
    assert len(amounts) == len(costs_before[cost.program.marketo_id])
    invariants.both_sides_are_equal(sandbox)
