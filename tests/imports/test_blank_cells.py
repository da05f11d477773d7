"""What a blank cell does to a record that exists: nothing, unless a person said that it clears the value."""

from __future__ import annotations

import io

import pytest

from mobjects.imports import service
from mobjects.models import CustomField, Import, ImportSource, Opportunity, OpportunityPersonRole, Program
from tests import factories
from tests.imports import running
from tests.imports.helpers import checked, counts, imported, words

pytestmark = pytest.mark.django_db

BLANKED = "External ID,Amount,CloseDate\nA,,\nB,,2026-01-31\n"


@pytest.fixture
def deals():
    for key in "AB":
        factories.opportunity(external_id=key, name=key, amount="12.50", close_date="2026-12-31", stage="Won")


def stored(key):
    record = Opportunity.objects.get(external_id=key)
    return record.amount and str(record.amount), record.close_date and record.close_date.isoformat(), record.stage


def test_blank_cells_leave_what_is_here_and_are_counted(deals):
    found = imported("opportunities", BLANKED)
    assert counts(found) == (0, 1, 1, 0)
    assert (stored("A"), stored("B")) == (("12.50", "2026-12-31", "Won"), ("12.50", "2026-01-31", "Won"))
    assert found.blanks == {"kept": 3}


def test_they_clear_where_that_was_said_and_are_counted_as_values(deals):
    found = imported("opportunities", BLANKED, blank_clears=["Amount", "CloseDate"])
    assert counts(found) == (0, 2, 0, 0)
    assert (stored("A"), stored("B")) == ((None, None, "Won"), (None, "2026-01-31", "Won"))
    assert found.blanks == {"changed": 3}
    assert list(found.found.values_list("number", "cleared")) == [(2, 2), (3, 1)]


def test_each_column_has_its_own_answer(deals):
    found = imported("opportunities", BLANKED, blank_clears=["Amount"])
    assert (stored("A"), stored("B")) == ((None, "2026-12-31", "Won"), (None, "2026-01-31", "Won"))
    assert found.blanks == {"changed": 2, "kept": 1}


def test_spaces_alone_are_blank(deals):
    found = imported("opportunities", "External ID,Stage\nA,  \n")
    assert counts(found) == (0, 0, 1, 0)
    assert stored("A")[2] == "Won"


def test_what_the_file_gives_every_row_is_given_on_purpose(deals):
    found = imported("opportunities", "External ID,Name\nA,A\n", constants={"Stage": ""})
    assert stored("A")[2] == ""
    assert found.blanks == {"changed": 1}


def test_a_new_record_has_no_value_there():
    found = imported("opportunities", "External ID,Name,Amount,Stage\nA,A,,\n")
    assert counts(found) == (1, 0, 0, 0)
    assert stored("A") == (None, None, "")
    assert found.blanks == {}


def test_a_required_value_stays_and_clearing_it_is_an_error(deals):
    assert counts(checked("opportunities", "External ID,Name,Stage\nA,,Lost\n")) == (0, 1, 0, 0)
    wrong = checked("opportunities", "External ID,Name,Stage\nA,,Lost\n", blank_clears=["Name"])
    assert words(wrong) == ["row 2, Name: must not be empty."]


def test_rows_with_errors_clear_nothing(deals):
    twice = "External ID,Amount\nA,\nA,\nB,\n"
    found = checked("opportunities", twice, blank_clears=["Amount"])
    assert counts(found) == (0, 1, 0, 2)
    assert found.blanks == {"changed": 1}


def test_conflicts_are_counted_apart(deals):
    Opportunity.objects.filter(external_id="A").update(revision=5)
    found = checked("opportunities", "External ID,Amount,Revision\nA,,1\nB,,1\n", blank_clears=["Amount"])
    assert found.blanks == {"changed": 1, "conflict": 1}


