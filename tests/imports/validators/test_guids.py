"""Opportunities and roles in files by their Marketo GUID: in any spelling, once in a file, never changed."""

from __future__ import annotations

import pytest

from mobjects.models import ImportRow, Opportunity, OpportunityPersonRole
from mobjects.resources import RESOURCES
from tests import factories
from tests.factories import fresh
from tests.imports.helpers import checked, imported, outcomes, words

pytestmark = pytest.mark.django_db

GUID, OTHER = "dff23271-f996-47d7-984f-f2676861b5fa", "dff23271-f996-47d7-984f-f2676861b5fb"


def test_a_row_means_the_record_with_its_guid_whatever_the_spelling():
    record = factories.opportunity(marketo_guid=GUID, name="Old")
    found = imported("opportunities", f"Marketo GUID,Name\n {GUID.upper()} ,New\n")
    assert found.written == {"created": 0, "changed": 1, "left": 0}
    assert fresh(record).name == "New"


def test_a_new_record_keeps_the_guid_of_its_row_and_a_known_one_gets_it():
    known = factories.opportunity(external_id="A", name="Known")
    imported("opportunities", f"Marketo GUID,External ID,Name\n{GUID},A,Known\n{OTHER},,New\n")
    assert fresh(known).marketo_guid == GUID
    assert Opportunity.objects.get(name="New").marketo_guid == OTHER


def test_a_blank_cell_never_clears_a_guid():
    record = factories.opportunity(marketo_guid=GUID, external_id="A", name="x")
    text = "Marketo GUID,External ID,Name\n,A,y\n"
    imported("opportunities", text, blank_clears=["Marketo GUID", "Name"])
    assert (fresh(record).marketo_guid, fresh(record).name) == (GUID, "y")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{OTHER},A,x\n", f"“Deal” has the Marketo GUID {GUID} already, which cannot be changed."),
        (f"{GUID},B,x\n", "the Marketo GUID is “Deal”, but the External ID is “Other”; correct one of them."),
        ("not a guid!,A,x\n", "is no Marketo GUID; one has up to 36 letters, digits and hyphens"),
        (f"{GUID},,x\n{GUID.upper()},,x\n", "rows 2 and 3 mean the same opportunity; keep one."),
        (",,x\n", "has neither a Marketo ID nor an External ID; give one of them."),
    ],
)
def test_a_guid_that_contradicts_is_refused(text, said):
    factories.opportunity(marketo_guid=GUID, external_id="A", name="Deal")
    factories.opportunity(external_id="B", name="Other")
    found = words(checked("opportunities", f"Marketo GUID,External ID,Name\n{text}"))
    assert any(said in each for each in found), found


def test_rows_keep_their_guid_to_find_it_twice():
    found = checked("opportunities", f"Marketo GUID,Name\n{GUID},x\n")
    assert ImportRow.objects.get(imported=found).marketo_guid == GUID


def test_a_role_is_found_by_guid_and_names_its_opportunity_by_guid():
    parent = factories.opportunity(external_id=None, marketo_guid=OTHER)
    record = factories.role(parent, marketo_guid=GUID)
    imported("roles", f"Marketo GUID,Role\n{GUID},Boss\n")
    assert fresh(record).role == "Boss"
    for name in (f"Marketo GUID {OTHER}", OTHER.upper()):
        text = f"Opportunity,Person ID,Role\n{name},20,{name[:5]}\n"
        assert outcomes(checked("roles", text)) == {2: "new"}
        imported("roles", text)
    assert OpportunityPersonRole.objects.filter(opportunity=parent).count() == 3


def test_what_is_exported_names_a_role_of_an_opportunity_with_a_guid_only():
    parent = factories.opportunity(external_id=None, marketo_guid=OTHER)
    factories.role(parent, marketo_guid=GUID)
    resource = RESOURCES["roles"]()
    columns = resource.export_columns()
    (row,) = resource.iter_rows(OpportunityPersonRole.objects.order_by("pk"), columns)
    shown = dict(zip([column.name for column in columns], row, strict=True))
    assert (shown["Marketo GUID"], shown["Opportunity"]) == (GUID, f"Marketo GUID {OTHER}")
