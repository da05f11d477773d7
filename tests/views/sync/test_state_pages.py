"""The connection page, the queue page and the dashboard."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from rq import Worker
from rq.executions import prepare_execution

from mobjects.models import Conflict, SyncJobState
from mobjects.presentation import navigation
from mobjects.processes import status as queue_status
from mobjects.processes.connection_test import find_connection_test
from mobjects.processes.status import SILENCE_SECONDS
from mobjects.processes.worker import KEPT_SECONDS
from mobjects.sandbox import KEY
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db
CONNECTION, QUEUE = "/admin/connection/", "/admin/queue/"


@pytest.fixture
def browser(groups):
    return pages.client()


# --- connection ---


@pytest.fixture
def press(browser, queue, work):
    """Ask for a test of the connection, and see what a worker found."""

    def ask_and_look():
        browser.post(CONNECTION)
        work()
        return pages.text(browser.get(CONNECTION))

    return ask_and_look


def test_the_connection_page_shows_the_settings_but_not_the_key(browser):
    shown = pages.text(browser.get(CONNECTION))
    assert "http://127.0.0.1:9/soap/mktows/2_7" in shown
    assert "test_user" in shown
    assert "test-encryption-key" not in shown
    assert "<dt>Encryption key</dt><dd>set</dd>" in shown


def test_a_good_connection_is_said_with_the_clocks(press, marketo_settings):
    shown = press()
    assert "Marketo answered and accepted the signature." in shown
    assert "Clocks:" in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    ("name", "said"), [("OurKey", "Opportunities have no field “OurKey”"), ("Name", "have the field")]
)
def test_the_opportunity_key_field_is_looked_up(press, marketo_settings, settings, name, said):
    settings.MARKETO = {**marketo_settings, "OPPORTUNITY_KEY_FIELD": name}
    assert said in press()


def test_a_key_field_that_cannot_be_looked_up_is_said(press, marketo_settings, settings, sandbox):
    settings.MARKETO = {**marketo_settings, "OPPORTUNITY_KEY_FIELD": "OurKey"}
    sandbox.faults.add("soap", operation="describeMObject", code="20015")
    assert "could not be found out" in press()


def test_a_refused_signature_is_a_verdict(press, marketo_settings, settings):
    settings.MARKETO = {**marketo_settings, "ENCRYPTION_KEY": "another"}
    shown = press()
    assert "credentials refused" in shown
    assert "another" not in shown


def test_an_unreachable_marketo_is_a_verdict(press):
    press()
    assert find_connection_test().verdict == "unreachable"


@pytest.mark.parametrize("wrong", [{"TRANSPORT": "pigeon"}, {"USER_ID": ""}])
def test_a_missing_setting_is_a_verdict(press, settings, wrong):
    settings.MARKETO = {**settings.MARKETO, **wrong}
    press()
    assert find_connection_test().verdict == "not configured"


def test_what_the_checks_find_is_listed(browser, settings):
    settings.MARKETO = {**settings.MARKETO, "ENCRYPTION_KEY": "", "SOAP_ENDPOINT": ""}
    found = browser.get(CONNECTION).context["problems"]
    assert found
    assert all(message.id.startswith("mobjects.") for message in found)


@pytest.mark.parametrize("address", [CONNECTION, QUEUE])
@pytest.mark.parametrize("group", ["viewer", "editor"])
def test_only_operators_see_connection_and_queue(groups, address, group):
    assert pages.client(group).get(address).status_code == 403


# --- queue ---


def test_without_a_worker_the_queue_page_says_so(browser, queue):
    queue.enqueue("mobjects.jobs.run_sync", str(uuid.uuid4()))
    response = browser.get(QUEUE)
    assert "No worker is running." in pages.text(response)
    assert response.context["status_now"].waiting == 1


def test_a_worker_is_listed_with_its_job(browser, queue):
    worker = Worker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.set_state("busy")
    job = pages.job(state=SyncJobState.RUNNING)
    prepare_execution(worker, queue.enqueue("mobjects.jobs.run_sync", str(job.pk), job_id=str(job.pk)))
    shown = pages.text(browser.get(QUEUE))
    assert worker.name in shown
    assert pages.job_url(job) in shown
    assert "No worker is running" not in shown
    assert queue_status.worker_alive() is True


def test_a_worker_that_went_silent_does_not_count(browser, queue):
    worker = Worker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.set_state("busy")
    queue.connection.expire(worker.key, KEPT_SECONDS - SILENCE_SECONDS - 1)
    shown = pages.text(browser.get(QUEUE))
    assert "no sign of life" in shown
    assert "No worker is running." in shown
    assert queue_status.worker_alive() is False


def test_a_redis_that_is_down_is_said(browser, settings):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:9/0"}}
    assert "The queue (Redis) cannot be reached." in pages.text(browser.get(QUEUE))
    assert queue_status.worker_alive() is None


# --- dashboard ---


def test_the_dashboard_shows_only_what_the_user_may_see(groups):
    factories.opportunity()
    viewer = pages.text(pages.client("viewer").get(reverse("admin:index")))
    assert "Sync all changed…" not in viewer
    assert "What needs you" in viewer
    stranger = Client()
    stranger.force_login(factories.user("nobody"))
    shown = pages.text(stranger.get(reverse("admin:index")))
    assert "What needs you" not in shown
    assert "You may not see anything here yet." in shown


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, ""), (1, "1 record waits for a decision"), (2, "2 records wait for a decision")],
)
def test_the_dashboard_says_how_much_there_is_to_decide(browser, count, said):
    for number in range(count):
        record = factories.opportunity()
        Conflict.objects.create(kind=record.KIND.value, record_id=record.pk, label=str(number), reason="both")
    shown = pages.text(browser.get(reverse("admin:index")))
    assert said in shown
    assert ("for a decision" in shown) is (count > 0)


QUERIES = 17
"""Session, user, 2 for permissions, what is to decide (twice), whether sending is halted, one for each kind, jobs, and
imports that wait."""


# --- sidebar ---


def test_the_sidebar_shows_what_the_user_may_open(groups):
    request = RequestFactory().get("/")
    request.user = factories.user("olivia", group="operator")
    shown = [group.get("title") for group in navigation.build_navigation(request)]
    assert shown == [None, "Records", "Files", "Sync", "Marketo", "People"]
    request.user = factories.user("nobody")
    assert [group.get("title") for group in navigation.build_navigation(request)] == [None]
