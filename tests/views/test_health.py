"""The site's own addresses."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection

from mobjects.sync.installation.identity import get_installation


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
