"""The site's own addresses."""

from __future__ import annotations

import pytest
from django.test import Client

from mobjects.processes.scheduler import TickScheduler
from mobjects.processes.worker import SyncWorker
from tests import factories


def test_being_alive_asks_nobody(client):
    """No database: a process that is alive is not to be restarted because something else is down."""
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_readiness_is_told_in_words_until_worker_and_clock_are_there(client, queue):
    response = client.get("/readyz")
    assert (response.status_code, response["Cache-Control"]) == (503, "no-store")
    assert response.content.decode().splitlines() == [
        "database: ok",
        "migrations: ok",
        "time: ok",
        "redis: ok",
        "worker: no worker gives signs of life; start one: manage.py rqworker sync",
        "clock: no clock is running; start one: manage.py clock",
    ]
    worker = SyncWorker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.heartbeat()
    TickScheduler().register_birth()
    response = Client().get("/readyz")
    assert (response.status_code, response.content.count(b": ok\n")) == (200, 6)


@pytest.mark.django_db(transaction=True)
def test_what_a_balancer_does_not_ask_for_does_not_count(client, queue):
    response = client.get("/readyz?exclude=worker&exclude=clock", headers={"accept": "application/json"})
    assert response.status_code == 200
    checks = dict.fromkeys(("database", "migrations", "time", "redis"), "ok")
    assert response.json() == {"ready": True, "checks": checks}


@pytest.mark.parametrize("asked", ["exclude=everything", "verbose", "exclude=worker&format=json"])
def test_what_readiness_does_not_know_is_refused_in_words(client, asked):
    response = client.get(f"/readyz?{asked}")
    assert response.status_code == 400
    assert response.content.startswith(b"Only exclude=NAME may be asked, where NAME is one of: database, migrations,")


@pytest.mark.django_db(transaction=True)
def test_health_is_told_under_any_host_name_and_without_tls(client, settings, queue):
    """A load balancer asks a process by its address."""
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["marketo.example.com"], True
    for path in ("/healthz", "/readyz?exclude=worker&exclude=clock"):
        assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/admin/", headers={"host": "10.0.0.7:8000"}).status_code == 400


def test_the_front_page_leads_to_the_admin(client):
    assert client.get("/").headers["Location"] == "/admin/"


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
