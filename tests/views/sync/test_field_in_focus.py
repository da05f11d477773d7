"""A record inside its job has the keyboard in the field that the reason names, also in rows and among custom fields."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from mobjects.models import CustomField, SyncJobState
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(groups):
    return pages.client()


def result_url(result, query: str = "") -> str:
    return reverse("mobjects:result", args=[result.pk]) + query


def focused(browser, result) -> list[tuple[str, str]]:
    page = pages.tree(browser.get(result_url(result), follow=True))
    return [(each.get("name"), each.get("value")) for each in page.xpath("//*[@autofocus]")]


def test_a_custom_field_that_a_reason_names_is_in_focus(browser):
    for name, label in (("Aim", ""), ("Region__c", "Sales region"), ("Zone", "")):
        CustomField.objects.create(kind="Opportunity", name=name, label=label, size=50)
    record = factories.opportunity(custom_attributes={"Region__c": "Nowhere"})
    reason = "A value is wrong. (Marketo: 1003 - Invalid value for field 'region__c' and value 'Nowhere')"
    values = {"sent": {"Region__c": "Nowhere"}, "diff": [["Region__c", "", "Nowhere"]], "error": reason}
    job = pages.job(kind="all", state=SyncJobState.PROBLEMS, counts={"FAILED": 1})
    result = pages.result(job, record_id=record.pk, status="FAILED", **values)
    assert focused(browser, result) == [("custom_Region__c", "Nowhere")]
    said = pages.words(browser.get(result_url(result)))
    assert "Sales region: A value is wrong." in said
    assert "Region__c (in error)" in said
    assert "(field: Sales region)" in pages.words(browser.get(pages.job_url(job)))


@pytest.mark.parametrize(
    ("reason", "named", "focus"),
    [
        ("Tag Region: 'EMEA' is not one of its values", "Tag Region", ("tags-1-value", "EMEA")),
        ("the cost of 2026-06: 7 is not between 0 and 5", "Period cost 2026-06: Amount", ("costs-1-amount", "7.00")),
        ("The channel “Radio” is not known in Marketo; known: Email.", "Channel", ("channel", "Radio")),
    ],
)
def test_the_row_of_a_program_that_a_reason_names_is_in_focus(browser, reason, named, focus):
    program = factories.program(channel="Radio")
    for kind, value in (("Area", "North"), ("Region", "EMEA")):
        factories.tag(program, type=kind, value=value)
    costs = [factories.cost(program, month=date(2026, month, 1), amount=7) for month in (5, 6)]
    sent = {"Channel": "Radio", "Tag Region": "EMEA", f"Cost {costs[1].pk}": "2026-06 7.00"}
    job = pages.job(kind="Program", state=SyncJobState.PROBLEMS, counts={"FAILED": 1})
    result = pages.result(job, kind="Program", record_id=program.pk, status="FAILED", error=reason, sent=sent, diff=[])
    assert focused(browser, result) == [focus]
    page = pages.tree(browser.get(result_url(result)))
    assert len(page.xpath("//tr[contains(., 'in error')]")) == 1
    assert f"(field: {named})" in pages.words(browser.get(pages.job_url(job)))


def test_a_row_on_another_page_of_the_form_is_found_there(browser):
    program = factories.program()
    costs = [factories.cost(program, month=date(2020 + year, month, 1)) for year in range(4) for month in range(1, 13)]
    job = pages.job(kind="Program", state=SyncJobState.PROBLEMS, counts={"HELD": 2})
    error = "The cost 2023-12 2000.00: Marketo takes whole amounts only over this API; 2000 would be next."
    result = pages.result(job, kind="Program", record_id=program.pk, status="HELD", error=error)
    response = browser.get(result_url(result, "?status=all"))
    assert response.url == result_url(result, "?status=all&costs-page=2")
    assert focused(browser, result) == [(f"costs-{len(costs) - 25 - 1}-amount", "2000.00")]
    assert "costs-page" not in browser.get(response.url).context["list_query"]
