"""What people ask of a bulk edit, and the worker's part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.utils import translation

from mobjects import clock
from mobjects.bulk_edits.appliers import build_applier
from mobjects.bulk_edits.lifecycle import EDIT_STATES
from mobjects.bulk_edits.operations import COSTS, Do, EditOperation
from mobjects.bulk_edits.part_writing import count_sent_tags
from mobjects.bulk_edits.parts import CopyPlanner, TagPlanner
from mobjects.bulk_edits.planning import FieldPlanner, OperationGone, Planner
from mobjects.bulk_edits.rows import clear_rows, save_rows
from mobjects.db.edit_context import edit
from mobjects.db.planning import refresh_statistics
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.approvals.facts import Facts, WorkFacts, greatest_amount
from mobjects.jobs.approvals.gate import ask_approval, new_approval
from mobjects.jobs.approvals.lifecycle import HELD_WORK, HeldWork
from mobjects.jobs.approvals.rules import enabled_rules, find_match
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
    Kind,
    Program,
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


def operation_of(asked: BulkEdit) -> EditOperation:
    """What is to be done."""
    return EditOperation.from_json(asked.operation)


def target_of(asked: BulkEdit) -> str:
    """The name of the model that is changed."""
    return operation_of(asked).target or asked.model


def item_ids(asked: BulkEdit) -> list[int]:
    """Our own ids of what is changed."""
    ids: list[int] = asked.items if operation_of(asked).target else asked.records
    return ids


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
    match = find_match(enabled_rules(ApprovedWork.BULK), partial(_facts, asked))
    with transaction.atomic():
        if match is not None:
            held = EDIT_STATES.change(asked, State.HELD, **given)
            if held:
                approval = new_approval(ApprovedWork.BULK, match, user=asked.user, username=asked.username)
                approval.bulk_edit = asked
                ask_approval(approval, _frozen_records(asked))
            return held
        confirmed = EDIT_STATES.change(asked, State.APPLYING, step_at=clock.now(), position=0, **given)
    return confirmed and _start(asked)


def _facts(asked: BulkEdit, amounts: bool, losses: bool) -> Facts:
    """What a planned edit would do, as far as approval rules ask about it."""
    kind, operation = _kind_of(asked), operation_of(asked)
    changed = BulkEditRow.objects.filter(bulk_edit=asked.pk, outcome=BulkEditOutcome.CHANGED)
    ids = changed.values("record_id")
    amount = None
    if amounts and kind is not Kind.ROLE:
        if target_of(asked) == COSTS:
            amount = ProgramCost.objects.filter(pk__in=ids).aggregate(most=Max("amount"))["most"]
        else:
            amount = greatest_amount(kind, RECORD_MODELS[kind]._default_manager.filter(pk__in=ids))
        if operation.field == "Amount":
            written = changed.exclude(new=None).exclude(new="").values_list("new", flat=True)
            amounts_now = () if amount is None else (amount,)
            amount = max((*amounts_now, *(Decimal(text) for text in written.iterator() if text)), default=None)
    count = asked.counts.get(BulkEditOutcome.CHANGED.value, 0)
    return {kind: WorkFacts({"EDIT": count}, amount=amount, lost=count if operation.do == Do.UNTAG else 0)}


def _kind_of(asked: BulkEdit) -> Kind:
    """Of the synced records that an edit changes: of costs their programs."""
    name = target_of(asked)
    return next((kind for kind, model in RECORD_MODELS.items() if model._meta.model_name == name), Kind.PROGRAM)


def _frozen_records(asked: BulkEdit) -> Iterator[tuple[Kind, int, int]]:
    """The records that an edit would change, each with the revision by which it was planned."""
    kind = _kind_of(asked)
    changed = BulkEditRow.objects.filter(bulk_edit=asked.pk, outcome=BulkEditOutcome.CHANGED)
    if target_of(asked) == RECORD_MODELS[kind]._meta.model_name:
        for pk, version in changed.order_by("number").values_list("record_id", "version").iterator():
            yield kind, pk, version or 0
        return
    costs = ProgramCost.objects.filter(pk__in=changed.values("record_id"))
    programs = Program.objects.filter(pk__in=costs.values("program")).order_by("pk")
    for pk, revision in programs.values_list("pk", "revision"):
        yield kind, pk, revision


def _release(approval: Approval) -> None:
    asked = approval.bulk_edit
    if asked is not None and EDIT_STATES.change(
        asked, State.APPLYING, only_from=(State.HELD,), step_at=clock.now(), position=0
    ):
        _start(asked)


def _give_back(approval: Approval, _words: str) -> None:
    """Back to its review, where it can be confirmed anew; or planned anew, where records changed."""
    if approval.bulk_edit is not None:
        EDIT_STATES.change(approval.bulk_edit, State.REVIEW, only_from=(State.HELD,))


HELD_WORK[ApprovedWork.BULK] = HeldWork(_release, _give_back)


def undo_bulk_edit(asked: BulkEdit, user: User) -> bool:
    """Let it be taken back; ``False`` if that was asked for already, or the old values are gone."""
    wanted = EDIT_STATES.change(
        asked, State.UNDOING, where=IS_KEPT, step_at=clock.now(), position=0, undone_by=user.get_username()
    )
    return wanted and _start(asked)


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
