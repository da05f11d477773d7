"""The page of a long job renews itself to its end, without being loaded again, and says so in moderation."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import expect

from mobjects.jobs.queue import enqueue_job
from mobjects.jobs.requests import create_sync_job
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, SyncJob, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests.views import pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_rest_settings", "groups"),
]

RECORDS = 5_000
SOON = 20_000

WATCH = """() => {
  window.watched = { shown: [], spoken: [], asked: [], answered: 0 };
  const note = (list, text) => text && text !== list.at(-1)?.text && list.push({ text, at: performance.now() });
  const look = () => {
    note(window.watched.shown, document.querySelector("#job-live [data-announce]")?.textContent.trim());
    note(window.watched.spoken, document.querySelector("main > [role=status]")?.textContent.trim());
  };
  look();
  new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true });
  document.addEventListener("htmx:beforeRequest", () => window.watched.asked.push(performance.now()));
  document.addEventListener("htmx:afterRequest", () => { window.watched.answered += 1; });
}"""
"""Notes what the page shows and says, and when it asks; gone if the page were loaded again."""


def test_a_job_of_5000_records_is_followed_to_its_end_without_loading_the_page_again(open_page, work, sandbox):
    Opportunity.objects.bulk_create(
        Opportunity(external_id=f"E-{number}", name=f"Deal {number}") for number in range(RECORDS)
    )
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    assert enqueue_job(job)
    sandbox.faults.add("slow", seconds=0.7, times=20, path="POST /rest/v1/opportunities.json")
    page = open_page(pages.job_url(job))
    page.evaluate(WATCH)
    work()
    expect(page.locator("#job-live")).to_contain_text("Finished: all 5,000 records were accepted.", timeout=SOON)

    # All parts are of the same reading, the heading too.
    expect(page.locator("#job-records")).to_contain_text("Created 5,000")
    expect(page.locator("#mo-here")).to_contain_text("Sync of 5,000 opportunities")
    watched = page.evaluate("window.watched")
    under_way = [each["text"] for each in watched["shown"] if "of 5,000 records done" in each["text"]]
    assert len(under_way) >= 2, watched["shown"]

    # Read out politely: fewer times than it changed, ten seconds apart, its end as well.
    expect(page.locator("main > [role=status]")).to_contain_text("Finished: all 5,000", timeout=SOON)
    said = page.evaluate("window.watched.spoken")
    assert len(said) <= len(watched["shown"])
    assert all(later["at"] - earlier["at"] >= 9_900 for earlier, later in itertools.pairwise(said))
    asked = len(page.evaluate("window.watched.asked"))
    page.wait_for_timeout(4_000)
    assert len(page.evaluate("window.watched.asked")) == asked, "a job that is over is not asked about"


def test_a_page_on_which_nothing_changes_asks_ever_later(open_page):
    job = pages.job(state=SyncJobState.RUNNING, planned=9, counts={"CREATED": 1}, started_at=pages.MOMENT)
    page = open_page(pages.job_url(job))
    page.clock.install()
    page.reload()
    # From here on only the test lets it pass: what an answer takes on a slow machine would count too.
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 1)
    page.evaluate(WATCH)
    _pass_seconds(page, 90)
    asked = page.evaluate("window.watched.asked")
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert len(gaps) >= 5
    assert all(later >= earlier - 1_000 for earlier, later in itertools.pairwise(gaps)), gaps
    assert gaps[0] < 5_000, gaps
    assert 14_000 < gaps[-1] < 17_000, gaps
    assert page.evaluate("window.watched.spoken") == []
    SyncJob.objects.filter(pk=job.pk).update(counts={"CREATED": 2})
    _pass_seconds(page, 20)
    expect(page.locator("main > [role=status]")).to_contain_text("2 of 9 records done")
    # Where something changed it asks soon again.
    afterwards = page.evaluate("window.watched.asked")[len(asked) :]
    assert afterwards[1] - afterwards[0] < 5_000, afterwards


def _pass_seconds(page, count: int) -> None:
    """Let the page's clock go on second by second; what it asks for is answered within one."""
    for _ in range(count):
        page.clock.run_for(1_000)
        while page.evaluate("window.watched.asked.length > window.watched.answered"):
            pass
