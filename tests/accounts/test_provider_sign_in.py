"""Signing in through a provider (OIDC), over real HTTP with signed tokens: who gets in, and into which groups."""

from __future__ import annotations

import httpx
import pytest
from allauth.socialaccount.models import SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import Group, User
from django.test import Client

from mobjects.models import AuditEvent
from tests.accounts.codes import is_in
from tests.accounts.people import person
from tests.support.oidc_provider import CLIENT, SECRET, running_provider
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]
GO = "/admin/login/oidc/company/"
MAP = [("crm-ops", "operator"), ("crm-read", "viewer")]


@pytest.fixture
def provider(settings):
    with running_provider() as provider:
        app = {"provider_id": "company", "name": "Example Inc.", "client_id": CLIENT, "secret": SECRET}
        app["settings"] = {"server_url": provider.url, "fetch_userinfo": False}
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
        settings.ACCOUNTS = {**settings.ACCOUNTS, "OIDC_NAME": "Example Inc.", "OIDC_GROUPS": MAP}
        yield provider


def sign_in(browser=None):
    """Go to the provider and come back; the browser, and what it came back to."""
    browser = browser or Client()
    there = browser.post(GO, {"next": "/admin/time-zone/"})
    back = httpx.get(there.url).headers["Location"]
    return browser, browser.get(back.removeprefix("http://testserver"), follow=True)


def names_of(user):
    return {group.name for group in user.groups.all()}


def test_a_new_person_gets_in_with_the_groups_that_are_theirs_and_no_password(provider):
    _, answer = sign_in()
    assert answer.redirect_chain[-1][0] == "/admin/time-zone/"
    user = User.objects.get()
    assert (user.username, names_of(user), user.is_superuser) == ("ada", {"operator"}, False)
    assert not user.has_usable_password()
    assert AuditEvent.objects.get(kind="signed_in").username == "ada"


def test_groups_follow_the_provider_and_others_are_left_alone(provider):
    sign_in()
    user = User.objects.get()
    user.groups.add(Group.objects.create(name="ours alone"))
    provider.claims["groups"] = ["crm-read", "unknown"]
    sign_in()
    assert names_of(user) == {"viewer", "ours alone"}


@pytest.mark.parametrize("groups", [[], ["unknown"], None, "unknown", {"crm-ops": 1}, 7])
def test_whoever_is_in_no_mapped_group_is_refused_and_signed_out(provider, groups):
    browser, _ = sign_in()
    provider.claims["groups"] = groups
    _, answer = sign_in()
    assert "None of your groups there may use this site." in pages.text(answer)
    assert not is_in(browser)
    assert names_of(User.objects.get()) == set()


def test_nobody_new_is_made_without_a_group(provider):
    del provider.claims["groups"]
    _, answer = sign_in()
    assert answer.redirect_chain[-1][0] == "/admin/login/"
    assert not User.objects.exists()


def test_a_name_that_is_there_is_not_taken_over(provider):
    person("ada", group="viewer")
    browser, answer = sign_in()
    assert "There is another user of your name here." in pages.text(answer)
    assert not is_in(browser)
    assert names_of(User.objects.get()) == {"viewer"}


def test_users_are_linked_by_name_where_the_settings_say_so(provider, settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "OIDC_LINK_USERS": True}
    user = person("ada", group="viewer")
    browser, _ = sign_in()
    assert is_in(browser)
    assert User.objects.get() == user
    assert names_of(user) == {"operator"}
    provider.claims["sub"] = "somebody else of that name"
    assert "There is another user of your name here." in pages.text(sign_in()[1])


def test_a_superuser_is_never_linked_by_name(provider, settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "OIDC_LINK_USERS": True}
    person("ada", is_superuser=True)
    assert not is_in(sign_in()[0])


def test_a_deactivated_user_stays_out(provider):
    sign_in()
    User.objects.update(is_active=False)
    browser, answer = sign_in()
    assert "This account was deactivated." in pages.text(answer)
    assert not is_in(browser)


@pytest.mark.parametrize(
    "lies",
    [{"aud": "another client"}, {"iss": "https://elsewhere.example"}, {"exp": 1}],
)
def test_a_token_that_is_not_for_us_or_is_old_is_refused(provider, lies):
    provider.lies = lies
    browser, answer = sign_in()
    assert "Signing in there did not work" in pages.text(answer)
    assert not is_in(browser)


def test_a_token_that_the_provider_did_not_sign_is_refused(provider):
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert not is_in(sign_in()[0])
    provider.signs_with, provider.sends_token = provider.key, False
    assert not is_in(sign_in()[0])
    assert not User.objects.exists()


def test_an_answer_that_was_not_asked_for_by_this_browser_is_refused(provider):
    there = Client().post(GO)
    back = httpx.get(there.url).headers["Location"].removeprefix("http://testserver")
    other = Client()
    assert "Signing in there did not work" in pages.text(other.get(back, follow=True))
    assert not is_in(other)


@pytest.mark.parametrize("name", ["", "x" * 151, "a\0b", None])
def test_a_name_that_cannot_be_used_is_refused_in_words(provider, name):
    provider.claims["preferred_username"] = name
    assert "preferred_username" in pages.text(sign_in()[1])
    assert not User.objects.exists()


def test_given_up_there_and_a_provider_that_does_not_answer_are_said_in_words(provider, settings):
    answer = Client().get(f"{GO}callback/?error=access_denied", follow=True)
    assert "Signing in there did not work" in pages.text(answer)
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:9"
    assert "Signing in there did not work" in pages.text(Client().post(GO, follow=True))


def test_no_token_and_no_secret_is_kept(provider):
    sign_in()
    assert not SocialToken.objects.exists()
    assert SECRET not in str(list(AuditEvent.objects.values()))


def test_the_button_stands_on_the_login_page_only_where_a_provider_is_set(provider, settings):
    assert "Sign in through Example Inc." in pages.text(Client().get("/admin/login/"))
    settings.SOCIALACCOUNT_PROVIDERS = {}
    settings.ACCOUNTS = {**settings.ACCOUNTS, "OIDC_NAME": ""}
    assert "Sign in through" not in pages.text(Client().get("/admin/login/"))
    assert Client().post(GO).status_code == 404


def test_a_link_leads_to_our_login_page_first(provider):
    assert Client().get(GO).url == "/admin/login/"
