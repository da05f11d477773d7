"""What the tests of second factors share: setting one up, and the code that an app would show."""

from __future__ import annotations

import time

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from tests.accounts.people import PASSWORD

LOGIN, CODE = "/admin/login/", "/admin/login/code/"
CONFIRM = "/admin/sign-in/confirm/"
ENROL = "/admin/sign-in/second-factor/"
CODES = "/admin/sign-in/codes/"


def code_of(secret: str) -> str:
    """What the app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def enrol(name: str) -> tuple[Client, str]:
    """A browser in which somebody set up a second factor, and the secret of their app."""
    browser = Client()
    browser.post(LOGIN, {"username": name, "password": PASSWORD})
    browser.post(CONFIRM, {"password": PASSWORD})
    secret = browser.get(ENROL).context["form"].secret
    answer = browser.post(ENROL, {"code": code_of(secret)})
    assert answer.headers["Location"] == CODES
    return browser, secret


def give_password(name: str) -> Client:
    """A browser in which the password was given, and nothing else yet."""
    browser = Client()
    answer = browser.post(LOGIN, {"username": name, "password": PASSWORD, "next": "/admin/time-zone/"})
    assert answer.headers["Location"] == CODE
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/admin/time-zone/").status_code == 200
