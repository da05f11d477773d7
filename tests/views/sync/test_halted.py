"""While sending is halted: the banner on every page, and letting it go on."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mobjects.jobs.job_lease import WAITS_FOR_RESET
from mobjects.models import Circuit, Kind, SyncJobState
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


@pytest.fixture
def kinds(db):
    """Two kinds halted by themselves."""
    for kind in (Kind.OPPORTUNITY, Kind.PROGRAM):
        Circuit.objects.create(kind=kind.value, code="20013", reason=f"No access to {kind.value}.")


def reset_buttons(browser) -> dict[str, str | None]:
    """The words of each button that resets, and the kind that it sends; ``None`` if it sends none."""
    forms = pages.tree(browser.get(CONNECTION)).xpath("//form[@action='/admin/connection/reset/'][@method='post']")
    return {
        " ".join(form.xpath("string(.//button[@type='submit'])").split()): form.xpath(
            "string(.//input[@name='kind']/@value)"
        )
        if form.xpath(".//input[@name='kind']")
        else None
        for form in forms
    }


def open_halts() -> list[str]:
    return [*Circuit.objects.filter(reset_at=None).order_by("kind").values_list("kind", flat=True)]


def test_each_halted_kind_has_its_button_and_several_have_one_for_all(browser, kinds):
    assert reset_buttons(browser) == {
        "Reset opportunities: let sending them go on": Kind.OPPORTUNITY.value,
        "Reset programs: let sending them go on": Kind.PROGRAM.value,
        "Reset all: let all sending go on": None,
    }


def test_a_single_halted_kind_has_one_button(browser, kinds):
    Circuit.objects.filter(kind=Kind.PROGRAM.value).delete()
    assert reset_buttons(browser) == {"Reset opportunities: let sending them go on": Kind.OPPORTUNITY.value}


def test_a_halt_of_everything_and_one_of_a_kind_are_reset_apart(browser, circuit, kinds):
    assert reset_buttons(browser)["Reset: let sending go on, but for what is halted by itself"] == ""
    shown = pages.words(browser.post(reverse("mobjects:circuit-reset"), {"kind": ""}, follow=True))
    assert "Sending goes on, but not of opportunities and programs: they are still halted." in shown
    assert open_halts() == [Kind.OPPORTUNITY.value, Kind.PROGRAM.value]


def test_resetting_a_kind_leaves_the_others_halted_and_says_so(browser, kinds):
    press = {"kind": Kind.PROGRAM.value}
    shown = pages.words(browser.post(reverse("mobjects:circuit-reset"), press, follow=True))
    assert "Sending of programs goes on. Sync them again." in shown
    assert "Sending of opportunities is halted since" in shown
    assert "Sending of programs is halted since" not in shown
    assert open_halts() == [Kind.OPPORTUNITY.value]
    again = pages.words(browser.post(reverse("mobjects:circuit-reset"), press, follow=True))
    assert "Sending of programs is not halted." in again


def test_resetting_a_kind_says_that_everything_is_halted_still(browser, circuit, kinds):
    press = {"kind": Kind.PROGRAM.value}
    shown = pages.words(browser.post(reverse("mobjects:circuit-reset"), press, follow=True))
    assert "Programs are no longer halted by themselves, but all sending is still halted." in shown


def test_one_press_resets_all_of_them(browser, kinds):
    shown = pages.words(browser.post(reverse("mobjects:circuit-reset"), follow=True))
    assert "Sending goes on." in shown
    assert open_halts() == []


def test_a_kind_that_does_not_exist_is_named_and_nothing_is_reset(browser, kinds):
    shown = pages.words(browser.post(reverse("mobjects:circuit-reset"), {"kind": "Lead"}, follow=True))
    assert "Nothing was reset: the kind “Lead” is none of Program, Opportunity, OpportunityPersonRole." in shown
    assert len(open_halts()) == 2


def test_the_last_halts_stay_listed(browser):
    for number in range(7):
        Circuit.objects.create(reason=f"Reason {number}.", reset_at="2026-03-01T12:00:00Z", username="alice")
    shown = pages.text(browser.get(CONNECTION))
    assert "Reason 6." in shown
    assert "Reason 2." in shown
    assert "Reason 1." not in shown
