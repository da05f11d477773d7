"""Files as people write them, one small one for each trap: read without a correction, or asked about once."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from openpyxl.utils.datetime import to_excel

from mobjects.imports.column_mapping import save_mapping
from mobjects.imports.formats.evidence import IN_DOUBT, NOT_LIKE_OTHERS
from mobjects.imports.formats.kept_answers import teach_answers
from mobjects.imports.formats.questions import QUESTIONS
from mobjects.models import ImportFix
from tests import factories
from tests.imports.helpers import check, checked, counts, fix, made, words

pytestmark = pytest.mark.django_db


def table(column, *cells):
    """A file of opportunities with one column, as tab-separated text."""
    rows = "".join(f"E{number}\tx\t{cell}\n" for number, cell in enumerate(cells))
    return f"External ID\tName\t{column}\n{rows}"


def values(imported, name):
    """What a field becomes in each row; nothing where a row has an error."""
    return [data.get(name, "") for data in imported.found.order_by("number").values_list("data", flat=True)]


def finding(imported, question):
    (found,) = [each for each in imported.format_findings if each["question"] == question]
    return found


# --- without doubt --------------------------------------------------------------------------------------------------


def test_money_as_it_is_written_in_korea():
    found = checked("opportunities", table("Amount", "₩1,000", "1,000원", "KRW 1,000", "12,345", "(500)", "500-"))
    assert values(found, "amount") == ["1000.00", "1000.00", "1000.00", "12345.00", "-500.00", "-500.00"]
    told = finding(found, "number-format")
    assert (told["answer"], told["doubt"]) == ("point", False)
    assert told["reason"] == "In Amount, “₩1,000” can be read in no other way."
    assert told["samples"] == [
        ["Amount", "12,345", "12345"],
        ["Amount", "₩1,000", "1000"],
        ["Amount", "1,000원", "1000"],
    ]


def test_money_as_it_is_written_in_germany():
    found = checked("opportunities", table("Amount", "12.345", "1.604,47", "500"))
    assert values(found, "amount") == ["12345.00", "1604.47", "500.00"]
    assert finding(found, "number-format")["answer"] == "comma"


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (("11/28/26", "03/04/26"), ["2026-11-28", "2026-03-04"]),
        (("03/04/2026", "28/11/2026"), ["2026-04-03", "2026-11-28"]),
        (("26. 11. 28.", "26. 3. 4", "2026. 11. 28"), ["2026-11-28", "2026-03-04", "2026-11-28"]),
        (("2026-11-28 (토)", "2026년 11월 28일"), ["2026-11-28", "2026-11-28"]),
    ],
)
def test_dates_of_a_column_that_leaves_no_doubt(cells, days):
    assert values(checked("opportunities", table("CloseDate", *cells)), "close_date") == days


def test_a_time_as_it_is_written_in_korea():
    found = checked("opportunities", table("ExternalCreatedDate", "2026. 11. 28 오후 2:30:00"))
    assert values(found, "external_created_date") == ["2026-11-28T14:30:00+00:00"]


def test_months_as_they_are_written():
    factories.program(marketo_id=1001)
    rows = "".join(f"1001\t{month}\t{number}\n" for number, month in enumerate(("2026년 11월", "Nov 2026", "11/26"), 1))
    found = checked("program-costs", f"Program ID\tMonth\tAmount\n{rows}")
    assert values(found, "month") == ["2026-11-01"] * 3


def test_the_end_of_a_long_file_decides_about_its_beginning():
    cells = ["03/04/26", *["2026-01-01"] * 4500, "28/11/2026"]
    found = checked("opportunities", table("CloseDate", *cells))
    assert counts(found) == (4502, 0, 0, 0)
    assert values(found, "close_date")[0] == "2026-04-03"


def test_one_column_decides_about_another():
    text = "External ID\tName\tAmount\tQuantity\tExpectedRevenue\nA\tx\t1,234\t1.234\t5.5\n"
    found = checked("opportunities", text)
    (data,) = found.found.values_list("data", flat=True)
    assert (data["amount"], data["quantity"]) == ("1234.00", "1.2340")


def test_columns_that_differ_are_each_read_by_their_own():
    text = "External ID\tName\tAmount\tExpectedRevenue\nA\tx\t1,234.50\t1.234,50\nB\tx\t1,234\t1.234\n"
    found = checked("opportunities", text)
    assert [(data["amount"], data["expected_revenue"]) for data in found.found.values_list("data", flat=True)] == [
        ("1234.50", "1234.50"),
        ("1234.00", "1234.00"),
    ]
    assert finding(found, "number-format")["reason"] == "The columns differ; each is read by its own."


def test_a_plain_file_raises_no_question():
    found = checked("opportunities", table("Amount", "1234.50", "12", "-3.5"))
    assert (counts(found), found.format_findings) == ((3, 0, 0, 0), [])


def test_circles_and_crosses_are_yes_and_no():
    found = checked("opportunities", table("IsWon", "O", "X", "x", "○"))
    assert values(found, "is_won") == ["true", "false", "false", "true"]


# --- in doubt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cell", "question", "reason", "answers"),
    [
        ("Amount", "1,234", "number-format", "may be 1234 or 1.234", {"point": "1234.00", "comma": ""}),
        ("Quantity", "1.234", "number-format", "may be 1.234 or 1234", {"point": "1.2340", "comma": "1234.0000"}),
        (
            "CloseDate",
            "03/04/26",
            "date-format",
            "may be 2026-04-03 or 2026-03-04 or 2003-04-26",
            {"dmy": "2026-04-03", "mdy": "2026-03-04", "ymd": "2003-04-26"},
        ),
        ("IsWon", "X", "marks", "may be no or yes", {"circle": "false", "tick": "true"}),
        ("Probability", "1", "probability", "These look like fractions: 1 → 100?", {"percent": "1", "fraction": "100"}),
        (
            "Probability",
            "0.8",
            "probability",
            "These look like fractions: 0.8 → 80?",
            {"percent": "", "fraction": "80"},
        ),
        (
            "CloseDate",
            "2026-11-27 15:00:00",
            "time-in-date",
            "may be 2026-11-27 or 2026-11-28",
            {"written": "2026-11-27", "midnight": "2026-11-28"},
        ),
        (
            "CloseDate",
            "2026-11-27 23:59:08",
            "time-in-date",
            "may be 2026-11-27 or 2026-11-28",
            {"written": "2026-11-27", "midnight": "2026-11-28"},
        ),
    ],
)
def test_what_nothing_in_the_file_tells_is_asked_once_and_read_as_answered(column, cell, question, reason, answers):
    found = made("opportunities", table(column, cell, cell))
    assert words(check(found)) == [f"row {number}, {column}, “{cell}”: {IN_DOUBT}" for number in (2, 3)]
    told = finding(found, question)
    assert told["doubt"]
    assert reason in told["reason"]
    assert {problem.suggestion for problem in found.found_problems.all()} == {""}
    for answer, value in answers.items():
        found.formats = {question: answer}
        field = "".join(f"_{char.lower()}" if char.isupper() else char for char in column)[1:]
        assert values(check(found), field) == [value, value]
        assert finding(found, question)["reason"] == "It was chosen for this file."


def test_percents_that_are_more_than_one_leave_no_doubt_about_one_percent():
    found = checked("opportunities", table("Probability", "1", "80", "0", "50%"))
    assert values(found, "probability") == ["1", "80", "0", "50"]


def test_native_fractions_are_asked_about():
    rows = [["External ID", "Name", "Probability"], ["A", "x", 1], ["B", "x", 0], ["C", "x", 0.25]]
    found = checked("opportunities", rows)
    assert counts(found) == (1, 0, 0, 2)
    found.formats = {"probability": "fraction"}
    assert values(check(found), "probability") == ["100", "0", "25"]


def test_a_fraction_that_is_no_whole_percent_is_refused():
    found = checked("opportunities", table("Probability", "0.805"), formats={"probability": "fraction"})
    assert words(found) == ["row 2, Probability, “0.805”: is not a whole number, for example 80."]


def test_midnight_of_another_zone_moves_no_day_by_itself():
    rows = [["External ID", "Name", "CloseDate"], ["A", "x", datetime(2026, 11, 27, 15)]]
    found = checked("opportunities", rows)
    assert words(found) == [f"row 2, CloseDate, “2026-11-27 15:00:00”: {IN_DOUBT}"]
    assert found.found_problems.get().suggestion == ""


@pytest.mark.parametrize("clock", [time(23, 59, 8), time(23, 59, 17), time(23, 59, 59)])
def test_a_time_shortly_before_midnight_is_asked_about_by_name_and_moves_no_day_by_itself(clock):
    rows = [["External ID", "Name", "CloseDate"], ["A", "x", datetime.combine(date(2026, 11, 27), clock)]]
    found = checked("opportunities", rows)
    assert words(found) == [f"row 2, CloseDate, “2026-11-27 {clock}”: {IN_DOUBT}"]
    assert found.found_problems.get().suggestion == ""
    assert finding(found, "time-in-date")["doubt"]
    (answers,) = [question.answers for question in QUESTIONS if question.name == "time-in-date"]
    assert {answer for answer, label in answers.items() if "23:59:08" in label} == {"written", "midnight"}


def test_a_month_that_is_midnight_of_another_zone_is_asked_about():
    factories.program(marketo_id=1001)
    rows = [["Program ID", "Month", "Amount"], [1001, datetime(2026, 10, 31, 15), 5]]
    found = checked("program-costs", rows)
    assert words(found) == [f"row 2, Month, “2026-10-31 15:00:00”: {IN_DOUBT}"]
    found.formats = {"time-in-date": "midnight"}
    assert values(check(found), "month") == ["2026-11-01"]


def test_a_few_seconds_after_midnight_are_the_day():
    rows = [["External ID", "Name", "CloseDate"], ["A", "x", datetime(2026, 11, 28, 0, 0, 52)]]
    assert values(checked("opportunities", rows), "close_date") == ["2026-11-28"]


@pytest.mark.parametrize(
    ("clock", "month", "day"),
    [
        (time(), "2026-10", "2026-10-31"),
        (time(0, 0, 52), "2026-10", "2026-10-31"),
        (time(15), "", ""),
        (time(23, 59, 8), "", ""),
    ],
)
def test_a_number_in_place_of_a_day_is_never_suggested_as_another_day(clock, month, day):
    factories.program(marketo_id=1001)
    number = to_excel(datetime.combine(date(2026, 10, 31), clock))
    costs = checked("program-costs", [["Program ID", "Month", "Amount"], [1001, number, 5]])
    assert [problem.suggestion for problem in costs.found_problems.all()] == [month]
    deals = checked("opportunities", [["External ID", "Name", "CloseDate"], ["A", "x", number]])
    assert [problem.suggestion for problem in deals.found_problems.all()] == [day]


def test_a_column_that_contradicts_itself_is_asked_about_and_what_has_one_meaning_is_suggested():
    found = checked("opportunities", table("CloseDate", "28/11/2026", "11/28/2026", "03/04/2026", "2026-01-01"))
    assert counts(found) == (1, 0, 0, 3)
    assert (
        finding(found, "date-format")["reason"] == "In CloseDate, “28/11/2026” and “11/28/2026” contradict each other."
    )
    assert list(found.found_problems.order_by("number").values_list("suggestion", flat=True)) == [
        "2026-11-28",
        "2026-11-28",
        "",
    ]


def test_what_is_not_as_was_said_is_refused():
    found = checked("opportunities", table("Amount", "1234.50", "1.234,50"), formats={"number-format": "comma"})
    assert words(found) == [f"row 2, Amount, “1234.50”: {NOT_LIKE_OTHERS}"]


def test_a_corrected_cell_is_no_evidence():
    found = fix(checked("opportunities", table("CloseDate", "13/01/26", "11/28/26", "x")), "CloseDate", "13/01/26", "")
    assert values(found, "close_date")[1] == "2026-11-28"


def test_a_correction_is_read_in_our_own_spelling():
    found = checked("opportunities", table("Quantity", "1,5", "n/a"))
    assert values(fix(found, "Quantity", "n/a", "2.125"), "quantity") == ["1.5000", "2.1250"]


def test_a_rule_is_applied_to_every_value_that_breaks_it_and_to_no_other():
    found = checked("opportunities", table("IsWon", "ja", "nein", "maybe", "oui", "ja"))
    rule = found.groups.filter(value="ja").get().rule
    fix(found, "IsWon", "oui", "no")
    ImportFix.objects.create(imported=found, column="IsWon", value=rule, by_rule=True)
    assert values(check(found), "is_won") == ["true", "false", "", "false", "true"]
    assert counts(found) == (4, 0, 0, 1)


# --- the next file --------------------------------------------------------------------------------------------------


def test_the_next_file_with_the_same_headers_is_read_like_the_last():
    first = made("opportunities", table("CloseDate", "28/11/2026"))
    save_mapping(first)
    teach_answers(check(first))
    second = checked("opportunities", table("CloseDate", "03/04/2026"))
    assert values(second, "close_date") == ["2026-04-03"]
    assert finding(second, "date-format")["reason"] == "The last file with these headers was read so."
    third = checked("opportunities", table("CloseDate", "11/28/2026", "03/04/2026"))
    assert values(third, "close_date") == ["2026-11-28", "2026-03-04"]


def test_an_answer_is_remembered_for_the_next_file():
    first = made("opportunities", table("IsWon", "X"), formats={"marks": "tick"})
    save_mapping(first)
    teach_answers(check(first))
    assert values(checked("opportunities", table("IsWon", "X")), "is_won") == ["true"]


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["External ID", "Marketo ID"])
def test_a_key_that_a_spreadsheet_has_shortened_is_refused(column):
    found = checked("opportunities", f"{column},Name\n1.23457E+15,x\n")
    assert counts(found) == (0, 0, 0, 1)
    assert "is a long number that a spreadsheet has shortened; its last digits are lost." in words(found)[0]


def test_a_key_that_only_looks_a_little_like_it_is_kept():
    assert counts(checked("opportunities", "External ID,Name\n1E+5,x\nE+15,x\n")) == (2, 0, 0, 0)


@pytest.mark.parametrize(("written", "kept"), [('"=""00124"""', "00124"), ('"=""a""""b"""', 'a"b'), ('\'="x"', '="x"')])
def test_text_in_quotes_behind_an_equals_sign_is_unwrapped(written, kept):
    assert values(checked("opportunities", f"External ID,Name\n{written},x\n"), "external_id") == [kept]


def test_a_fraction_of_a_second_is_refused_in_words():
    found = checked(
        "opportunities", table("ExternalCreatedDate", "2026-11-28T14:30:00.500Z", "2026-11-28T14:30:00.000Z")
    )
    (told,) = words(found)
    assert told.endswith(
        "“2026-11-28T14:30:00.500Z”: has a fraction of a second, which is not kept; write whole seconds."
    )
    assert found.found_problems.get().suggestion == "2026-11-28 14:30:00Z"
