"""The settings as a whole, read the way a server reads them: in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.files import ROOT

SHOW = """
import json
from marketo_admin import settings as s
print(json.dumps({name: getattr(s, name, None) for name in (
    "DEBUG", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD",
    "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
    "SECURE_PROXY_SSL_HEADER", "ALLOWED_HOSTS", "MARKETO", "REDIS_URL")}))
"""


def read(**variables):
    environment = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE")}
    environment |= {"DJANGO_ENV_FILE": os.devnull, "DATABASE_URL": "sqlite://:memory:"}
    return subprocess.run(
        [sys.executable, "-c", SHOW], cwd=ROOT, env=environment | variables, capture_output=True, text=True, check=False
    )


def values(**variables):
    done = read(DJANGO_SECRET_KEY="x" * 50, REDIS_URL="redis://redis.example.com/3", **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_production_is_the_default():
    found = values()
    assert found["DEBUG"] is False
    assert found["SECURE_SSL_REDIRECT"]
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] > 0
    assert found["SECURE_PROXY_SSL_HEADER"] is None
    assert found["REDIS_URL"] == "redis://redis.example.com/3"


def test_debug_works_without_a_secret_key_and_over_plain_http():
    done = read(DJANGO_DEBUG="true", REDIS_URL="redis://redis.example.com")
    found = json.loads(done.stdout)
    assert (found["DEBUG"], found["SECURE_SSL_REDIRECT"], found["SESSION_COOKIE_SECURE"]) == (True, False, False)


def test_plain_http_and_a_proxy_have_to_be_asked_for():
    found = values(DJANGO_HTTPS="false", DJANGO_BEHIND_PROXY="true", DJANGO_ALLOWED_HOSTS="a.example.com")
    assert not found["SESSION_COOKIE_SECURE"]
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert found["ALLOWED_HOSTS"] == ["a.example.com"]


def test_how_long_and_for_whom_https_is_told_is_set():
    found = values(DJANGO_HSTS_SECONDS="3600", DJANGO_HSTS_SUBDOMAINS="true", DJANGO_HSTS_PRELOAD="true")
    assert found["SECURE_HSTS_SECONDS"] == 3600
    assert found["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert found["SECURE_HSTS_PRELOAD"]


@pytest.mark.parametrize(("transport", "calls"), [({}, 50_000), ({"MARKETO_TRANSPORT": "soap"}, 10_000)])
def test_the_calls_of_a_day_are_those_of_the_api_unless_they_are_set(transport, calls):
    assert values(**transport)["MARKETO"]["DAILY_QUOTA"] == calls
    assert values(**transport, MARKETO_DAILY_QUOTA="7000")["MARKETO"]["DAILY_QUOTA"] == 7000


def test_marketo_settings_have_types_and_defaults():
    found = values(MARKETO_ENCRYPTION_KEY="k", MARKETO_TIMEOUT_SECONDS="30")["MARKETO"]
    assert (found["TRANSPORT"], found["ENCRYPTION_KEY"], found["TIMEOUT_SECONDS"]) == ("rest", "k", 30)
    assert found["OPPORTUNITY_KEY_FIELD"] == ""


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({}, "DJANGO_SECRET_KEY is not set"),
        ({"DJANGO_DEBUG": "perhaps"}, "DJANGO_DEBUG=perhaps: should be true or false"),
        ({"DJANGO_SECRET_KEY": "x", "MARKETO_TIMEOUT_SECONDS": "0"}, "MARKETO_TIMEOUT_SECONDS=0"),
    ],
)
def test_bad_settings_stop_the_start_in_words(variables, text):
    done = read(**variables)
    assert done.returncode != 0
    assert text in done.stderr
