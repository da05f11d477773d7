"""Which field a reason names, in the words of either API."""

from __future__ import annotations

import pytest

from mobjects.presentation.failure_advice import find_field


@pytest.mark.parametrize(
    ("reason", "field"),
    [
        ("Stage “Wun” is not allowed", "stage"),
        ("Close Date is not a date", "close_date"),
        ("Invalid value for field 'closeDate' and value 'soon'", "close_date"),
        ("Object not found: externalCompanyId 'C-9001'", "company_key"),
        ("Object not found", ""),
        ("the type of the record is not known by name", ""),
    ],
)
def test_the_field_that_a_reason_names_is_found(reason, field):
    found = find_field("Opportunity", reason)
    assert (found.field_name if found else "") == field


def test_a_role_has_no_company():
    assert find_field("OpportunityPersonRole", "Object not found: externalCompanyId 'C-9001'") is None
