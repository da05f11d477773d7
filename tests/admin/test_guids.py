"""A Marketo GUID is found, shown and kept: in lists, on the form, in the history."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects.models import Opportunity
from tests import factories
from tests.factories import fresh
from tests.support.guids import guid
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]


@pytest.fixture
def browser(groups):
    return pages.client("operator")


def listed(browser, model, term):
    page = browser.get(reverse(f"admin:mobjects_{model}_changelist"), {"q": term})
    return [str(row) for row in (page.context["rows"] if model == "syncresult" else page.context["cl"].result_list)]


@pytest.mark.parametrize("term", [guid(1), guid(1).upper(), f" {guid(1)} "])
def test_lists_find_records_and_roles_of_opportunities_by_guid(browser, term):
    deal = factories.opportunity(name="Deal", marketo_guid=guid(1))
    factories.opportunity(name="Other", marketo_guid=guid(11))
    role = factories.role(deal, marketo_guid=guid(2))
    assert listed(browser, "opportunity", term) == ["Deal"]
    assert listed(browser, "opportunitypersonrole", term) == [str(role)]
    assert listed(browser, "opportunitypersonrole", guid(2).upper()) == [str(role)]
    assert listed(browser, "opportunity", guid(1)[:20]) == []


@pytest.mark.parametrize("term", [guid(1), f" {guid(1).upper()} "])
def test_the_history_finds_jobs_and_results_by_guid(browser, term):
    job = pages.job()
    found = pages.result(job, marketo_guid=guid(1), label="Deal")
    pages.result(pages.job(), marketo_guid=guid(2), label="Other")
    assert listed(browser, "syncresult", term) == [str(found)]
    assert listed(browser, "syncjob", term) == [str(job)]
    page = browser.get(pages.job_url(job), {"q": term})
    assert f"GUID</span> {guid(1)}" in pages.text(page)
    assert not list(browser.get(pages.job_url(job), {"q": guid(2)}).context["rows"])


def test_the_records_history_shows_the_guid(browser):
    record = factories.opportunity(marketo_guid=guid(1))
    pages.result(pages.job(), record_id=record.pk, marketo_guid=guid(1))
    page = browser.get(reverse("mobjects:record-history", args=["Opportunity", record.pk]))
    assert f"GUID</span> {guid(1)}" in pages.text(page)


def test_a_guid_is_entered_with_a_new_record_only_and_makes_a_key_of_its_own_needless(browser):
    address = reverse("admin:mobjects_opportunity_add")
    browser.post(address, {"name": "Deal", "marketo_guid": guid(1).upper(), "_save": "1"})
    record = Opportunity.objects.get()
    assert (record.marketo_guid, record.external_id) == (guid(1), None)
    page = browser.get(reverse("admin:mobjects_opportunity_change", args=[record.pk]))
    assert guid(1) in pages.text(page)
    assert 'name="marketo_guid"' not in pages.text(page)
    assert fresh(record).marketo_guid == guid(1)


def test_a_guid_that_can_be_none_is_refused_in_words(browser):
    response = browser.post(
        reverse("admin:mobjects_opportunity_add"), {"name": "x", "marketo_guid": "a b", "_save": "1"}
    )
    assert "“a b” is no Marketo GUID" in pages.text(response)
    assert not Opportunity.objects.exists()
