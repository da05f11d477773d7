"""Batches that take several calls: each is kept, counted and shown; many records are read with one."""

from __future__ import annotations

import pytest
from django.urls import reverse
from redis import Redis

from mobjects.marketo.errors import Unavailable
from mobjects.models import EarlierCall, Opportunity, SyncBatch
from mobjects.sync.rate_limits.call_log import count_calls_since
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import target
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


def usage():
    return RedisRateLimiter.from_settings(target()).read_usage()


@pytest.fixture
def batch(guid_marketo) -> SyncBatch:
    guid_marketo.earlier = 2
    return factories.sync(factories.opportunity()).batches.get()


def test_the_calls_before_the_last_one_are_kept_in_order(batch):
    kept = [(each.position, each.request, each.response, each.identity) for each in batch.earlier_calls.all()]
    assert kept == [
        (1, "call 1 of sent", "answer 1", {"Call": "1"}),
        (2, "call 2 of sent", "answer 2", {"Call": "2"}),
    ]
    assert (batch.request, batch.seconds) == ("sent", 1.25)


def test_all_of_its_calls_are_counted(batch):
    assert (usage().used_today, usage().in_window) == (3, 3)
    assert count_calls_since(target(), batch.sent_at) == 3


def test_they_are_counted_when_redis_has_lost_its_counts(batch, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    assert usage().used_today == 3


@pytest.mark.parametrize("how", ["before", "after"])
def test_the_calls_of_a_batch_that_was_lost_are_counted_and_kept(guid_marketo, how):
    guid_marketo.earlier, guid_marketo.lose = 2, how
    factories.sync(factories.opportunity())
    assert (usage().used_today, EarlierCall.objects.count()) == (3, 2)


def test_the_calls_of_a_reading_that_failed_are_counted_and_kept(guid_marketo):
    record = factories.opportunity()
    factories.sync(record)
    Opportunity.objects.update(stage="Won")
    guid_marketo.earlier = 2
    guid_marketo.fail_reading = Unavailable("Try later.", exchange=guid_marketo._exchange("asked"))
    factories.sync(record, read_first=True)
    assert (usage().used_today, EarlierCall.objects.count()) == (4, 2)


def test_what_is_counted_twice_by_a_lost_answer_counts_once(redis_url, guid_marketo):
    limits = RedisRateLimiter.from_settings(target())
    with limits.permit_call():
        pass
    counters = limits._counters
    script, given = counters._count_further, []

    def twice(keys, arguments):
        given.append(script(keys, arguments))
        return script(keys, arguments)

    counters._count_further = twice
    limits.count_further(4)
    assert (len(given), usage().used_today, usage().in_window) == (1, 5, 5)


# --- the page ---


def page(batch, group="operator"):
    return pages.text(pages.client(group).get(reverse("admin:mobjects_syncbatch_change", args=[batch.pk])))


def test_the_page_shows_every_call_in_order(batch, groups):
    shown = page(batch)
    places = [shown.index(text) for text in ("Call 1 of 3", "call 1 of sent", "Call 2 of 3", "answer 2", "Call 3 of 3")]
    assert places == sorted(places)


def test_who_may_not_see_requests_sees_those_of_no_call(batch, groups):
    shown = page(batch, "viewer")
    assert "Call 1 of 3" in shown
    assert "call 1 of sent" not in shown
    assert pages.client("editor").get(f"{file_of(batch)}?call=1").status_code == 403


def file_of(batch):
    return reverse("mobjects:batch-payload", args=[batch.pk, "request"])


def test_each_call_can_be_taken_out_as_a_file(batch, groups):
    browser = pages.client()
    assert [browser.get(f"{file_of(batch)}{which}").content for which in ("?call=1", "?call=2", "")] == [
        b"call 1 of sent",
        b"call 2 of sent",
        b"sent",
    ]
    assert [browser.get(f"{file_of(batch)}?call={which}").status_code for which in ("3", "x", "99999")] == [404] * 3


def test_a_batch_of_one_call_names_no_calls(guid_marketo, groups):
    assert "Call 1 of" not in page(factories.sync(factories.opportunity()).batches.get())


# --- reading before sending ---


def test_records_that_are_read_first_are_read_together(guid_marketo):
    records = [factories.opportunity(name=f"Deal {number}") for number in range(5)]
    factories.sync(*records)
    Opportunity.objects.update(stage="Won")
    job = factories.sync(*records, read_first=True)
    (query,) = guid_marketo.asked
    assert sorted(query.ids) == sorted(Opportunity.objects.values_list("marketo_guid", flat=True))
    assert job.counts == {"UPDATED": 5}


def test_one_of_them_that_was_changed_in_marketo_waits_for_a_person(guid_marketo):
    records = [factories.opportunity(name=f"Deal {number}", stage="Open") for number in range(3)]
    factories.sync(*records)
    Opportunity.objects.update(stage="Won")
    guid_marketo.objects[factories.fresh(records[1]).marketo_guid].values["Stage"] = "Lost"
    job = factories.sync(*records, read_first=True)
    assert job.counts == {"UPDATED": 2, "HELD": 1}
