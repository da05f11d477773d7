"""What records lack for the API in use."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.marketo.transport_traits import TransportTraits
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, ProgramCost
from mobjects.sync.content.gaps import find_gap, kinds_without_numbers, list_gaps
from mobjects.sync.content.payload import KeyFields
from tests import factories
from tests.support.guids import guid
from tests.support.identify_transport import KEYS, TRAITS

pytestmark = pytest.mark.django_db


def lacking(model, name, keys=KEYS):
    """What the rows that a gap finds are called."""
    return sorted(str(row) for row in model.objects.filter(find_gap(keys, model, name).condition))


def test_an_api_that_needs_nothing_more_has_none():
    assert list_gaps(KeyFields()) == []
    assert kinds_without_numbers(KeyFields()) == []
    assert find_gap(KeyFields(), Opportunity, "id") is None


@pytest.mark.parametrize(
    ("way", "names"),
    [
        ({"needs_opportunity_key": True}, ["external-id"]),
        ({"role_is_key": True}, ["role-name", "person-key"]),
        ({"roles_name_opportunity_by_key": True}, ["opportunity-key"]),
        ({"whole_costs": True}, ["decimals"]),
        ({"id_kinds": TRAITS.id_kinds}, ["id", "id"]),
    ],
)
def test_each_way_of_an_api_has_its_own(way, names):
    assert [gap.name for gap in list_gaps(KeyFields(traits=TransportTraits(**way)))] == names


def test_an_opportunity_needs_an_external_id_unless_its_id_is_known():
    factories.opportunity(name="with")
    factories.opportunity(name="without", external_id=None, marketo_id=7)
    factories.opportunity(name="known", external_id=None, marketo_guid=guid(1))
    assert lacking(Opportunity, "external-id") == ["without"]


def test_a_role_needs_a_name_a_known_opportunity_and_a_person_that_can_be_found():
    here, there = (
        factories.opportunity(name="here"),
        factories.opportunity(external_id=None, marketo_id=7, name="there"),
    )
    factories.role(here)
    factories.role(here, role="")
    factories.role(there)
    factories.role(here, person_key="L-1")
    assert lacking(OpportunityPersonRole, "role-name") == ["Role of person 19 in here"]
    assert lacking(OpportunityPersonRole, "opportunity-key") == ["Influencer of person 19 in there"]
    assert lacking(OpportunityPersonRole, "person-key") == ["Influencer of person L-1 in here"]
    by_key = KeyFields(person="leadKey", traits=TRAITS)
    assert find_gap(by_key, OpportunityPersonRole, "person-key") is None


def test_what_marketo_has_needs_its_id():
    factories.opportunity(name="new")
    factories.opportunity(name="numbered", marketo_id=7)
    factories.opportunity(name="accepted", accepted={"Name": "accepted"})
    factories.opportunity(name="known", marketo_id=8, marketo_guid=guid(1), accepted={"Name": "known"})
    assert lacking(Opportunity, "id") == ["accepted", "numbered"]
    assert kinds_without_numbers(KEYS) == [Kind.OPPORTUNITY, Kind.ROLE]


@pytest.mark.parametrize(("amount", "found"), [("2000.00", 0), ("0.00", 0), ("2000.01", 1), ("0.50", 1)])
def test_amounts_with_decimals_are_found(amount, found):
    factories.cost(factories.program(), amount=Decimal(amount))
    gap = find_gap(KEYS, ProgramCost, "decimals")
    assert gap.count_rows() == found


def test_large_amounts_are_whole_too():
    program = factories.program()
    for amount in ("9999999999999.00", "123456789012.99", "123456789012.00"):
        factories.cost(program, amount=Decimal(amount))
    assert lacking(ProgramCost, "decimals") == ["2026-06 123456789012.99"]
