"""Whether the queue, its workers and the clock are there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mobjects.processes import scheduler
from mobjects.processes import status as queue_status
from tests.views import pages

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_went_silent_and_clocks_of_others_do_not_count(queue, time_machine):
    time_machine.move_to(NOON, tick=False)
    scheduler.TickScheduler().register_birth()
    queue.connection.zadd("rq:cron_schedulers", {"another-program:1": NOON.timestamp()})
    assert queue_status.read().clocks == 1
    time_machine.move_to(NOON + timedelta(seconds=scheduler.ALIVE_SECONDS + 1), tick=False)
    assert queue_status.read().clocks == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("clocks", "said"), [(0, "No clock is running."), (1, "<dd>running</dd>"), (2, "2 clocks are running.")]
)
def test_the_queue_page_says_how_many_clocks_there_are(groups, queue, clocks, said):
    for _ in range(clocks):
        scheduler.TickScheduler().register_birth()
    shown = pages.text(pages.client().get("/admin/queue/"))
    assert said in shown
    assert ("No clock" in shown) == (clocks == 0)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_does_a_tick_is_not_said_to_do_a_job():
    work = queue_status.WorkerStatus("w", "busy", 0, f"{scheduler.TICK}123").work
    assert work is not None
    assert work.sync_job is None
