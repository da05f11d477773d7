"""What rows of programs, of costs and of tags do."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from mobjects.models import AllowedTag, ImportProblemLevel, ProgramCost, ProgramTag
from tests import factories
from tests.imports.helpers import checked, counts, imported, outcomes, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(db):
    return factories.program(marketo_id=1001)


@pytest.fixture
def known():
    for kind, value in [("Region", "EMEA"), ("Region", "EMEA North"), ("Unit", "Cloud"), ("Channel", "Webinar")]:
        AllowedTag.objects.create(type=kind, value=value, described_at=timezone.now())


# --- programs ---


def test_a_program_needs_its_id_and_a_name():
    assert words(checked("programs", "Marketo ID,Name\n,x\n5,\n")) == [
        "row 2, Marketo ID: must not be empty.",
        "row 3, Name: must not be empty.",
    ]
    assert words(checked("programs", "Marketo ID\n5\n")) == ["row 2, Name: a new program needs this column."]


def test_the_number_in_a_programs_address_is_suggested():
    found = checked("programs", "Marketo ID,Name\nPG1970A1,x\n")
    assert found.found_problems.get().suggestion == "1970"


# --- costs ---


def test_equal_lines_are_equal_costs(program):
    text = "Program ID,Month,Amount,Note\n1001,2026-06,500,a\n1001,2026-06,500,a\n"
    assert counts(imported("program-costs", text)) == (2, 0, 0, 0)
    assert counts(imported("program-costs", text)) == (0, 0, 2, 0)
    assert counts(imported("program-costs", text + "1001,2026-06,500.00,a\n")) == (1, 0, 2, 0)


def test_cost_id_finds_its_cost_and_is_adopted_by_an_equal_one(program):
    known = factories.cost(program, marketo_cost_id=9, amount=1)
    equal = factories.cost(program, amount=2)
    found = imported("program-costs", "Program ID,Month,Amount,Cost ID\n1001,2026-06,3,9\n1001,2026-06,2,10\n")
    assert counts(found) == (0, 2, 0, 0)
    known.refresh_from_db()
    equal.refresh_from_db()
    assert (known.amount, equal.marketo_cost_id) == (Decimal(3), 10)


def test_line_with_an_id_is_matched_before_an_equal_line_without(program):
    with_id = factories.cost(program, marketo_cost_id=9)
    factories.cost(program)
    found = imported("program-costs", "Program ID,Month,Amount,Cost ID\n1001,2026-06,2000,\n1001,2026-06,5,9\n")
    assert counts(found) == (0, 1, 1, 0)
    with_id.refresh_from_db()
    assert with_id.amount == 5


def test_equal_lines_in_different_chunks_find_different_costs(program):
    for _ in range(3):
        factories.cost(program)
    others = "".join(f"1001,2026-07,{number},\n" for number in range(1, 2100))
    equal = "1001,2026-06,2000,\n"
    found = checked("program-costs", f"Program ID,Month,Amount,Cost ID\n{equal}{others}{equal}1001,2026-06,2000,5\n")
    rows = found.found.exclude(outcome="new").order_by("number")
    assert [row.outcome for row in rows] == ["unchanged", "unchanged", "changed"]
    assert len({row.record_id for row in rows}) == 3


def test_edited_line_without_cost_id_is_added_with_a_warning(program):
    factories.cost(program, note="Hall")
    found = imported("program-costs", "Program ID,Month,Amount,Note\n1001,2026-06,2500,Hall\n")
    assert (counts(found), ProgramCost.objects.count()) == ((1, 0, 0, 0), 2)
    (warning,) = words(found, ImportProblemLevel.WARNING)
    assert "will be added as another cost" in warning
    assert "2026-06 2000.00 Hall" in warning
    assert found.problems == 0


def test_added_line_beside_the_old_one_gives_no_warning(program):
    factories.cost(program)
    found = imported("program-costs", "Program ID,Month,Amount\n1001,2026-06,2000\n1001,2026-06,10\n")
    assert (counts(found), words(found, ImportProblemLevel.WARNING)) == ((1, 0, 1, 0), [])


def test_cost_of_an_unknown_program_or_with_bad_values_is_refused(program):
    found = checked("program-costs", "Program ID,Month,Amount\n7,2026-06,1\n1001,June,-1\n")
    assert words(found) == [
        "row 2, Program ID, “7”: there is no program with this Marketo ID here; import the program first.",
        "row 3, Month, “June”: is not a month; write YYYY-MM, for example 2026-06.",
        "row 3, Amount, “-1”: Ensure this value is greater than or equal to 0.",
    ]


def test_a_new_cost_needs_month_and_amount(program):
    factories.cost(program, marketo_cost_id=9)
    assert words(checked("program-costs", "Program ID,Cost ID,Note\n1001,9,x\n1001,10,x\n")) == [
        "row 3, Month: a new cost needs this column.",
        "row 3, Amount: a new cost needs this column.",
    ]


def test_a_cost_id_stands_once_for_a_program(program):
    factories.program(marketo_id=1002)
    found = checked(
        "program-costs", "Program ID,Month,Amount,Cost ID\n1001,2026-06,1,5\n1002,2026-06,1,5\n1001,2026-07,1,5\n"
    )
    said = "rows 2 and 4 mean the same cost; keep one."
    assert words(found) == [f"row 2, Cost ID, “5”: {said}", f"row 4, Cost ID, “5”: {said}"]
    assert outcomes(found) == {2: "error", 3: "new", 4: "error"}


# --- tags ---


def test_tag_is_found_by_its_type_in_any_case(program):
    factories.tag(program, type="Region", value="EMEA")
    assert counts(imported("program-tags", "Program ID,Type,Value\n1001,REGION,APAC\n")) == (0, 1, 0, 0)
    assert list(ProgramTag.objects.values_list("type", "value")) == [("Region", "APAC")]


def test_tag_types_have_capital_letters_beyond_ascii(program):
    factories.tag(program, type="Größe", value="a")
    factories.tag(program, type="élan", value="a")
    text = "Program ID,Type,Value\n1001,GRÖßE,b\n1001,Élan,b\n1001,Ätna,b\n"
    assert counts(checked("program-tags", text)) == (1, 2, 0, 0)


def test_same_type_twice_for_a_program_is_refused(program):
    factories.tag(program, type="Unit", value="a")
    text = "Program ID,Type,Value\n1001,Region,a\n1001,region,b\n1001,unit,b\n1001,UNIT,c\n"
    said = "mean the same tag; keep one."
    assert [line.partition(": ")[2] for line in words(checked("program-tags", text))] == [
        *[f"rows 2 and 3 {said}"] * 2,
        *[f"rows 4 and 5 {said}"] * 2,
    ]


@pytest.mark.usefixtures("known")
def test_unknown_tags_and_channels_are_refused_with_the_nearest(program):
    found = checked("program-tags", "Program ID,Type,Value\n1001,Region,EMAE\n1001,Unt,Cloud\n")
    assert words(found) == [
        "row 2, Value, “EMAE”: Region “EMAE” is not known in Marketo; nearest: EMEA, EMEA North.",
        "row 3, Type, “Unt”: The tag type “Unt” is not known in Marketo; nearest: Unit.",
    ]
    assert list(found.found_problems.order_by("number").values_list("suggestion", flat=True)) == ["EMEA", "Unit"]
    found = checked("programs", "Marketo ID,Channel\n1001,Webinr\n")
    assert words(found) == ["row 2, Channel, “Webinr”: The channel “Webinr” is not known in Marketo; nearest: Webinar."]
    assert found.found_problems.get().suggestion == "Webinar"


@pytest.mark.usefixtures("known")
def test_a_file_may_repeat_what_stands_here_already():
    factories.tag(factories.program(channel="Fax"), value="Old")
    assert words(checked("program-tags", "Program ID,Type,Value\n1001,Region,Old\n")) == []
    assert words(checked("programs", "Marketo ID,Name,Channel\n1001,New name,Fax\n")) == []
