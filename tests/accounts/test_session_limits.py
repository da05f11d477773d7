"""A session ends when nobody does anything, and at its full age in any case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.accounts.people import browser_of, person
from tests.views import pages

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE = "/admin/time-zone/"
POLL = {"HX-Request": "true"}
MINUTE, HOUR = 60, 3600


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def browser(clock):
    return browser_of(person("ada"))


def is_in(browser) -> bool:
    return browser.get(PAGE).status_code == 200


def test_half_an_hour_without_a_page_ends_a_session_in_words(browser, clock):
    clock.shift(29 * MINUTE)
    assert is_in(browser)
    clock.shift(30 * MINUTE)
    answer = browser.get(PAGE, follow=True)
    assert answer.redirect_chain == [(f"/admin/login/?next={PAGE}", 302)]
    assert "You were signed out: nothing was done for 30 minutes." in pages.text(answer)
    assert not is_in(browser)


def test_who_sends_a_page_after_that_is_told_that_nothing_of_it_was_saved(browser, clock):
    clock.shift(31 * MINUTE)
    answer = browser.post(PAGE, {"time_zone": "Asia/Seoul", "language": "en"}, follow=True)
    assert answer.redirect_chain == [(f"/admin/login/?next={PAGE}", 302)]
    assert "Nothing of the page that you sent was saved or done" in pages.text(answer)


def test_looking_and_signing_out_after_that_lose_nothing(browser, clock):
    clock.shift(31 * MINUTE)
    for answer in (browser.get(PAGE, follow=True), browser.post("/admin/logout/", follow=True)):
        assert "Nothing of the page" not in pages.text(answer)


def test_a_sign_in_that_has_to_begin_anew_loses_no_page(browser, clock):
    clock.shift(31 * MINUTE)
    answer = browser.post("/admin/login/code/", {"code": "123456"}, follow=True)
    assert answer.redirect_chain[0][0].startswith("/admin/login/")
    assert "Nothing of the page" not in pages.text(answer)


def test_work_keeps_a_session_until_it_is_twelve_hours_old(browser, clock):
    for _ in range(11 * 3 + 2):
        clock.shift(20 * MINUTE)
        assert is_in(browser)
    clock.shift(20 * MINUTE)
    assert "a session lasts 12 hours" in pages.text(browser.get(PAGE, follow=True))


def test_a_page_that_renews_itself_is_no_sign_of_a_person(browser, clock):
    for _ in range(3):
        clock.shift(10 * MINUTE)
        last = browser.get("/admin/dashboard/live/", headers=POLL)
    assert last.status_code in (403, 286)
    assert not is_in(browser)


def test_the_limits_are_settings(browser, clock, settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "IDLE_MINUTES": 5, "SESSION_HOURS": 1}
    clock.shift(5 * MINUTE)
    assert "for 5 minutes" in pages.text(browser.get(PAGE, follow=True))


@pytest.mark.parametrize(("seconds", "writes"), [(59, 0), (60, 2)])
def test_a_session_is_written_once_a_minute_at_most(browser, clock, seconds, writes):
    clock.shift(seconds)
    with CaptureQueriesContext(connection) as queries:
        assert is_in(browser)
    assert sum(query["sql"].startswith("UPDATE") for query in queries) == writes


def test_a_session_of_the_version_before_begins_with_its_next_request(browser, clock):
    session = browser.session
    del session["signed_in_at"], session["seen_at"]
    session.save()
    UserSession.objects.all().delete()
    assert is_in(browser)
    assert UserSession.objects.get().user == User.objects.get()
    clock.shift(31 * MINUTE)
    assert not is_in(browser)
