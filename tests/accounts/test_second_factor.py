"""A second factor: asked for after the password, good once, guessed no faster, unreadable in the database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache

from mobjects.models import AuditEvent
from tests.accounts.codes import CODE, CODES, ENROL, code_of, enrol, give_password, is_in
from tests.accounts.people import PASSWORD, browser_of, person
from tests.views import pages

pytestmark = pytest.mark.django_db(transaction=False)
REMOVE = f"{ENROL}remove/"


@pytest.fixture(autouse=True)
def clock(django_capture_on_commit_callbacks):
    cache.clear()
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def ada():
    return person("ada")


def test_a_code_is_asked_for_after_the_password_and_leads_on(ada, clock):
    _, secret = enrol("ada")
    clock.shift(60)
    browser = give_password("ada")
    assert not is_in(browser)
    answer = browser.post(CODE, {"code": code_of(secret)})
    assert answer.url == "/admin/time-zone/"
    assert is_in(browser)


@pytest.mark.parametrize("code", ["", "000000", "x" * 5000, "nul\0", "１２３４５６"])
def test_a_wrong_code_lets_nobody_in(ada, clock, code):
    enrol("ada")
    browser = give_password("ada")
    assert browser.post(CODE, {"code": code}).status_code == 200
    assert not is_in(browser)


def test_a_code_is_good_once(ada, clock):
    _, secret = enrol("ada")
    clock.shift(60)
    code = code_of(secret)
    assert give_password("ada").post(CODE, {"code": code}).status_code == 302
    assert give_password("ada").post(CODE, {"code": code}).status_code == 200


def test_a_recovery_code_is_good_once_without_the_app(ada, clock):
    browser, _ = enrol("ada")
    first, *others = browser.get(CODES).context["unused_codes"]
    assert len(others) == 9
    assert give_password("ada").post(CODE, {"code": first}).status_code == 302
    assert give_password("ada").post(CODE, {"code": first}).status_code == 200
    assert browser.get(CODES).context["unused_codes"] == others


def test_new_recovery_codes_void_the_old_ones(ada, clock):
    browser, _ = enrol("ada")
    old = browser.get(CODES).context["unused_codes"]
    browser.post(f"{CODES}new/")
    assert not set(old) & set(browser.get(CODES).context["unused_codes"])
    assert give_password("ada").post(CODE, {"code": old[0]}).status_code == 200


def test_guessed_codes_lock_the_name_like_guessed_passwords(ada, clock):
    _, secret = enrol("ada")
    clock.shift(60)
    browser = give_password("ada")
    for _ in range(9):
        assert browser.post(CODE, {"code": "000000"}).status_code == 200
    assert browser.post(CODE, {"code": "000000"}).status_code == 429
    assert browser.post(CODE, {"code": code_of(secret)}).status_code == 429
    assert not is_in(browser)
    assert AuditEvent.objects.filter(kind="sign_in_failed", username="ada").count() == 10


def test_neither_secret_nor_recovery_codes_stand_in_the_database(ada, clock):
    browser, secret = enrol("ada")
    codes = browser.get(CODES).context["unused_codes"]
    kept = str([list(model.objects.values()) for model in (Authenticator, AuditEvent)])
    kept += str([session.get_decoded() for session in Session.objects.all()])
    assert "totp" in kept
    assert not [text for text in (secret, *codes) if text in kept]


def test_until_it_is_set_up_its_secret_is_sealed_in_the_session(ada):
    browser = browser_of(ada)
    browser.post("/admin/sign-in/confirm/", {"password": PASSWORD})
    secret = browser.get(ENROL).context["form"].secret
    assert secret not in str([session.get_decoded() for session in Session.objects.all()])


def test_another_secret_key_is_said_in_words(ada, clock, settings):
    _, secret = enrol("ada")
    settings.SECRET_KEY = "another one " + "y" * 50
    browser = give_password("ada")
    assert "secret key was changed" in pages.text(browser.post(CODE, {"code": code_of(secret)}))
    assert not is_in(browser)


def test_recovery_codes_under_another_secret_key_are_refused_in_words(ada, clock):
    browser, _ = enrol("ada")
    codes = Authenticator.objects.get(type="recovery_codes")
    codes.data = {**codes.data, "seed": "sealed with another key"}
    codes.save()
    assert "secret key was changed" in pages.text(browser.get(CODES, follow=True))


def test_without_redis_a_code_is_refused_in_words(ada, clock, settings):
    _, secret = enrol("ada")
    clock.shift(60)
    browser = give_password("ada")
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    settings.CACHES = {"default": redis}
    assert "does not reach its Redis" in pages.text(browser.post(CODE, {"code": code_of(secret)}))
    assert not is_in(browser)


def test_setting_up_and_removing_ask_again_who_it_is(ada, clock):
    browser = browser_of(ada)
    assert browser.get(ENROL).url.startswith("/admin/sign-in/confirm/")
    wrong = browser.post(f"/admin/sign-in/confirm/?next={ENROL}", {"password": "wrong"})
    assert wrong.status_code == 200
    right = browser.post(f"/admin/sign-in/confirm/?next={ENROL}", {"password": PASSWORD})
    assert right.url == ENROL


def test_it_is_removed_by_its_person(ada, clock):
    browser, _ = enrol("ada")
    assert browser.post(REMOVE).url == "/admin/sign-in/"
    assert not Authenticator.objects.exists()


def test_a_group_that_needs_it_comes_to_no_other_page_and_cannot_remove_it(groups, settings, clock):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "SECOND_FACTOR_GROUPS": ["operator"]}
    person("viewer", group="viewer")
    browser = browser_of(person("ada", group="operator"))
    for address in ("/admin/", "/admin/time-zone/", "/admin/mobjects/opportunity/"):
        assert browser.get(address).url == ENROL
    assert browser.get("/admin/dashboard/live/", headers={"HX-Request": "true"}).status_code == 403
    assert browser.get("/admin/sign-in/").status_code == 200
    set_up, _ = enrol("ada")
    assert is_in(set_up)
    assert "so it stays" in pages.text(set_up.post(REMOVE))
    assert Authenticator.objects.exists()
    assert is_in(browser_of(User.objects.get(username="viewer")))


@pytest.mark.parametrize(("name", "superuser", "needs"), [("superusers", True, True), ("superusers", False, False)])
def test_superusers_and_everybody_are_understood(settings, name, superuser, needs):
    browser = browser_of(person("ada", is_superuser=superuser))
    settings.ACCOUNTS = {**settings.ACCOUNTS, "SECOND_FACTOR_GROUPS": [name]}
    assert is_in(browser) is not needs
    settings.ACCOUNTS = {**settings.ACCOUNTS, "SECOND_FACTOR_GROUPS": ["everybody"]}
    assert not is_in(browser)


def test_a_manager_removes_that_of_a_lost_telephone_and_signs_out(clock):
    ada, manager = person("ada"), browser_of(person("manager", "manage_users"))
    browser, _ = enrol("ada")
    chosen = {"action": "remove_second_factors", "_selected_action": [ada.pk]}
    answer = manager.post("/admin/auth/user/", chosen, follow=True)
    assert "The second factor of 1 user was removed." in pages.text(answer)
    assert not is_in(browser)
    assert not Authenticator.objects.exists()


def test_a_manager_does_not_remove_that_of_somebody_with_more_rights(clock):
    root, manager = person("root", is_superuser=True), browser_of(person("manager", "manage_users"))
    enrol("root")
    manager.post("/admin/auth/user/", {"action": "remove_second_factors", "_selected_action": [root.pk]})
    assert Authenticator.objects.exists()
