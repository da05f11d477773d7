"""Messy files of the other kinds: roles, costs, tags and programs; every error found, none invented, then corrected."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from mobjects.models import (
    AllowedTag,
    ImportProblemLevel,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
)
from tests import factories
from tests.imports.running import as_csv, checked, written

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN_OPPORTUNITY = "there is no opportunity with this External ID, Marketo ID or Marketo GUID here"
UNKNOWN_PROGRAM = "there is no program with this Marketo ID here"
WHOLE = "is not a whole number"
ONE_PERSON = "Give the Person ID or the Person Key (exactly one of them)"

# Cells that differ from a good row, what has to be found (column to words), and cells that correct it.
Spoilt = tuple[dict[str, str], dict[str, str], dict[str, str]]

ROLE = {"Marketo ID": "", "Opportunity": "E-1", "Person ID": "", "Person Key": "", "Role": "Buyer", "IsPrimary": "no"}
ROLES: list[Spoilt] = [
    ({}, {}, {}),
    ({"Opportunity": "E-unknown"}, {"Opportunity": UNKNOWN_OPPORTUNITY}, {"Opportunity": "E-1"}),
    ({"Opportunity": "Marketo ID 99"}, {"Opportunity": UNKNOWN_OPPORTUNITY}, {"Opportunity": "Marketo ID 6001"}),
    ({"Opportunity": ""}, {"Opportunity": "must not be empty"}, {"Opportunity": "E-1"}),
    ({"Opportunity": "E-1 "}, {"Opportunity": UNKNOWN_OPPORTUNITY}, {"Opportunity": "E-1"}),
    ({"Opportunity": "6001"}, {}, {}),
    ({"Person ID": "7"}, {"Person ID": ONE_PERSON}, {"Person ID": ""}),
    ({"Person Key": ""}, {"Person ID": ONE_PERSON}, {"Person ID": "8"}),
    ({"Person ID": "seven", "Person Key": ""}, {"Person ID": WHOLE}, {"Person ID": "7"}),
    ({"Person ID": "-7", "Person Key": ""}, {"Person ID": "is not an ID"}, {"Person ID": "9"}),
    ({"IsPrimary": "primary"}, {"IsPrimary": "is not yes or no"}, {"IsPrimary": "true"}),
    ({"Role": "r" * 256}, {"Role": "at most 255"}, {"Role": "r" * 255}),
    ({"Role": "Buyer\x02"}, {"Role": "U+0002"}, {"Role": "Buyer"}),
    ({"Marketo ID": "0"}, {"Marketo ID": "is not an ID"}, {"Marketo ID": ""}),
    ({"Person Key": "twice"}, {"Role": "mean the same role"}, {}),
    ({"Person Key": "twice"}, {"Role": "mean the same role"}, {"Role": "Champion"}),
    ({"Person Key": "twice", "Opportunity": "6001"}, {}, {}),
]

COST = {"Program ID": "1001", "Month": "2026-06", "Amount": "100.00", "Note": "", "Cost ID": ""}
COSTS: list[Spoilt] = [
    ({}, {}, {}),
    ({"Program ID": "9999"}, {"Program ID": UNKNOWN_PROGRAM}, {"Program ID": "1001"}),
    ({"Program ID": ""}, {"Program ID": "must not be empty"}, {"Program ID": "1001"}),
    ({"Program ID": "Webinar"}, {"Program ID": WHOLE}, {"Program ID": "1001"}),
    ({"Month": "Jun-26"}, {}, {}),
    ({"Month": "2026-13"}, {"Month": "is not a month"}, {"Month": "2026-12"}),
    ({"Month": "06/2026"}, {}, {}),
    ({"Month": "2026-06-15"}, {}, {}),
    ({"Month": ""}, {"Month": "must not be empty"}, {"Month": "2026-7"}),
    ({"Month": "Nov 2026"}, {}, {}),
    ({"Month": "2026-6"}, {}, {}),
    ({"Amount": "1,500"}, {}, {}),
    ({"Amount": "200 USD"}, {}, {}),
    ({"Amount": "1.234"}, {"Amount": "more than 2 decimals"}, {"Amount": "1234"}),
    ({"Amount": ""}, {"Amount": "must not be empty"}, {"Amount": "0"}),
    ({"Note": "n" * 2001}, {"Note": "at most 2000"}, {"Note": "short"}),
    ({"Cost ID": "-3"}, {"Cost ID": "is not an ID"}, {"Cost ID": "3"}),
    ({"Cost ID": "77"}, {"Cost ID": "mean the same cost"}, {}),
    ({"Cost ID": "77", "Amount": "5"}, {"Cost ID": "mean the same cost"}, {"Cost ID": "78"}),
    ({"Cost ID": "77", "Program ID": "1002"}, {}, {}),
]

TAG = {"Program ID": "1001", "Type": "Region", "Value": "EMEA"}
TAGS: list[Spoilt] = [
    ({"Type": "Unit", "Value": "Cloud"}, {}, {}),
    ({"Value": "EMAE"}, {"Value": "EMAE"}, {"Value": "EMEA"}),
    ({"Type": "Regin", "Program ID": "1002"}, {"Type": "Regin"}, {"Type": "Region"}),
    ({"Program ID": "9999"}, {"Program ID": UNKNOWN_PROGRAM}, {"Program ID": "1003"}),
    ({"Program ID": "1004", "Value": ""}, {"Value": "must not be empty"}, {"Value": "APAC"}),
    ({"Program ID": "1005"}, {"Type": "mean the same tag"}, {}),
    ({"Program ID": "1005", "Type": "region"}, {"Type": "mean the same tag"}, {"Program ID": "1006"}),
]

PROGRAM = {"Name": "Webinar", "Type": "Default", "Workspace": "Default", "Channel": "Webinar"}
PROGRAMS: list[Spoilt] = [
    ({}, {}, {}),
    ({"Channel": "Webinars"}, {"Channel": "Webinars"}, {"Channel": "Webinar"}),
    ({"Name": ""}, {"Name": "must not be empty"}, {"Name": "Named"}),
    ({"Marketo ID": "x1"}, {"Marketo ID": WHOLE}, {"Marketo ID": "4001"}),
    ({"Marketo ID": ""}, {"Marketo ID": "must not be empty"}, {"Marketo ID": "4002"}),
    ({"Marketo ID": "4100"}, {"Marketo ID": "mean the same program"}, {}),
    ({"Marketo ID": "4100"}, {"Marketo ID": "mean the same program"}, {"Marketo ID": "4101"}),
]


@pytest.fixture(autouse=True)
def here():
    """What the files refer to."""
    factories.opportunity(external_id="E-1")
    factories.opportunity(external_id=None, marketo_id=6001)
    for number in range(1001, 1007):
        factories.program(marketo_id=number, name=f"Program {number}")
    for kind, value in [("Region", "EMEA"), ("Region", "APAC"), ("Unit", "Cloud"), ("Channel", "Webinar")]:
        AllowedTag.objects.create(type=kind, value=value, described_at=timezone.now())


def rows_of(kind: str, spoilt: list[Spoilt]) -> list[dict[str, str]]:
    """The rows of a file; what makes each another record stands in it unless it is spoilt."""
    rows = []
    for number, (cells, _, _) in enumerate(spoilt, 2):
        base: dict[str, dict[str, str]] = {
            "roles": {**ROLE, "Person Key": f"person-{number}"},
            "program-costs": {**COST, "Note": f"Invoice {number}"},
            "program-tags": TAG,
            "programs": {"Marketo ID": str(3000 + number), **PROGRAM},
        }
        rows.append({**base[kind], **cells})
    return rows


@pytest.mark.parametrize(
    ("kind", "spoilt", "model", "made"),
    [
        ("roles", ROLES, OpportunityPersonRole, len(ROLES)),
        ("program-costs", COSTS, ProgramCost, len(COSTS)),
        ("program-tags", TAGS, ProgramTag, len(TAGS)),
        ("programs", PROGRAMS, Program, len(PROGRAMS)),
    ],
    ids=["roles", "costs", "tags", "programs"],
)
def test_every_error_is_found_none_invented_and_the_corrected_file_loads(kind, spoilt, model, made):
    rows = rows_of(kind, spoilt)
    imported = checked(as_csv(rows), kind=kind)
    expected = [
        (number, column, words) for number, (_, wrong, _) in enumerate(spoilt, 2) for column, words in wrong.items()
    ]
    assert compared(imported, expected) == ([], [])
    wrong_rows = sum(bool(wrong) for _, wrong, _ in spoilt)
    assert (imported.counts["error"], imported.counts["new"]) == (wrong_rows, len(rows) - wrong_rows)

    before = model.objects.count()
    corrected = checked(as_csv([{**row, **right} for row, (_, _, right) in zip(rows, spoilt, strict=True)]), kind=kind)
    assert corrected.counts == {**dict.fromkeys(corrected.counts, 0), "new": made}
    written(corrected)
    assert model.objects.count() == before + made


def compared(imported: Any, missed: list[tuple[int, str, str]]) -> tuple[list[Any], list[Any]]:
    """What was not found although it is wrong, and what was found although it is not."""
    invented = []
    for problem in imported.found_problems.filter(level=ImportProblemLevel.ERROR):
        place = problem.number, problem.column
        said = f"{problem.value} {problem.rule}"
        found = next((each for each in missed if each[:2] == place and each[2] in said), None)
        if found is None:
            invented.append((*place, problem.value, problem.rule))
        else:
            missed.remove(found)
    return missed, invented
