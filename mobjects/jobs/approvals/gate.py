"""The one gate through which all work goes that a rule may hold: when it is asked for, and before it is begun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.dispatch import receiver
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.audit.events import record_event
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.approvals.facts import Facts, find_facts, frozen_records
from mobjects.jobs.approvals.lifecycle import APPROVAL_STATES, HELD_WORK, HeldWork, approval_asked
from mobjects.jobs.approvals.rules import RuleMatch, enabled_rules, find_match
from mobjects.jobs.lifecycle import JOB_STATES, end_job, job_came_to_rest
from mobjects.jobs.queue import enqueue_job
from mobjects.models import (
    Approval,
    ApprovalRecord,
    ApprovalState,
    ApprovedWork,
    EventKind,
    Kind,
    SyncBatchState,
    SyncJob,
    SyncJobAction,
    SyncJobState,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.sync.send import results
from mobjects.sync.send.selection import SyncSelection

WORKS = {
    SyncJobAction.SEND: ApprovedWork.SEND,
    SyncJobAction.UNDO: ApprovedWork.SEND,
    SyncJobAction.DELETE: ApprovedWork.DELETE,
}
"""What a rule calls the actions that it may hold; all others change nothing in Marketo."""
NAMED = 20
"""So many of the records that changed are named."""
_PART = 2000

RECORDS_CHANGED = _("Records changed after it was shown for approval. Look at them, and ask again.")
HELD_BEFORE_SENT = _("A rule held the job before this was sent.")
NOTHING_TO_SEND = _("The preview that was to be approved found nothing to send.")


def hold_if_ruled(job: SyncJob) -> bool:
    """Hold a job that is about to be queued, if a rule says so.

    Args:
        job: was just written down, and not queued.

    Returns:
        Whether it waits for approval now.
    """
    work = WORKS.get(SyncJobAction(job.action))
    if work is None:
        return False

    match = find_match(enabled_rules(work), partial(_read_facts, job))
    if match is None:
        return False
    with transaction.atomic():
        if JOB_STATES.change(job, SyncJobState.HELD, waits_until=None, waits_for=""):
            # So that the preview finds these records, and other jobs do.
            results.cancel_waiting_batches(job, HELD_BEFORE_SENT, SyncResultStatus.RETRIED)
            _ask(job, work, match)
    return job.state == SyncJobState.HELD


def _read_facts(job: SyncJob, amounts: bool, losses: bool) -> Facts:
    """What a job would do, what it has claimed already included."""
    with transaction.atomic():
        for batch in job.batches.filter(state=SyncBatchState.WAITING):
            records_of_kind(Kind(batch.kind)).filter(claimed_by=batch).update(claimed_by=None)
        facts = find_facts(job, amounts=amounts, losses=losses)
        transaction.set_rollback(True)
    return facts


@retry_on_database_error
def may_begin(job: SyncJob) -> bool:
    """Whether a worker may go on with a job: the gate is asked once more where no worker is at it.

    What was approved is not begun where its records changed since; what was not is held if it has grown into a rule.

    Args:
        job: its row is read anew.
    """
    if job.action not in WORKS:
        return True
    with transaction.atomic():
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        if job.state in (*SyncJob.FINAL_STATES, SyncJobState.HELD):
            return False
        if job.state in (SyncJobState.RUNNING, SyncJobState.PAUSED) or job.leases.exists():
            return True
        approval = job.approvals.filter(state=ApprovalState.APPROVED).first()
        if approval is None:
            return not hold_if_ruled(job)
        return job.started_at is not None or not withdraw_if_changed(approval)


def _ask(job: SyncJob, work: ApprovedWork, match: RuleMatch) -> None:
    approval = new_approval(work, match, user=job.user, username=job.username)
    approval.job, approval.asked_selection = job, job.selection
    if job.action != SyncJobAction.SEND:
        ask_approval(approval, frozen_records(job))
        return
    approval.preview = preview = _make_preview(job)
    job.selection = selection_of_dry_run(preview).to_json()
    job.save(update_fields=["selection"])
    ask_approval(approval)
    transaction.on_commit(partial(enqueue_job, preview))


def new_approval(work: ApprovedWork, match: RuleMatch, **asked: Any) -> Approval:
    """A request that is not saved yet.

    Args:
        asked: ``user`` and ``username`` of who asked.
    """
    until = clock.now() + timedelta(hours=match.rule.expires_after)
    return Approval(
        work=work,
        rule=match.rule,
        rule_name=match.rule.name,
        findings=match.findings,
        count=match.count,
        expires_at=until,
        **asked,
    )


def ask_approval(approval: Approval, found: Iterable[tuple[Kind, int, int]] | None = None) -> None:
    """Save a request and write down that something is held.

    Args:
        found: kind, our own id and revision of each record; ``None`` where a preview is to tell.
    """
    approval.save()
    record_event(EventKind.HELD, on=approval.held, username=approval.username, detail={"rule": approval.rule_name})
    if found is not None:
        _show_for_approval(approval, found)


def _release_job(approval: Approval) -> None:
    job = approval.job
    if job is not None and JOB_STATES.change(job, SyncJobState.NOT_QUEUED, only_from=(SyncJobState.HELD,)):
        transaction.on_commit(partial(enqueue_job, job))


def _cancel_job(approval: Approval, words: str) -> None:
    if approval.job is not None:
        end_job(approval.job, SyncJobState.CANCELLED, "approval", words)
    if approval.preview is not None:
        end_job(approval.preview, SyncJobState.CANCELLED)


HELD_WORK |= dict.fromkeys((ApprovedWork.SEND, ApprovedWork.DELETE), HeldWork(_release_job, _cancel_job))


def _make_preview(job: SyncJob) -> SyncJob:
    """The dry run that shows what a job would send; it is sent exactly as that finds it."""
    same = ("kind", "operation", "selection", "source", "user", "username", "request_id", "by_token")
    given = {name: getattr(job, name) for name in same}
    made: SyncJob = SyncJob.objects.create(action=SyncJobAction.DRY_RUN, origin=job, reason=job.reason, **given)
    return made


def selection_of_dry_run(job: SyncJob) -> SyncSelection:
    """Exactly what a dry run found that it would send, under its options."""
    asked = SyncSelection.from_json(job.selection)
    return replace(asked, ids=None, of_job="", of_statuses=(), of_error=None, of_import=None, of_dry_run=str(job.pk))


@receiver(job_came_to_rest, dispatch_uid="mobjects.jobs.approvals")
def see_to_approvals(work: SyncJob, **_given: Any) -> None:
    """Show a preview that is ready for approval; withdraw what was cancelled."""
    if work.action == SyncJobAction.DRY_RUN:
        for approval in Approval.objects.filter(preview=work, state=ApprovalState.PREPARING):
            planned = work.results.filter(status=SyncResultStatus.PLANNED)
            found = planned.values_list("kind", "record_id", "revision").order_by("pk")
            if work.state in (SyncJobState.SUCCEEDED, SyncJobState.PROBLEMS) and planned.exists():
                _show_for_approval(approval, ((Kind(kind), pk, revision) for kind, pk, revision in found.iterator()))
            elif work.state in SyncJob.FINAL_STATES:
                withdraw(approval, work.problem_text or NOTHING_TO_SEND)
    elif work.state == SyncJobState.CANCELLED:
        for approval in Approval.objects.filter(job=work, state__in=Approval.OPEN_STATES):
            withdraw(approval, _("The job was cancelled."))


def _show_for_approval(approval: Approval, found: Iterable[tuple[Kind, int, int]]) -> None:
    """Freeze what is shown; from now on it can be approved."""
    rows: Iterator[ApprovalRecord] = (
        ApprovalRecord(approval=approval, kind=kind.value, record_id=pk, revision=revision)
        for kind, pk, revision in found
    )
    count = 0
    while part := list(islice(rows, _PART)):
        ApprovalRecord.objects.bulk_create(part)
        count += len(part)
    if APPROVAL_STATES.change(approval, ApprovalState.WAITING, only_from=(ApprovalState.PREPARING,), count=count):
        approval_asked.send(Approval, approval=approval)


def changed_records(approval: Approval) -> list[QuerySet[ApprovalRecord]]:
    """The records that are not as they were shown, or not there any more; by kind."""
    return [
        approval.records.filter(kind=kind.value)
        .exclude(
            Exists(records_of_kind(kind).order_by().filter(pk=OuterRef("record_id"), revision=OuterRef("revision")))
        )
        .order_by("record_id")
        for kind in Kind
    ]


def withdraw_if_changed(approval: Approval) -> bool:
    """Withdraw an approval, or the wish for one, if its records changed; whether it was."""
    found = changed_records(approval)
    count = sum(rows.count() for rows in found)
    if not count:
        return False
    named = [[row.kind, row.record_id] for rows in found for row in rows[:NAMED]][:NAMED]
    return withdraw(approval, RECORDS_CHANGED, changed=named, changed_count=count)


def withdraw(approval: Approval, reason: str, **values: Any) -> bool:
    """Withdraw by itself what waits or was approved; ``False`` if it was decided otherwise meanwhile."""
    return close(approval, ApprovalState.WITHDRAWN, EventKind.APPROVAL_WITHDRAWN, reason, reason=reason, **values)


def close(
    approval: Approval, state: ApprovalState, event: EventKind, words: str, *, by: str = "", **values: Any
) -> bool:
    """End an approval without the work being done; its job is cancelled.

    Args:
        words: what the job says, in English.
        by: whose press it was; "" if nobody's.
        values: what else is kept, such as ``reason``.

    Returns:
        ``False`` if it was decided otherwise meanwhile.
    """
    with transaction.atomic():
        if not APPROVAL_STATES.change(approval, state, decided_at=clock.now(), decided_by=by, **values):
            return False
        HELD_WORK[approval.work].cancel(approval, words)
        record_event(event, on=approval.held, username=by, detail={"rule": approval.rule_name})
    return True
