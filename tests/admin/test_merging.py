"""A form that comes back after somebody else changed the record: what is kept, and what is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from lxml import html

from mobjects.models import CustomField, Opportunity, OpportunityPersonRole, Program, ProgramCost, ProgramTag
from tests import factories
from tests.factories import fresh
from tests.support.admin_forms import browser_of, open_form, read_confirmation, read_form, send_form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]


@pytest.fixture
def olga():
    return browser_of(factories.user("olga", group="operator"))


@pytest.fixture
def ben():
    return browser_of(factories.user("ben", group="operator"))


def saved(response) -> bool:
    return response.status_code == 302


def questions(response):
    """What a page asks: by label the lines that stand there."""
    asked = html.fromstring(response.content).xpath("//section[@class='mo-clashes']//fieldset")
    lines = {}
    for each in asked:
        legend, *rest = (" ".join(part.text_content().split()) for part in each.xpath("./legend | ./p"))
        lines[legend] = rest
    return lines


def choose(response, record, side):
    """The page as it comes back with one side chosen for everything."""
    radios = html.fromstring(response.content).xpath(f"//input[@type='radio'][starts-with(@value, '{side}:')]")
    return read_form(response, record) | {radio.get("name"): radio.get("value") for radio in radios}


def notes(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


# --- fields ---


def test_what_only_others_changed_is_kept_and_said(olga, ben):
    record = factories.opportunity(stage="New", amount=Decimal(5))
    form = open_form(olga, record)
    send_form(ben, record, open_form(ben, record), stage="Won")
    response = send_form(olga, record, form, amount="7")
    assert saved(response)
    assert (fresh(record).stage, fresh(record).amount) == ("Won", 7)
    assert "it was kept: Stage." in notes(response)


def test_a_field_that_both_changed_is_shown_with_all_three_values_and_who_changed_it(olga, ben):
    record = factories.opportunity(stage="New", amount=Decimal(5))
    form = open_form(olga, record)
    send_form(ben, record, open_form(ben, record), stage="Won")
    asked = questions(send_form(olga, record, form, stage="Lost", amount="7"))
    assert list(asked) == ["Stage"]
    opened, theirs, mine = asked["Stage"]
    assert opened == "When you opened the page: New"
    assert theirs.startswith("Keep theirs: Won (ben, ")
    assert mine == "Save mine: Lost (typed by you)"
    assert (fresh(record).stage, fresh(record).amount) == ("Won", 5)


@pytest.mark.parametrize(("side", "stage"), [("mine", "Lost"), ("theirs", "Won")])
def test_the_chosen_side_is_saved_with_all_else_that_was_typed(olga, side, stage):
    record = factories.opportunity(stage="New")
    form = open_form(olga, record)
    Opportunity.objects.update(stage="Won")
    page = send_form(olga, record, form, stage="Lost", next_step="Call")
    assert saved(olga.post(page.request["PATH_INFO"], choose(page, record, side)))
    assert (fresh(record).stage, fresh(record).next_step) == (stage, "Call")


def test_without_a_choice_it_is_asked_again(olga):
    record = factories.opportunity(stage="New")
    form = open_form(olga, record)
    Opportunity.objects.update(stage="Won")
    page = send_form(olga, record, form, stage="Lost")
    again = olga.post(page.request["PATH_INFO"], read_form(page, record))
    assert questions(again) == questions(page)
    assert fresh(record).stage == "Won"


@pytest.mark.parametrize("side", ["mine", "theirs"])
def test_a_choice_counts_only_for_the_value_that_was_shown(olga, side):
    record = factories.opportunity(stage="New")
    form = open_form(olga, record)
    Opportunity.objects.update(stage="Won")
    page = send_form(olga, record, form, stage="Lost")
    Opportunity.objects.update(stage="Open")
    again = olga.post(page.request["PATH_INFO"], choose(page, record, side))
    assert questions(again)["Stage"][0] == "When you opened the page: New"
    assert "Open" in questions(again)["Stage"][1]
    assert fresh(record).stage == "Open"


def test_choices_stay_chosen_while_another_is_open(olga):
    record = factories.opportunity(stage="New", next_step="")
    form = open_form(olga, record)
    Opportunity.objects.update(stage="Won", next_step="Wait")
    page = send_form(olga, record, form, stage="Lost", next_step="Call")
    answer = choose(page, record, "mine")
    del answer["choose-next_step"]
    again = olga.post(page.request["PATH_INFO"], answer)
    assert read_form(again, record)["choose-stage"] == answer["choose-stage"]
    assert saved(olga.post(page.request["PATH_INFO"], choose(again, record, "mine")))
    assert (fresh(record).stage, fresh(record).next_step) == ("Lost", "Call")


def test_two_who_change_a_field_to_the_same_value_are_not_asked(olga):
    record = factories.opportunity(stage="New")
    form = open_form(olga, record)
    Opportunity.objects.update(stage="Won")
    assert saved(send_form(olga, record, form, stage="Won"))


@pytest.mark.parametrize(
    ("theirs", "field", "typed", "label"),
    [
        ({"custom_attributes": {"Budget": "8"}}, "custom_Budget", "9", "Budget"),
        ({"is_won": True}, "is_won", "false", "Is Won"),
        ({"close_date": date(2026, 7, 1)}, "close_date", "2026-08-01", "Close Date"),
        (
            {"external_created_date": datetime(2026, 7, 1, 9, tzinfo=UTC)},
            "external_created_date_0",
            "2026-08-01",
            "SFDC Created Date",
        ),
        ({"description": "a\r\nc"}, "description", "a\r\nd", "Description"),
    ],
)
def test_every_sort_of_field_is_asked_about(olga, theirs, field, typed, label):
    CustomField.objects.create(name="Budget", data_type="integer")
    moment = datetime(2026, 6, 1, 9, tzinfo=UTC)
    record = factories.opportunity(
        custom_attributes={"Budget": "7"},
        close_date=date(2026, 6, 1),
        external_created_date=moment,
        description="a\nb",
    )
    form = open_form(olga, record)
    Opportunity.objects.update(**theirs)
    assert list(questions(send_form(olga, record, form, **{field: typed}))) == [label]


def test_an_untouched_page_keeps_all_that_others_changed(olga):
    CustomField.objects.create(name="Budget", data_type="integer")
    record = factories.opportunity(custom_attributes={"Budget": "7"}, description="a\nb", is_won=None)
    form = open_form(olga, record)
    changed = {
        "custom_attributes": {"Budget": "8"},
        "description": " c\nd ",
        "is_won": True,
        "quantity": Decimal("1.5000"),
        "external_created_date": datetime(2026, 7, 1, 9, tzinfo=UTC),
        "external_id": "E-other",
    }
    Opportunity.objects.update(**changed)
    assert saved(send_form(olga, record, form))
    assert {name: getattr(fresh(record), name) for name in changed} == changed


def test_values_of_several_lines_survive_an_edit_of_something_else(olga):
    CustomField.objects.create(name="Region", data_type="string", size=40)
    record = factories.opportunity(name="two\nlines", custom_attributes={"Region": "north\neast"}, stage="New")
    assert saved(send_form(olga, record, open_form(olga, record), stage="Won"))
    kept = fresh(record)
    assert (kept.name, kept.custom_attributes, kept.stage) == ("two\nlines", {"Region": "north\neast"}, "Won")
    program = factories.program()
    ProgramTag.objects.create(program=program, type="Region", value="north\neast")
    assert saved(send_form(olga, program, open_form(olga, program), name="Other"))
    assert program.tags.get().value == "north\neast"


def test_a_key_may_not_be_given_what_nobody_sees_but_an_old_one_is_left(olga):
    record = factories.opportunity(external_id="A\u200b1", stage="New")
    form = open_form(olga, record)
    answer = send_form(olga, record, form, external_id="B\u200b1")
    assert "It holds a character that cannot be seen" in answer.content.decode()
    assert saved(send_form(olga, record, form, stage="Won"))
    assert (fresh(record).external_id, fresh(record).stage) == ("A\u200b1", "Won")


def test_a_role_that_both_gave_to_another_opportunity_is_shown_by_names(olga):
    one, two, three = (factories.opportunity(name=name) for name in ("One", "Two", "Three"))
    role = factories.role(one)
    form = open_form(olga, role)
    OpportunityPersonRole.objects.update(opportunity=two)
    asked = questions(send_form(olga, role, form, opportunity=str(three.pk)))["Opportunity"]
    assert [line.partition(": ")[2].split(" (")[0] for line in asked] == ["One", "Two", "Three"]


# --- rows ---


@pytest.fixture
def program():
    program = factories.program()
    factories.cost(program, amount=Decimal(1))
    factories.tag(program)
    return program


def test_a_cost_that_both_changed_is_asked_about(olga, ben, program):
    form = open_form(olga, program)
    send_form(ben, program, open_form(ben, program), **{"costs-0-amount": "2"})
    page = send_form(olga, program, form, **{"costs-0-amount": "3", "costs-0-note": "Hall"})
    ((label, lines),) = questions(page).items()
    assert label == "Amount of period cost 2026-06 1.00"
    assert "Keep theirs: 2.00 (ben, " in lines[1]
    assert ProgramCost.objects.get().amount == 2
    assert saved(olga.post(page.request["PATH_INFO"], choose(page, program, "theirs")))
    cost = ProgramCost.objects.get()
    assert (cost.amount, cost.note) == (2, "Hall")


def test_rows_that_others_changed_added_or_removed_stay_so(olga, program):
    form = open_form(olga, program)
    ProgramTag.objects.update(value="APAC")
    ProgramCost.objects.all().delete()
    factories.cost(program, month=date(2026, 9, 1))
    response = send_form(olga, program, form, name="Renamed")
    assert saved(response)
    assert fresh(program).name == "Renamed"
    assert [str(tag) for tag in program.tags.all()] == ["Region: APAC"]
    assert [f"{cost.month:%m}" for cost in program.costs.all()] == ["09"]
    assert "period cost 2026-06 1.00 (removed), Value of program tag Region EMEA" in notes(response)


@pytest.mark.parametrize(("side", "amounts"), [("mine", [3]), ("theirs", [])])
def test_a_row_that_was_removed_while_it_was_edited_is_asked_about(olga, program, side, amounts):
    form = open_form(olga, program)
    ProgramCost.objects.all().delete()
    page = send_form(olga, program, form, **{"costs-0-amount": "3"})
    assert questions(page)["period cost 2026-06 1.00"] == [
        "When you opened the page: 2026-06 1.00",
        "Leave it removed: (removed) (it is not known who changed it)",
        "Add mine again: 2026-06 3 (typed by you)",
    ]
    assert not ProgramCost.objects.exists()
    assert saved(olga.post(page.request["PATH_INFO"], choose(page, program, side)))
    assert [cost.amount for cost in program.costs.all()] == amounts


@pytest.mark.parametrize(("side", "left"), [("mine", []), ("theirs", ["Region: APAC"])])
def test_a_row_that_was_changed_while_it_was_removed_is_asked_about(olga, program, side, left):
    form = open_form(olga, program)
    ProgramTag.objects.update(value="APAC")
    page = send_form(olga, program, form, **{"tags-0-DELETE": "on"})
    assert list(questions(page)) == ["program tag Region EMEA"]
    assert ProgramTag.objects.get().value == "APAC"
    assert saved(olga.post(page.request["PATH_INFO"], choose(page, program, side)))
    assert [str(tag) for tag in program.tags.all()] == left


def test_a_tag_type_that_another_added_meanwhile_is_explained(olga, program):
    form = open_form(olga, program)
    factories.tag(program, type="Unit", value="One")
    rows = {"tags-TOTAL_FORMS": "2", "tags-1-type": "unit", "tags-1-value": "Two"}
    page = send_form(olga, program, form, **rows)
    assert "already has a tag of this type" in page.content.decode()
    assert program.tags.get(type="Unit").value == "One"


def test_a_cost_on_a_page_of_its_own_is_asked_about(olga, ben, program):
    cost = program.costs.get()
    form = open_form(olga, cost)
    send_form(ben, program, open_form(ben, program), **{"costs-0-amount": "2"})
    asked = questions(send_form(olga, cost, form, amount="3"))
    assert "Keep theirs: 2.00 (ben, " in asked["Amount"][1]
    assert ProgramCost.objects.get().amount == 2


# --- deleting ---


def deleting(record) -> str:
    return reverse(f"admin:mobjects_{record._meta.model_name}_delete", args=[record.pk])


def change_stage(record):
    Opportunity.objects.update(stage="Won")


def change_role(record):
    OpportunityPersonRole.objects.update(role="Other")


def add_role(record):
    factories.role(record, role="Added")


@pytest.mark.parametrize("since", [change_stage, change_role, add_role])
def test_only_what_was_shown_is_deleted(olga, since):
    record = factories.opportunity()
    factories.role(record)
    asked = read_confirmation(olga.get(deleting(record)))
    since(record)
    again = olga.post(deleting(record), asked, follow=True)
    assert "was changed since the page was opened" in again.content.decode()
    assert Opportunity.objects.exists()
    olga.post(deleting(record), read_confirmation(again))
    assert not Opportunity.objects.exists()


def test_a_program_whose_costs_were_changed_since_is_not_deleted(olga, program):
    asked = read_confirmation(olga.get(deleting(program)))
    ProgramCost.objects.update(amount=9)
    olga.post(deleting(program), asked)
    assert Program.objects.exists()


@pytest.mark.parametrize("model", ["opportunity", "programcost"])
def test_of_a_selection_only_what_was_shown_is_deleted(olga, program, model):
    record = factories.opportunity() if model == "opportunity" else program.costs.get()
    address = reverse(f"admin:mobjects_{model}_changelist")
    choose = {"action": "delete_selected", "_selected_action": [record.pk]}
    asked = olga.post(address, choose)
    type(record).objects.update(**({"stage": "Won"} if model == "opportunity" else {"amount": 9}))
    again = olga.post(f"{asked.url}confirm/", follow=True)
    assert "1 left alone</a>, because they were changed" in again.text
    assert type(record).objects.exists()
    olga.post(f"{olga.post(address, choose).url}confirm/")
    assert not type(record).objects.exists()
