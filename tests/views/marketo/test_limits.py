"""Where people see how much of Marketo's limits is used: connection page, preview of a job, command line."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.utils import timezone

from mobjects.local.ports import find_free_port
from mobjects.presentation import job_text
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import target
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db
CONNECTION, SYNC = "/admin/connection/", "/admin/sync/?kind=Opportunity"


@pytest.fixture
def browser(groups):
    return pages.client()


@pytest.fixture
def five_a_day(settings, redis_url):
    """A share of five calls a day."""
    numbers = {"CALLS_PER_WINDOW": 50, "CALLS_AT_ONCE": 4, "DAILY_QUOTA": 10, "DAILY_SHARE": 50}
    settings.MARKETO = {**settings.MARKETO, **numbers}


@pytest.fixture
def no_redis(settings):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": f"redis://127.0.0.1:{find_free_port()}/0"}}


def call(times):
    for _ in range(times):
        with RedisRateLimiter.from_settings(target()).permit_call():
            pass


def test_the_connection_page_shows_what_is_used_and_when_counting_begins_anew(browser, five_a_day):
    call(2)
    response = browser.get(CONNECTION)
    shown, resets_at = pages.text(response), response.context["usage"].resets_at
    assert "<dd>2 of 5, our share of the 10 a day that MARKETO_DAILY_QUOTA says Marketo allows</dd>" in shown
    assert f"{job_text.format_time(response.context['usage'].resets_at)}</time>, midnight US Central time</dd>" in shown
    assert resets_at > timezone.now()
    assert "<dd>2 of 50</dd>" in shown
    assert "<dd>up to 4</dd>" in shown
    assert "used up" not in shown


def test_the_connection_page_says_that_the_share_is_used_up(browser, five_a_day):
    call(5)
    assert "5 of the 10 calls that MARKETO_DAILY_QUOTA says Marketo allows a day. Jobs wait until" in pages.text(
        browser.get(CONNECTION)
    )


def test_the_connection_page_says_that_fewer_calls_run_at_once(browser, five_a_day):
    RedisRateLimiter.from_settings(target()).reduce_concurrency()
    assert "up to 2, for some minutes instead of 4" in pages.text(browser.get(CONNECTION))


def test_the_connection_page_says_that_the_figures_are_not_known(browser, no_redis):
    shown = pages.text(browser.get(CONNECTION))
    assert "Not known: the queue's Redis cannot be reached." in shown
    assert "our share" not in shown


def test_the_preview_says_how_many_calls_it_needs_and_how_many_were_made(browser, five_a_day):
    call(2)
    for _ in range(101):
        factories.opportunity()
    shown = pages.text(browser.get(SYNC))
    assert "at least 2" in shown
    assert "2 of 5 are used" in shown
    assert "Warning" not in shown


def test_the_preview_warns_before_the_share_is_passed_and_still_sends(browser, five_a_day):
    call(4)
    for _ in range(101):
        factories.opportunity()
    shown = pages.text(browser.get(SYNC))
    assert "It needs 2 calls or more. Only 1 of 5 is left. The rest waits until" in shown
    assert "Send 101 records to Marketo" in shown


def test_without_redis_the_preview_says_that_the_calls_of_today_are_not_known(browser, no_redis):
    factories.opportunity()
    shown = pages.text(browser.get(SYNC))
    assert "How many were made today is not known" in shown


def test_a_preview_of_nothing_says_nothing_of_calls(browser, five_a_day):
    assert "Calls to Marketo" not in pages.text(browser.get(SYNC))


def test_a_dry_run_says_it_too(five_a_day, marketo_settings, settings, capsys):
    settings.MARKETO = {**settings.MARKETO, "DAILY_QUOTA": 2}
    call(1)
    factories.opportunity()
    call_command("sync_mobjects", "--dry-run")
    said = capsys.readouterr().err
    assert "Used today: 1 of our 1 call. Our share of today's calls to Marketo is not enough" in said


def test_a_dry_run_without_redis_says_that_the_calls_are_not_known(no_redis, capsys):
    factories.opportunity()
    call_command("sync_mobjects", "--dry-run")
    assert "How many calls were made today is not known" in capsys.readouterr().err
