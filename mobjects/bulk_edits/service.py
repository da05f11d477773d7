"""What people ask of a bulk edit, and the worker's part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import translation

from mobjects import clock
from mobjects.bulk_edits.appliers import build_applier
from mobjects.bulk_edits.approval_gate import hold_if_ruled
from mobjects.bulk_edits.lifecycle import EDIT_STATES
from mobjects.bulk_edits.operations import Do, EditOperation, item_ids, operation_of, target_of
from mobjects.bulk_edits.part_writing import count_sent_tags
from mobjects.bulk_edits.parts import CopyPlanner, TagPlanner
from mobjects.bulk_edits.planning import FieldPlanner, OperationGone, Planner
from mobjects.bulk_edits.rows import clear_rows, save_rows
from mobjects.db.edit_context import edit
from mobjects.db.planning import refresh_statistics
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.approvals.lifecycle import HELD_WORK, HeldWork
from mobjects.jobs.queue import BackgroundWork
from mobjects.models import (
    RECORD_MODELS,
    Approval,
    ApprovedWork,
    BulkEdit,
    BulkEditOutcome,
    BulkEditRow,
    BulkEditState,
    EditSource,
    ProgramCost,
)

CHUNK = 2000
"""Records in one transaction."""
AT_ONCE = 500
"""Up to so many records are dealt with while the person waits."""
REASONS = 20
"""So many of the most frequent reasons are told one by one."""
RUNNER = f"{__name__}.run_bulk_edit"
State = BulkEditState
IS_KEPT = Q(values_removed_at__isnull=True)
"""That its rows are still there."""
EDIT_WORK = BackgroundWork(RUNNER, "edit", lambda: BulkEdit.objects.filter(state__in=BulkEdit.WORKING_STATES))


def ask_bulk_edit(records: QuerySet[Any], filters: str, user: User) -> BulkEdit:
    """Write down which records are meant, as the list stands now.

    Args:
        records: of one model.
        filters: in words, what the list was narrowed to.
    """
    name = str(records.model._meta.model_name)
    # Roles of one opportunity side by side, so that two that would become equal are judged together.
    order = ("opportunity", "pk") if name == "opportunitypersonrole" else ("pk",)
    ids = list(records.order_by(*order).values_list("pk", flat=True))
    with transaction.atomic():
        # What was refused or withdrawn is history.
        old = BulkEdit.objects.filter(user=user, state__in=(State.CHOOSING, State.REVIEW), approvals=None)
        clear_rows(old.values_list("pk", flat=True))
        old.delete()
        return BulkEdit.objects.create(
            model=name, filters=filters, records=ids, user=user, username=user.get_username()
        )


def choose_operation(asked: BulkEdit, operation: EditOperation) -> bool:
    """Have worked out what an operation would do; ``False`` if the edit has gone on meanwhile."""
    with transaction.atomic():
        sources = (State.CHOOSING, State.REVIEW)
        chosen = EDIT_STATES.change(
            asked,
            State.PLANNING,
            only_from=sources,
            where=IS_KEPT,
            operation=operation.to_json(),
            items=_cost_ids(asked, operation) if operation.target else [],
            plan=F("plan") + 1,
            position=0,
            counts={},
            step_at=clock.now(),
        )
        if not chosen:
            return False
        clear_rows([asked.pk])
        return _start(asked)


def _cost_ids(asked: BulkEdit, operation: EditOperation) -> list[int]:
    """The period costs of the programs that were chosen: those of a month that is copied, else all."""
    costs = ProgramCost.objects.filter(program__pk__among=asked.records)
    if operation.do == Do.COPY:
        costs = costs.filter(month=date.fromisoformat(operation.sought))
    return list(costs.order_by("program", "pk").values_list("pk", flat=True))


def confirm_bulk_edit(asked: BulkEdit, plan: int, user: User | None = None) -> bool:
    """Let it be done, or wait for approval if a rule says so; ``False`` if it was confirmed already, or another choice
    was made since it was shown.

    Args:
        plan: the number of the choice that was shown.
        user: who confirms it, and so is who did it; None is who asked for it.
    """
    who: dict[str, Any] = {} if user is None else {"user": user, "username": user.get_username()}
    given = {"only_from": (State.REVIEW,), "where": Q(plan=plan) & IS_KEPT, **who}
    held = hold_if_ruled(asked, **given)
    return _begin(asked, State.APPLYING, **given) if held is None else held


def _release(approval: Approval) -> None:
    asked, given = approval.bulk_edit, {"undone_by": approval.username} if approval.is_undo else {}
    if asked is not None:
        _begin(asked, State.UNDOING if approval.is_undo else State.APPLYING, only_from=(State.HELD,), **given)


def _give_back(approval: Approval, _words: str) -> None:
    """Back to its review, where it can be confirmed or planned anew; where its undo was asked for, to be done."""
    if approval.bulk_edit is not None:
        back = State.APPLIED if approval.is_undo else State.REVIEW
        EDIT_STATES.change(approval.bulk_edit, back, only_from=(State.HELD,))


HELD_WORK[ApprovedWork.BULK] = HeldWork(_release, _give_back)


def undo_bulk_edit(asked: BulkEdit, user: User) -> bool:
    """Let it be taken back, or wait for approval if a rule says so; ``False`` if that was asked for already, or the
    old values are gone.
    """
    given: dict[str, Any] = {"only_from": (State.APPLIED,), "where": IS_KEPT}
    held = hold_if_ruled(asked, undone_for=user, **given)
    return _begin(asked, State.UNDOING, undone_by=user.get_username(), **given) if held is None else held


def _begin(asked: BulkEdit, state: State, **given: Any) -> bool:
    """Begin with a step, unless the edit has gone on meanwhile."""
    return EDIT_STATES.change(asked, state, step_at=clock.now(), position=0, **given) and _start(asked)


def _start(asked: BulkEdit) -> bool:
    if len(item_ids(asked)) <= AT_ONCE:
        run_bulk_edit(asked.pk)
        asked.refresh_from_db()
    else:
        EDIT_WORK.enqueue_after_commit(asked.pk)
    return True


def run_bulk_edit(pk: int) -> None:
    """Do all that is left of the present step. Safe to call at any time, by any number of workers."""
    # Reasons are kept in English.
    with translation.override("en"):
        asked = BulkEdit.objects.filter(pk=pk).first()
        if asked is None or not asked.is_working:
            return
        if len(item_ids(asked)) > AT_ONCE:
            refresh_statistics(BulkEditRow)
        try:
            step = STEPS[asked.state](asked)
        except OperationGone as error:
            EDIT_STATES.change(asked, State.CHOOSING, counts={"problem": str(error)})
            return
        while _do_chunk(asked, step):
            pass


Step = Callable[[BulkEdit, int, Sequence[int], datetime], None]


@retry_on_database_error
def _do_chunk(known: BulkEdit, step: Step) -> bool:
    """Do the next chunk; ``False`` if there is none."""
    with transaction.atomic():
        # The long lists do not change within a step.
        held = BulkEdit.objects.select_for_update().filter(pk=known.pk, state=known.state, plan=known.plan)
        asked = held.defer("records", "items").first()
        if asked is None:
            return False
        now = clock.now()
        chunk = item_ids(known)[asked.position : asked.position + CHUNK]
        if not chunk:
            ENDS[known.state](asked, now)
            return False
        # SQLite's only write lock is taken before anything is looked at.
        BulkEdit.objects.filter(pk=asked.pk).update(position=asked.position + len(chunk), step_at=now)
        step(asked, asked.position, chunk, now)
    return True


def _plan_step(asked: BulkEdit) -> Step:
    planner = build_planner(target_of(asked), operation_of(asked))

    def plan_chunk(held: BulkEdit, first: int, chunk: Sequence[int], _now: datetime) -> None:
        save_rows(held.pk, first, planner.plan_rows(chunk))

    return plan_chunk


def build_planner(model_name: str, operation: EditOperation) -> Planner:
    """What works an operation out.

    Raises:
        OperationGone: the field is not there any more.
    """
    if operation.do == Do.COPY:
        return CopyPlanner(operation)
    if operation.do in (Do.TAG, Do.UNTAG):
        return TagPlanner(operation)
    return FieldPlanner(model_name, operation)


def _apply_step(asked: BulkEdit) -> Step:
    applier = build_applier(asked, target_of(asked), operation_of(asked))

    def apply_chunk(held: BulkEdit, first: int, chunk: Sequence[int], now: datetime) -> None:
        with edit(EditSource.BULK, username=held.username, reference=held.pk):
            applier.apply_chunk(first, first + len(chunk) - 1, now)

    return apply_chunk


def _undo_step(asked: BulkEdit) -> Step:
    applier = build_applier(asked, target_of(asked), operation_of(asked))

    def undo_chunk(held: BulkEdit, first: int, chunk: Sequence[int], now: datetime) -> None:
        with edit(EditSource.BULK, username=held.undone_by, reference=f"{held.pk}{UNDO}"):
            applier.undo_chunk(first, first + len(chunk) - 1, now)

    return undo_chunk


UNDO = "-undo"
"""Behind the number of a bulk edit, in the reference of what its undo changed."""


def _end_plan(asked: BulkEdit, now: datetime) -> None:
    rows = BulkEditRow.objects.filter(bulk_edit=asked.pk)
    found = Counter(dict(rows.order_by().values_list("outcome").annotate(n=Count("number"))))
    names = (BulkEditOutcome.CHANGED, BulkEditOutcome.UNCHANGED, BulkEditOutcome.REFUSED)
    counts: dict[str, Any] = {name.value: found[name.value] for name in names}
    for name in names[1:]:
        said = rows.filter(outcome=name).order_by().values_list("reason").annotate(n=Count("number"))
        counts[f"{name.value}_reasons"] = [list(pair) for pair in said.order_by("-n", "reason")[:REASONS]]
    operation = operation_of(asked)
    if operation.do == Do.UNTAG:
        going = rows.filter(outcome=BulkEditOutcome.CHANGED).values_list("record_id", flat=True)
        counts["sent"] = count_sent_tags(operation.sought, going)
    EDIT_STATES.change(asked, State.REVIEW, counts=counts, position=0)


def _end_change(asked: BulkEdit, now: datetime) -> None:
    left = BulkEditRow.objects.filter(bulk_edit=asked.pk, outcome=BulkEditOutcome.LEFT).count()
    written = asked.counts[BulkEditOutcome.CHANGED.value] - left
    counts = {**asked.counts, "written": written, BulkEditOutcome.LEFT.value: left}
    EDIT_STATES.change(asked, State.APPLIED, ended_at=now, counts=counts)


def _end_undo(asked: BulkEdit, now: datetime) -> None:
    kept = BulkEditRow.objects.filter(bulk_edit=asked.pk, outcome=BulkEditOutcome.KEPT).count()
    undone = {"restored": asked.counts["written"] - kept, BulkEditOutcome.KEPT.value: kept}
    EDIT_STATES.change(asked, State.UNDONE, undone_at=now, undone=undone)


STEPS: dict[str, Callable[[BulkEdit], Step]] = {
    State.PLANNING: _plan_step,
    State.APPLYING: _apply_step,
    State.UNDOING: _undo_step,
}
"""What is done to each chunk, by state."""
ENDS: dict[str, Callable[[BulkEdit, datetime], None]] = {
    State.PLANNING: _end_plan,
    State.APPLYING: _end_change,
    State.UNDOING: _end_undo,
}
"""What is written down at the end of each."""


def changed_owners(asked: BulkEdit) -> list[int]:
    """Our own ids of the synced records that an edit has changed: of costs their programs."""
    changed = BulkEditRow.objects.filter(
        bulk_edit=asked.pk, outcome__in=(BulkEditOutcome.CHANGED, BulkEditOutcome.KEPT)
    )
    ids = list(changed.order_by().values_list("record_id", flat=True))
    if target_of(asked) in {str(model._meta.model_name) for model in RECORD_MODELS.values()}:
        return ids
    costs = ProgramCost.objects.filter(pk__among=ids)
    return sorted(set(costs.values_list("program", flat=True)))
