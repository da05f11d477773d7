"""Two people at once, and a change at the last moment."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from mobjects.jobs.approvals import service
from mobjects.jobs.approvals.service import Decision
from mobjects.jobs.runner import run_job
from mobjects.models import Approval, ApprovalState, AuditEvent, EventKind, Opportunity, SyncJob, SyncJobState
from tests import factories
from tests.support.approvals import ask, make_rule
from tests.support.concurrent import Concurrently

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "queue", "groups"),
]


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite lets one transaction write at a time")
def test_of_two_who_approve_at_once_one_does():
    make_rule()
    factories.opportunity()
    approval = ask(user=factories.user("olga", group="operator")).approvals.get()
    anna, bert = (factories.user(name, group="operator") for name in ("anna", "bert"))
    with transaction.atomic():
        first = service.approve(approval, anna)
        other = Concurrently(lambda: service.approve(Approval.objects.get(pk=approval.pk), bert))
        assert other.waits
    assert (first, other.result()) == (Decision.DONE, Decision.TOO_LATE)
    assert AuditEvent.objects.filter(kind=EventKind.APPROVED).count() == 1
    assert Approval.objects.get().decided_by == "anna"


def test_a_change_that_is_committed_while_somebody_approves_is_not_sent():
    make_rule()
    record = factories.opportunity(stage="Open")
    job = ask(user=factories.user("olga", group="operator"))
    anna = factories.user("anna", group="operator")
    with transaction.atomic():
        assert service.approve(job.approvals.get(), anna) == Decision.DONE
        if connection.vendor == "postgresql":
            Concurrently(lambda: Opportunity.objects.get(pk=record.pk).delete()).result()
    if connection.vendor == "sqlite":
        Opportunity.objects.get(pk=record.pk).delete()
    run_job(SyncJob.objects.get(pk=job.pk))
    assert SyncJob.objects.get(pk=job.pk).state == SyncJobState.CANCELLED
    assert Approval.objects.get().state == ApprovalState.WITHDRAWN
