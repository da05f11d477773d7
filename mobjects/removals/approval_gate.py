"""Deletions of many records that a rule holds before anything is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from mobjects.jobs.approvals.facts import Facts, WorkFacts, greatest_amount
from mobjects.jobs.approvals.gate import ask_approval, new_approval
from mobjects.jobs.approvals.rules import enabled_rules, find_match
from mobjects.models import ApprovedWork, BulkDeletion, BulkDeletionState, Kind, records_of_kind
from mobjects.removals.chunks import OWNERS, model_of_deletion
from mobjects.removals.lifecycle import DELETION_STATES


def hold_if_ruled(deletion: BulkDeletion, user: User | None) -> bool | None:
    """Hold a deletion that is about to be begun, if a rule says so.

    Args:
        user: who confirms it; ``None`` is who asked for it.

    Returns:
        Whether it waits for approval now; ``None`` if no rule holds it.
    """
    match = find_match(enabled_rules(ApprovedWork.REMOVE), partial(_facts, deletion))
    if match is None:
        return None
    with transaction.atomic():
        held = DELETION_STATES.change(deletion, BulkDeletionState.HELD)
        if held:
            name = user.get_username() if user else deletion.username
            approval = new_approval(ApprovedWork.REMOVE, match, user=user or deletion.user, username=name)
            approval.deletion = deletion
            ask_approval(approval, _frozen_records(deletion))
    return held


def _facts(deletion: BulkDeletion, amounts: bool, _losses: bool) -> Facts:
    """What a deletion would do, as far as approval rules ask about it. In Marketo it deletes nothing."""
    here = _records(deletion)
    count = here.count()
    lost = count if here.model in OWNERS else 0
    return {
        _kind_of(deletion): WorkFacts({"REMOVE": count}, amount=greatest_amount(here) if amounts else None, lost=lost)
    }


def _records(deletion: BulkDeletion) -> QuerySet[Any]:
    found: QuerySet[Any] = model_of_deletion(deletion)._default_manager.all()
    return found.filter(pk__among=[pk for pk, _version in deletion.records])


def _kind_of(deletion: BulkDeletion) -> Kind:
    """Of the synced records: of costs and tags their programs."""
    model = model_of_deletion(deletion)
    return Kind.PROGRAM if model in OWNERS else Kind(model.KIND)


def _frozen_records(deletion: BulkDeletion) -> Iterator[tuple[Kind, int, int]]:
    kind, here = _kind_of(deletion), _records(deletion)
    if here.model in OWNERS:
        here = records_of_kind(kind).filter(pk__in=here.order_by().values(OWNERS[here.model]))
    for pk, revision in here.order_by("pk").values_list("pk", "revision").iterator():
        yield kind, pk, revision
