"""Asking for a job: it is written down first, and queued once that is committed."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict, Unpack

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from mobjects.audit.events import current_token
from mobjects.audit.trace import current_request_id, traced
from mobjects.jobs.approvals.gate import hold_if_ruled
from mobjects.jobs.queue import enqueue_job
from mobjects.models import Approval, Schedule, SyncJob, SyncJobAction, SyncJobSource, SyncJobState, SyncResultStatus
from mobjects.sync.send.selection import SyncSelection

logger = logging.getLogger(__name__)


class Asked(TypedDict, total=False):
    """Who asks for a job, and why.

    ``user`` is one of ours, whose name is kept even if the user is deleted later; ``username`` is anybody else.
    ``reason`` is free text for the history, ``source`` is where it was asked (the admin, if nothing is said),
    ``origin`` is the job that this one repeats in part, sends or undoes, ``schedule`` what started it by the clock,
    ``pk`` the job's id where it has to be known before.
    """

    pk: uuid.UUID

    user: User | None
    username: str
    reason: str
    source: SyncJobSource
    origin: SyncJob | None
    schedule: Schedule | None


def create_job(
    action: SyncJobAction, kind: str, selection: Mapping[str, Any], operation: str = "AUTO", **asked: Unpack[Asked]
) -> SyncJob:
    """Write down a job that is not queued yet. All that changes something in Marketo passes the gate here: if a rule
    holds it, the job waits until another person approves it, and is queued then.

    Args:
        action: what to do.
        kind: Marketo's name of the kind, or ``several``.
        selection: what it is about, in the form of the action's task.
        operation: of a job that sends.
    """
    user = asked.get("user")
    if user is not None:
        asked["username"] = user.get_username()
    given = {"selection": dict(selection), "operation": operation, "request_id": current_request_id(), **asked}
    if by_token := current_token():
        given |= {"by_token": by_token, "source": SyncJobSource.API}
    with transaction.atomic():
        job: SyncJob = SyncJob.objects.create(action=action, kind=kind, **given)
        hold_if_ruled(job)
    with traced(request_id=job.request_id, job=str(job.pk)):
        logger.info("A job was asked for: %s, %s.", action, kind)
    return job


def create_sync_job(selection: SyncSelection, **asked: Unpack[Asked]) -> SyncJob:
    """Write down a job that sends and is not queued yet."""
    return create_job(
        SyncJobAction.SEND, selection.kind_of_job, selection.to_json(), selection.operation.value, **asked
    )


def request_job(
    action: SyncJobAction, kind: str, selection: Mapping[str, Any], operation: str = "AUTO", **asked: Unpack[Asked]
) -> SyncJob:
    """Ask for a job and queue it once the surrounding transaction commits.

    The same work is not queued twice: if a job that has not begun is about to do exactly this, it is returned.
    If the queue cannot be reached the job stays "not queued" and the sweep queues it later. Arguments as in
    :func:`create_job`.
    """
    same = {"started_at": None, "action": action, "kind": kind, "operation": operation}
    this = Q(state=SyncJobState.QUEUED, selection=dict(selection))
    asked_before = Q(approvals__state__in=Approval.OPEN_STATES, approvals__asked_selection=dict(selection))
    twin = SyncJob.objects.filter(this | Q(state=SyncJobState.HELD) & asked_before, **same).first()
    if twin is not None:
        return twin
    job = create_job(action, kind, selection, operation, **asked)
    transaction.on_commit(partial(enqueue_job, job))
    return job


def request_sync(selection: SyncSelection, **asked: Unpack[Asked]) -> SyncJob:
    """Ask for a job that sends; see :func:`request_job`."""
    return request_job(
        SyncJobAction.SEND, selection.kind_of_job, selection.to_json(), selection.operation.value, **asked
    )


def request_dry_run(selection: SyncSelection, **asked: Unpack[Asked]) -> SyncJob:
    """Ask for a job that keeps what sending a selection would do; see :func:`request_job`."""
    return request_job(
        SyncJobAction.DRY_RUN, selection.kind_of_job, selection.to_json(), selection.operation.value, **asked
    )


def request_undo(undone: SyncJob, *, read_first: bool, **asked: Unpack[Asked]) -> SyncJob:
    """Ask for a job that takes back what another sent; see :class:`mobjects.sync.send.undo.task.UndoTask`.

    Args:
        undone: a job that sent something and is over.
        read_first: whether each record is read in Marketo first, so that what was changed there since is not lost.

    Returns:
        The job; one that is about to do the same if there is one.
    """
    waiting = (SyncJobState.QUEUED, SyncJobState.HELD)
    twin = undone.followers.filter(action=SyncJobAction.UNDO, state__in=waiting, started_at=None).first()
    if twin is not None:
        return twin
    pk = uuid.uuid4()
    kinds = SyncSelection.from_json(undone.selection).kinds
    restored = (SyncResultStatus.RESTORED.value,)
    selection = SyncSelection(kinds, of_job=str(pk), of_statuses=restored, read_first=read_first)
    asked["origin"], asked["pk"] = undone, pk
    job = create_job(SyncJobAction.UNDO, selection.kind_of_job, selection.to_json(), **asked)
    transaction.on_commit(partial(enqueue_job, job))
    return job


def selection_of_repeat(job: SyncJob, statuses: Sequence[str], error: str | None = None) -> SyncSelection:
    """Those records of a job that have certain results there and were not accepted since.

    Args:
        statuses: results by status.
        error: only results with a reason that differs from this one only in values; ``None`` means any.
    """
    old = SyncSelection.from_json(job.selection)
    results = SyncSelection(old.kinds, of_job=str(job.pk), of_statuses=tuple(statuses), of_error=error)
    return replace(results, operation=old.operation, resend=old.resend, read_first=old.read_first)
