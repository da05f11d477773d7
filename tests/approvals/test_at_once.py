"""Two people at once, and a change at the last moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from mobjects.jobs.approvals import service
from mobjects.jobs.approvals.service import Decision
from mobjects.jobs.control import cancel_job
from mobjects.jobs.runner import run_job
from mobjects.models import Approval, ApprovalState, AuditEvent, EventKind, Opportunity, SyncJob, SyncJobState
from tests import factories
from tests.support.approvals import ask, make_rule
from tests.support.concurrent import Concurrently, concurrently, postgresql

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "queue", "groups"),
]


@postgresql
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


# --- a deadlock: jobs lock their approval last, who decides locks it first ---------------------


@pytest.fixture
def held() -> SyncJob:
    make_rule()
    factories.opportunity()
    return ask(user=factories.user("olga", group="operator"))


def approve(approval: Approval) -> None:
    service.approve(approval, factories.user("anna", group="operator"))


def refuse(approval: Approval) -> None:
    service.refuse(approval, factories.user("anna", group="operator"), "Not now.")


def withdraw(approval: Approval) -> None:
    service.withdraw_own(approval, User.objects.get(username="olga"))


def expire(approval: Approval) -> None:
    Approval.objects.filter(pk=approval.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    service.sweep_approvals()


@postgresql
@pytest.mark.parametrize("decide", [approve, refuse, withdraw, expire])
def test_who_decides_while_the_job_is_cancelled_tries_again(held, decide):
    with concurrently(lambda: cancel_job(SyncJob.objects.get(pk=held.pk)), before='SELECT "mobjects_syncjob"'):
        decide(held.approvals.get())
    held.refresh_from_db()
    assert (held.state, held.approvals.get().is_open) == (SyncJobState.CANCELLED, False)


@postgresql
def test_who_cancels_the_job_while_it_is_approved_tries_again(held):
    anna, approval = factories.user("anna", group="operator"), held.approvals.get()
    with concurrently(lambda: service.approve(approval, anna), before='SELECT "mobjects_approval"') as other:
        assert cancel_job(held)
    assert other[0] in (Decision.DONE, Decision.TOO_LATE)
    assert SyncJob.objects.get(pk=held.pk).state == SyncJobState.CANCELLED
