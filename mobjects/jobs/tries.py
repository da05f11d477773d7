"""Sending the first few of many, and the rest once these were accepted."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any, Unpack

from django.db.models import Q
from django.dispatch import receiver

from mobjects.db.counting import read_bounded
from mobjects.jobs.lifecycle import job_came_to_rest
from mobjects.jobs.requests import Asked, request_sync
from mobjects.models import Kind, SyncJob, SyncJobAction, SyncJobState
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.selection import PART_SIZE, SyncSelection, classify_records, foreseen_records, ordered_kinds

TRIED = 5
"""So many records go first."""
COUNTED = 10_000
"""Of a kind so many records are counted at most while somebody waits."""


def request_try(selection: SyncSelection, keys: KeyFields, *, by_itself: bool, **asked: Unpack[Asked]) -> SyncJob:
    """Ask for a job that sends the first records of a selection, all of one kind.

    Args:
        selection: all that is to be sent.
        keys: names of the external key fields.
        by_itself: whether the rest is sent without a person's asking if all of the first were accepted.

    Returns:
        The job; its selection keeps the rest. One that sends all if there is nothing that could be tried.
    """
    if first := _first_records(selection, keys):
        kind, ids = first
        tried = replace(selection, kinds=(kind,), ids=ids, rest=selection.to_json(), rest_by_itself=by_itself)
        return request_sync(tried, **asked)
    return request_sync(selection, **asked)


def _first_records(selection: SyncSelection, keys: KeyFields) -> tuple[Kind, tuple[int, ...]] | None:
    """The records to try: of the first kind that has enough, else of that which has most; none if none can go."""
    best: tuple[Kind, tuple[int, ...]] | None = None
    for kind, part in product(ordered_kinds(selection), selection.iter_parts()):
        sendable = classify_records(kind, part, keys).filter(hold="").order_by("pk")
        ids = tuple(sendable.values_list("pk", flat=True)[:TRIED])
        if len(ids) > (len(best[1]) if best else 0):
            best = kind, ids
        if len(ids) == TRIED:
            break
    return best


def count_rest(job: SyncJob, keys: KeyFields) -> int | None:
    """How many records :func:`rest_of_try` would send now, in one statement; ``None`` if they are too many to
    be counted while somebody waits.

    Args:
        job: a try that is over.
        keys: names of the external key fields.
    """
    rest = _kept_rest(job)
    if rest is None or (rest.ids is not None and not 0 < len(rest.ids) <= PART_SIZE):
        return 0 if rest is None or not rest.ids else None
    found = {kind.value: foreseen_records(kind, rest, keys).filter(hold="") for kind in ordered_kinds(rest)}
    counts = read_bounded(found, limit=COUNTED).values()
    return None if any(count > COUNTED for count in counts) else sum(counts)


def rest_of_try(job: SyncJob) -> SyncSelection | None:
    """What is still to be sent after a try that is over; ``None`` if nothing is, or if it was asked for already."""
    rest = _kept_rest(job)
    if rest is None:
        return None
    whole = (job.selection["rest"], rest.to_json())
    # What is held for approval has its selection frozen.
    asked = job.followers.filter(Q(selection__in=whole) | Q(approvals__asked_selection__in=whole))
    return None if asked.exists() else rest


def _kept_rest(job: SyncJob) -> SyncSelection | None:
    kept = job.selection.get("rest") if job.action == SyncJobAction.SEND else None
    if not kept or job.state not in SyncJob.FINAL_STATES:
        return None
    rest = SyncSelection.from_json(kept)
    # What was accepted is not changed any more, but unchanged records would go out again.
    return replace(rest, after_try=str(job.pk)) if rest.resend else rest


@receiver(job_came_to_rest, dispatch_uid="mobjects.jobs.tries")
def send_rest_by_itself(work: SyncJob, **_given: Any) -> None:
    """Send the rest after a try of which all was accepted, where that was asked for."""
    if work.state != SyncJobState.SUCCEEDED or not work.selection.get("rest_by_itself"):
        return
    rest = rest_of_try(work)
    if rest is not None:
        request_sync(rest, user=work.user, username=work.username, reason=work.reason, origin=work)
