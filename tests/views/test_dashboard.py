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
    pages.result(job, status="FAILED", record_id=failed.pk, revision=failed.revision)
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


def links_of(browser, words):
    """The links of a card to what it counts; its button where they are left out because it leads there too."""
    (card,) = pages.tree(browser.get("/admin/")).xpath(f"//li[contains(@class, 'mo-matter')][contains(., '{words}')]")
    return card.xpath(".//ul//a/@href") or card.xpath(".//a[@class='mo-button']/@href")


def listed(browser, address):
    return [str(record) for record in browser.get(address).context["cl"].result_list]


def test_what_any_of_the_newest_jobs_held_back_is_counted_until_it_is_changed_or_sent(browser):
    held = [factories.opportunity(name=name) for name in ("Older", "Newer", "Twice")]
    older, newer = pages.job(counts={"HELD": 2}), pages.job(counts={"HELD": 2})
    for job, record in ((older, held[0]), (newer, held[1]), (older, held[2]), (newer, held[2])):
        pages.result(job, status="HELD", record_id=record.pk, revision=record.revision)
    shown = cards(browser)
    assert shown["3 records were held back and are as they were."] == f"{pages.job_url(newer)}?status=HELD#results"
    assert [sorted(listed(browser, address)) for address in links_of(browser, "held back")] == [
        ["Newer", "Older", "Twice"]
    ]
    Opportunity.objects.filter(pk=held[1].pk).update(name="Corrected")
    Opportunity.objects.filter(pk=held[2].pk).update(synced_revision=1)
    shown = cards(browser)
    assert shown["1 record was held back and is as it was."] == f"{pages.job_url(older)}?status=HELD#results"
    assert [listed(browser, address) for address in links_of(browser, "held back")] == [["Older"]]
    Opportunity.objects.filter(pk=held[0].pk).update(claimed_by=pages.batch(newer))
    assert not [words for words in cards(browser) if "held back" in words]


def test_what_was_held_back_is_counted_and_listed_kind_by_kind(browser):
    opportunity = factories.opportunity()
    job = pages.job(kind="several", counts={"HELD": 2})
    for record in (opportunity, factories.role(opportunity)):
        pages.result(job, kind=record.KIND.value, status="HELD", record_id=record.pk, revision=record.revision)
    assert links_of(browser, "2 records were held back") == [
        f"{LIST}?state=held",
        "/admin/mobjects/opportunitypersonrole/?state=held",
    ]
    assert listed(browser, "/admin/mobjects/program/?state=held") == []


@pytest.mark.parametrize("status", ["FAILED", "SKIPPED", "UNKNOWN"])
def test_a_card_leads_to_a_job_whose_records_still_stand_as_they_were(browser, status):
    standing, corrected = refused(status), refused(status)
    older, newer = pages.job(counts={status: 1}), pages.job(counts={status: 1})
    pages.result(older, status=status, record_id=standing.pk, revision=standing.revision)
    pages.result(newer, status=status, record_id=corrected.pk, revision=corrected.revision)
    Opportunity.objects.filter(pk=corrected.pk).update(name="Corrected since", last_status="")
    (address,) = [link for words, link in cards(browser).items() if "worker" not in words]
    assert address == f"{pages.job_url(older)}?status={status}#results"


def test_a_job_in_which_a_record_failed_that_failed_anew_since_is_not_the_one_to_look_at(browser):
    record = refused(name="Twice wrong")
    older, newer = pages.job(counts={"FAILED": 1}), pages.job(counts={"FAILED": 1})
    pages.result(newer, status="FAILED", record_id=record.pk, revision=record.revision)
    Opportunity.objects.filter(pk=record.pk).update(name="Wrong again")
    record.refresh_from_db()
    Opportunity.objects.filter(pk=record.pk).update(answered_revision=record.revision)
    pages.result(older, status="FAILED", record_id=record.pk, revision=record.revision)
    assert cards(browser)["1 record failed and was not corrected."] == f"{pages.job_url(older)}?status=FAILED#results"


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


@pytest.mark.parametrize("address", ["/admin/", "/admin/dashboard/live/"])
def test_at_most_twelve_queries_however_much_there_is(browser, address):
    def queries():
        with CaptureQueriesContext(connection) as caught:
            browser.get(address)
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
