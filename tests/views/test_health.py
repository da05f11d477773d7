"""The site's own addresses."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection


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


def test_the_front_page_leads_to_the_admin(client):
    assert client.get("/").headers["Location"] == "/admin/"
