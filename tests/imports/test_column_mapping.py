"""Which column of a file means which of ours."""

from __future__ import annotations

import pytest

from mobjects.imports import column_mapping
from mobjects.models import CustomField, Import
from mobjects.resources import RESOURCES

pytestmark = pytest.mark.django_db


def imported(headers, chosen, kind="opportunities", **values):
    return Import.objects.create(
        kind=kind, file_name="a.csv", size=1, headers=headers, mapping=chosen, **{"username": "olga", **values}
    )


# --- proposing ---


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("CloseDate", "CloseDate"),
        ("Close Date", "CloseDate"),
        ("close_date", "CloseDate"),
        ("CLOSE  DATE", "CloseDate"),
        ("SFDC Created Date", "ExternalCreatedDate"),
        ("external id", "External ID"),
        ("marketo_id", "Marketo ID"),
        ("revision", "Revision"),
        ("Betrag", None),
        ("", ""),
        ("Problems of import 7", ""),
        ("problems of import 7", ""),
        ("Problems of import", None),
    ],
)
def test_names_and_labels_are_found_and_nothing_else(header, column):
    assert column_mapping.propose_mapping("opportunities", [header]) == [column]


def test_a_custom_field_is_found_by_its_name_and_its_label():
    CustomField.objects.create(kind="Opportunity", name="dealSize", label="Deal Size (EUR)")
    assert column_mapping.propose_mapping("opportunities", ["deal_size", "deal size (eur)"]) == ["dealSize", "dealSize"]


def test_a_header_that_could_mean_two_columns_is_left_undecided():
    CustomField.objects.create(kind="Opportunity", name="one", label="Size")
    CustomField.objects.create(kind="Opportunity", name="two", label="Size")
    assert column_mapping.propose_mapping("opportunities", ["Size"]) == [None]


@pytest.mark.parametrize("kind", RESOURCES)
def test_what_is_exported_is_found(kind):
    names = [column.name for column in column_mapping.columns_of(kind)]
    headers = [*names, "Revision"]
    assert column_mapping.propose_mapping(kind, headers) == headers
    assert column_mapping.find_mapping_problems(kind, headers, headers, {}) == []


# --- remembering ---


def test_a_choice_is_remembered_for_the_same_headers_in_any_order():
    column_mapping.save_mapping(
        imported(["Nr", "Name", "Egal"], ["External ID", "Name", ""], constants={"Stage": "Won"})
    )
    assert column_mapping.propose_mapping("opportunities", ["Egal", "Nr", "Name"]) == ["", "External ID", "Name"]
    assert column_mapping.find_saved_mapping("opportunities", ["Egal", "Nr", "Name"]).constants == {"Stage": "Won"}
    assert column_mapping.propose_mapping("opportunities", ["Egal", "Nr"]) == [None, None]
    assert column_mapping.propose_mapping("roles", ["Egal", "Nr", "Name"]) == [None, None, None]


def test_the_newest_choice_wins():
    column_mapping.save_mapping(imported(["Nr"], ["External ID"]))
    column_mapping.save_mapping(imported(["Nr"], ["Marketo ID"], username="emil"))
    assert column_mapping.propose_mapping("opportunities", ["Nr"]) == ["Marketo ID"]
    assert column_mapping.find_saved_mapping("opportunities", ["Nr"]).username == "emil"


def test_a_column_that_is_gone_is_not_proposed_from_memory():
    field = CustomField.objects.create(kind="Opportunity", name="dealSize", label="Deal")
    column_mapping.save_mapping(imported(["Nr", "G"], ["External ID", "dealSize"]))
    assert column_mapping.propose_mapping("opportunities", ["Nr", "G"]) == ["External ID", "dealSize"]
    field.delete()
    assert column_mapping.propose_mapping("opportunities", ["Nr", "G"]) == ["External ID", None]


def test_headers_that_stand_twice_are_asked_about_again():
    column_mapping.save_mapping(imported(["Nr", "Wert", "Wert"], ["External ID", "Amount", ""]))
    assert column_mapping.propose_mapping("opportunities", ["Nr", "Wert", "Wert"]) == ["External ID", None, None]


