"""Corrections in a review: whatever stands in the boxes counts, and how values are read can be chosen."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mobjects.models import Import, ImportGroup, ImportState
from mobjects.views.imports.corrections import boxed_suggestion
from tests.views import pages
from tests.views.imports import made_imports as made
from tests.views.imports.reviewing import fix, mixed, seen, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(groups):
    return pages.client("editor")


def fixes(imported):
    return list(imported.fixes.values_list("column", "value", "number", "replacement", "username"))


def test_one_value_corrects_all_equal_cells_and_the_file_is_checked_again(editor):
    imported = mixed()
    shown = seen(editor, imported)
    assert "Apply in 1 row" in shown
    assert 'value="12.5"' in shown
    shown = fix(editor, imported, **{f"group_{imported.groups.get().pk}": "13"})
    assert fixes(imported) == [("Amount", "much", None, "13", "editor-user")]
    assert imported.state == ImportState.CHECKING
    assert "Waits for a worker to check it." in shown


def test_all_suggestions_are_taken_at_once(editor):
    imported = mixed()
    made.group(imported, column="Name", position=2, value="", suggestion="Unknown")
    made.group(imported, value="more")
    assert "Apply all 2 suggestions" in seen(editor, imported)
    fix(editor, imported, act="suggestions")
    assert set(imported.fixes.values_list("column", "value", "replacement", "by_rule")) == {
        ("Amount", "“much” is not a number.", "", True),
        ("Name", "", "Unknown", False),
    }


def test_what_was_typed_counts_whichever_button_is_pressed(editor):
    imported = mixed()
    typed, other = imported.groups.get(), made.group(imported, value="more", suggestion="7")
    cell = made.problem(imported, 7, value="most")
    one = imported.fixes.create(column="Name", value="x", replacement="y")
    boxes = {f"group_{typed.pk}": "13", f"group_{other.pk}": "7", f"number_{cell.pk}": "99"}
    for act in ("suggestions", f"rule-{other.pk}", f"group-{other.pk}", f"remove-{one.pk}", "boxes", "check"):
        fix(editor, imported, act=act, **boxes)
        assert {("much", "13"), ("most", "99")} <= set(imported.fixes.values_list("value", "replacement")), act
        imported.fixes.all().delete()
        Import.objects.update(state=ImportState.REVIEW, checked_at=timezone.now())


def test_what_was_typed_is_not_lost_when_write_is_pressed(editor):
    imported = mixed()
    shown = write(editor, imported, mode="valid", **{f"group_{imported.groups.get().pk}": "13"})
    assert "Nothing is written yet" in shown
    assert (imported.state, imported.fixes.get().replacement) == (ImportState.CHECKING, "13")


def test_writing_with_untouched_boxes_writes(editor):
    imported = mixed()
    group, cell = imported.groups.get(), imported.found_problems.get(number=5)
    write(editor, imported, mode="valid", **{f"group_{group.pk}": "12.5", f"number_{cell.pk}": "much"})
    assert (imported.state, imported.fixes.count()) == (ImportState.COMMITTING, 0)


def test_a_page_of_an_earlier_check_says_that_nothing_of_it_was_applied(editor):
    imported = mixed()
    shown = fix(editor, imported, checked="2020", **{f"group_{imported.groups.get().pk}": "13"})
    assert "nothing of what you gave there was applied" in shown
    assert (imported.state, fixes(imported)) == (ImportState.REVIEW, [])


def test_a_suggestion_of_several_lines_stands_in_no_box_of_one_line():
    """Browsers would send it back as one line, as if somebody had typed that."""
    assert boxed_suggestion(ImportGroup(suggestion="ab")) == "ab"
    assert boxed_suggestion(ImportGroup(suggestion="ab\nc")) == ""


def test_a_button_of_a_group_takes_its_box_as_it_stands(editor):
    imported = mixed()
    group = imported.groups.get()
    fix(editor, imported, act=f"group-{group.pk}", **{f"group_{group.pk}": "12.5"})
    assert fixes(imported) == [("Amount", "much", None, "12.5", "editor-user")]


def test_suggestions_are_applied_by_rule(editor):
    imported = mixed()
    for number in range(150):
        made.group(imported, value=f"{number} much", suggestion=str(number), count=2)
    last = made.group(imported, column="Name", position=2, value="", suggestion="Unknown")
    shown = seen(editor, imported)
    assert "Apply what is suggested to 151 values in 301 rows" in shown
    assert "0 much → 0; 1 much → 1; 2 much → 2" in shown
    fix(editor, imported, act=f"rule-{imported.groups.exclude(pk=last.pk).first().pk}")
    (rule,) = imported.fixes.all()
    assert (rule.column, rule.value, rule.by_rule) == ("Amount", "“much” is not a number.", True)
    imported.state = ImportState.REVIEW
    made.count(imported)
    assert "Amount, whatever breaks the rule ““much” is not a number.” → what is suggested for it" in seen(
        editor, imported
    )


# --- formats ---

DOUBT = {
    "question": "number-format",
    "answer": "",
    "doubt": True,
    "reason": "In Amount, “1,234” may be 1234 or 1.234, and nothing in the file tells.",
    "samples": [["Amount", "1,234", ""]],
}


def test_what_is_in_doubt_is_asked_and_the_answer_is_checked(editor):
    imported = mixed()
    Import.objects.update(format_findings=[DOUBT])
    shown = seen(editor, imported)
    for words in ("How values are read", "Please say which is meant.", DOUBT["reason"], "Amount: 1,234 →"):
        assert words in shown
    fix(editor, imported, act="boxes", **{"format_number-format": "comma"})
    assert (imported.state, imported.formats) == (ImportState.CHECKING, {"number-format": "comma"})


def test_an_answer_can_be_taken_back_and_one_that_there_is_not_changes_nothing(editor):
    imported = mixed()
    Import.objects.update(formats={"date-format": "dmy"}, format_findings=[{**DOUBT, "question": "date-format"}])
    assert 'value="dmy" selected' in seen(editor, imported)
    assert "Nothing to correct" in fix(editor, imported, **{"format_date-format": "x"})
    fix(editor, imported, **{"format_date-format": ""})
    assert (imported.state, imported.formats) == (ImportState.CHECKING, {})


def test_viewers_see_how_values_are_read_and_no_choice(groups):
    imported = mixed()
    Import.objects.update(format_findings=[DOUBT])
    shown = seen(pages.client("viewer"), imported)
    assert "How values are read" in shown
    assert "format_number-format" not in shown


def test_of_single_cells_those_that_differ_are_corrected(editor):
    imported = mixed()
    made.row(imported, 7, "error")
    first, second = imported.found_problems.get(number=5), made.problem(imported, 7)
    assert f'name="number_{first.pk}" form="corrections" value="much" aria-label="Row 5, C Amount"' in seen(
        editor, imported
    )
    fix(editor, imported, **{f"number_{first.pk}": "much", f"number_{second.pk}": ""})
    assert fixes(imported) == [("Amount", "much", 7, "", "editor-user")]


@pytest.mark.parametrize(
    "data",
    [{}, {"act": "group-x"}, {"group_99999999": "x"}, {"number_99999999": "x"}, {"number_x": "1"}, {"act": "rule-9"}],
)
def test_nothing_to_correct_is_said_and_changes_nothing(editor, data):
    imported = mixed()
    assert "Nothing to correct" in fix(editor, imported, **data)
    assert (imported.state, fixes(imported)) == (ImportState.REVIEW, [])


def test_problems_of_another_import_are_out_of_reach(editor):
    imported, other = mixed(), mixed()
    data = {f"number_{other.found_problems.first().pk}": "1", f"group_{other.groups.get().pk}": "1"}
    assert "Nothing to correct" in fix(editor, imported, **data)


def test_corrections_are_listed_and_can_be_taken_back(editor):
    imported = mixed()
    one = imported.fixes.create(column="Amount", value="much", replacement="5", username="bob")
    shown = seen(editor, imported)
    assert "1 correction made here" in shown
    assert '<s class="mo-old">much</s> → 5' in shown
    fix(editor, imported, act=f"remove-{one.pk}")
    imported.refresh_from_db()
    assert (imported.state, imported.fixes.count()) == (ImportState.CHECKING, 0)
    Import.objects.update(state=ImportState.REVIEW)
    assert "removed already" in fix(editor, imported, act=f"remove-{one.pk}")


def test_a_correction_while_it_is_written_is_refused_in_words(editor):
    imported = mixed()
    group = imported.groups.get().pk
    Import.objects.update(state=ImportState.COMMITTING)
    assert "The rows are being written." in fix(editor, imported, **{f"group_{group}": "1"})
    assert fixes(imported) == []


def test_viewers_see_no_forms(groups):
    shown = seen(pages.client("viewer"), mixed())
    assert "Apply" not in shown
    assert "import-write" not in shown
    assert "number_" not in shown
