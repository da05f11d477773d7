"""Deletions of many records that a rule holds before anything is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from mobjects.jobs.approvals.facts import Facts, WorkFacts, greatest_amount
from mobjects.jobs.approvals.gate import ask_approval, new_approval
from mobjects.jobs.approvals.rules import enabled_rules, find_match
from mobjects.models import ApprovedWork, BulkDeletion, BulkDeletionState, Kind, SyncedRecord, records_of_kind
from mobjects.removals.chunks import OWNERS, PARTS, model_of_deletion
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
    amount = greatest_amount(here) if amounts else None
    if here.model in OWNERS:
        count = here.count()
        return {Kind.PROGRAM: WorkFacts({"REMOVE": count}, amount=amount, lost=count)}
    facts = {kind: WorkFacts({"REMOVE": records.count()}) for kind, records in _synced_records(here).items()}
    return facts | {here.model.KIND: replace(facts[here.model.KIND], amount=amount)}


def _records(deletion: BulkDeletion) -> QuerySet[Any]:
    found: QuerySet[Any] = model_of_deletion(deletion)._default_manager.all()
    return found.filter(pk__among=[pk for pk, _version in deletion.records])


def _synced_records(here: QuerySet[Any]) -> dict[Kind, QuerySet[Any]]:
    """What is deleted, with what goes along, by kind; of costs and tags their programs."""
    if here.model in OWNERS:
        owners = here.order_by().values(OWNERS[here.model])
        return {Kind.PROGRAM: records_of_kind(Kind.PROGRAM).filter(pk__in=owners)}
    pks = here.order_by().values("pk")
    along = {
        part.KIND: part._default_manager.filter(**{f"{link}__in": pks})
        for part, link in PARTS.get(here.model, ())
        if issubclass(part, SyncedRecord)
    }
    return {here.model.KIND: here, **along}


def _frozen_records(deletion: BulkDeletion) -> Iterator[tuple[Kind, int, int]]:
    for kind, records in _synced_records(_records(deletion)).items():
        for pk, revision in records.order_by("pk").values_list("pk", "revision").iterator():
            yield kind, pk, revision
