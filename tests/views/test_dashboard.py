"""The dashboard: what needs a person first, then what is left to send, what runs, and how it has been going."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from mobjects.db.counting import read_bounded
from mobjects.figures.daily import count_records_if_due, read_figures
from mobjects.jobs.lifecycle import JOB_STATES, end_job
from mobjects.models import Circuit, DailyFigure, HostClock, Opportunity, SyncJobState
from mobjects.presentation.attention_cards import count_text
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import target
from tests import factories
from tests.views import pages
from tests.views.imports import made_imports

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]
LIST = "/admin/mobjects/opportunity/"


@pytest.fixture
def browser():
    return pages.client()


def refused(status="FAILED", **values):
    record = factories.opportunity(**values)
    Opportunity.objects.filter(pk=record.pk).update(last_status=status, answered_revision=record.revision)
    return record


def cards(browser):
    """Each card's headline, and the address behind its button."""
    found = pages.tree(browser.get("/admin/")).xpath("//li[contains(@class, 'mo-matter')]")
    return {
        " ".join(card.xpath("string(p[@class='mo-lead'])").split()): card.xpath(
            "string(.//a[@class='mo-button']/@href)"
        )
        for card in found
    }


def test_each_matter_is_a_card_with_one_button(browser):
    failed = refused()
    refused("SKIPPED")
    refused("UNKNOWN")
    corrected = refused()
    Opportunity.objects.filter(pk=corrected.pk).update(name="Corrected since")
    job = pages.job(counts={"FAILED": 2, "HELD": 2})
    pages.result(job, status="HELD", record_id=failed.pk, revision=failed.revision)
    pages.result(job, status="HELD", record_id=corrected.pk, revision=corrected.revision)
    made_imports.imported()
    HostClock.objects.create(host="web-2", offset_seconds=90, measured_at=datetime.now(UTC))
    shown = cards(browser)
    assert shown.pop("No worker is running.") == "/admin/queue/"
    assert shown.pop(next(words for words in shown if words.startswith("The clock of the host web-2"))) == (
        "/admin/connection/"
    )
    assert shown == {
        "1 record failed and was not corrected.": f"{pages.job_url(job)}?status=FAILED#results",
        "The outcome of 1 record is not known.": f"{LIST}?state=unknown",
        "1 record was skipped and was not corrected.": f"{LIST}?state=skipped",
        "1 record was held back and is as it was.": f"{pages.job_url(job)}?status=HELD#results",
        "1 import waits for a person.": "/admin/mobjects/import/?waiting=yes",
    }


def test_a_halt_is_the_first_card_and_no_banner_repeats_it(browser):
    Circuit.objects.create(reason="Marketo refused the signature.")
    refused()
    page = browser.get("/admin/")
    assert next(iter(cards(browser))).startswith("Sending is halted since")
    assert pages.text(page).count("Marketo refused the signature.") == 1


def test_counts_stop_at_their_limit_and_say_so():
    for _ in range(3):
        factories.opportunity()
    assert read_bounded({"all": Opportunity.objects.all()}, limit=1) == {"all": 2}
    assert (count_text(10_000), count_text(10_001)) == ("10,000", "more than 10,000")


def test_what_is_unsent_is_told_with_its_newest_change_and_what_is_sent_is_not(browser):
    older, newest = factories.opportunity(), factories.opportunity()
    factories.program(synced_revision=1)
    Opportunity.objects.filter(pk=older.pk).update(modified_at=datetime(2026, 1, 1, tzinfo=UTC))
    shown = pages.tree(browser.get("/admin/"))
    links = {
        " ".join(link.text_content().split()): link.get("href")
        for link in shown.xpath("//*[@aria-labelledby='unsent-title']//li//a")
    }
    assert links.pop("Opportunities: 2") == f"{LIST}?state=unsent"
    assert list(links.values()) == [f"{LIST}{newest.pk}/change/"]
    Opportunity.objects.all().delete()
    assert "Marketo has every record as it is here." in pages.text(browser.get("/admin/"))


def test_jobs_that_are_not_over_have_a_bar_that_renews_itself_for_those_who_may_see_it(browser):
    job = pages.job(state=SyncJobState.RUNNING, planned=4, counts={"CREATED": 1})
    assert 'hx-get="/admin/dashboard/live/"' in pages.text(browser.get("/admin/"))
    live = browser.get("/admin/dashboard/live/")
    (bar,) = pages.tree(live).xpath("//progress")
    assert (bar.get("value"), bar.get("max")) == ("1", "4")
    assert pages.job_url(job) in pages.text(live)
    assert Client().get("/admin/dashboard/live/").status_code == 286


