"""What rows of opportunity person roles do."""

from __future__ import annotations

import pytest

from mobjects.models import CustomField, OpportunityPersonRole
from tests import factories
from tests.imports.helpers import checked, counts, imported, words

pytestmark = pytest.mark.django_db


def test_role_is_found_by_opportunity_person_and_role():
    role = factories.role(factories.opportunity(external_id="A", marketo_id=5), role="Boss")
    text = "Opportunity,Person ID,Role,IsPrimary\n{},19,Boss,true\n"
    assert counts(imported("roles", text.format("A"))) == (0, 1, 0, 0)
    assert counts(imported("roles", text.format("5"))) == (0, 0, 1, 0)
    role.refresh_from_db()
    assert role.is_primary is True


def test_role_is_found_by_person_key():
    factories.role(factories.opportunity(external_id="A"), role="Boss", person_key="k")
    assert counts(checked("roles", "Opportunity,Person Key,Role\nA,k,Boss\nA,other,Boss\n")) == (1, 0, 1, 0)


def test_role_found_by_its_key_gets_its_marketo_id_and_is_then_found_by_it():
    factories.role(factories.opportunity(external_id="A"), role="Boss")
    imported("roles", "Marketo ID,Opportunity,Person ID,Role\n88,A,19,Boss\n")
    assert counts(imported("roles", "Marketo ID,Role\n88,Champion\n")) == (0, 1, 0, 0)
    assert OpportunityPersonRole.objects.get().role == "Champion"


def test_external_id_goes_before_a_marketo_id_that_looks_the_same():
    by_external = factories.opportunity(external_id="7")
    by_number = factories.opportunity(external_id=None, marketo_id=7)
    imported("roles", "Opportunity,Person ID,Role\n7,19,a\nMarketo ID 7,19,b\n")
    assert OpportunityPersonRole.objects.get(role="a").opportunity == by_external
    assert OpportunityPersonRole.objects.get(role="b").opportunity == by_number


def test_a_row_is_called_what_the_role_is_called():
    role = factories.role(factories.opportunity(external_id="A", name="Deal"), role="Boss", marketo_id=1)
    found = checked("roles", "Marketo ID,IsPrimary\n1,yes\n")
    assert found.found.get().label == str(role)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "Z,19,,x",
            "row 2, Opportunity, “Z”: there is no opportunity with this External ID, Marketo ID or Marketo GUID here.",
        ),
        ("A,,,x", "row 2, Person ID: Give the Person ID or the Person Key (exactly one of them)."),
        ("A,19,k,x", "row 2, Person ID, “19”: Give the Person ID or the Person Key (exactly one of them)."),
        (",19,,x", "row 2, Opportunity: must not be empty."),
    ],
)
def test_incomplete_role_is_refused(line, said):
    factories.opportunity(external_id="A")
    assert words(checked("roles", f"Opportunity,Person ID,Person Key,Role\n{line}\n")) == [said]


def test_role_that_would_become_another_is_refused():
    opportunity = factories.opportunity(external_id="A", name="Deal")
    factories.role(opportunity, role="x", marketo_id=1)
    factories.role(opportunity, role="y", marketo_id=2)
    found = checked("roles", "Marketo ID,Opportunity,Person ID,Role\n1,A,19,y\n")
    said = "the Marketo ID is “x of person 19 in Deal”, but the person and role is “y of person 19 in Deal”"
    assert words(found) == [f"row 2, Marketo ID, “1”: {said}; correct one of them."]
    assert words(checked("roles", "Marketo ID,Role\n1,y\n")) == [
        "row 2: This person already has this role in this opportunity."
    ]


def test_rows_that_would_become_the_same_role_are_refused():
    opportunity = factories.opportunity(external_id="A")
    factories.role(opportunity, role="x", marketo_id=1)
    factories.role(opportunity, role="y", marketo_id=2)
    found = checked("roles", "Marketo ID,Role\n1,z\n2,z\n")
    assert words(found) == [
        "row 2, Role, “z”: rows 2 and 3 mean the same role; keep one.",
        "row 3, Role, “z”: rows 2 and 3 mean the same role; keep one.",
    ]


def test_role_keeps_to_one_person():
    factories.role(factories.opportunity(external_id="A"), marketo_id=1)
    assert words(checked("roles", "Marketo ID,Person Key\n1,k\n")) == [
        "row 2, Person ID: Give the Person ID or the Person Key (exactly one of them)."
    ]


def test_new_role_needs_its_whole_key():
    factories.opportunity(external_id="A")
    assert words(checked("roles", "Marketo ID,Opportunity,Person ID\n1,A,19\n")) == [
        "row 2, Role: a new role needs this column."
    ]
    assert words(checked("roles", "Marketo ID,Opportunity,Role\n1,A,x\n")) == [
        "row 2, Person ID: Give the Person ID or the Person Key (exactly one of them)."
    ]
    assert words(checked("roles", "Marketo ID,Role\n1,x\n")) == ["row 2, Opportunity: a new role needs this column."]


def test_a_role_moves_to_another_opportunity():
    role = factories.role(factories.opportunity(external_id="A"), role="x", marketo_id=1)
    other = factories.opportunity(external_id="B")
    found = imported("roles", "Marketo ID,Opportunity\n1,B\n")
    row = found.found.get()
    assert (row.old, row.data) == (
        {"opportunity_id": str(role.opportunity_id)},
        {"opportunity_id": str(other.pk)},
    )
    assert factories.fresh(role).opportunity == other


@pytest.mark.parametrize("header", ["Weight", "How heavy"])
def test_a_custom_field_is_a_column(header):
    CustomField.objects.create(kind="OpportunityPersonRole", name="Weight", label="How heavy", data_type="integer")
    factories.opportunity(external_id="E-1")
    imported("roles", f"Opportunity,Person ID,Role,{header}\nE-1,19,Buyer,7\n")
    assert OpportunityPersonRole.objects.get().custom_attributes == {"Weight": "7"}
    assert words(checked("roles", f"Opportunity,Person ID,Role,{header}\nE-1,19,Buyer,two\n")) == [
        "row 2, Weight, “two”: is not a whole number, for example 80."
    ]


def test_the_number_of_queries_does_not_grow_with_rows(django_assert_max_num_queries):
    factories.opportunity(external_id="E-1")
    lines = "".join(f"E-1,{number},Buyer\n" for number in range(1, 500))
    with django_assert_max_num_queries(60):
        assert counts(checked("roles", f"Opportunity,Person ID,Role\n{lines}")) == (499, 0, 0, 0)


def test_rows_that_mean_one_role_by_its_id_and_by_its_key_are_errors():
    opportunity = factories.opportunity(external_id="E-1")
    OpportunityPersonRole.objects.create(opportunity=opportunity, person_id=7, role="Buyer", marketo_id=55)
    # The first changes the key by which the second one means the same role.
    found = checked(
        "roles", "Marketo ID,Opportunity,Person ID,Role,IsPrimary\n55,E-1,7,User,true\n,E-1,7,Buyer,false\n"
    )
    assert words(found) == [f"row {number}: rows 2 and 3 mean the same role; keep one." for number in (2, 3)]
