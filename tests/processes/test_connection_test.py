"""Testing the connection holds up no page: a worker asks, one test at a time, and gives up soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.urls import reverse_lazy

from mobjects.marketo.rest.config import RestSettings
from mobjects.processes.connection_test import (
    LONGEST_SECONDS,
    SILENT_SECONDS,
    ConnectionTest,
    TestStart,
    find_connection_test,
    request_connection_test,
    run_connection_test,
)
from mobjects.sync.transport_factory import open_transport
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]
ASKED = "2026-03-01T10:00:00+00:00"
PAGE = reverse_lazy("mobjects:connection")
NEVER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def browser():
    return pages.client()


@pytest.fixture
def press(browser):
    return lambda: pages.text(browser.post(PAGE, follow=True))


def test_a_press_asks_nothing_of_marketo_and_says_that_no_worker_is_there(press, sandbox):
    assert "No worker is running; the test begins once one is started." in press()
    assert sandbox.calls == []


def test_the_answer_stands_there_with_who_asked_and_the_button_again(browser, press, work):
    assert 'data-poll data-poll-idle="3"' in press()
    work()
    found = pages.text(browser.get(PAGE))
    assert "Marketo answered and accepted the signature." in found
    assert "asked for by operator-user" in found
    assert "Test connection</button>" in found
    assert "data-poll" not in found


def test_two_presses_are_one_test_and_a_third_after_the_answer_is_another(press, queue, work):
    press()
    assert "A test is under way already" in press()
    assert queue.count == 1
    work()
    first = find_connection_test()
    press()
    assert find_connection_test().token != first.token


def test_a_marketo_that_says_nothing_is_given_up_soon_whatever_the_settings_say(settings, marketo_rest_settings):
    settings.MARKETO = {**settings.MARKETO, "TIMEOUT_SECONDS": 600}
    config = {**settings.MARKETO, "TEST_SECONDS": SILENT_SECONDS}
    rest = RestSettings.from_config(config)
    assert (rest.lead_timeout_seconds, rest.asset_timeout_seconds) == (SILENT_SECONDS, SILENT_SECONDS)
    assert RestSettings.from_config(settings.MARKETO).asset_timeout_seconds == 600


@pytest.mark.parametrize("fixture", ["marketo_settings", "marketo_rest_settings"])
def test_a_silent_marketo_is_said_to_be_unreachable(fixture, request, sandbox):
    request.getfixturevalue(fixture)
    sandbox.faults.add("slow", seconds=0.3, times=9)
    transport = open_transport(test_seconds=0.05)
    assert transport.ping().verdict == "unreachable"
    transport.close()


def test_without_a_queue_the_page_says_how_to_test_without_it(press, settings):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:1/0"}}
    assert "manage.py test_connection asks without it" in press()


def test_a_worker_leaves_a_test_that_nobody_waits_for(sandbox):
    assert request_connection_test("olga") is TestStart.STARTED
    run_connection_test(NEVER)
    assert sandbox.calls == []
    assert find_connection_test().began_at == ""


@pytest.mark.parametrize(
    ("ended_at", "seconds", "under_way"), [("", 0, True), ("", LONGEST_SECONDS, False), (ASKED, 0, False)]
)
def test_a_test_without_an_answer_is_waited_for_two_minutes(ended_at, seconds, under_way):
    test = replace(ConnectionTest(NEVER, "olga", ASKED), ended_at=ended_at)
    assert test.is_under_way(datetime.fromisoformat(ASKED) + timedelta(seconds=seconds)) is under_way
