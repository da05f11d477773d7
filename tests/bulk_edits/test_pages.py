"""The way from a list to a bulk edit and back, as people see it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from mobjects.models import (
    AllowedTag,
    BulkEdit,
    BulkEditState,
    CustomField,
    Opportunity,
    Program,
    ProgramCost,
)
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def browser(groups):
    return pages.client("operator")


def ask(browser, *records, model="opportunity", query=""):
    """Choose the action of a list, of some records or of all that it shows."""
    data = {"action": "edit_selected", "_selected_action": [row.pk for row in records] or [1], "index": "0"}
    address = reverse(f"admin:mobjects_{model}_changelist") + query
    return browser.post(address, data | ({} if records else {"select_across": "1"}), follow=True)


def plan(browser, do, **values):
    """Say what is to be done."""
    (asked,) = BulkEdit.objects.filter(state__in=("choosing", "review"))
    return browser.post(reverse("mobjects:bulk-edit-plan", args=[asked.pk]), {"do": do, **values}, follow=True)


def press(browser, name, **values):
    asked = BulkEdit.objects.latest("pk")
    return browser.post(
        reverse(f"mobjects:bulk-edit-{name}", args=[asked.pk]), {"plan": asked.plan, **values}, follow=True
    )


def test_the_sentence_before_the_button_says_exactly_what_will_happen(browser):
    for number in range(3):
        factories.opportunity(name=f"Deal {number}", stage="Won" if number else "New", company_key="K")
    factories.opportunity(name="Other", stage="New")
    shown = ask(browser, query="?q=Deal")
    assert "You chose 3 opportunities (search: “Deal”)." in pages.words(shown)
    shown = plan(browser, ".set:Stage", value=" Won ")
    assert "Set Stage to “Won” in 1 opportunity; 2 stay: it is so already." in pages.words(shown)
    shown = plan(browser, ".set:Company ID", value="7")
    words = "in 0 opportunities; 3 are refused: Give the company ID or the company key, not both."
    assert words in pages.words(shown)
    assert "There is nothing to change." in pages.words(shown)


def test_it_is_done_shown_in_the_timeline_and_undone(browser):
    record = factories.opportunity(name="Deal", amount=Decimal("10.05"))
    ask(browser, record)
    shown = plan(browser, ".multiply:Amount", value="110%")
    assert "Multiply Amount by 1.1 in 1 opportunity." in pages.words(shown)
    assert "10.05 →now 11.06" in pages.words(shown)
    shown = press(browser, "confirm")
    assert "Done: Multiply Amount by 1.1 in 1 opportunity." in pages.words(shown)
    assert Opportunity.objects.get().amount == Decimal("11.06")
    number = BulkEdit.objects.get().pk
    history = browser.get(reverse("mobjects:record-history", args=["Opportunity", record.pk]))
    assert f"Bulk edit {number}" in pages.words(history)
    assert reverse("mobjects:bulk-edit", args=[number]) in history.content.decode()
    listed = browser.get(reverse("admin:mobjects_bulkedit_changelist"))
    assert "Multiply Amount by 1.1 in 1 opportunity" in pages.words(listed)
    assert "Deal" in pages.words(press(browser, "sync"))
    assert "Undone: 1 is as before." in pages.words(press(browser, "undo"))
    assert Opportunity.objects.get().amount == Decimal("10.05")
    history = browser.get(reverse("mobjects:record-history", args=["Opportunity", record.pk]))
    assert f"Undo of bulk edit {number}" in pages.words(history)


def counted(browser, response, words):
    """The records of the list that a count in the sentence leads to."""
    links = pages.tree(response).xpath("//p[@role='status']/a")
    address = next(link.get("href") for link in links if words in link.text_content())
    rows = pages.tree(browser.get(response.request["PATH_INFO"] + address)).xpath("//tbody/tr/th")
    return sorted(" ".join(row.text_content().split()) for row in rows)


def test_each_count_of_the_sentence_leads_to_exactly_these(browser):
    records = [factories.opportunity(name=name, stage="New") for name in ("A", "B", "C", "D")]
    ask(browser, *records)
    plan(browser, ".set:Stage", value="Won")
    Opportunity.objects.filter(name="A").update(stage="Lost")
    shown = press(browser, "confirm")
    assert counted(browser, shown, "3 opportunities") == ["B", "C", "D"]
    assert counted(browser, shown, "1") == ["A"]
    Opportunity.objects.filter(name="B").update(stage="Lost")
    shown = press(browser, "undo")
    assert "Undone: 2 are as before, left alone: 1." in pages.words(shown)
    assert counted(browser, shown, "2") == ["C", "D"]
    assert counted(browser, shown, "1") == ["B"]


def test_the_same_press_twice_and_a_page_that_is_out_of_date_do_nothing_more(browser):
    ask(browser, factories.opportunity(stage="New"))
    plan(browser, ".set:Stage", value="Won")
    seen = BulkEdit.objects.get().plan
    plan(browser, ".set:Stage", value="Lost")
    shown = press(browser, "confirm", plan=seen)
    assert "another choice was made since" in pages.words(shown)
    press(browser, "confirm")
    assert "It was confirmed already" in pages.words(press(browser, "confirm"))
    assert Opportunity.objects.get().stage == "Lost"


@pytest.mark.parametrize(
    ("do", "values", "words"),
    [
        (".set:Amount", {"value": "1.234,50"}, "“1.234,50” is not a number"),
        (".set:Amount", {"value": ""}, "to empty the field choose “Clear a field”"),
        (".set:Probability", {"value": "101"}, "is not between 0 and 100 percent"),
        (".set:Name", {"value": "x" * 256}, "255"),
        (".add:Amount", {"value": "0"}, "Adding 0 changes nothing."),
        (".multiply:Amount", {"value": "100 %"}, "Multiplying by 1 changes nothing."),
        (".replace:Name", {"sought": "", "value": "x"}, "This field is required."),
        (".replace:Name", {"sought": "x", "value": "x"}, "give another one"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_where_it_is_typed(browser, do, values, words):
    ask(browser, factories.opportunity())
    shown = plan(browser, do, **values)
    assert shown.status_code == 400
    assert words in pages.words(shown)
    assert BulkEdit.objects.get().state == BulkEditState.CHOOSING


def test_tags_and_channels_are_those_that_marketo_knows(browser):
    for kind, value in (("Channel", "Webinar"), ("Region", "EMEA")):
        AllowedTag.objects.create(type=kind, value=value, described_at=pages.MOMENT)
    ask(browser, factories.program(), model="program")
    assert "nearest: Webinar" in pages.words(plan(browser, ".set:Channel", value="Webnar"))
    assert "nearest: EMEA" in pages.words(plan(browser, ".tag:", sought="Region", value="EMA"))
    assert "The channel is a field of its own" in pages.words(plan(browser, ".tag:", sought="channel", value="Webinar"))
    shown = plan(browser, ".tag:", sought="Region", value="EMEA")
    assert "Set the tag Region to “EMEA” in 1 program." in pages.words(shown)


def test_costs_of_chosen_programs_are_moved_and_copied(browser):
    program = factories.program()
    factories.cost(program, month=date(2026, 12, 1), amount=Decimal("5.00"))
    ask(browser, program, model="program")
    shown = plan(browser, "programcost.shift:Month", value="1")
    assert "Move 1 period cost 1 month later." in pages.words(shown)
    assert "2026-12 →now 2027-01" in pages.words(shown)
    shown = plan(browser, "programcost.copy:", sought="2026-12", value="2026-13")
    assert "is not a month" in pages.words(shown)
    shown = plan(browser, "programcost.copy:", sought="2026-12", value="2027-01")
    assert "Copy 1 period cost of 2026-12 to 2027-01." in pages.words(shown)
    press(browser, "confirm")
    assert sorted(ProgramCost.objects.values_list("month", "amount")) == [
        (date(2026, 12, 1), 5),
        (date(2027, 1, 1), 5),
    ]


def test_only_what_the_persons_form_would_take_is_offered_and_taken(groups, browser):
    viewer = pages.client("viewer")
    record = factories.opportunity()
    ask(browser, record)
    page = reverse("mobjects:bulk-edit", args=[BulkEdit.objects.get().pk])
    assert "You may not change these records." in pages.words(viewer.get(page))
    assert plan(viewer, ".set:Stage", value="Won").status_code == 403
    for locked in ("Marketo ID", "External ID", "Revision", "nothing"):
        assert plan(browser, f".set:{locked}", value="1").status_code == 403
    editor = factories.user("costs-only")
    editor.user_permissions.add(*Permission.objects.filter(codename__in=("view_program", "change_program")))
    browser.force_login(editor)
    ask(browser, factories.program(), model="program")
    page = reverse("mobjects:bulk-edit", args=[BulkEdit.objects.get(model="program").pk])
    shown = browser.get(page).content.decode()
    assert "Find and replace text" in shown
    assert "Remove a tag" not in shown
    assert "Period costs" not in shown.partition("<optgroup")[2].partition("</select>")[0]


def test_a_custom_field_that_is_gone_ends_in_the_choice(browser):
    field = CustomField.objects.create(name="Region", label="Sales region", data_type="string")
    record = factories.opportunity()
    ask(browser, record)
    shown = plan(browser, ".set:Region", value="EMEA")
    assert "Set Sales region to “EMEA” in 1 opportunity." in pages.words(shown)
    field.delete()
    shown = press(browser, "confirm")
    assert "1 was left alone." in pages.words(shown)
    assert Opportunity.objects.get().custom_attributes == {}


def test_programs_are_kept_when_nothing_is_chosen(browser):
    program = factories.program()
    ask(browser, program, model="program")
    assert Program.objects.get().revision == program.revision


@pytest.mark.usefixtures("marketo_settings", "sandbox")
def test_what_was_changed_is_sent_and_nothing_else(browser, work, django_capture_on_commit_callbacks):
    first, second, other = (factories.opportunity(name=name, stage="New") for name in ("First", "Second", "Other"))
    ask(browser, first, second)
    plan(browser, ".set:Stage", value="Won")
    press(browser, "confirm")
    asking = press(browser, "sync").context["form"]
    values = {name: asking[name].value() or "" for name in asking.fields}
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/admin/sync/", {**values, "shown": asking.options, "send": "1"})
    work()
    sent = Opportunity.objects.filter(last_status="CREATED").values_list("name", "stage")
    assert sorted(sent) == [("First", "Won"), ("Second", "Won")]
    other.refresh_from_db()
    assert (other.last_status, other.marketo_id) == ("", None)
