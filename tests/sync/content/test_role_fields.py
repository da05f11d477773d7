"""Custom fields of person roles: in files, and in what is sent."""

from __future__ import annotations

import pytest

from mobjects.exports import service
from mobjects.exports.formats import CsvFormat
from mobjects.imports import column_mapping
from mobjects.marketo.types import Operation
from mobjects.models import CustomField, OpportunityPersonRole
from mobjects.sync.content.payload import KeyFields, Payload, build_payload
from tests import factories
from tests.imports.helpers import counts, imported, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def weight():
    CustomField.objects.create(kind="OpportunityPersonRole", name="Weight", label="How heavy", data_type="integer")
    CustomField.objects.create(kind="Opportunity", name="ContractMonths", data_type="integer")


@pytest.fixture
def opportunity():
    return factories.opportunity(external_id="E-1", marketo_id=500001)


def test_fields_of_opportunities_are_no_columns_of_roles():
    assert column_mapping.match_names("roles", ["ContractMonths", "Weight", "How heavy"]) == [None, "Weight", "Weight"]


def test_a_custom_field_is_a_column_and_what_is_wrong_with_it_is_explained(opportunity):
    text = "Opportunity,Person ID,Role,How heavy\nE-1,19,Buyer,7\nE-1,20,Buyer,two\n"
    found = imported("roles", text)
    assert OpportunityPersonRole.objects.get().custom_attributes == {"Weight": "7"}
    assert words(found) == ["row 3, Weight, “two”: is not a whole number, for example 80."]


def test_what_is_exported_can_be_imported_and_changes_nothing(opportunity):
    role = factories.role(opportunity, custom_attributes={"Weight": "7"})
    roles = OpportunityPersonRole.objects.order_by("pk")
    made = service.export_records("roles", roles, CsvFormat(), service.DownloadUser("tester"))
    text = b"".join(made.pieces).decode("utf-8-sig")
    assert "Weight" in text.splitlines()[0]
    assert counts(imported("roles", text)) == (0, 0, 1, 0)
    assert factories.fresh(role).revision == 1


def test_custom_values_are_sent_and_cleared(opportunity):
    role = factories.role(opportunity, custom_attributes={"Weight": "7"})
    first = build_payload(role, Operation.INSERT, KeyFields())
    assert isinstance(first, Payload)
    assert first.record.values["Weight"] == "7"
    role.accepted, role.custom_attributes, role.marketo_id = first.sent, {}, 800001
    second = build_payload(role, Operation.UPDATE, KeyFields())
    assert isinstance(second, Payload)
    assert dict(second.record.values) == {"Weight": None}
