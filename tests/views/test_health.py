"""The site's own addresses."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from mobjects.sync.installation.identity import get_installation
from tests import factories


@pytest.mark.django_db
def test_health_needs_no_login(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_told(client):
    def refuse(*args):
        raise DatabaseError("password=very-secret")

    with connection.execute_wrapper(refuse):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (503, b"database unreachable\n")


@pytest.mark.django_db
def test_health_is_told_under_any_host_name_and_without_tls(client, settings):
    """A load balancer asks a process by its address."""
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["marketo.example.com"], True
    response = client.get("/healthz", headers={"host": "10.0.0.7:8000"})
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert client.get("/admin/", headers={"host": "10.0.0.7:8000"}).status_code == 400


@pytest.mark.django_db
def test_a_database_that_takes_no_writes_is_told(client):
    """As on a full disk, or on a replica."""
    get_installation()
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON" if sqlite else "SET TRANSACTION READ ONLY")
        response = client.get("/healthz")
        if sqlite:
            cursor.execute("PRAGMA query_only = OFF")
    assert (response.status_code, response.content) == (503, b"database takes no writes\n")


@pytest.mark.django_db
def test_asking_for_health_leaves_sqlite_as_patient_as_it_was(client):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has no busy timeout")
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA busy_timeout").fetchone()
        client.get("/healthz")
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == before


def test_the_front_page_leads_to_the_admin(client):
    assert client.get("/").headers["Location"] == "/admin/"


@pytest.mark.django_db
def test_health_is_answered_under_any_host_name_and_nothing_else_is(client):
    assert client.get("/healthz", headers={"host": "10.1.2.3:8000"}).status_code == 200
    assert client.get("/admin/", headers={"host": "10.1.2.3:8000"}).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(("trusted", "refused"), [([], True), (["https://crm.example.com:8443"], False)])
def test_a_form_that_comes_through_a_proxy_that_changes_the_port_needs_a_trusted_origin(settings, trusted, refused):
    settings.CSRF_TRUSTED_ORIGINS = trusted
    browser = Client(enforce_csrf_checks=True)
    factories.user("alice")
    page = browser.get("/admin/login/")
    form = {"csrfmiddlewaretoken": page.context["csrf_token"], "username": "alice", "password": "wrong"}
    browser.force_login(factories.user("bob"))
    browser.get("/admin/")
    answer = browser.post("/admin/logout/", form, headers={"origin": "https://crm.example.com:8443"})
    assert (answer.status_code == 403) is refused
    if refused:
        assert "DJANGO_TRUSTED_ORIGINS" in answer.content.decode()
