"""What a row of any kind of file does, and what rows of opportunities do."""

from __future__ import annotations

from datetime import date

import pytest

from mobjects.models import CustomField, Opportunity, Program
from tests import factories
from tests.imports.helpers import checked, counts, imported, words

pytestmark = pytest.mark.django_db


# --- every kind ---


def test_new_changed_and_unchanged_are_counted_apart():
    changed = factories.opportunity(external_id="A", name="Old")
    same = factories.opportunity(external_id="B", name="Same")
    found = imported("opportunities", "External ID,Name\nA,New\nB,Same\nC,Third\n")
    assert counts(found) == (1, 1, 1, 0)
    rows = list(found.found.values_list("number", "outcome", "record_id", "label", "data", "old"))
    assert rows == [
        (2, "changed", changed.pk, "New", {"name": "New"}, {"name": "Old"}),
        (3, "unchanged", same.pk, "Same", {}, {}),
        (4, "new", None, "Third", {"external_id": "C", "name": "Third"}, {}),
    ]
    assert set(Opportunity.objects.values_list("external_id", "name")) == {("A", "New"), ("B", "Same"), ("C", "Third")}


def test_a_check_writes_no_record():
    assert counts(checked("opportunities", "External ID,Name\nA,New\n")) == (1, 0, 0, 0)
    assert not Opportunity.objects.exists()


def test_a_bad_row_leaves_the_others_alone():
    found = imported("programs", "Marketo ID,Name\n1,Good\nx,Bad\n")
    assert counts(found) == (1, 0, 0, 1)
    assert Program.objects.get().name == "Good"


def test_every_error_of_every_row_is_told_with_row_column_value_and_rule():
    text = "External ID,Name,Amount,IsWon\n\nA,,1.234,maybe\nB,Fine,1.5,\nC,Also,x,\n"
    assert words(checked("opportunities", text)) == [
        "row 3, Name: must not be empty.",
        "row 3, Amount, “1.234”: has more than 2 decimals; write thousands without a separator.",
        "row 3, IsWon, “maybe”: is not yes or no; write true or false.",
        "row 5, Amount, “x”: is not a number; write digits with a point, for example 1234.50.",
    ]


def test_headers_are_matched_whatever_their_case_and_spacing():
    imported("opportunities", "external_id,NAME,close date,SFDC Created Date\nA,x,2026-06-30,2026-01-01\n")
    assert Opportunity.objects.get().close_date == date(2026, 6, 30)
    assert Opportunity.objects.get().external_created_date.year == 2026


def test_absent_column_leaves_alone_and_empty_cell_clears_where_that_was_said():
    factories.opportunity(external_id="A", name="x", stage="Won", type="New")
    imported("opportunities", "External ID,Stage\nA,\n", blank_clears=["Stage"])
    record = Opportunity.objects.get()
    assert (record.stage, record.type, record.name) == ("", "New", "x")


def test_rows_with_the_same_key_are_errors_that_name_each_other():
    found = checked("programs", "Marketo ID,Name\n1,a\n2,c\n\n1,b\n1,d\n")
    assert words(found) == [
        "row 2, Marketo ID, “1”: rows 2 and 5 mean the same program; keep one.",
        "row 5, Marketo ID, “1”: rows 2 and 5 mean the same program; keep one.",
        "row 6, Marketo ID, “1”: rows 2 and 6 mean the same program; keep one.",
    ]
    assert counts(found) == (1, 0, 0, 3)


def test_a_row_with_other_errors_counts_as_a_double_too():
    found = checked("opportunities", "External ID,Name,Amount\nA,x,\nA,y,much\n")
    assert [line.partition(":")[0] for line in words(found)] == [
        "row 2, External ID, “A”",
        "row 3, External ID, “A”",
        "row 3, Amount, “much”",
    ]


def test_too_long_text_is_refused():
    assert "is 256 characters long; at most 255" in words(checked("programs", f"Marketo ID,Name\n1,{'x' * 256}\n"))[0]


def test_import_makes_dirty_only_what_it_changes():
    kept = factories.opportunity(external_id="A", name="x")
    edited = factories.opportunity(external_id="B", name="y")
    imported("opportunities", "External ID,Name\nA,x\nB,z\n")
    assert (factories.fresh(kept).revision, factories.fresh(edited).revision) == (1, 2)


