"""Addresses that only a pressed button leads to, opened by a link, by “back”, or after a login."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from mobjects.models import Conflict, Schedule, SyncJobAction
from tests import factories
from tests.views import pages
from tests.views.imports.made_imports import imported as made

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue")]

SAID = "Nothing was done"


@pytest.fixture
def boss():
    browser = Client()
    user = factories.user("boss")
    user.is_superuser = True
    user.set_password("secret")
    user.save()
    browser.force_login(user)
    return browser


def addresses(patterns, above=""):
    """The name of each address below the admin, with example arguments."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, f"{above}{pattern.namespace}:" if pattern.namespace else above)
        elif isinstance(pattern, URLPattern) and pattern.name:
            names = pattern.pattern.converters
            values = {"uuid": UUID(int=1), "int": 1}
            kinds = {name: type(each).__name__.removesuffix("Converter").lower() for name, each in names.items()}
            yield above + pattern.name, {name: values.get(kind, "1") for name, kind in kinds.items()}


@pytest.mark.django_db(transaction=True)  # One of the examples has no table; elsewhere that would end the transaction.
def test_no_address_answers_a_link_with_the_browsers_own_405(boss):
    found = dict(addresses(get_resolver().url_patterns))
    assert {"mobjects:job-pause", "admin:logout", "admin:mobjects_schedule_run_now", "mobjects:circuit-reset"} <= {
        *found
    }
    boss.raise_request_exception = False  # of examples that no page is about
    refused = []
    for name, values in found.items():
        if ":" in name and name != "admin:app_list" and boss.get(reverse(name, kwargs=values)).status_code == 405:
            refused.append(name)
        boss.force_login(factories.User.objects.get(username="boss"))
    assert refused == []


def conflict():
    return Conflict.objects.create(kind="Opportunity", record_id=1, label="x", reason="ambiguous")


CASES = {
    "job-queue-again": (pages.job, "admin:mobjects_syncjob_change"),
    "job-pause": (pages.job, "admin:mobjects_syncjob_change"),
    "job-resume": (pages.job, "admin:mobjects_syncjob_change"),
    "job-retry": (pages.job, "admin:mobjects_syncjob_change"),
    "conflict-decide": (conflict, "admin:mobjects_conflict_change"),
    "import-check": (made, "mobjects:import"),
    "import-fix": (made, "mobjects:import-review"),
    "import-write": (made, "mobjects:import-review"),
    "import-discard": (made, "mobjects:import"),
    "circuit-reset": (None, "mobjects:connection"),
    "describe": (None, "admin:mobjects_marketofield_changelist"),
    "delete-in-marketo": (None, "admin:mobjects_opportunity_changelist"),
}


@pytest.mark.parametrize("name", CASES)
def test_after_a_login_it_leads_back_to_its_page_with_a_sentence(boss, name):
    make, page = CASES[name]
    args = [make().pk] if make else []
    boss.logout()
    asked = boss.post(reverse(f"mobjects:{name}", args=args))
    response = boss.post(asked.url, {"username": "boss", "password": "secret"}, follow=True)
    assert response.redirect_chain[-1] == (reverse(page, args=args), 302)
    assert SAID in pages.text(response)


def test_a_result_leads_back_to_its_job(boss):
    result = pages.result(pages.job(), status="FAILED")
    response = boss.get(reverse("mobjects:result-retry", args=[result.pk]), follow=True)
    assert response.redirect_chain == [(pages.job_url(result.job), 302)]
    assert SAID in pages.text(response)
    assert boss.get(reverse("mobjects:result-retry", args=[999])).status_code == 404


def test_a_schedule_and_the_way_out_lead_back_too(boss):
    schedule = Schedule.objects.create(name="Daily", action=SyncJobAction.SEND, cron="0 6 * * *", time_zone="UTC")
    response = boss.get(reverse("admin:mobjects_schedule_run_now", args=[schedule.pk]), follow=True)
    assert response.redirect_chain == [(reverse("admin:mobjects_schedule_change", args=[schedule.pk]), 302)]
    assert SAID in pages.text(response)
    response = boss.get(reverse("admin:logout"), follow=True)
    assert response.redirect_chain == [(reverse("admin:index"), 302)]
    assert SAID in pages.text(response)
