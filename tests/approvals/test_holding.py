"""A rule holds what is sent until another person approves exactly what was shown."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from mobjects.jobs.approvals import service
from mobjects.jobs.approvals.gate import may_begin
from mobjects.jobs.approvals.service import Decision
from mobjects.jobs.control import cancel_job
from mobjects.jobs.queue import enqueue_job
from mobjects.jobs.recovery import sweep_jobs
from mobjects.jobs.requests import request_sync
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Operation
from mobjects.models import (
    Approval,
    ApprovalRule,
    ApprovalState,
    AuditEvent,
    EventKind,
    Kind,
    Opportunity,
    SyncJob,
    SyncJobState,
)
from mobjects.sync.send import claims
from mobjects.sync.send.selection import SyncSelection
from tests import factories
from tests.support.approvals import OPPORTUNITIES, ask, make_rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "queue", "groups")]


@pytest.fixture
def olga() -> User:
    return factories.user("olga", group="operator")


@pytest.fixture
def anna() -> User:
    return factories.user("anna", group="operator")


def sent() -> int:
    return Opportunity.objects.exclude(marketo_id=None).count()


def run(job: SyncJob) -> SyncJob:
    run_job(job)
    return SyncJob.objects.get(pk=job.pk)


def test_without_rules_nothing_waits(olga):
    factories.opportunity()
    assert run(ask(user=olga)).state == SyncJobState.SUCCEEDED
    assert not Approval.objects.exists()


def test_what_a_rule_holds_is_not_sent_before_another_person_approves_it(olga, anna):
    make_rule(more_than=2)
    for _ in range(3):
        factories.opportunity()
    job = ask(user=olga)
    approval = job.approvals.get()
    assert (job.state, approval.state, approval.count) == (SyncJobState.HELD, ApprovalState.WAITING, 3)
    assert run(job).state == SyncJobState.HELD
    assert not enqueue_job(job)
    sweep_jobs()
    assert SyncJob.objects.get(pk=job.pk).state == SyncJobState.HELD
    assert sent() == 0

    assert service.approve(approval, anna) == Decision.DONE
    assert run(job).state == SyncJobState.SUCCEEDED
    assert sent() == 3
    kinds = list(AuditEvent.objects.filter(object_id=str(job.pk)).order_by("pk").values_list("kind", "username"))
    assert kinds == [(EventKind.HELD, "olga"), (EventKind.APPROVED, "anna")]


def test_what_is_sent_is_what_was_shown_and_not_what_was_added_since(olga, anna):
    make_rule()
    factories.opportunity()
    job = ask(user=olga)
    late = factories.opportunity()
    assert service.approve(job.approvals.get(), anna) == Decision.DONE
    run(job)
    assert (sent(), Opportunity.objects.get(pk=late.pk).marketo_id) == (1, None)


@pytest.mark.parametrize("superuser", [False, True])
def test_nobody_approves_what_they_asked_for(olga, superuser):
    User.objects.filter(pk=olga.pk).update(is_superuser=superuser)
    make_rule()
    factories.opportunity()
    approval = ask(user=olga).approvals.get()
    asker = User.objects.get(pk=olga.pk)
    assert service.approve(approval, asker) == service.refuse(approval, asker, "no") == Decision.OWN
    assert Approval.objects.get().state == ApprovalState.WAITING


def test_a_second_account_of_the_same_address_is_the_same_person(olga):
    User.objects.filter(pk=olga.pk).update(email="Olga@example.com")
    second = factories.user("olga2", group="operator")
    second.email = "olga@EXAMPLE.com "
    make_rule()
    factories.opportunity()
    approval = ask(user=User.objects.get(pk=olga.pk)).approvals.get()
    assert service.approve(approval, second) == Decision.OWN


def test_from_the_command_line_the_account_of_that_name_does_not_approve(olga, anna):
    make_rule()
    factories.opportunity()
    approval = ask(username="olga").approvals.get()
    assert service.approve(approval, olga) == Decision.OWN
    assert service.approve(approval, anna) == Decision.DONE


def test_who_lacks_the_right_does_not_approve(olga):
    make_rule()
    factories.opportunity()
    approval = ask(user=olga).approvals.get()
    assert service.approve(approval, factories.user("edda", group="editor")) == Decision.NOT_ALLOWED


def test_a_record_that_changed_since_withdraws_it_and_is_named(olga, anna):
    make_rule()
    record, _other = factories.opportunity(), factories.opportunity()
    job = ask(user=olga)
    record.stage = "Lost"
    record.save()
    approval = job.approvals.get()
    assert service.approve(approval, anna) == Decision.CHANGED
    approval.refresh_from_db()
    assert (approval.state, approval.changed) == (ApprovalState.WITHDRAWN, [["Opportunity", record.pk]])
    assert run(job).state == SyncJobState.CANCELLED
    assert sent() == 0


def test_a_record_that_was_deleted_since_withdraws_it_too(olga, anna):
    make_rule()
    record = factories.opportunity()
    job = ask(user=olga)
    Opportunity.objects.filter(pk=record.pk).delete()
    assert service.approve(job.approvals.get(), anna) == Decision.CHANGED


def test_a_change_between_the_approval_and_the_start_withdraws_it(olga, anna):
    make_rule()
    record = factories.opportunity()
    job = ask(user=olga)
    assert service.approve(job.approvals.get(), anna) == Decision.DONE
    record.stage = "Lost"
    record.save()
    assert run(job).state == SyncJobState.CANCELLED
    assert (sent(), Approval.objects.get().state) == (0, ApprovalState.WITHDRAWN)


def test_a_refusal_cancels_the_job_and_says_why(olga, anna):
    make_rule()
    factories.opportunity()
    job = ask(user=olga)
    assert service.refuse(job.approvals.get(), anna, "Wrong quarter.") == Decision.DONE
    job.refresh_from_db()
    assert (job.state, job.problem_text) == (SyncJobState.CANCELLED, "Refused by anna: Wrong quarter.")
    assert service.approve(job.approvals.get(), anna) == Decision.TOO_LATE


def test_only_the_asker_takes_it_back(olga, anna):
    make_rule()
    factories.opportunity()
    approval = ask(user=olga).approvals.get()
    assert service.withdraw_own(approval, anna) == Decision.NOT_ALLOWED
    assert service.withdraw_own(approval, olga) == Decision.DONE
    assert (approval.state, approval.job.state) == (ApprovalState.WITHDRAWN, SyncJobState.CANCELLED)


def test_cancelling_the_job_withdraws_it(olga):
    make_rule()
    factories.opportunity()
    job = ask(user=olga)
    assert cancel_job(job)
    assert Approval.objects.get().state == ApprovalState.WITHDRAWN


def test_it_expires_by_the_clock(olga, anna):
    make_rule(expires_after=2)
    factories.opportunity()
    job = ask(user=olga)
    sweep_jobs()
    assert Approval.objects.get().state == ApprovalState.WAITING
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert service.approve(Approval.objects.get(), anna) == Decision.EXPIRED
    assert SyncJob.objects.get(pk=job.pk).state == SyncJobState.CANCELLED

    again = ask(user=olga)
    Approval.objects.filter(job=again).update(expires_at=timezone.now() - timedelta(seconds=1))
    sweep_jobs()
    assert again.approvals.get().state == ApprovalState.EXPIRED
    assert SyncJob.objects.get(pk=again.pk).state == SyncJobState.CANCELLED


def test_a_preview_that_finds_nothing_withdraws_it(olga):
    make_rule()
    record = factories.opportunity()
    job = request_sync(OPPORTUNITIES, user=olga)
    Opportunity.objects.filter(pk=record.pk).delete()
    run_job(job.approvals.get().preview)
    assert job.approvals.get().state == ApprovalState.WITHDRAWN


def test_asking_twice_makes_one_request(olga):
    make_rule()
    factories.opportunity()
    first = request_sync(OPPORTUNITIES, user=olga)
    assert request_sync(OPPORTUNITIES, user=olga) == first
    assert Approval.objects.count() == 1


def test_a_job_that_grew_before_it_was_begun_is_held_then(olga):
    make_rule(more_than=1)
    factories.opportunity()
    job = request_sync(OPPORTUNITIES, user=olga)
    factories.opportunity()
    assert run(job).state == SyncJobState.HELD
    assert sent() == 0


def waiting_with_a_claim(user: User) -> SyncJob:
    """A job that waits in the midst of its work, of which one record is claimed and the other is not."""
    first = factories.opportunity()
    job = request_sync(OPPORTUNITIES, user=user)
    here = factories.context(job)
    selection = SyncSelection.from_json(job.selection)
    claims.claim_batch(here, Kind.OPPORTUNITY, Operation.INSERT, selection, after=0, limit=1)
    here.lease.delete()
    waits = {"waits_until": timezone.now(), "waits_for": "Marketo is not available.", "started_at": timezone.now()}
    SyncJob.objects.filter(pk=job.pk).update(state=SyncJobState.WAITING, **waits)
    assert factories.fresh(first).claimed_by is not None
    factories.opportunity()
    return SyncJob.objects.get(pk=job.pk)


def test_what_waited_to_be_sent_is_shown_for_approval_and_sent_after_it(olga, anna):
    job = waiting_with_a_claim(olga)
    make_rule()
    held = run(job)
    assert (held.state, held.waits_until, held.waits_for) == (SyncJobState.HELD, None, "")
    approval = job.approvals.get()
    run_job(approval.preview)
    approval.refresh_from_db()
    assert approval.count == 2
    assert service.approve(approval, anna) == Decision.DONE
    assert (run(job).state, sent()) == (SyncJobState.SUCCEEDED, 2)


def test_a_refused_job_lets_go_of_what_waited_to_be_sent(olga, anna):
    job = waiting_with_a_claim(olga)
    make_rule()
    run_job(run(job).approvals.get().preview)
    assert service.refuse(job.approvals.get(), anna, "Not now.") == Decision.DONE
    assert not Opportunity.objects.exclude(claimed_by=None).exists()
    ApprovalRule.objects.all().delete()
    assert run(ask(user=olga)).counts == {"CREATED": 2}


def test_what_a_job_that_waits_has_claimed_counts(olga):
    job = waiting_with_a_claim(olga)
    make_rule(more_than=1)
    assert run(job).state == SyncJobState.HELD
    assert sent() == 0


def test_a_job_that_waits_keeps_its_claims_where_no_rule_holds_it(olga):
    job = waiting_with_a_claim(olga)
    make_rule(more_than=2)
    batch = job.batches.get()
    assert (run(job).state, sent()) == (SyncJobState.SUCCEEDED, 2)
    assert job.batches.order_by("pk").first() == batch
    assert batch.results.get().status == "CREATED"


def test_a_job_that_is_judged_does_not_log_that_its_batches_were_not_sent(olga, caplog):
    job = waiting_with_a_claim(olga)
    make_rule(more_than=2)
    caplog.set_level(logging.INFO)
    assert may_begin(job)
    assert [line for line in caplog.messages if line.startswith("Batch")] == []
    run(job)
    assert [line for line in caplog.messages if "not_sent" in line.lower()] == []
    assert any(line.startswith("Batch 1, ") for line in caplog.messages)