@pytest.mark.parametrize("rows", [10, 1000])
def test_number_of_queries_does_not_grow_with_rows(rows, django_assert_max_num_queries):
    for number in range(5):
        factories.opportunity(external_id=f"A{number}", name="x")
    text = "External ID,Name\n" + "".join(f"A{number},x\n" for number in range(rows))
    with django_assert_max_num_queries(60):
        assert counts(checked("opportunities", text)) == (rows - 5, 0, 5, 0)


# --- opportunities ---


def test_record_found_by_external_id_gets_its_marketo_id():
    factories.opportunity(external_id="A", name="x")
    imported("opportunities", "Marketo ID,External ID\n77,A\n")
    assert Opportunity.objects.get().marketo_id == 77


def test_known_marketo_id_is_neither_changed_nor_forgotten():
    factories.opportunity(external_id="A", name="x", marketo_id=5)
    assert "has the Marketo ID 5 already" in words(checked("opportunities", "Marketo ID,External ID\n6,A\n"))[0]
    assert counts(imported("opportunities", "Marketo ID,External ID\n,A\n")) == (0, 0, 1, 0)
    assert Opportunity.objects.get().marketo_id == 5


def test_keys_of_two_records_in_one_row_are_refused():
    factories.opportunity(external_id="A", name="first", marketo_id=5)
    factories.opportunity(external_id="B", name="second")
    assert words(checked("opportunities", "Marketo ID,External ID\n5,B\n")) == [
        "row 2, Marketo ID, “5”: the Marketo ID is “first”, but the External ID is “second”; correct one of them."
    ]


def test_same_record_by_different_keys_is_a_double():
    factories.opportunity(external_id="A", name="x", marketo_id=5)
    assert words(checked("opportunities", "Marketo ID,External ID,Stage\n5,,a\n,A,b\n")) == [
        "row 2: rows 2 and 3 mean the same opportunity; keep one.",
        "row 3: rows 2 and 3 mean the same opportunity; keep one.",
    ]


def test_row_without_any_key_is_refused():
    assert words(checked("opportunities", "Marketo ID,External ID,Name\n,,x\n")) == [
        "row 2: has neither a Marketo ID nor an External ID; give one of them."
    ]


def test_last_key_cannot_be_cleared():
    factories.opportunity(external_id="A", name="x", marketo_id=5)
    imported("opportunities", "Marketo ID,External ID\n5,\n", blank_clears=["External ID"])
    record = Opportunity.objects.get()
    assert (record.external_id, record.marketo_id) == (None, 5)


def test_new_opportunity_needs_a_name_column():
    assert words(checked("opportunities", "External ID\nA\n")) == ["row 2, Name: a new opportunity needs this column."]


def test_new_key_may_not_end_with_a_space_but_an_old_one_is_left():
    factories.opportunity(external_id="A ", name="x")
    assert counts(checked("opportunities", "External ID,Name\nA ,x\n")) == (0, 0, 1, 0)
    found = checked("opportunities", "External ID,Name\nB ,x\n")
    assert "starts or ends with a space" in words(found)[0]
    assert found.found_problems.get().suggestion == "B"


def test_new_key_may_not_hold_what_nobody_sees_but_an_old_one_is_left():
    factories.opportunity(external_id="A\u200b1", name="x")
    assert counts(checked("opportunities", "External ID,Name\nA\u200b1,x\n")) == (0, 0, 1, 0)
    for unseen in ("\u200b", "\u202e", "\u00ad"):
        found = checked("opportunities", f"External ID,Name\nB{unseen}1,x\n")
        assert "holds a character that cannot be seen" in words(found)[0]
        assert found.found_problems.get().suggestion == "B1"
    assert counts(checked("opportunities", "External ID,Name\nم\u200cر,x\n")) == (1, 0, 0, 0)


def test_company_is_given_once():
    assert words(checked("opportunities", "External ID,Name,Company ID,Company Key\nA,x,1,k\n")) == [
        "row 2, Company Key, “k”: give the Company ID or the Company Key, not both."
    ]


