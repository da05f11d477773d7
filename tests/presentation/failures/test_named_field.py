"""Which field a reason names, in the words of either API and in ours, and which row of a program is meant."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mobjects.models import CustomField, ProgramCost, ProgramTag
from mobjects.presentation.failures.named_field import find_field

CUSTOM = [
    CustomField(kind="Opportunity", name="Region__c", label="Sales region"),
    CustomField(kind="Opportunity", name="value"),
    CustomField(kind="OpportunityPersonRole", name="Influence"),
]
COSTS = [
    ProgramCost(pk=4, month=date(2026, 5, 1), amount=Decimal("2000.50")),
    ProgramCost(pk=5, month=date(2026, 6, 1), amount=Decimal("1200.00"), note="Ads"),
    ProgramCost(pk=6, month=date(2026, 6, 1), amount=Decimal("2000.50"), note="Ads"),
]
TAGS = [ProgramTag(pk=1, type="Region", value="EMEA"), ProgramTag(pk=2, type="Cost center", value="7")]


@pytest.mark.parametrize(
    ("reason", "input_name"),
    [
        ("Stage “Wun” is not allowed", "stage"),
        ("Close Date is not a date", "close_date"),
        ("Invalid value for field 'closeDate' and value 'soon'", "close_date"),
        ("Object not found: externalCompanyId 'C-9001'", "company_key"),
        ("Missing value for required parameter 'externalOpportunityId'", "external_id"),
        ("Its external ID is “A” in Marketo and “B” here, and Marketo cannot change it", "external_id"),
        ("Region__c: 'x' is not valid, wanted a number", "Region__c"),
        ("Invalid value for field 'region__c' and value 'x'", "Region__c"),
        ("Sales region is too long", "Region__c"),
        ("Field 'value' not found", "value"),
        ("value: “x” is not a number", "value"),
        ("the value of something is bad", ""),
        ("Influence is not a number", ""),
        ("Object not found", ""),
        ("the type of the record is not known by name", ""),
    ],
)
def test_the_field_that_a_reason_names_is_found(reason, input_name):
    found = find_field("Opportunity", reason, CUSTOM)
    assert (found.input_name if found else "") == input_name


def test_a_role_has_its_own_fields():
    assert find_field("OpportunityPersonRole", "Object not found: externalCompanyId 'C-9001'", CUSTOM) is None
    found = find_field("OpportunityPersonRole", "Influence is not a number", CUSTOM)
    assert found is not None
    assert (found.label, found.input_name, found.is_custom) == ("Influence", "Influence", True)


@pytest.mark.parametrize(
    ("reason", "label", "column", "row"),
    [
        ("Tag Region: 'EMEA' is not one of its values", "Tag Region", "value", 1),
        ("Tag region is given twice", "Tag region", "value", 1),
        ("Tag: there is no tag type 'Region'", "Tag Region", "type", 1),
        ("Marketo refused “EMEA” for the tag “Region”. (Marketo: 709 - no)", "Tag Region", "value", 1),
        ("Rejected. (Marketo: 709 - Invalid tag value 'x' for tag type 'Region')", "Tag Region", "value", 1),
        ("Rejected. (Marketo: 709 - Tag type 'Region' not found)", "Tag Region", "type", 1),
        ("The tag type “Region” is not known in Marketo; nearest: Regions.", "Tag Region", "type", 1),
        ("Cost center “7” is not known in Marketo; nearest: 70.", "Tag Cost center", "value", 2),
        (
            "The channel “x” is not known in Marketo; nearest: y. Region “EMEA” is not known in Marketo; known: A.",
            "Channel",
            "",
            None,
        ),
        ("Tag Country: 'x' is not one of its values", "Tag Country", "value", None),
        ("Tag Channel: there is no channel 'x'", "Channel", "", None),
        ("Marketo did not change the channel to “x”; change it in Marketo. no", "Channel", "", None),
        (
            "The cost 2026-06 2000.50 Ads: Marketo takes whole amounts only over this API; 2001 would be next.",
            "Period cost 2026-06: Amount",
            "amount",
            6,
        ),
        ("the cost of 2026-06: 1200 is not between 0 and 5", "Period cost 2026-06: Amount", "amount", 5),
        ("the note of the cost of 2026-05 holds half of a character", "Period cost 2026-05: Note", "note", 4),
        (
            "The cost 2026-06 1,200.00 Ads is already in Marketo without a known cost ID. Enter its Marketo cost ID",
            "Period cost 2026-06: Marketo cost ID",
            "marketo_cost_id",
            5,
        ),
        (
            "How Cost 5 stands in Marketo is not known; pull or compare the program, then send it.",
            "Period cost: Amount",
            "amount",
            5,
        ),
        ("Cost Month: '2026-13' is not valid, wanted a month", "Period cost: Month", "month", None),
        ("Cost Amount is required", "Period cost: Amount", "amount", None),
    ],
)
def test_the_row_of_a_program_that_a_reason_names_is_found(reason, label, column, row):
    found = find_field("Program", reason, CUSTOM)
    assert found is not None
    chosen = found.choose_row(TAGS if found.rows == "tags" else COSTS)
    assert (found.label, found.column, chosen.pk if chosen else None) == (label, column, row)


def test_the_only_cost_is_meant_where_a_reason_names_none():
    found = find_field("Program", "Cost Amount: 'x' is not valid, wanted a number")
    assert found is not None
    assert found.choose_row(COSTS[:1]) == COSTS[0]


@pytest.mark.parametrize(
    "reason",
    ["Program 1001 was not found", "it has a tag that Marketo does not know; the program's page says which", ""],
)
def test_a_reason_that_names_no_field_of_a_program(reason):
    assert find_field("Program", reason) is None


def test_values_that_went_out_are_told_by_what_the_reason_names():
    cost = find_field("Program", "the cost of 2026-06: 1 is not between 0 and 5")
    tag = find_field("Program", "Tag region: 'x' is not one of its values")
    date_field = find_field("Opportunity", "Close Date is not a date")
    assert cost
    assert tag
    assert date_field
    assert [cost.is_entry(*entry) for entry in (("Cost 5", "2026-06 1.00 x"), ("Cost 6", "2026-07 1.00"))] == [
        True,
        False,
    ]
    assert [tag.is_entry(name, "x") for name in ("Tag Region", "Tag Regions", "Channel")] == [True, False, False]
    assert [date_field.is_entry(name, "x") for name in ("CloseDate", "Date")] == [True, False]
