"""What each answer says to the browser beside the page."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.http import HttpResponse
from django.test import Client

from marketo_admin.headers import content_policy, write_policy
from tests.files import ROOT
from tests.support.refused_parts import find_refused_parts


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/", "/nowhere/"])
def test_each_page_says_that_it_uses_nothing_of_the_machine(db, address):
    said = Client().get(address).headers["Permissions-Policy"]
    assert "camera=()" in said
    assert "geolocation=()" in said


@pytest.mark.parametrize(("https", "name"), [("true", "__Host-"), ("false", "")])
def test_cookies_are_bound_to_the_host_over_https(https, name):
    values = {**os.environ, "DJANGO_ENV_FILE": os.devnull, "DJANGO_SECRET_KEY": "x" * 60, "DJANGO_HTTPS": https}
    values["DJANGO_SETTINGS_MODULE"] = "marketo_admin.settings"
    program = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_PATH, s.CSRF_COOKIE_PATH,"
        " s.SESSION_COOKIE_DOMAIN, s.CSRF_COOKIE_DOMAIN)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{name}sessionid", f"{name}csrftoken", "/", "/", "None", "None"]


@pytest.mark.parametrize("address", ["/nowhere/", "/admin/login/"])
def test_pages_without_a_user_have_the_policy_and_nothing_that_it_refuses(db, address):
    assert find_refused_parts(Client().get(address)) == []


@pytest.mark.parametrize(
    "part", ["<style>b{}</style>", "<p onclick='b'>", "<script>b</script>", "<a href='javascript:b'>"]
)
def test_what_a_policy_refuses_is_found(part):
    policy = write_policy(content_policy([]))
    assert find_refused_parts(HttpResponse(f"<p>{part}", headers={"Content-Security-Policy": policy}))


def test_an_answer_without_the_policy_is_found():
    assert find_refused_parts(HttpResponse("<p>"))


def test_a_form_may_lead_to_the_provider_of_the_company():
    policy = content_policy(["https://login.example.com/realms/staff", "", "https://sign-in.example.com"])
    assert policy["form-action"] == ["'self'", "https://login.example.com", "https://sign-in.example.com"]
    assert content_policy([""])["form-action"] == ["'self'"]
