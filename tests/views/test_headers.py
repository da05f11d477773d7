"""What each answer says to the browser beside the page."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.test import Client

from tests.files import ROOT


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
