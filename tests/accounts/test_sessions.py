"""A person sees where they are signed in, and ends it there or everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.test import Client

from tests.accounts.people import PASSWORD, browser_of, person
from tests.views import pages

pytestmark = pytest.mark.django_db
PAGE = "/admin/sign-in/"
EVERYWHERE = "/admin/sign-in/sessions/end/"


@pytest.fixture
def ada():
    return person("ada")


def is_in(browser) -> bool:
    return browser.get("/admin/time-zone/").status_code == 200


def sign_in(name: str, address: str, agent: str) -> Client:
    browser = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    browser.post("/admin/login/", {"username": name, "password": PASSWORD})
    return browser


def end(browser, session: UserSession):
    return browser.post(f"/admin/sign-in/sessions/{session.pk}/end/", follow=True)


def test_each_session_is_listed_with_browser_address_and_times(ada):
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False) as clock:
        office = sign_in("ada", "192.0.2.7", "Firefox at work")
        clock.shift(timedelta(minutes=10))
        sign_in("ada", "2001:db8::1", "Phone")
        office.get(PAGE)
        shown = pages.text(office.get(PAGE))
    for text in ("192.0.2.7", "Firefox at work", "2001:db8::1", "Phone", "2026-03-02 09:00:00 UTC", "09:10:00 UTC"):
        assert text in shown
    assert shown.count("This browser") == 1
    assert "after 30 minutes in which nothing is done, and after 12 hours in any case" in shown


def test_one_session_is_ended_and_the_others_stay(ada):
    office, phone = browser_of(ada), browser_of(ada)
    of_phone = UserSession.objects.get(session_key=phone.session.session_key)
    assert "That session was signed out." in pages.text(end(office, of_phone))
    assert (is_in(office), is_in(phone)) == (True, False)


def test_ones_own_session_is_ended_like_a_sign_out(ada):
    office, phone = browser_of(ada), browser_of(ada)
    own = UserSession.objects.get(session_key=office.session.session_key)
    assert end(office, own).redirect_chain[-1][0].startswith("/admin/login/")
    assert (is_in(office), is_in(phone)) == (False, True)


def test_everywhere_means_here_too_and_nobody_else(ada):
    office, phone, other = browser_of(ada), browser_of(ada), browser_of(person("bob"))
    answer = office.post(EVERYWHERE, follow=True)
    assert "You were signed out everywhere." in pages.text(answer)
    assert (is_in(office), is_in(phone), is_in(other)) == (False, False, True)
    assert UserSession.objects.count() == 1


def test_a_session_of_somebody_else_is_not_there(ada):
    browser = browser_of(ada)
    browser_of(person("bob"))
    other = UserSession.objects.get(user__username="bob")
    assert end(browser, other).status_code == 404
    assert other.exists()


@pytest.mark.parametrize("address", [EVERYWHERE, "/admin/sign-in/sessions/1/end/"])
def test_a_link_ends_nothing(ada, address):
    browser = browser_of(ada)
    assert "Nothing was done" in pages.text(browser.get(address, follow=True))
    assert is_in(browser)


@pytest.mark.parametrize("address", [PAGE, EVERYWHERE, "/admin/sign-in/sessions/1/end/"])
def test_whoever_is_not_signed_in_comes_to_the_login_page(client, address):
    assert client.post(address).url.startswith("/admin/login/")


def test_a_session_that_ran_out_is_not_listed(ada):
    browser, gone = browser_of(ada), browser_of(ada)
    gone.session.flush()
    browser.get(PAGE)
    assert UserSession.objects.get().session_key == browser.session.session_key


def test_a_new_password_ends_the_other_sessions(ada):
    office, phone = browser_of(ada), browser_of(ada)
    new = {"old_password": PASSWORD, "new_password1": "another long phrase", "new_password2": "another long phrase"}
    office.post("/admin/password_change/", new)
    assert (is_in(office), is_in(phone)) == (True, False)
    assert pages.text(office.get(PAGE)).count("Sign out") == 2  # of this session, and everywhere


@pytest.mark.parametrize("password", ["Tr0ub4dor&3", "password1234", "482736152947", "ada-ada-ada-ada"])
def test_a_password_that_is_short_common_or_like_the_name_is_refused(password):
    browser = browser_of(person("ada-ada-ada"))
    new = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert browser.post("/admin/password_change/", new).status_code == 200
    assert User.objects.get().check_password(PASSWORD)
