"""The check as a whole: what it writes, what fixes and constants do, groups, and that it can be repeated."""

from __future__ import annotations

import pytest

from mobjects.imports import validation
from mobjects.imports.file_storage import open_import_file
from mobjects.models import ImportGroup, ImportProblem, ImportRow
from mobjects.spreadsheets.types import FileRefused
from tests import factories
from tests.imports.helpers import check, checked, counts, fix, made, outcomes, words

pytestmark = pytest.mark.django_db

ANSWERS = "External ID,Name,IsWon\nA,x,ja\nB,x,ja\nC,x,maybe\nD,x,true\n"


def data(imported, name):
    """A field of each row that has it, by number."""
    return {number: data[name] for number, data in imported.found.values_list("number", "data") if name in data}


# --- groups ---


def test_equal_errors_are_one_group_with_a_count_and_a_suggestion():
    found = checked("opportunities", ANSWERS)
    rows = list(found.groups.values_list("column", "position", "value", "suggestion", "count", "first", "level"))
    assert rows == [
        ("IsWon", 3, "ja", "true", 2, 2, "error"),
        ("IsWon", 3, "maybe", "", 1, 4, "error"),
    ]
    assert (found.problems, found.rows, counts(found)) == (3, 4, (1, 0, 0, 3))


def test_all_outcomes_are_counted_and_saved():
    found = checked("opportunities", ANSWERS)
    found.refresh_from_db()
    assert found.counts == {"new": 1, "changed": 0, "unchanged": 0, "error": 3, "conflict": 0}
    assert (found.problems, found.rows) == (3, 4)


# --- fixes ---


def test_a_fix_for_all_mends_every_equal_cell():
    found = fix(checked("opportunities", ANSWERS), "IsWon", "ja", "true")
    assert outcomes(found) == {2: "new", 3: "new", 4: "error", 5: "new"}
    assert found.found.get(number=3).data["is_won"] == "true"


def test_a_fix_of_one_row_goes_before_one_of_all():
    found = fix(checked("opportunities", ANSWERS), "IsWon", "ja", "true")
    fix(found, "IsWon", "ja", "false", number=3)
    assert data(found, "is_won") == {2: "true", 3: "false", 5: "true"}
    fix(found, "IsWon", "ja", "never", number=2)
    assert outcomes(found)[2] == "error"


def test_a_fix_that_is_wrong_itself_names_the_cell_and_the_fix():
    found = fix(checked("opportunities", ANSWERS), "IsWon", "maybe", "perhaps")
    assert words(found)[-1] == (
        "row 4, IsWon, “maybe”: “perhaps”, put in its place, is not yes or no; write true or false."
    )


def test_an_empty_cell_can_be_fixed_and_a_bad_one_emptied():
    found = fix(checked("opportunities", "External ID,Name,Amount\nA,,n/a\n"), "Name", "", "Named")
    fix(found, "Amount", "n/a", "")
    assert found.found.get().data == {"external_id": "A", "name": "Named", "amount": None}


def test_a_key_is_fixed_by_the_text_that_the_double_shows():
    found = checked("programs", [["Marketo ID", "Name"], [7, "a"], ["7.0", "b"]])
    assert {problem.value for problem in found.found_problems.all()} == {"7"}
    fix(found, "Marketo ID", "7", "8", number=3)
    assert outcomes(found) == {2: "new", 3: "new"}


def test_a_cell_with_an_error_can_be_fixed():
    table = [["External ID", "Name", "Amount"], ["A", "x", "#REF!"], ["B", "x", 5]]
    found = checked("opportunities", table)
    (problem,) = found.found_problems.all()
    assert (problem.number, problem.column, problem.position, problem.value) == (2, "Amount", 3, "#REF!")
    fix(found, "Amount", "#REF!", "7.5")
    assert data(found, "amount") == {2: "7.50", 3: "5.00"}


# --- columns ---


