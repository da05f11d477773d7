"""People see times in their own zone: the one they chose, else their browser's, else UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mobjects.models import Opportunity, PersonSettings
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import KeyFields, record_content
from mobjects.views.time_zone import find_zone
from tests import factories
from tests.support.admin_forms import open_form, send_form
from tests.support.rewriting import rewrite
from tests.views import pages

pytestmark = pytest.mark.django_db
PAGE = "/admin/time-zone/"
SEOUL = "2026-03-01 21:00:00 KST"


@pytest.fixture
def browser(groups):
    return pages.client()


@pytest.fixture
def job():
    return pages.job(finished_at=pages.MOMENT)


def test_times_are_in_utc_until_anything_is_known(browser, job):
    assert "2026-03-01 12:00:00 UTC</time>" in pages.text(browser.get(pages.job_url(job)))


def test_times_are_in_the_browsers_zone_with_utc_on_hover(browser, job):
    browser.cookies["time_zone"] = "Asia%2FSeoul"
    shown = pages.text(browser.get(pages.job_url(job)))
    assert f'<time datetime="2026-03-01T12:00:00+00:00" title="2026-03-01 12:00:00 UTC">{SEOUL}</time>' in shown


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "Asia/Seoul\0", "%ff", "x" * 5000])
def test_whatever_a_browser_sends_is_no_error(browser, job, name):
    browser.cookies["time_zone"] = name
    assert "2026-03-01 12:00:00 UTC</time>" in pages.text(browser.get(pages.job_url(job)))
    assert find_zone(name) is None


def test_the_chosen_zone_wins_until_it_is_taken_back(browser, job):
    browser.cookies["time_zone"] = "Europe/Paris"
    response = browser.post(PAGE, {"time_zone": "Asia/Seoul"}, follow=True)
    assert "Times are shown in Asia/Seoul from now on." in pages.text(response)
    assert "Your browser says that its zone is Europe/Paris." in pages.text(response)
    assert SEOUL in pages.text(browser.get(pages.job_url(job)))
    other = Client()
    other.force_login(User.objects.get(username="operator-user"))
    other.cookies["time_zone"] = "UTC"
    assert SEOUL in pages.text(other.get(pages.job_url(job)))
    browser.post(PAGE, {"time_zone": ""})
    assert "2026-03-01 13:00:00 CET" in pages.text(browser.get(pages.job_url(job)))
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_zone_that_does_not_exist_is_refused(browser):
    assert browser.post(PAGE, {"time_zone": "Mars/Olympus"}).status_code == 400
    assert not PersonSettings.objects.exists()


def test_the_page_is_for_people_who_are_logged_in(client):
    assert client.get(PAGE).status_code == 302


def test_the_way_to_the_page_stands_in_the_menu_and_each_page_has_the_script(browser):
    shown = pages.text(browser.get(reverse("admin:index")))
    assert f'href="{PAGE}"' in shown
    assert 'src="/static/mobjects/time-zone.js"' in shown


@time_machine.travel(datetime(2026, 3, 1, 20, tzinfo=UTC), tick=False)
def test_today_is_the_readers_today(browser):
    for hours in (1, 10):
        rewrite(pages.job(reason=f"{hours} hours ago"), created_at=timezone.now() - timedelta(hours=hours))

    def today():
        page = browser.get(reverse("admin:mobjects_syncjob_changelist"))
        spec = next(spec for spec in page.context["cl"].filter_specs if spec.title == "day")
        choices = {choice["display"]: choice["query_string"] for choice in spec.choices(page.context["cl"])}
        found = browser.get(reverse("admin:mobjects_syncjob_changelist") + choices["Today"]).context["cl"]
        return {job.reason for job in found.queryset}

    assert today() == {"1 hours ago", "10 hours ago"}
    browser.cookies["time_zone"] = "Asia/Seoul"  # where it is 05:00 of the next day
    assert today() == {"1 hours ago"}


@pytest.mark.usefixtures("marketo_settings", "redis_url")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul", "Europe/Berlin"])
def test_an_untouched_form_keeps_its_times_whatever_the_zone(browser, zone):
    # The second 02:30 of the night in which Berlin's clocks were set back, with a fraction of a second.
    at = datetime(2025, 10, 26, 1, 30, 15, 250_000, tzinfo=UTC)
    record = factories.opportunity(external_created_date=at)
    before = record_content(load_records(record.KIND, [record.pk])[0], KeyFields())
    browser.cookies["time_zone"] = zone
    assert send_form(browser, record, open_form(browser, record), stage="Won").status_code == 302
    now = factories.fresh(record)
    assert (now.external_created_date, now.stage) == (at, "Won")
    after = record_content(load_records(record.KIND, [record.pk])[0], KeyFields())
    assert after == before | {"Stage": "Won"}


@pytest.mark.usefixtures("marketo_settings", "redis_url")
def test_a_time_is_typed_in_the_persons_zone(browser):
    record = factories.opportunity(external_created_date=pages.MOMENT)
    browser.cookies["time_zone"] = "Asia/Seoul"
    form = open_form(browser, record)
    assert (form["external_created_date_0"], form["external_created_date_1"]) == ("2026-03-01", "21:00:00")
    assert "In your time zone, Asia/Seoul." in pages.text(
        browser.get(reverse("admin:mobjects_opportunity_change", args=[record.pk]))
    )
    send_form(browser, record, form, external_created_date_1="09:00:00")
    assert Opportunity.objects.get().external_created_date == datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