@pytest.mark.parametrize(
    ("here", "header", "cell"),
    [({"company_id": 7}, "Company Key", "k"), ({"company_key": "k"}, "Company ID", "7")],
)
def test_a_company_that_is_known_by_the_other_key_is_not_doubled(here, header, cell):
    factories.opportunity(external_id="A", **here)
    said = words(checked("opportunities", f"External ID,{header}\nA,{cell}\n"))
    assert said == [f"row 2, {header}, “{cell}”: give the Company ID or the Company Key, not both."]


def test_custom_fields_are_columns_by_name_and_label():
    CustomField.objects.create(name="Region__c", label="Sales Region")
    CustomField.objects.create(name="Score", data_type="integer")
    factories.opportunity(external_id="A", name="x", custom_attributes={"Gone": "1", "Score": "5"})
    found = imported("opportunities", "External ID,sales region,Score\nA,=EMEA,\n", blank_clears=["Score"])
    row = found.found.get()
    assert row.old == {"custom_attributes": {"Gone": "1", "Score": "5"}}
    assert row.data == {"custom_attributes": {"Gone": "1", "Region__c": "=EMEA"}}
    assert Opportunity.objects.get().custom_attributes == {"Gone": "1", "Region__c": "=EMEA"}
    assert words(checked("opportunities", "External ID,Score\nA,many\n"))[0].startswith(
        "row 2, Score, “many”: is not a whole"
    )


def test_a_custom_value_in_another_spelling_is_no_change():
    CustomField.objects.create(name="Score", data_type="integer")
    factories.opportunity(external_id="A", custom_attributes={"Score": "5.0"})
    assert counts(checked("opportunities", "External ID,Score\nA,5\n")) == (0, 0, 1, 0)
    Opportunity.objects.update(custom_attributes={"Score": "high"})
    assert counts(checked("opportunities", "External ID,Score\nA,5\n")) == (0, 1, 0, 0)


def test_control_character_is_refused_with_its_position():
    assert "character 2 is U+0007" in words(checked("opportunities", "External ID,Name\nA,x\x07\n"))[0]


def test_model_limits_hold_in_files():
    found = checked("opportunities", "External ID,Name,Fiscal Quarter,Probability\nA,x,5,101%\n")
    assert words(found) == [
        "row 2, FiscalQuarter, “5”: Ensure this value is less than or equal to 4.",
        "row 2, Probability, “101%”: is not between 0 and 100 percent.",
    ]


@pytest.mark.parametrize("key", ['say "x"', "a\\b", "{a,b}", "a,b", "it's", "NULL", "{}", "열쇠", "two\nlines", '\\"'])
def test_a_record_is_found_by_its_key_whatever_characters_it_has(key):
    record = factories.opportunity(external_id=key, name="Old")
    factories.opportunity(external_id="other", name="Other")
    quoted = '"' + key.replace('"', '""') + '"'
    found = checked("opportunities", f"External ID,Name\nother,Other\n{quoted},New\n")
    assert list(found.found.values_list("outcome", "record_id").order_by("number"))[1] == ("changed", record.pk)
    assert counts(found) == (0, 1, 1, 0)


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("12", "12.00"),
        ("12.5", "12.50"),
        ("0", "0.00"),
        ("0.07", "0.07"),
        ("99999999999.99", "99999999999.99"),
        ("012.50", "12.50"),
        ("12.", "12.00"),
        (".5", "0.50"),
        ("-12.5", "-12.50"),
    ],
)
def test_a_number_is_kept_with_all_of_its_decimals_each_time_it_is_read(cell, kept):
    found = checked("opportunities", f"External ID,Name,Amount\nA,a,{cell}\nB,b,{cell}\n")
    assert words(found) == []
    assert [data["amount"] for data in found.found.order_by("number").values_list("data", flat=True)] == [kept, kept]


@pytest.mark.parametrize("cell", ["٣", "٣.٥", "1.٥", "123456789012345"])
def test_what_is_no_number_of_ours_is_refused_each_time_it_is_read(cell):
    found = checked("opportunities", f"External ID,Name,Amount\nA,a,{cell}\nB,b,{cell}\n")
    assert [word.partition(": ")[0] for word in words(found)] == [f"row {row}, Amount, “{cell}”" for row in (2, 3)]
