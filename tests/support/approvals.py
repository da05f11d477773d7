"""Rules, people and held work that several tests of approvals need."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from mobjects.jobs.requests import request_sync
from mobjects.jobs.runner import run_job
from mobjects.models import Approval, ApprovalRule, ApprovalState, ApprovedWork, Kind, SyncedRecord, SyncJob
from mobjects.sync.send.selection import SyncSelection

OPPORTUNITIES = SyncSelection((Kind.OPPORTUNITY,))


def make_rule(**values: Any) -> ApprovalRule:
    """A rule; without values it holds everything."""
    return ApprovalRule.objects.create(**{"name": "Four eyes", **values})


def ask(selection: SyncSelection = OPPORTUNITIES, **asked: Any) -> SyncJob:
    """A job that was just asked for; if it is held, its preview is there."""
    job = request_sync(selection, **asked)
    approval = Approval.objects.filter(job=job).first()
    if approval is not None and approval.preview is not None:
        run_job(approval.preview)
    return SyncJob.objects.get(pk=job.pk)


def waiting_approval(job: SyncJob, *records: SyncedRecord, **values: Any) -> Approval:
    """A request for approval of a job, made by hand."""
    finding = {"what": "count", "found": max(1, len(records)), "limit": None, "by": ""}
    given = {"work": ApprovedWork.SEND, "state": ApprovalState.WAITING, "rule_name": "Four eyes", "findings": [finding]}
    until = timezone.now() + timedelta(hours=72)
    made = Approval.objects.create(job=job, expires_at=until, count=len(records), **{**given, **values})
    for record in records:
        made.records.create(kind=record.KIND.value, record_id=record.pk, revision=record.revision)
    return made