def test_figures_of_a_day_are_added_when_a_job_ends_and_drawn_with_a_table_behind(browser):
    for number in (1, 2):
        job = pages.job(state=SyncJobState.RUNNING, counts={"CREATED": 1, "FAILED": 2})
        first = pages.batch(job, sent_at=datetime.now(UTC))
        first.earlier_calls.create(position=1, request="")
        pages.batch(job, sequence=2, sent_at=datetime.now(UTC))
        for amount in ("17", "1,800.50"):
            pages.result(job, status="FAILED", error=f"“Deal {number}” has the amount {amount} (Marketo: 1003)")
        end_job(job, SyncJobState.PROBLEMS)
        end_job(job, SyncJobState.PROBLEMS)  # It is over: nothing is counted twice.
    today = datetime.now(UTC).date()
    kept = read_figures(1)
    assert kept["outcomes"] == {today: {"CREATED": 2, "FAILED": 4}}
    assert kept["calls"] == {today: {"": 6}}
    assert kept["reasons"] == {today: {"“…” has the amount # (Marketo: 1003)": 4}}
    shown = pages.tree(browser.get("/admin/"))
    table = shown.xpath("//*[@aria-labelledby='chart-outcomes']//table")[0]
    assert [" ".join(cell.text_content().split()) for cell in table.xpath(".//th")][1:3] == ["Created", "Failed"]
    assert [cell.text_content() for cell in table.xpath("./tbody//td")] == ["2", "4"]
    assert len(shown.xpath("//canvas[@class='chart'][@data-value]")) == 3


def test_the_records_in_sync_are_never_at_odds_with_the_unsent_ones_above(browser):
    today = datetime.now(UTC).date()
    for key, value in (("synced", 40), ("unsent", 5)):
        DailyFigure.objects.create(day=today, figure="records", key=key, value=value, written_at=datetime.now(UTC))
    factories.opportunity()
    factories.role(factories.opportunity())
    shown = browser.get("/admin/")
    assert "3 records are not sent yet. When all were last counted, 40 were in Marketo" in pages.words(shown)
    table = pages.tree(shown).xpath("//*[@aria-labelledby='chart-records']//table")[0]
    assert [cell.text_content() for cell in table.xpath("./tbody//td")] == ["40", "3"]


def test_a_paused_job_is_not_counted_before_it_ends():
    job = pages.job(state=SyncJobState.RUNNING, counts={"CREATED": 1})
    JOB_STATES.change(job, SyncJobState.PAUSED)
    assert read_figures(1) == {}


def test_many_different_reasons_are_kept_as_the_most_frequent_ones_and_the_rest():
    job = pages.job(state=SyncJobState.RUNNING)
    for letter in "abcdefghijklmnopqrstuvwx":
        pages.result(job, status="FAILED", error=f"reason {letter * 3}")
    end_job(job, SyncJobState.PROBLEMS)
    (reasons,) = read_figures(1)["reasons"].values()
    assert len(reasons) == 21
    assert reasons[""] == 4


def test_records_are_counted_once_an_hour():
    factories.opportunity()
    factories.program(synced_revision=1)
    with time_machine.travel(datetime.now(UTC), tick=False):
        count_records_if_due()
        factories.opportunity()
        count_records_if_due()
    (counted,) = read_figures(1)["records"].values()
    assert counted == {"synced": 1, "unsent": 1}
    DailyFigure.objects.update(written_at=datetime.now(UTC) - timedelta(hours=2))
    count_records_if_due()
    (counted,) = read_figures(1)["records"].values()
    assert counted == {"synced": 1, "unsent": 2}


def test_at_most_twelve_queries_however_much_there_is(browser):
    def queries():
        with CaptureQueriesContext(connection) as caught:
            browser.get("/admin/")
        return [query["sql"] for query in caught]

    with RedisRateLimiter.from_settings(target()).permit_call():
        pass  # From now on Redis knows how much is used.
    refused()
    job = pages.job(counts={"FAILED": 1, "HELD": 1})
    made_imports.imported()
    few = queries()
    for _ in range(4):
        refused()
        factories.role(factories.opportunity())
        pages.job(state=SyncJobState.RUNNING)
        made_imports.imported()
        pages.result(job, status="HELD")
    many = queries()
    assert len(many) == len(few)
    assert len(many) <= 12, "\n".join(query[:150] for query in many)