def test_custom_fields_too():
    CustomField.objects.create(name="Region")
    factories.opportunity(external_id="A", name="A", custom_attributes={"Region": "EMEA"})
    left = imported("opportunities", "External ID,Region\nA,\n")
    assert (left.blanks, Opportunity.objects.get().custom_attributes) == ({"kept": 1}, {"Region": "EMEA"})
    cleared = imported("opportunities", "External ID,Region\nA,\n", blank_clears=["Region"])
    assert (cleared.blanks, Opportunity.objects.get().custom_attributes) == ({"changed": 1}, {})


def test_of_two_columns_that_exclude_each_other_the_filled_one_counts():
    factories.opportunity(external_id="A", name="A", company_id=7)
    imported("opportunities", "External ID,Company ID,Company Key\nA,,acme\n")
    record = Opportunity.objects.get()
    assert (record.company_id, record.company_key) == (None, "acme")


def test_roles_programs_costs_and_tags():
    role = factories.role(factories.opportunity(external_id="A"), person_id=5, marketo_id=9, role="Buyer")
    program = factories.program(marketo_id=3, workspace="Default")
    cost = factories.cost(program, marketo_cost_id=4, note="Booth")
    tag = factories.tag(program, type="Region", value="EMEA")
    assert imported("roles", "Marketo ID,Opportunity,Person ID,Role\n9,,,\n").blanks == {"kept": 3}
    assert imported("programs", "Marketo ID,Name,Workspace\n3,,\n").blanks == {"kept": 2}
    assert imported("program-costs", "Program ID,Cost ID,Month,Amount,Note\n3,4,,,\n").blanks == {"kept": 3}
    assert imported("program-tags", "Program ID,Type,Value\n3,Region,\n").blanks == {"kept": 1}
    for record in (role, program, cost, tag):
        before = dict(record.__dict__)
        record.refresh_from_db()
        kept = ("role", "workspace", "note", "value")
        assert {name: before.get(name) for name in kept} == {name: record.__dict__.get(name) for name in kept}
    imported("program-costs", "Program ID,Cost ID,Note\n3,4,\n", blank_clears=["Note"])
    cost.refresh_from_db()
    assert cost.note == ""
    imported("programs", "Marketo ID,Workspace\n3,\n", blank_clears=["Workspace"])
    assert Program.objects.get().workspace == ""
    imported("roles", "Marketo ID,Role\n9,\n", blank_clears=["Role"])
    assert OpportunityPersonRole.objects.get().role == ""


def test_the_answer_is_remembered_with_the_mapping(deals):
    first = running.checked(BLANKED.encode())
    service.set_columns(first, first.mapping, {}, blank_clears=["Amount", "Nonsense"])
    service.request_check(first, enqueue=False)
    assert first.blank_clears == ["Amount"]
    second = service.start_import(
        "opportunities",
        io.BytesIO(BLANKED.encode()),
        "again.csv",
        user=None,
        username="ann",
        source=ImportSource.COMMAND,
        enqueue=False,
    )
    assert Import.objects.get(pk=second.pk).blank_clears == ["Amount"]


def test_a_column_that_is_left_out_clears_nothing(deals):
    first = running.checked(BLANKED.encode())
    service.set_columns(first, ["External ID", "", "CloseDate"], {}, blank_clears=["Amount"])
    assert first.blank_clears == []


def test_an_undo_brings_cleared_values_back(deals):
    done = running.checked(BLANKED.encode())
    service.set_columns(done, done.mapping, {}, blank_clears=["Amount", "CloseDate"])
    service.request_check(done, enqueue=False)
    running.done(done, "review")
    running.undone(running.written(done))
    assert (stored("A"), stored("B")) == (("12.50", "2026-12-31", "Won"),) * 2


def test_a_cleared_cell_of_an_export_can_clear_on_purpose(deals):
    record = Opportunity.objects.get(external_id="A")
    edited = f"External ID,Amount,Revision\nA,,{record.revision}\n"
    assert counts(checked("opportunities", edited)) == (0, 0, 1, 0)
    assert counts(imported("opportunities", edited, blank_clears=["Amount"])) == (0, 1, 0, 0)
    assert stored("A")[0] is None
