"""What people change is kept with old and new values: on every page that changes a record, and shown again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from lxml import html

from mobjects.models import CustomField, Opportunity, ProgramCost, RecordEdit
from tests import factories
from tests.support.admin_forms import browser_of, open_form, read_confirmation, send_form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]


@pytest.fixture
def olga():
    return browser_of(factories.user("olga", group="operator"))


def edit(client, record, **changes):
    assert send_form(client, record, open_form(client, record), **changes).status_code == 302


def kept(kind, record) -> list[list[str]]:
    edits = RecordEdit.objects.filter(kind=kind, record_id=record.pk, username="olga").order_by("pk")
    assert len({entry.saving for entry in edits}) == 1
    return sorted(change for entry in edits for change in entry.changes)


def test_a_form_keeps_old_and_new_of_every_field(olga):
    CustomField.objects.create(name="Budget", data_type="integer")
    record = factories.opportunity(stage="New", amount=Decimal(5), custom_attributes={"Budget": "7"}, is_won=False)
    changes = {"stage": "", "amount": "7", "custom_Budget": "8", "is_won": "true", "close_date": "2026-06-30"}
    edit(olga, record, **changes, external_id="E-new")
    assert kept("Opportunity", record) == [
        ["Amount", "5.00", "7.00"],
        ["Budget", "7", "8"],
        ["CloseDate", "", "2026-06-30"],
        ["External ID", record.external_id, "E-new"],
        ["IsWon", "false", "true"],
        ["Stage", "New", ""],
    ]


def test_a_programs_form_keeps_its_costs_and_tags_too(olga):
    program = factories.program(name="Old")
    cost = factories.cost(program, amount=Decimal(1), note="Hall")
    gone = factories.tag(program, type="Region", value="EMEA")
    rows = {"costs-0-amount": "2", "costs-0-marketo_cost_id": "9", "tags-0-DELETE": "on"}
    edit(olga, program, **rows, name="New", type="Event")
    assert kept("Program", program) == [
        [cost.content_key, "2026-06 1.00 Hall", "2026-06 2.00 Hall (Marketo cost ID 9)"],
        ["Name", "Old", "New"],
        [gone.content_key, "EMEA", ""],
        ["Type", "", "Event"],
    ]


def test_a_role_that_goes_to_another_opportunity_is_kept_by_names(olga):
    one, two = factories.opportunity(name="One"), factories.opportunity(name="Two")
    role = factories.role(one)
    edit(olga, role, opportunity=str(two.pk))
    assert kept("OpportunityPersonRole", role) == [
        ["Opportunity", f"One (our no. {one.pk})", f"Two (our no. {two.pk})"]
    ]


def test_a_cost_on_a_page_of_its_own_is_kept_with_its_program(olga):
    cost = factories.cost(factories.program(), amount=Decimal(1))
    edit(olga, cost, amount="2")
    assert kept("Program", cost.program) == [[cost.content_key, "2026-06 1.00", "2026-06 2.00"]]


def test_a_cost_that_goes_to_another_program_is_kept_with_both(olga):
    one, two = factories.program(marketo_id=1001), factories.program(marketo_id=1002)
    cost = factories.cost(one)
    edit(olga, cost, program=str(two.pk))
    assert kept("Program", one) == [[cost.content_key, "2026-06 2000.00", ""]]
    assert kept("Program", two) == [[cost.content_key, "", "2026-06 2000.00"]]


def test_a_new_record_is_kept_with_all_its_values(olga):
    form = open_form(olga, factories.opportunity()) | {"name": "New", "external_id": "E-new", "marketo_id": ""}
    olga.post(reverse("admin:mobjects_opportunity_add"), form)
    assert kept("Opportunity", Opportunity.objects.get(name="New")) == [
        ["External ID", "", "E-new"],
        ["Name", "", "New"],
    ]


def test_a_saving_that_changes_nothing_leaves_no_entry(olga):
    record = factories.opportunity()
    edit(olga, record)
    assert not RecordEdit.objects.filter(username="olga").exists()
    page = olga.get(reverse("admin:mobjects_opportunity_history", args=[record.pk]))
    assert "No fields changed" not in page.content.decode()


def test_a_form_that_is_refused_leaves_no_entry(olga):
    record = factories.opportunity()
    send_form(olga, record, open_form(olga, record), stage="Won", amount="much")
    assert not RecordEdit.objects.filter(username="olga").exists()


def test_what_somebody_else_saved_meanwhile_is_not_counted_as_ones_own(olga):
    record = factories.opportunity(stage="New")
    form = open_form(olga, record)
    Opportunity.objects.update(stage="Won")
    send_form(olga, record, form, next_step="Call")
    assert kept("Opportunity", record) == [["NextStep", "", "Call"]]


@pytest.mark.parametrize("way", ["page", "selection"])
def test_deleting_keeps_the_last_values_of_all_that_goes(olga, way):
    record = factories.opportunity(name="Deal")
    role = factories.role(record)
    if way == "page":
        address = reverse("admin:mobjects_opportunity_delete", args=[record.pk])
        olga.post(address, read_confirmation(olga.get(address)))
    else:
        address = reverse("admin:mobjects_opportunity_changelist")
        asked = olga.post(address, {"action": "delete_selected", "_selected_action": [record.pk]})
        olga.post(f"{asked.url}confirm/")
    assert ["Name", "Deal", ""] in kept("Opportunity", record)
    assert ["Role", "Influencer", ""] in kept("OpportunityPersonRole", role)
    page = olga.get(reverse("mobjects:record-history", args=["Opportunity", record.pk]))
    assert "Deleted here" in page.content.decode()


def test_deleting_a_cost_is_kept_with_its_program(olga):
    cost = factories.cost(factories.program())
    address = reverse("admin:mobjects_programcost_delete", args=[cost.pk])
    olga.post(address, read_confirmation(olga.get(address)))
    assert kept("Program", cost.program) == [[cost.content_key, "2026-06 2000.00", ""]]
    assert not ProgramCost.objects.exists()


def test_the_name_of_a_deleted_person_stays(olga):
    record = factories.opportunity()
    edit(olga, record, stage="Won")
    User.objects.all().delete()
    assert kept("Opportunity", record) == [["Stage", "", "Won"]]


def rows_of(page) -> list[str]:
    return [
        " ".join(row.text_content().split())
        for row in html.fromstring(page.content.decode()).xpath("//*[@id='timeline']//tbody/tr")
    ]


def test_the_history_shows_who_changed_what_from_what_to_what(olga):
    record = factories.opportunity(stage="New")
    edit(olga, record, stage="Won", next_step="Call")
    page = olga.get(reverse("admin:mobjects_opportunity_history", args=[record.pk]), follow=True)
    line, made = rows_of(page)
    assert "UTC Form olga" in line
    assert "Stage: New →now Won" in line
    assert "Next Step: (empty) →now Call" in line
    assert "Outside of these pages -" in made
    log = olga.get(reverse("admin:mobjects_opportunity_history", args=[record.pk]) + "?log=1")
    assert "Changed" in log.content.decode()


def test_the_history_of_a_cost_is_that_of_its_program(olga):
    cost = factories.cost(factories.program(), month=date(2026, 6, 1))
    edit(olga, cost, amount="2")
    page = olga.get(reverse("admin:mobjects_programcost_history", args=[cost.pk]), follow=True)
    assert "Period cost: 2026-06 2000.00 →now 2026-06 2.00" in rows_of(page)[0]
