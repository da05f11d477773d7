"""What is held back for what a record holds is counted before anything is sent, as the job then does it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.marketo.rest.traits import REST_TRAITS
from mobjects.marketo.transport_traits import DEFAULT_TRAITS
from mobjects.marketo.types import Kind, Operation
from mobjects.models import Opportunity, Program, ProgramCost, SyncResult
from mobjects.sync.content.former_names import UNKNOWN_VALUE
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import HeldBack, build_payload
from mobjects.sync.content.unsendable import COST_DECIMALS, KEY_CHANGED
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.selection import SyncSelection, count_calls
from mobjects.sync.transport_factory import key_fields
from tests import factories
from tests.support.guid_transport import KEY
from tests.support.guids import guid

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guid_marketo")]


def foreseen(kind: Kind) -> list[str]:
    groups = forecast_groups(SyncSelection(kinds=(kind,), resend=True), key_fields())
    return [group.reason for group in groups for _ in range(group.count)]


def is_held(kind: Kind, pk: int) -> bool:
    """Whether a job would hold the record back when it builds what to send."""
    (record,) = load_records(kind, [pk])
    return isinstance(build_payload(record, Operation.UPDATE, key_fields(), resend=True), HeldBack)


@pytest.mark.parametrize(
    ("accepted", "external_id", "held"),
    [
        ({"Name": "x", KEY: "E-1"}, "E-2", True),
        ({"Name": "x", KEY: "E-1"}, "e-1", True),
        ({"Name": "x", KEY: "E-1"}, None, True),
        ({"Name": "x"}, "E-2", True),
        ({"Name": "x", KEY: "E-1"}, "E-1", False),
        ({"Name": "x"}, None, False),
        ({"Name": "x", KEY: UNKNOWN_VALUE}, "E-2", False),
        ({}, "E-2", False),
    ],
    ids=str,
)
def test_a_changed_key_is_foreseen(accepted, external_id, held):
    record = factories.opportunity(external_id="E-0", marketo_guid=guid(1))
    Opportunity.objects.update(accepted=accepted, external_id=external_id)
    assert (foreseen(Kind.OPPORTUNITY), is_held(Kind.OPPORTUNITY, record.pk)) == ([KEY_CHANGED if held else ""], held)


@pytest.mark.parametrize(
    ("accepted", "amount", "note", "held"),
    [
        (None, "501.50", "", True),
        (None, "501.00", "", False),
        (None, "0.50", "x", True),
        ("2026-06 501.50", "501.50", "", False),
        ("2026-06 501.50 x", "501.50", "x", False),
        ("2026-06 501.50 x", "501.50", "y", True),
        ("2026-06 501.50", "501.70", "", True),
        ("2026-06 501.50", "502.00", "", False),
    ],
    ids=str,
)
def test_decimals_of_a_cost_that_would_be_sent_are_foreseen(accepted, amount, note, held):
    program = factories.program()
    cost = factories.cost(program, amount=Decimal(amount), note=note)
    assert cost.month.strftime("%Y-%m") == "2026-06"
    Program.objects.update(accepted={cost.content_key: accepted} if accepted else {})
    assert (foreseen(Kind.PROGRAM), is_held(Kind.PROGRAM, program.pk)) == ([COST_DECIMALS if held else ""], held)


def test_the_job_says_exactly_what_holds_them_back():
    program = factories.program()
    factories.cost(program, amount=Decimal("501.50"))
    assert factories.sync(program).counts == {"HELD": 1}
    assert SyncResult.objects.get().error.endswith("over this API; 502 would be next.")
    ProgramCost.objects.update(amount=502)
    assert foreseen(Kind.PROGRAM) == [""]


@pytest.mark.parametrize(
    ("traits", "kind", "calls"),
    [
        (DEFAULT_TRAITS, Kind.PROGRAM, 3),
        (REST_TRAITS, Kind.PROGRAM, 6),
        (REST_TRAITS, Kind.OPPORTUNITY, 3),
    ],
    ids=["SOAP program", "REST program", "REST opportunity"],
)
def test_a_batch_counts_as_the_calls_that_it_takes_at_least(traits, kind, calls):
    assert count_calls(kind, 3, traits) == calls
