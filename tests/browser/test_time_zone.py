"""Times in a real browser's own zone, and date fields without a warning about it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from mobjects.models import PersonSettings
from tests import factories
from tests.views import pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]


def move(page: Page, zone: str) -> None:
    """Take the browser to another part of the world, and let its pages tell the server."""
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", {"timezoneId": zone})
    page.reload()


def test_the_second_page_is_in_the_browsers_zone(open_page):
    job = pages.job(finished_at=pages.MOMENT)
    page = open_page(pages.job_url(job))
    move(page, "Asia/Seoul")
    page.reload()
    moment = page.get_by_role("region", name="About this job").get_by_text("2026-03-01 21:00:00 KST")
    expect(moment).to_be_visible()
    expect(moment).to_have_attribute("title", "2026-03-01 12:00:00 UTC")


@pytest.mark.parametrize("chosen", ["", "UTC"])
def test_date_fields_show_no_warning_and_fit(open_page, chosen):
    record = factories.opportunity(external_created_date=pages.MOMENT)
    page = open_page(f"/admin/mobjects/opportunity/{record.pk}/change/")
    person = factories.User.objects.get()
    PersonSettings.objects.create(user=person, time_zone=chosen)
    move(page, "Asia/Seoul")
    page.reload()
    expect(page.locator("#id_external_created_date_1")).to_have_value("12:00:00" if chosen else "21:00:00")
    expect(page.locator("#id_close_date")).to_be_visible()
    assert page.locator(".timezonewarning:visible").count() == 0
