"""What a row of each kind of file does."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mobjects.models import CustomField, Opportunity, OpportunityPersonRole, Program, ProgramCost, ProgramTag
from mobjects.resources import RESOURCES, read, summarise
from tests import factories

pytestmark = pytest.mark.django_db


def load(kind, text, *, dry_run=False):
    sheet = read(text.encode(), "csv")
    return summarise(RESOURCES[kind]().import_data(sheet, dry_run=dry_run))


def counts(summary):
    return summary.new, summary.changed, summary.unchanged, summary.failed


def words(summary):
    return [str(problem) for problem in summary.problems]


# --- every kind ------------------------------------------------------------------------------------------------


def test_new_changed_and_unchanged_are_counted_apart():
    factories.opportunity(external_id="A", name="Old")
    factories.opportunity(external_id="B", name="Same")
    summary = load("opportunities", "External ID,Name\nA,New\nB,Same\nC,Third\n")
    assert counts(summary) == (1, 1, 1, 0)
    assert [(row.row, row.is_new, row.label) for row in summary.rows] == [(2, False, "New"), (4, True, "Third")]
    assert [(change.column, change.old, change.new) for change in summary.rows[0].changes] == [("Name", "Old", "New")]
    assert set(Opportunity.objects.values_list("external_id", "name")) == {("A", "New"), ("B", "Same"), ("C", "Third")}


def test_dry_run_writes_nothing():
    assert counts(load("opportunities", "External ID,Name\nA,New\n", dry_run=True)) == (1, 0, 0, 0)
    assert not Opportunity.objects.exists()


def test_one_bad_row_keeps_the_whole_file_out():
    summary = load("programs", "Marketo ID,Name\n1,Good\nx,Bad\n")
    assert (counts(summary), summary.ok) == ((1, 0, 0, 1), False)
    assert not Program.objects.exists()


def test_every_error_of_every_row_is_told_with_row_column_value_and_rule():
    text = "External ID,Name,Amount,IsWon\n\nA,,1.234,maybe\nB,Fine,,\nC,Also,x,\n"
    assert words(load("opportunities", text)) == [
        "row 3, Name: must not be empty.",
        "row 3, Amount, “1.234”: has more than 2 decimals; write thousands without a separator.",
        "row 3, IsWon, “maybe”: is not yes or no; write true or false.",
        "row 5, Amount, “x”: is not a number; write digits with a point, for example 1234.50.",
    ]


def test_headers_are_matched_whatever_their_case_and_spacing():
    load("opportunities", "external_id,NAME,close date,SFDC Created Date\nA,x,2026-06-30,2026-01-01\n")
    assert Opportunity.objects.get().close_date == date(2026, 6, 30)
    assert Opportunity.objects.get().external_created_date.year == 2026


def test_unknown_columns_refuse_the_file_in_one_message():
    summary = load("programs", "Marketo ID,Nmae,Foo\n1,x,y\n")
    assert summary.refused.startswith("Unknown columns “Nmae”, “Foo”. Known columns: Marketo ID, Name, Type")
    assert not summary.problems


@pytest.mark.parametrize(
    ("kind", "header", "said"),
    [
        ("programs", "Name", "lacks the column “Marketo ID”"),
        ("programs", "Marketo ID,name,Name", "Column “Name” in the file more than once"),
        ("opportunities", "Name", "lacks a key column (“Marketo ID” or “External ID”)"),
        ("program-costs", "Amount", "lacks the column “Program ID” and the column “Month”"),
        ("program-tags", "Program ID", "lacks the column “Type”"),
        ("roles", "Role", "lacks the column “Opportunity” and “Person ID” or “Person Key”"),
    ],
)
def test_missing_and_repeated_columns_are_named(kind, header, said):
    line = ",".join("1" for _ in header.split(","))
    assert said in load(kind, f"{header}\n{line}\n").refused


def test_absent_column_leaves_alone_and_empty_cell_clears():
    factories.opportunity(external_id="A", name="x", stage="Won", type="New")
    load("opportunities", "External ID,Stage\nA,\n")
    record = Opportunity.objects.get()
    assert (record.stage, record.type, record.name) == ("", "New", "x")


def test_duplicate_key_names_both_rows():
    summary = load("programs", "Marketo ID,Name\n1,a\n\n1,b\n")
    assert words(summary) == ["row 4, Marketo ID, “1”: rows 2 and 4 mean the same program; keep one."]


def test_too_long_text_is_refused():
    assert "is 256 characters long; at most 255" in words(load("programs", f"Marketo ID,Name\n1,{'x' * 256}\n"))[0]


def test_import_makes_dirty_only_what_it_changes():
    kept = factories.opportunity(external_id="A", name="x")
    edited = factories.opportunity(external_id="B", name="y")
    load("opportunities", "External ID,Name\nA,x\nB,z\n")
    assert (factories.fresh(kept).revision, factories.fresh(edited).revision) == (1, 2)


def test_number_of_queries_does_not_grow_with_unchanged_or_new_rows(django_assert_max_num_queries):
    for number in range(50):
        factories.opportunity(external_id=f"A{number}", name="x")
    lines = [f"A{number},x" for number in range(100)]
    with django_assert_max_num_queries(12):
        assert counts(load("opportunities", "External ID,Name\n" + "\n".join(lines))) == (50, 0, 50, 0)


# --- opportunities -----------------------------------------------------------------------------------------------


def test_record_found_by_external_id_gets_its_marketo_id():
    factories.opportunity(external_id="A", name="x")
    load("opportunities", "Marketo ID,External ID\n77,A\n")
    assert Opportunity.objects.get().marketo_id == 77


def test_known_marketo_id_is_neither_changed_nor_forgotten():
    factories.opportunity(external_id="A", name="x", marketo_id=5)
    assert "has the Marketo ID 5 already" in words(load("opportunities", "Marketo ID,External ID\n6,A\n"))[0]
    assert counts(load("opportunities", "Marketo ID,External ID\n,A\n")) == (0, 0, 1, 0)
    assert Opportunity.objects.get().marketo_id == 5


def test_keys_of_two_records_in_one_row_are_refused():
    factories.opportunity(external_id="A", name="first", marketo_id=5)
    factories.opportunity(external_id="B", name="second")
    summary = load("opportunities", "Marketo ID,External ID\n5,B\n")
    assert words(summary) == [
        "row 2, Marketo ID, “5”: the Marketo ID is “first”, but the External ID is “second”; correct one of them."
    ]


def test_same_record_by_different_keys_is_a_duplicate():
    factories.opportunity(external_id="A", name="x", marketo_id=5)
    summary = load("opportunities", "Marketo ID,External ID,Stage\n5,,a\n,A,b\n")
    assert words(summary) == ["row 3: rows 2 and 3 mean the same opportunity; keep one."]


def test_row_without_any_key_is_refused():
    summary = load("opportunities", "Marketo ID,External ID,Name\n,,x\n")
    assert words(summary) == ["row 2: has neither a Marketo ID nor an External ID; give one of them."]


def test_last_key_cannot_be_cleared():
    factories.opportunity(external_id="A", name="x", marketo_id=5)
    load("opportunities", "Marketo ID,External ID\n5,\n")
    assert Opportunity.objects.get().external_id is None


def test_new_opportunity_needs_a_name_column():
    assert words(load("opportunities", "External ID\nA\n")) == ["row 2, Name: a new opportunity needs this column."]


def test_new_key_may_not_end_with_a_space_but_an_old_one_is_left():
    factories.opportunity(external_id="A ", name="x")
    assert counts(load("opportunities", "External ID,Name\nA ,x\n")) == (0, 0, 1, 0)
    assert "starts or ends with a space" in words(load("opportunities", "External ID,Name\nB ,x\n"))[0]


def test_company_is_given_once():
    summary = load("opportunities", "External ID,Name,Company ID,Company Key\nA,x,1,k\n")
    assert words(summary) == ["row 2, Company Key, “k”: give the Company ID or the Company Key, not both."]


def test_custom_fields_are_columns_by_name_and_label():
    CustomField.objects.create(name="Region__c", label="Sales Region")
    CustomField.objects.create(name="Score", data_type="integer")
    factories.opportunity(external_id="A", name="x", custom_attributes={"Gone": "1", "Score": "5"})
    load("opportunities", "External ID,sales region,Score\nA,=EMEA,\n")
    assert Opportunity.objects.get().custom_attributes == {"Gone": "1", "Region__c": "=EMEA"}
    assert words(load("opportunities", "External ID,Score\nA,many\n"))[0].startswith(
        "row 2, Score, “many”: is not a whole"
    )


def test_label_of_two_fields_is_refused():
    CustomField.objects.create(name="One", label="Region")
    CustomField.objects.create(name="Two", label="Region")
    assert "could be One or Two" in load("opportunities", "External ID,Region\nA,x\n").refused


def test_control_character_is_refused_with_its_position():
    assert "character 2 is U+0007" in words(load("opportunities", "External ID,Name\nA,x\x07\n"))[0]


def test_model_limits_hold_in_files():
    assert "row 2, FiscalQuarter, “5”:" in words(load("opportunities", "External ID,Name,Fiscal Quarter\nA,x,5\n"))[0]


def test_custom_value_from_before_its_type_changed_is_exported_as_it_is():
    CustomField.objects.create(name="Score", data_type="integer")
    factories.opportunity(custom_attributes={"Score": "high"})
    assert RESOURCES["opportunities"]().export()["Score"] == ["high"]


# --- costs -------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(db):
    return factories.program(marketo_id=1001)


def test_equal_lines_are_equal_costs(program):
    text = "Program ID,Month,Amount,Note\n1001,2026-06,500,a\n1001,2026-06,500,a\n"
    assert counts(load("program-costs", text)) == (2, 0, 0, 0)
    assert counts(load("program-costs", text)) == (0, 0, 2, 0)
    assert counts(load("program-costs", text + "1001,2026-06,500.00,a\n")) == (1, 0, 2, 0)


def test_cost_id_finds_its_cost_and_is_adopted_by_an_equal_one(program):
    known = factories.cost(program, marketo_cost_id=9, amount=1)
    equal = factories.cost(program, amount=2)
    summary = load("program-costs", "Program ID,Month,Amount,Cost ID\n1001,2026-06,3,9\n1001,2026-06,2,10\n")
    assert counts(summary) == (0, 2, 0, 0)
    known.refresh_from_db()
    equal.refresh_from_db()
    assert (known.amount, equal.marketo_cost_id) == (Decimal(3), 10)


def test_line_with_an_id_is_matched_before_an_equal_line_without(program):
    with_id = factories.cost(program, marketo_cost_id=9)
    factories.cost(program)
    summary = load("program-costs", "Program ID,Month,Amount,Cost ID\n1001,2026-06,2000,\n1001,2026-06,5,9\n")
    assert counts(summary) == (0, 1, 1, 0)
    with_id.refresh_from_db()
    assert with_id.amount == 5


def test_edited_line_without_cost_id_is_added_with_a_warning(program):
    factories.cost(program, note="Hall")
    summary = load("program-costs", "Program ID,Month,Amount,Note\n1001,2026-06,2500,Hall\n")
    assert (counts(summary), ProgramCost.objects.count()) == ((1, 0, 0, 0), 2)
    assert "will be added as another cost" in str(summary.warnings[0])
    assert "2026-06 2000.00 Hall" in str(summary.warnings[0])


def test_added_line_beside_the_old_one_gives_no_warning(program):
    factories.cost(program)
    summary = load("program-costs", "Program ID,Month,Amount\n1001,2026-06,2000\n1001,2026-06,10\n")
    assert (counts(summary), list(summary.warnings)) == ((1, 0, 1, 0), [])


def test_cost_of_an_unknown_program_or_with_bad_values_is_refused(program):
    summary = load("program-costs", "Program ID,Month,Amount\n7,2026-06,1\n1001,Jun-26,-1\n")
    assert words(summary) == [
        "row 2, Program ID, “7”: there is no program with this Marketo ID here; import the program first.",
        "row 3, Month, “Jun-26”: is not a month; write YYYY-MM, for example 2026-06.",
        "row 3, Amount, “-1”: Ensure this value is greater than or equal to 0.",
    ]


# --- tags --------------------------------------------------------------------------------------------------------


def test_tag_is_found_by_its_type_in_any_case(program):
    factories.tag(program, type="Region", value="EMEA")
    assert counts(load("program-tags", "Program ID,Type,Value\n1001,REGION,APAC\n")) == (0, 1, 0, 0)
    assert list(ProgramTag.objects.values_list("type", "value")) == [("Region", "APAC")]


def test_same_type_twice_for_a_program_is_refused(program):
    summary = load("program-tags", "Program ID,Type,Value\n1001,Region,a\n1001,region,b\n")
    assert words(summary) == ["row 3, Type, “region”: rows 2 and 3 mean the same tag; keep one."]


def test_channel_is_no_tag(program):
    assert "The channel is kept" in words(load("program-tags", "Program ID,Type,Value\n1001,channel,x\n"))[0]


# --- roles -------------------------------------------------------------------------------------------------------


def test_role_is_found_by_opportunity_person_and_role():
    role = factories.role(factories.opportunity(external_id="A", marketo_id=5), role="Boss")
    text = "Opportunity,Person ID,Role,IsPrimary\n{},19,Boss,true\n"
    assert counts(load("roles", text.format("A"))) == (0, 1, 0, 0)
    assert counts(load("roles", text.format("5"))) == (0, 0, 1, 0)
    role.refresh_from_db()
    assert role.is_primary is True


def test_role_found_by_its_key_gets_its_marketo_id_and_is_then_found_by_it():
    factories.role(factories.opportunity(external_id="A"), role="Boss")
    load("roles", "Marketo ID,Opportunity,Person ID,Role\n88,A,19,Boss\n")
    assert counts(load("roles", "Marketo ID,Role\n88,Champion\n")) == (0, 1, 0, 0)
    assert OpportunityPersonRole.objects.get().role == "Champion"


def test_external_id_goes_before_a_marketo_id_that_looks_the_same():
    by_external = factories.opportunity(external_id="7")
    by_number = factories.opportunity(external_id=None, marketo_id=7)
    load("roles", "Opportunity,Person ID,Role\n7,19,a\nMarketo ID 7,19,b\n")
    assert OpportunityPersonRole.objects.get(role="a").opportunity == by_external
    assert OpportunityPersonRole.objects.get(role="b").opportunity == by_number
    exported = RESOURCES["roles"]().export()
    assert sorted(exported["Opportunity"]) == ["7", "Marketo ID 7"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Z,19,,x", "row 2, Opportunity, “Z”: there is no opportunity with this External ID or Marketo ID here."),
        ("A,,,x", "row 2, Person ID: Give the Person ID or the Person Key (exactly one of them)."),
        ("A,19,k,x", "row 2, Person ID, “19”: Give the Person ID or the Person Key (exactly one of them)."),
        (",19,,x", "row 2, Opportunity: must not be empty."),
    ],
)
def test_incomplete_role_is_refused(line, said):
    factories.opportunity(external_id="A")
    assert words(load("roles", f"Opportunity,Person ID,Person Key,Role\n{line}\n")) == [said]


def test_role_that_would_become_another_is_refused():
    opportunity = factories.opportunity(external_id="A", name="Deal")
    factories.role(opportunity, role="x", marketo_id=1)
    factories.role(opportunity, role="y", marketo_id=2)
    summary = load("roles", "Marketo ID,Opportunity,Person ID,Role\n1,A,19,y\n")
    assert "correct one of them" in words(summary)[0]
    summary = load("roles", "Marketo ID,Role\n1,y\n")
    assert words(summary) == [
        "row 2: the database refused the row: This person already has this role in this opportunity."
    ]


def test_role_keeps_to_one_person():
    factories.role(factories.opportunity(external_id="A"), marketo_id=1)
    summary = load("roles", "Marketo ID,Person Key\n1,k\n")
    assert words(summary) == ["row 2, Person ID: Give the Person ID or the Person Key (exactly one of them)."]


def test_new_role_needs_its_whole_key():
    factories.opportunity(external_id="A")
    assert words(load("roles", "Marketo ID,Opportunity,Person ID\n1,A,19\n")) == [
        "row 2, Role: a new role needs this column."
    ]
    assert words(load("roles", "Marketo ID,Role\n1,x\n")) == ["row 2, Opportunity: a new role needs this column."]


def test_id_that_marketo_gives_during_the_import_is_kept():
    record = factories.opportunity(external_id="A")
    sheet = read(b"External ID,Marketo ID\nA,5\n", "csv")

    class SyncRunsMeanwhile(RESOURCES["opportunities"]):
        def load(self, dataset):
            super().load(dataset)
            Opportunity.objects.update(marketo_id=6)

    summary = summarise(SyncRunsMeanwhile().import_data(sheet))
    assert "Marketo gave the record an ID a moment ago" in words(summary)[0]
    record.refresh_from_db()
    assert summary.ok is False
