"""Beginning with a job, leaving it, and its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from mobjects.jobs.job_lease import acquire_job, crash_job, expire_job
from mobjects.models import SyncJob
from tests import factories

State = SyncJob.State


@pytest.mark.django_db
def test_a_worker_whose_lease_expired_does_not_end_the_job_of_others(marketo_settings):
    job = factories.job_in(State.QUEUED)
    here = factories.context(job)
    expire_job(here.lease, Q())
    crash_job(job, here.lease, RuntimeError("its lease is gone"))
    job.refresh_from_db()
    assert job.state == State.WAITING


@pytest.mark.django_db
def test_a_late_call_does_not_release_a_brake(marketo_settings):
    until = timezone.now() + timedelta(seconds=20)
    job = factories.job_in(State.QUEUED)
    factories.context(job)
    SyncJob.objects.filter(pk=job.pk).update(waits_until=until)
    assert acquire_job(job) is None
    job.refresh_from_db()
    assert job.waits_until == until
