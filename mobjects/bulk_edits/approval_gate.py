"""Bulk edits and their undos that a rule holds before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from mobjects.bulk_edits.lifecycle import EDIT_STATES
from mobjects.bulk_edits.operations import COSTS, EDITED_MODELS, Do, operation_of, target_of
from mobjects.jobs.approvals.facts import Facts, WorkFacts, greatest_amount
from mobjects.jobs.approvals.gate import ask_approval, new_approval
from mobjects.jobs.approvals.rules import enabled_rules, find_match
from mobjects.models import (
    ApprovedWork,
    BulkEdit,
    BulkEditOutcome,
    BulkEditState,
    Kind,
    ProgramCost,
    SyncedRecord,
    records_of_kind,
)


def hold_if_ruled(asked: BulkEdit, *, undone_for: User | None = None, **given: Any) -> bool | None:
    """Hold an edit, or its undo, that is about to be done, if a rule says so.

    Args:
        asked: waits for its confirmation, or was done.
        undone_for: who wants its undo; ``None`` where the edit is wanted, and by whom stands in it.
        given: of the change of its state.

    Returns:
        Whether it waits for approval now; ``None`` if no rule holds it.
    """
    undoes = undone_for is not None
    match = find_match(enabled_rules(ApprovedWork.BULK), partial(_facts, asked, undoes))
    if match is None:
        return None
    with transaction.atomic():
        held = EDIT_STATES.change(asked, BulkEditState.HELD, **given)
        if held:
            name = undone_for.get_username() if undone_for else asked.username
            approval = new_approval(ApprovedWork.BULK, match, user=undone_for or asked.user, username=name)
            shown = {"operation": asked.operation, "counts": asked.counts, "plan": asked.plan, "undoes": undoes}
            approval.bulk_edit, approval.asked_selection = asked, shown
            ask_approval(approval, _frozen_records(asked, undoes))
    return held


def _facts(asked: BulkEdit, undoes: bool, amounts: bool, _losses: bool) -> Facts:
    """What a planned edit, or the undo of one that was done, would do, as far as approval rules ask about it."""
    operation, changed = operation_of(asked), _changed_rows(asked)
    amount = None
    if amounts:
        amount = greatest_amount(EDITED_MODELS[target_of(asked)]._default_manager.filter(pk__in=_ids(changed)))
        if operation.field == "Amount":
            texts = changed.values_list("old" if undoes else "new", flat=True)
            written = (Decimal(text) for text in texts.iterator() if text)
            amount = max((each for each in (amount, *written) if each is not None), default=None)
    count = changed.count()
    lost = count if operation.do == (Do.COPY if undoes else Do.UNTAG) else 0
    if undoes and operation.do == Do.TAG:
        lost = changed.filter(Q(old=None) | Q(old="")).count()
    return {_kind_of(asked): WorkFacts({"EDIT": count}, amount=amount, lost=lost)}


def _changed_rows(asked: BulkEdit) -> QuerySet[Any]:
    return asked.rows.filter(outcome=BulkEditOutcome.CHANGED).order_by("number")


def _ids(changed: QuerySet[Any]) -> QuerySet[Any]:
    return changed.order_by().values("record_id")


def _kind_of(asked: BulkEdit) -> Kind:
    """Of the synced records that an edit changes: of costs their programs."""
    model = EDITED_MODELS[target_of(asked)]
    return model.KIND if issubclass(model, SyncedRecord) else Kind.PROGRAM


def _frozen_records(asked: BulkEdit, undoes: bool) -> Iterator[tuple[Kind, int, int]]:
    """The records that would be changed, each with the revision by which that was planned; of an undo, as it stands."""
    kind, changed = _kind_of(asked), _changed_rows(asked)
    is_cost = target_of(asked) == COSTS
    if not undoes and not is_cost:
        for pk, version in changed.values_list("record_id", "version").iterator():
            yield kind, pk, version or 0
        return
    ids = ProgramCost.objects.filter(pk__in=_ids(changed)).values("program") if is_cost else _ids(changed)
    for pk, revision in records_of_kind(kind).filter(pk__in=ids).order_by("pk").values_list("pk", "revision"):
        yield kind, pk, revision
