"""A job in the middle of its first batch, and what has to be true of it after its worker died."""

from __future__ import annotations

from mobjects.jobs.requests import request_sync
from mobjects.marketo.types import Kind
from mobjects.models import SyncBatch, SyncBatchState, SyncJobState, WorkerLease
from mobjects.sync.send.selection import SyncSelection
from tests import factories


def running_job(queue):
    """A job in the middle of its first batch, as the queue and the database see it; its record and its batch."""
    record = factories.opportunity()
    job = request_sync(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    claim = factories.claim_next(job, Kind.OPPORTUNITY)
    WorkerLease.objects.update(queue_id=queue.job_ids[0])
    job.refresh_from_db()
    return job, record, claim


def assert_goes_on(job, record, claim):
    job.refresh_from_db()
    batch = SyncBatch.objects.get(pk=claim.batch.pk)
    record = factories.fresh(record)
    assert (job.state, job.counts) == (SyncJobState.WAITING, {"UNKNOWN": 1})
    assert "cut off" in job.waits_for
    assert batch.state == SyncBatchState.UNKNOWN
    assert (record.claimed_by, record.last_status, record.is_dirty) == (None, "UNKNOWN", True)
    assert "cut off" in record.last_error
    assert not job.leases.exists()
