"""Batches between being claimed and being sent: several lanes see them, and records change meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobjects.db.counting import LIMIT
from mobjects.jobs import requests
from mobjects.marketo.types import Kind, Operation
from mobjects.models import Opportunity, SyncBatch, SyncBatchState, SyncJob, WorkerLease
from mobjects.sync.send import claims
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.send.task import SendTask
from tests import factories
from tests.factories import fresh
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]

OPPORTUNITIES = SyncSelection(kinds=(Kind.OPPORTUNITY,))


@pytest.fixture
def record():
    return factories.opportunity()


@pytest.fixture
def here(record):
    """What a lane works with on a job about the record."""
    return factories.context(requests.create_sync_job(OPPORTUNITIES))


@pytest.fixture
def waiting(here):
    """A batch with the record that waits to be sent."""
    batch, _ = claims.claim_batch(here, Kind.OPPORTUNITY, Operation.INSERT, OPPORTUNITIES, after=0, limit=100)
    return batch


def take(here, batch):
    return claims.start_batch(here, SyncBatch.objects.get(pk=batch.pk), OPPORTUNITIES)


def reserve(here):
    """Another lane of the same job takes what waits."""
    lease = WorkerLease.objects.create(job=here.job, process="other", renewed_at=here.lease.renewed_at)
    here.job.batches.filter(state=SyncBatchState.WAITING).update(lease=lease)
    return lease


def test_of_two_lanes_that_find_a_batch_waiting_one_begins_it(here, waiting):
    first, second = take(here, waiting), take(here, waiting)
    assert [item.pk for item in first.items] == [fresh(Opportunity.objects.get()).pk]
    assert second is None


def test_a_record_that_got_its_id_while_its_batch_waited_is_let_go(here, waiting, record):
    Opportunity.objects.update(marketo_id=64)
    assert take(here, waiting).batch is None
    assert fresh(record).claimed_by is None


def test_what_is_left_out_of_a_batch_that_is_sent_is_let_go(here, record):
    other = factories.opportunity()
    batch, _ = claims.claim_batch(here, Kind.OPPORTUNITY, Operation.INSERT, OPPORTUNITIES, after=0, limit=100)
    Opportunity.objects.filter(pk=record.pk).update(marketo_id=64)
    assert [item.pk for item in take(here, batch).items] == [other.pk]
    assert (fresh(record).claimed_by, fresh(other).claimed_by) == (None, batch)


def test_a_record_that_got_its_result_while_its_batch_waited_is_let_go(here, waiting, record):
    pages.result(here.job, record_id=record.pk)
    assert take(here, waiting).batch is None
    assert fresh(record).claimed_by is None


def test_a_record_that_holds_nothing_to_send_any_more_is_let_go(here, record):
    Opportunity.objects.update(accepted={"Name": "Q1 2014"}, marketo_id=64)
    batch, _ = claims.claim_batch(here, Kind.OPPORTUNITY, Operation.UPDATE, OPPORTUNITIES, after=0, limit=100)
    assert take(here, batch).batch is None
    assert (fresh(record).claimed_by, fresh(record).is_dirty) == (None, False)


def test_what_was_read_in_marketo_before_the_job_began_is_read_again(here, record):
    here.job.started_at = here.lease.renewed_at
    Opportunity.objects.update(marketo_id=64, read_at=here.lease.renewed_at - timedelta(hours=1))
    asked = here, Kind.OPPORTUNITY, Operation.UPDATE, replace(OPPORTUNITIES, read_first=True)
    assert list(claims.unread_records(*asked)) == [record]
    assert not claims.sendable_records(*asked).exists()


def test_a_batch_that_another_lane_has_reserved_is_left_to_it(here, waiting, sandbox):
    reserve(here)
    SendTask(here).step()
    assert "syncMObjects" not in [call.operation for call in sandbox.calls]


def test_of_two_lanes_that_want_the_same_batch_one_gets_it(here, waiting, sandbox):
    others = []

    def in_between(execute, sql, params, many, context):
        # Both have seen it waiting.
        if sql.startswith('UPDATE "mobjects_syncbatch"') and not others:
            others.append(None)
            others.append(reserve(here))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(in_between):
        SendTask(here).step()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.lease) == (SyncBatchState.WAITING, others[-1])
    assert "syncMObjects" not in [call.operation for call in sandbox.calls]


@pytest.mark.parametrize(("at_once", "wanted"), [(5, 3), (2, 2)])
def test_a_worker_is_wanted_for_each_batch_but_no_more_than_may_work(settings, here, record, at_once, wanted):
    Opportunity.objects.bulk_create(
        [Opportunity(name=f"Deal {number}", external_id=f"K{number}") for number in range(249)]
    )
    settings.MARKETO = {**settings.MARKETO, "CALLS_AT_ONCE": at_once}
    task = SendTask(here)
    task.wanted_workers()
    with CaptureQueriesContext(connection) as asked:
        assert task.wanted_workers() == wanted
    (judged,) = [each["sql"] for each in asked if "EXISTS" in each["sql"]]
    assert f"LIMIT {at_once * 100}" in judged


def test_what_a_job_is_about_is_counted_after_its_first_batch_where_it_is_much(here, record):
    Opportunity.objects.bulk_create(
        [Opportunity(name=f"Deal {number}", external_id=f"K{number}") for number in range(LIMIT)]
    )
    task = SendTask(here)
    task.wanted_workers()
    before = SyncJob.objects.get(pk=here.job.pk).planned
    task.step()
    job = SyncJob.objects.get(pk=here.job.pk)
    assert (before, job.counts, job.planned) == (0, {"CREATED": 100}, LIMIT + 1)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite goes by the index by itself")
def test_a_batch_of_very_many_records_is_not_sorted_out_of_all_of_them(here, record):
    Opportunity.objects.bulk_create(
        [Opportunity(name=f"Deal {number}", external_id=f"K{number}") for number in range(5000)]
    )
    plans = []

    def explain(execute, sql, params, many, context):
        if "SKIP LOCKED" in sql:
            with connection.connection.cursor() as cursor:
                plans.append("\n".join(row[0] for row in cursor.execute(f"EXPLAIN {sql}", params)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        SendTask(here).step()
    assert plans
    assert [plan for plan in plans if "Sort" in plan] == []


def test_a_batch_that_is_over_names_no_lease(here, waiting):
    started = take(here, waiting)
    factories.answer(here.job, started)
    assert fresh(started.batch).lease is None