def test_columns_that_are_left_out_are_not_read():
    found = checked("opportunities", "External ID,Name,Amount\nA,x,much\n", columns=["External ID", "Name", ""])
    assert found.found.get().data == {"external_id": "A", "name": "x"}


def test_a_constant_stands_in_every_row():
    found = checked("opportunities", "Name,External ID\nx,A\ny,B\n", constants={"Stage": "Won", "Amount": "5"})
    assert found.found.get(number=3).data == {"name": "y", "external_id": "B", "stage": "Won", "amount": "5.00"}


def test_a_constant_that_breaks_a_rule_has_no_place_in_the_file():
    found = checked("programs", "Marketo ID\n5\n", constants={"Name": "   "})
    assert words(found) == ["row 2, Name, “   ”: must not be empty."]
    assert found.found_problems.get().position is None


def test_one_column_is_enough():
    factories.opportunity(external_id="A")
    assert counts(checked("opportunities", "External ID\nA\n")) == (0, 0, 1, 0)


# --- rows ---


def test_a_row_of_another_width_is_one_error_and_stands_for_nothing():
    found = checked("opportunities", "External ID,Name,Amount\nA,x\nA,x,1,2\nA,x,1\n")
    assert outcomes(found) == {2: "error", 3: "error", 4: "new"}
    assert [(problem.column, problem.position) for problem in found.found_problems.all()] == [("", None), ("", None)]


def test_cells_of_one_value_and_several_types_are_not_mixed_up():
    table = [["External ID", "Name", "IsWon", "Probability"], ["A", 1, 1, 1], ["B", True, True, 1], ["C", 1.0, 1, True]]
    found = checked("opportunities", table, formats={"probability": "percent"})
    assert data(found, "name") == {2: "1", 3: "TRUE"}
    assert words(found) == ["row 4, Probability, “TRUE”: is not a whole number, for example 80."]


def test_more_different_cells_than_are_remembered():
    text = "".join(f"E{number},Deal {number},{number}.5\n" for number in range(5000))
    found = checked("opportunities", f"External ID,Name,Amount\n{text}")
    assert counts(found) == (5000, 0, 0, 0)
    assert found.found.get(number=4242).data == {"external_id": "E4240", "name": "Deal 4240", "amount": "4240.50"}


def test_text_survives_as_it_is():
    name = "a\\b\tc\n“d” \\N 🎉 \\"
    found = checked("opportunities", [["External ID", "Name"], ["A\\", name]])
    row = found.found.get()
    assert (row.label, row.key, row.data) == (name, "A\\", {"external_id": "A\\", "name": name})


def test_characters_that_no_database_keeps_are_replaced_in_what_is_told():
    found = checked("opportunities", "External ID,Name\nA,x\0y\n")
    (problem,) = found.found_problems.all()
    assert problem.value == "x\ufffdy"
    assert outcomes(found) == {2: "error"}


# --- the whole ---


def test_a_check_can_be_repeated():
    found = made("opportunities", ANSWERS)
    for _ in range(3):
        check(found)
        assert (ImportRow.objects.count(), ImportProblem.objects.count(), ImportGroup.objects.count()) == (4, 3, 2)


def test_it_gives_signs_of_life_and_stops_where_it_is_told_to():
    text = "External ID,Name\n" + "".join(f"E{number},x\n" for number in range(4500))
    imported, seen = made("opportunities", text), []

    def alive(rows):
        seen.append(rows)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with open_import_file(imported) as file, pytest.raises(KeyboardInterrupt):
        validation.check_import(imported, file, alive)
    assert seen == [0, 2000, 4000]
    assert check(imported).counts["new"] == 4500


def test_a_file_that_breaks_off_is_refused():
    imported = made("opportunities", "External ID,Name\n" + "A,x\n" * 300 + 'B,"y\n')
    with pytest.raises(FileRefused):
        check(imported)
