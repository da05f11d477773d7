"""While sending is halted: the banner on every page, and letting it go on."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mobjects.jobs.job_lease import WAITS_FOR_RESET
from mobjects.models import Circuit, SyncJobState
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db
BANNER = "Sending is halted since"
CONNECTION = "/admin/connection/"


@pytest.fixture
def browser(groups, redis_url):
    return pages.client()


@pytest.fixture
def circuit(db) -> Circuit:
    return Circuit.objects.create(job=pages.job(), code="20014", reason="Marketo refused <the> signature.")


@pytest.mark.parametrize(
    "address",
    ["/admin/", CONNECTION, "/admin/mobjects/opportunity/", "/admin/mobjects/opportunity/add/", "/admin/sync/"],
)
def test_a_banner_on_each_page_says_why_nothing_is_sent(browser, circuit, address):
    shown = pages.text(browser.get(address))
    assert BANNER in shown
    assert "Marketo refused &lt;the&gt; signature." in shown
    assert f'href="{CONNECTION}#halted"' in shown


def test_a_refused_signature_halts_all_sending_and_is_said_on_every_page(browser, marketo_settings, settings):
    settings.MARKETO = {**marketo_settings, "ENCRYPTION_KEY": "another"}
    job, waits = factories.sync(factories.opportunity()), factories.sync(factories.opportunity())
    assert (job.state, waits.state) == (SyncJobState.STOPPED, SyncJobState.WAITING)
    shown = pages.text(browser.get(pages.job_url(waits)))
    assert BANNER in shown
    assert "Waiting for a person" in shown
    assert "another" not in shown
    assert "Send what is left" in pages.text(browser.get(pages.job_url(job)))


def test_without_a_halt_there_is_no_banner(browser):
    assert BANNER not in pages.text(browser.get("/admin/"))


def test_outsiders_learn_nothing_of_it(circuit):
    assert BANNER not in pages.text(Client().get("/admin/login/"))


def test_those_who_may_not_see_the_connection_get_no_link_to_it(groups, circuit):
    shown = pages.text(pages.client("viewer").get("/admin/"))
    assert BANNER in shown
    assert CONNECTION not in shown


@pytest.mark.django_db(transaction=True)
def test_resetting_lets_the_waiting_jobs_go_on(browser, circuit, queue):
    job = pages.job(state=SyncJobState.WAITING, waits_for=WAITS_FOR_RESET)
    assert "Reset: let sending go on" in pages.text(browser.get(CONNECTION))
    response = browser.post(reverse("mobjects:circuit-reset"), follow=True)
    shown = pages.text(response)
    assert "Sending goes on." in shown
    assert BANNER not in shown
    assert "by operator-user" in shown
    assert [queue_id[:36] for queue_id in queue.job_ids] == [str(job.pk)]
    assert "Sending is not halted." in pages.text(browser.post(reverse("mobjects:circuit-reset"), follow=True))


def test_a_job_that_waits_for_it_leads_to_the_connection_page(browser, circuit):
    job = pages.job(state=SyncJobState.WAITING, waits_for=WAITS_FOR_RESET)
    shown = pages.text(browser.get(reverse("mobjects:job-live", args=[job.pk])))
    assert f"Waiting for a person: {WAITS_FOR_RESET}" in shown
    assert f'href="{CONNECTION}#halted"' in shown


def test_only_those_with_the_permission_can_reset(groups, circuit, redis_url):
    user = factories.user("tess")
    user.user_permissions.add(factories.permission("test_connection"))
    tester = Client()
    tester.force_login(user)
    shown = pages.text(tester.get(CONNECTION))
    assert "Reset: let sending go on" not in shown
    assert "You are not allowed to reset it." in shown
    assert tester.post(reverse("mobjects:circuit-reset")).status_code == 403
    assert Circuit.objects.filter(reset_at=None).exists()


def test_the_last_halts_stay_listed(browser):
    for number in range(7):
        Circuit.objects.create(reason=f"Reason {number}.", reset_at="2026-03-01T12:00:00Z", username="alice")
    shown = pages.text(browser.get(CONNECTION))
    assert "Reason 6." in shown
    assert "Reason 2." in shown
    assert "Reason 1." not in shown
