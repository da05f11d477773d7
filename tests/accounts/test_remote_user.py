"""Signing in by a header (REMOTE_USER): of a known proxy only."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.accounts.codes import is_in
from tests.accounts.people import browser_of, person

pytestmark = pytest.mark.django_db
MODULE = "mobjects.accounts.remote_user"
HEADER = {"X-Remote-User": "ada"}


@pytest.fixture
def remote(settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "REMOTE_USER_HEADER": "X-Remote-User", "PROXIES": ["10.0.0.1"]}
    steps = list(settings.MIDDLEWARE)
    after = steps.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1
    steps.insert(after, f"{MODULE}.ProxyUserMiddleware")
    settings.MIDDLEWARE = steps
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, f"{MODULE}.ProxyUserBackend"]


def test_a_known_proxy_says_who_it_is(remote):
    person("ada")
    browser = Client(REMOTE_ADDR="10.0.0.1", headers=HEADER)
    assert is_in(browser)
    assert Client(REMOTE_ADDR="10.0.0.1").get("/admin/time-zone/").status_code == 302


@pytest.mark.parametrize("address", ["10.0.0.2", ""])
def test_anybody_elses_header_signs_in_nobody(remote, address):
    person("ada")
    assert not is_in(Client(REMOTE_ADDR=address, headers=HEADER))


def test_a_proxy_signs_in_nobody_who_is_unknown_or_deactivated(remote):
    browser = Client(REMOTE_ADDR="10.0.0.1", headers=HEADER)
    assert not is_in(browser)
    person("ada", is_active=False)
    assert not is_in(browser)
    assert User.objects.count() == 1


def test_a_session_of_a_password_stays_beside_a_proxy(remote):
    assert is_in(browser_of(person("bob")))
