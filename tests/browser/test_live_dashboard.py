"""An open dashboard says by itself what came to need a person, without taking the keyboard's place or talking on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from mobjects.models import Opportunity, SyncJobState
from mobjects.processes.worker import SyncWorker
from tests import factories
from tests.views import pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_rest_settings", "groups"),
]
WATCH = """() => {
  window.watched = { spoken: [], asked: 0, answered: 0 };
  const look = () => {
    const text = document.querySelector("main > [role=status]")?.textContent.trim();
    text && text !== window.watched.spoken.at(-1) && window.watched.spoken.push(text);
  };
  new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true });
  document.addEventListener("htmx:beforeRequest", () => { window.watched.asked += 1; });
  document.addEventListener("htmx:afterRequest", () => { window.watched.answered += 1; });
}"""
"""Notes what the page says, and whether it waits for an answer."""


@pytest.fixture
def worker(queue):
    worker = SyncWorker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.heartbeat()
    return worker


def _refuse(count):
    for _ in range(count):
        record = factories.opportunity()
        Opportunity.objects.filter(pk=record.pk).update(last_status="FAILED", answered_revision=record.revision)


def test_what_comes_to_need_a_person_is_shown_within_half_a_minute_and_said_once(open_page, worker):
    _refuse(1)
    pages.job(state=SyncJobState.QUEUED)
    page = open_page("/admin/")
    page.clock.install()
    page.reload()
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 1)
    page.evaluate(WATCH)
    cards = page.locator("#dashboard-attention")
    cards.get_by_role("link", name="See them").focus()
    page.evaluate("window.before = document.activeElement")
    _pass_seconds(page, 60)
    assert page.evaluate("window.watched.asked") >= 4
    assert page.evaluate("window.watched.spoken") == []
    assert page.evaluate("window.before === document.activeElement && window.before.isConnected")

    worker.register_death()
    _pass_seconds(page, 21)
    expect(cards).to_contain_text("No worker is running.")
    expect(page.locator("#dashboard-running")).to_contain_text("No worker is running, so it will wait")
    _pass_seconds(page, 21)
    (said,) = page.evaluate("window.watched.spoken")
    assert "No worker is running." in said
    assert page.evaluate("document.activeElement.closest('#dashboard-attention') !== null")

    # A number that changed is shown, and not read out.
    _refuse(2)
    _pass_seconds(page, 42)
    expect(cards).to_contain_text("3 records failed and were not corrected.")
    assert len(page.evaluate("window.watched.spoken")) == 1


def _pass_seconds(page, count: int) -> None:
    """Let the page's clock go on second by second; what it asks for is answered within one."""
    for _ in range(count):
        page.clock.run_for(1_000)
        while page.evaluate("window.watched.asked > window.watched.answered"):
            pass
