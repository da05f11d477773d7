"""What people see when a page is missing, forbidden or broken."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.http import Http404
from django.test import Client, RequestFactory

from marketo_admin.errors import page_missing
from mobjects.accounts.tokens import make_token
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


def test_a_missing_page_says_so_and_leads_back():
    response = Client().get("/nothing-here")
    assert response.status_code == 404
    assert "There is no such page" in pages.text(response)
    assert 'href="/admin/"' in pages.text(response)


def test_a_forbidden_page_names_the_user_in_the_frame_of_the_site(groups):
    response = pages.client("viewer").get("/admin/mobjects/program/add/")
    assert response.status_code == 403
    assert "You are logged in as viewer-user." in pages.text(response)
    assert 'id="nav-sidebar"' in pages.text(response)


def test_a_missing_page_has_the_frame_of_the_site_for_staff_and_needs_no_database(groups):
    browser = pages.client("viewer")
    assert 'id="nav-sidebar"' in pages.text(browser.get("/admin/imports/999999/"))
    request = RequestFactory().get("/nothing-here")
    request.user = User.objects.get()

    def refuse(*args):
        raise OperationalError("The database is away.")

    with connection.execute_wrapper(refuse):
        response = page_missing(request, Http404())
    assert response.status_code == 404
    assert "There is no such page" in pages.text(response)
    assert 'id="nav-sidebar"' not in pages.text(response)


def test_a_stale_form_says_what_to_do(client):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(factories.user())
    response = browser.post("/admin/sync/")
    assert response.status_code == 403
    assert "Nothing was saved or sent." in pages.text(response)


def test_a_form_through_a_proxy_that_changes_the_host_names_the_setting(settings):
    user = factories.user()

    def post():
        browser = Client(enforce_csrf_checks=True, headers={"origin": "https://marketo.example.com:8443"})
        browser.force_login(user)
        return browser.post("/admin/sync/")

    response = post()
    assert response.status_code == 403
    for words in (
        "the page from https://marketo.example.com:8443",
        "it is http://testserver",
        "DJANGO_TRUSTED_ORIGINS",
    ):
        assert words in pages.text(response)
    settings.CSRF_TRUSTED_ORIGINS = ["https://marketo.example.com:8443"]
    assert "DJANGO_TRUSTED_ORIGINS" not in pages.text(post())


def test_a_broken_page_has_the_frame_of_the_site_and_names_its_request_without_the_database(groups):
    browser = pages.client()
    browser.raise_request_exception = False

    def refuse(*args):
        raise OperationalError("The database is away.")

    with connection.execute_wrapper(refuse):
        response = browser.get("/admin/", headers={"x-request-id": "click-of-olga-17"})
    assert response.status_code == 500
    assert "Something went wrong here" in pages.text(response)
    assert "click-of-olga-17" in pages.text(response)
    assert 'href="/admin/mobjects/syncjob/"' in pages.text(response)


def test_the_api_answers_with_a_problem_where_a_page_would_say_that_it_broke(groups):
    person = factories.user(group="viewer")
    _token, secret = make_token(person, "nightly", 1, by=person)
    browser = Client(raise_request_exception=False)

    def refuse(*args):
        raise OperationalError("The database is away.")

    with connection.execute_wrapper(refuse):
        response = browser.get(
            "/api/v1/programs", headers={"authorization": f"Bearer {secret}", "x-request-id": "click-of-olga-17"}
        )
    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 500
    assert "The database is away" not in response.content.decode()


def test_a_form_with_too_many_fields_says_so_in_words(groups):
    response = pages.client().post("/admin/sync/", {f"field-{n}": "1" for n in range(10_001)})
    assert response.status_code == 400
    assert "This form has more than" in pages.text(response)
    assert "Nothing was saved." in pages.text(response)


def test_a_form_with_too_much_text_says_so_in_words_where_files_are_sent_too(groups):
    response = pages.client().post("/admin/pull/", {"names": "1," * 1_400_000})
    assert response.status_code == 400
    assert "This form has more than 2.62 MB of text" in pages.text(response)
    assert "Nothing was saved." in pages.text(response)


def test_a_wrong_name_in_the_address_says_so_and_is_not_repeated(settings):
    settings.ALLOWED_HOSTS = ["crm.example.com"]
    page = Client(raise_request_exception=False).get("/admin/login/", headers={"host": "evil.example"})
    assert page.status_code == 400
    assert "DJANGO_ALLOWED_HOSTS" in page.content.decode()
    assert "evil" not in page.content.decode()
