"""Custom fields of person roles: in files, and in what is sent."""

from __future__ import annotations

import pytest

from mobjects.marketo.contract import Operation
from mobjects.models import CustomField, OpportunityPersonRole
from mobjects.resources import RESOURCES, CsvFormat, read, summarise
from mobjects.sync.payloads import KeyFields, Payload, build
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def weight():
    CustomField.objects.create(kind="OpportunityPersonRole", name="Weight", label="How heavy", data_type="integer")
    CustomField.objects.create(kind="Opportunity", name="ContractMonths", data_type="integer")


@pytest.fixture
def opportunity():
    return factories.opportunity(external_id="E-1", marketo_id=500001)


def load(text):
    return summarise(RESOURCES["roles"]().import_data(read(text.encode(), "csv")))


@pytest.mark.parametrize("header", ["Weight", "How heavy"])
def test_a_custom_field_is_a_column(opportunity, header):
    summary = load(f"Opportunity,Person ID,Role,{header}\nE-1,19,Buyer,7\n")
    assert summary.ok, summary.problems
    assert OpportunityPersonRole.objects.get().custom_attributes == {"Weight": "7"}


def test_a_wrong_custom_value_is_explained(opportunity):
    summary = load("Opportunity,Person ID,Role,Weight\nE-1,19,Buyer,two\n")
    assert [str(problem) for problem in summary.problems] == [
        "row 2, Weight, “two”: is not a whole number, for example 80."
    ]


def test_fields_of_opportunities_are_no_columns_of_roles():
    assert (
        "Unknown column “ContractMonths”" in load("Opportunity,Person ID,Role,ContractMonths\nE-1,19,Buyer,7\n").refused
    )


def test_what_is_exported_can_be_imported_and_changes_nothing(opportunity):
    role = factories.role(opportunity, custom_attributes={"Weight": "7"})
    resource = RESOURCES["roles"]()
    text = CsvFormat().export_data(resource.export()).decode("utf-8-sig")
    assert "Weight" in text.splitlines()[0]
    summary = load(text)
    assert (summary.ok, summary.unchanged) == (True, 1)
    assert factories.fresh(role).revision == 1


def test_the_number_of_queries_does_not_grow_with_rows(opportunity, django_assert_max_num_queries):
    lines = [f"E-1,{number},Buyer,{number}" for number in range(1, 60)]
    with django_assert_max_num_queries(14):
        assert load("Opportunity,Person ID,Role,Weight\n" + "\n".join(lines)).new == 59


def test_custom_values_are_sent_and_cleared(opportunity):
    role = factories.role(opportunity, custom_attributes={"Weight": "7"})
    first = build(role, Operation.INSERT, KeyFields())
    assert isinstance(first, Payload)
    assert first.record.values["Weight"] == "7"
    role.accepted, role.custom_attributes, role.marketo_id = first.sent, {}, 800001
    second = build(role, Operation.UPDATE, KeyFields())
    assert isinstance(second, Payload)
    assert dict(second.record.values) == {"Weight": None}
