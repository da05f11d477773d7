"""Guessing passwords ends: by name from wherever, and by address with whatever names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from axes.models import AccessAttempt
from django.test import Client

from mobjects.models import AuditEvent
from tests.accounts.people import PASSWORD, browser_of, person
from tests.views import pages

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
LOCKED = "Signing in failed too often with this name or from this address. Wait 15 minutes, then try again."


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False) as clock:
        yield clock


def attempt(name: str, password: str, address: str = "192.0.2.1"):
    return Client(REMOTE_ADDR=address).post(LOGIN, {"username": name, "password": password})


def gets_in(name: str = "ada", address: str = "192.0.2.1") -> bool:
    return attempt(name, PASSWORD, address).status_code == 302


def fail(times: int, **values) -> None:
    for number in range(times):
        attempt(**{"name": f"guess {number}", "password": "wrong", "address": f"198.51.100.{number}", **values})


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_ten_failures_with_a_name_lock_it_from_everywhere_whether_it_exists_or_not(clock, name):
    person("ada")
    person("bob")
    fail(9, name=name)
    assert attempt(name, "wrong", "192.0.2.9").status_code == 429
    answer = attempt(name, PASSWORD, "192.0.2.77")
    assert answer.status_code == 429
    assert LOCKED in pages.text(answer)
    assert gets_in("bob", "192.0.2.77")


def test_nine_failures_lock_nobody(clock):
    person("ada")
    fail(9, name="ada")
    assert gets_in()


def test_ten_failures_from_an_address_lock_it_for_all_names(clock):
    person("ada")
    fail(10, address="192.0.2.1")
    assert not gets_in(address="192.0.2.1")
    assert gets_in(address="192.0.2.2")


def test_a_sign_in_of_ones_own_does_not_clear_the_guesses_at_others(clock):
    person("ada")
    person("mallory")
    for _ in range(2):
        fail(5, name="ada", address="192.0.2.1")
        attempt("mallory", PASSWORD, "192.0.2.1")
    assert not gets_in()


def test_the_lock_ends_after_a_quarter_of_an_hour_however_often_it_was_tried(clock):
    person("ada")
    fail(10, name="ada")
    for _ in range(2):
        clock.shift(7 * 60)
        assert not gets_in()
    clock.shift(61)
    assert gets_in()


def test_who_is_signed_in_stays_so(clock):
    browser = browser_of(person("ada"))
    fail(10, name="ada")
    assert browser.get("/admin/time-zone/").status_code == 200


def test_a_manager_lifts_the_lock_of_a_name(clock):
    ada, manager = person("ada"), browser_of(person("manager", "manage_users"))
    fail(10, name="ada")
    lift = {"action": "unlock_users", "_selected_action": [ada.pk]}
    answer = manager.post("/admin/auth/user/", lift, follow=True)
    assert "The lock of 1 user was lifted." in pages.text(answer)
    assert gets_in()


def test_the_limits_are_settings(clock, settings):
    settings.AXES_FAILURE_LIMIT = 3
    person("ada")
    fail(3, name="ada")
    assert not gets_in()


def test_the_address_behind_a_proxy_is_the_visitors(clock, settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "PROXIES": ["10.0.0.0/8"]}
    person("ada")

    def through_proxy(name, password, visitor):
        browser = Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": f"127.0.0.1, {visitor}"})
        return browser.post(LOGIN, {"username": name, "password": password}).status_code

    for number in range(10):
        through_proxy(f"guess {number}", "wrong", "203.0.113.5")
    assert through_proxy("ada", PASSWORD, "203.0.113.5") == 429
    assert through_proxy("ada", PASSWORD, "203.0.113.6") == 302


def test_no_password_is_kept_and_the_audit_log_names_name_and_address(clock):
    fail(10, name="ada", password="hunter2 and more", address="192.0.2.1")
    attempt("ada", "hunter2 and more", "192.0.2.1")
    kept = str(list(AccessAttempt.objects.values()))
    assert "192.0.2.1" in kept
    assert "hunter2" not in kept
    told = AuditEvent.objects.filter(kind="locked_out").values_list("username", "address")
    assert set(told) == {("ada", "192.0.2.1")}


@pytest.mark.parametrize("name", ["", "x" * 151, "x" * 5000, "nul\0", "%s{}"])
def test_whatever_is_typed_as_a_name_is_no_error(clock, name):
    assert (
        Client(headers={"User-Agent": "u" * 3000}).post(LOGIN, {"username": name, "password": "x"}).status_code == 200
    )
