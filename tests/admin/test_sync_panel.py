"""The panel above a record's form: what became of it in Marketo, and what of that still holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from lxml import html

from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.models import Opportunity, OpportunityPersonRole, ProgramCost, SyncJobAction
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]


@pytest.fixture
def operator(client):
    client.force_login(factories.user("olga", group="operator"))
    return client


def panel(client, record) -> str:
    """What the panel says, in one line."""
    page = client.get(reverse(f"admin:mobjects_{record._meta.model_name}_change", args=[record.pk]))
    title = html.fromstring(page.content).get_element_by_id("sync-panel-title")  # type: ignore[attr-defined]  # poor stubs
    return " ".join(title.getparent().getparent().text_content().split())


def refused(record, *, error="Stage: refused"):
    """A record that Marketo refused at the revision it has now, in a job of Ann's."""
    job = pages.job(username="ann")
    model = type(record)
    model.objects.filter(pk=record.pk).update(
        last_status="FAILED", last_error=error, answered_revision=factories.fresh(record).revision
    )
    pages.result(
        job,
        kind=record.KIND.value,
        record_id=record.pk,
        revision=factories.fresh(record).revision,
        status="FAILED",
        error=error,
    )
    return job


def compared(record, status, *, username="bob", action=SyncJobAction.COMPARE, **values):
    job = pages.job(action=action, username=username)
    return pages.result(
        job, kind=record.KIND.value, record_id=record.pk, revision=record.revision, status=status, **values
    )


def test_the_last_sending_and_the_last_comparison_are_two_lines(operator):
    record = factories.opportunity()
    refused(record)
    compared(record, "DIFFERS", error="Here, not sent yet: Stage is “Won”.")
    said = panel(operator, record)
    sending, comparison = said.index("Last sending: Failed"), said.index("Last comparison: Differs from Marketo")
    assert sending < said.index("by ann.") < said.index("Reason: Stage: refused") < comparison
    assert comparison < said.index("by bob.") < said.index("Reason: Here, not sent yet")


def test_a_look_up_of_its_id_says_what_it_found(operator):
    record = factories.opportunity()
    compared(record, "MISSING", action=SyncJobAction.IDENTIFY, error="Marketo has no opportunity with this key.")
    said = panel(operator, record)
    assert "Last look-up of IDs: " in said
    assert "Reason: Marketo has no opportunity with this key." in said


@pytest.mark.parametrize("status", ["FAILED", "SKIPPED"])
def test_the_reason_of_a_refusal_goes_when_the_record_was_changed(operator, status):
    record = factories.opportunity(stage="Bad")
    refused(record)
    Opportunity.objects.update(last_status=status)
    assert "Reason: Stage: refused" in panel(operator, record)
    Opportunity.objects.update(stage="Won")
    said = panel(operator, record)
    assert "Stage: refused" not in said
    assert f"Changed, {status.lower()} before" in said
    assert "The record was changed since." in said


def test_a_finding_of_a_comparison_goes_when_the_record_was_sent_since(operator):
    record = factories.opportunity(stage="Won")
    factories.sync(record)
    compared(factories.fresh(record), "DIFFERS", error="Here, not sent yet: Stage is “Won”.")
    Opportunity.objects.update(stage="Lost")
    factories.sync(record)
    said = panel(operator, record)
    assert "Here, not sent yet" not in said
    assert "Last comparison: Differs from Marketo" in said
    assert "It was changed, sent or read again since." in said


def test_a_finding_of_a_comparison_goes_when_marketo_was_read_again(operator):
    record = factories.opportunity(stage="Won")
    factories.sync(record)
    compared(factories.fresh(record), "MISSING", error="It is gone there.")
    assert "It is gone there." in panel(operator, record)
    selection = {"kinds": ["Opportunity"], "ids": [record.pk]}
    run_job(create_job(SyncJobAction.COMPARE, "Opportunity", selection))
    assert "It is gone there." not in panel(operator, record)


def test_the_reason_of_a_holding_back_goes_when_it_holds_no_more(operator):
    opportunity = factories.opportunity()
    role = factories.role(opportunity)
    factories.sync(role)
    assert "Reason: Its opportunity has no Marketo ID yet" in panel(operator, role)
    Opportunity.objects.update(marketo_id=64)
    said = panel(operator, role)
    assert "no Marketo ID yet" not in said
    assert "That holds no more." in said
    assert OpportunityPersonRole.objects.get().revision == 1


def test_a_held_back_cost_keeps_its_reason_until_its_id_is_known(operator):
    program = factories.program()
    cost = factories.cost(program)
    factories.sync(program)
    ProgramCost.objects.filter(pk=cost.pk).update(amount=Decimal(99), marketo_cost_id=None)
    factories.sync(program)
    # The job read the ID back after it had held the program back.
    assert "That holds no more." in panel(operator, program)
    ProgramCost.objects.filter(pk=cost.pk).update(marketo_cost_id=None)
    assert "Reason: The cost 2026-06" in panel(operator, program)


def test_a_value_that_cannot_be_sent_keeps_its_reason_until_it_was_changed(operator):
    record = factories.opportunity(company_key="C-1")
    factories.sync(record)
    assert "Reason: Its company is given by key" in panel(operator, record)
    Opportunity.objects.update(company_key="")
    assert "That holds no more." in panel(operator, record)


def test_the_list_shows_no_error_of_what_was_corrected(operator):
    record = factories.opportunity(name="Broken", stage="Bad")
    refused(record)
    address = reverse("admin:mobjects_opportunity_changelist")
    assert "Stage: refused" in pages.text(operator.get(address))
    Opportunity.objects.update(stage="Won")
    page = pages.text(operator.get(address))
    assert "Changed, failed before" in page
    assert "Stage: refused" not in page
    assert "Broken" in pages.text(operator.get(address, {"state": "changed_failed"}))
    assert "Broken" not in pages.text(operator.get(address, {"state": "failed"}))
    assert "Broken" not in pages.text(operator.get(address, {"state": "changed"}))


def test_all_that_differs_can_be_looked_at_page_by_page(operator):
    program = factories.program()
    for number in range(30):
        factories.cost(program, month=date(2020 + number // 12, 1 + number % 12, 1), amount=Decimal(1000 + number))
    address = reverse("admin:mobjects_program_change", args=[program.pk])

    def shown(query=""):
        page = pages.tree(operator.get(address + query))
        return page, [row.text_content() for row in page.xpath("//*[@aria-labelledby='sync-panel-title']//tbody/tr")]

    page, first = shown()
    (following,) = page.xpath("//nav[@aria-label='Pages of differences']//a[@rel='next']/@href")
    _, second = shown(following)
    assert (len(first), len(second)) == (25, 5)
    assert len({*first, *second}) == 30
    assert shown("?differences=nonsense")[1] == first
