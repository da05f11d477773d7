"""Asking for jobs: written first, queued after the commit, never twice for the same work."""

from __future__ import annotations

import pytest
from django.db import transaction

from mobjects.jobs.requests import create_sync_job, request_sync, selection_of_repeat
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import SyncJobState
from mobjects.sync.send.selection import SyncSelection
from tests import factories

EVERYTHING = SyncSelection()


@pytest.mark.django_db(transaction=True)
def test_a_job_is_queued_with_its_own_id_once_the_transaction_commits(queue):
    with transaction.atomic():
        job = request_sync(EVERYTHING)
        assert queue.job_ids == []
    assert [queue_id.startswith(str(job.pk)) for queue_id in queue.job_ids] == [True]
    job.refresh_from_db()
    assert job.state == SyncJobState.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_job_is_not_queued(queue):
    with transaction.atomic():
        request_sync(EVERYTHING)
        transaction.set_rollback(True)
    assert queue.job_ids == []


@pytest.mark.django_db(transaction=True)
def test_the_same_work_is_not_queued_twice(queue):
    first, second = request_sync(EVERYTHING), request_sync(EVERYTHING)
    assert first == second
    assert len(queue.job_ids) == 1
    assert request_sync(SyncSelection(kinds=(Kind.ROLE,))) != first


@pytest.mark.django_db
def test_the_user_name_outlives_the_user(marketo_settings):
    alice = factories.user()
    job = create_sync_job(EVERYTHING, user=alice)
    alice.delete()
    job.refresh_from_db()
    assert (job.user, job.username) == (None, "alice")


@pytest.mark.django_db
def test_what_failed_can_be_sent_again_by_a_job_that_is_linked(sandbox, marketo_settings):
    records = [factories.opportunity(name=f"Deal {number}") for number in range(3)]
    sandbox.faults.add("bad_row", row=1, text="no")
    first = factories.sync(*records)
    factories.opportunity(name="Another")
    again = request_sync(selection_of_repeat(first, ("FAILED",)), origin=first)
    run_job(again)
    again.refresh_from_db()
    assert (again.origin, again.counts) == (first, {"CREATED": 1})
    assert again.results.get().label == "Deal 1"