def test_the_column_of_an_error_file_does_not_make_other_headers_of_it():
    column_mapping.save_mapping(imported(["Nr"], ["External ID"]))
    assert column_mapping.propose_mapping("opportunities", ["Nr", "Problems of import 3"]) == ["External ID", ""]


# --- judging ---


def problems(headers, chosen, constants=(), kind="opportunities"):
    return column_mapping.find_mapping_problems(kind, headers, chosen, dict(constants))


def test_every_undecided_column_is_named():
    assert problems(["External ID", "Betrag", ""], ["External ID", None, None]) == [
        "Column “Betrag” is not matched yet: choose what it means, or leave it out.",
        "Column 3, which has no name, is not matched yet: choose what it means, or leave it out.",
    ]


def test_two_columns_for_one_field_are_refused():
    assert problems(["A", "B", "C"], ["External ID", "External ID", ""]) == [
        "2 columns of the file mean “External ID”: choose one, and leave out the others."
    ]


def test_names_of_no_column_are_refused():
    assert problems(["A", "B"], ["External ID", "Nonsense"], {"Rubbish": "1"}) == [
        "There is no column “Nonsense” here.",
        "There is no column “Rubbish” here.",
    ]


@pytest.mark.parametrize(
    ("constants", "words"),
    [
        ({"Amount": "1,5"}, "Amount: “1,5” is not a number"),
        ({"Name": "x"}, "“Name” stands in the file"),
        ({"Revision": "3"}, "“Revision” comes from an export"),
    ],
)
def test_constants_that_do_not_fit_are_refused(constants, words):
    (said,) = problems(["External ID", "Name"], ["External ID", "Name"], constants)
    assert said.startswith(words)


def test_constants_that_fit_are_fine():
    assert problems(["External ID"], ["External ID"], {"Amount": "1.50", "CloseDate": "2026-06-30"}) == []


@pytest.mark.parametrize(
    ("kind", "names", "words"),
    [
        ("programs", ["Name"], "The file lacks the column “Marketo ID”. It has the columns “Name”."),
        ("programs", ["Marketo ID"], ""),
        ("opportunities", ["Name"], "The file lacks a key column (“Marketo ID”, “Marketo GUID” or “External ID”)."),
        ("opportunities", ["External ID"], ""),
        ("program-tags", ["Value"], "The file lacks the column “Program ID” and the column “Type”."),
        ("program-costs", ["Month", "Note"], "The file lacks the column “Program ID” and the column “Amount”."),
        ("program-costs", ["Program ID", "Cost ID"], ""),
        ("roles", ["Role"], "The file lacks the column “Opportunity” and “Person ID” or “Person Key”."),
        ("roles", ["Opportunity", "Role", "Person Key"], ""),
        ("roles", ["Marketo ID"], ""),
    ],
)
def test_missing_columns_are_named(kind, names, words):
    said = problems(names, names, kind=kind)
    assert (" ".join(said)).startswith(words)
    assert bool(said) == bool(words)


def test_a_constant_takes_the_place_of_a_column_that_is_missing():
    headers = ["Month", "Amount"]
    assert problems(headers, headers, {"Program ID": "1001"}, kind="program-costs") == []


# --- choosing ---


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_choice_can_be_made(kind):
    offered = column_mapping.column_choices(kind)
    values = [value for value, _, _ in offered]
    assert offered[0][:2] == ("", "Leave out")
    assert len(set(values)) == len(values)
    assert {column.name for column in column_mapping.columns_of(kind)} | {"", "Revision"} == set(values)


def test_choices_show_both_names_and_custom_fields_stand_apart():
    CustomField.objects.create(kind="OpportunityPersonRole", name="x1", label="Weight")
    offered = column_mapping.column_choices("roles")
    assert ("ExternalCreatedDate", "ExternalCreatedDate (SFDC Created Date)", "Columns") in offered
    assert ("x1", "x1 (Weight)", "Custom fields") in offered
    assert ("IsPrimary", "IsPrimary", "Columns") in offered
