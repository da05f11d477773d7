"""What people ask of a decision of many conflicts, and the worker's part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.decisions.lifecycle import DECISION_STATES
from mobjects.jobs.queue import BackgroundWork
from mobjects.models import Conflict, ConflictDecision, ConflictDecisionState
from mobjects.sync.conflicts.alike import digest_fields, disputed_fields
from mobjects.sync.conflicts.both_changed import ConflictSide, resolve_both_changed
from mobjects.sync.conflicts.reopening import reopen_both_changed

AT_ONCE = 100
"""So many are decided while the page is being answered; more are left to a worker."""

CHUNK = 50
RUNNER = f"{__name__}.run_decision"
DECIDED_SINCE = _("It was decided about, or Marketo was read again, since this was shown.")

State = ConflictDecisionState
DECISION_WORK = BackgroundWork(
    RUNNER, "decision", lambda: ConflictDecision.objects.filter(state__in=ConflictDecision.WORKING_STATES)
)


def ask_decision(
    kind: str, conflicts: QuerySet[Conflict], choices: Mapping[str, ConflictSide], user: User
) -> ConflictDecision:
    """Write down which conflicts are to be decided how, as they are now; nothing is decided yet.

    Args:
        kind: Marketo's name of their kind.
        conflicts: open ones with the same fields in dispute.
        choices: for each of these fields the side that is right.
    """
    asked = [[conflict.pk, digest_fields(disputed_fields(conflict))] for conflict in conflicts.iterator(chunk_size=500)]
    ConflictDecision.objects.filter(user=user, state=State.ASKED).delete()
    return ConflictDecision.objects.create(
        kind=kind, choices=dict(choices), asked=asked, user=user, username=user.get_username()
    )


def confirm_decision(decision: ConflictDecision) -> bool:
    """Let it be carried out; ``False`` if it was confirmed already."""
    return DECISION_STATES.change(decision, State.DECIDING, step_at=clock.now(), position=0) and _start(decision)


def undo_decision(decision: ConflictDecision, user: User) -> bool:
    """Let it be taken back; ``False`` if that was asked for already."""
    undone = DECISION_STATES.change(decision, State.UNDOING, step_at=clock.now(), undone_by=user.get_username())
    return undone and _start(decision)


def _start(decision: ConflictDecision) -> bool:
    if len(decision.asked) <= AT_ONCE:
        run_decision(decision.pk)
        decision.refresh_from_db()
    else:
        DECISION_WORK.enqueue_after_commit(decision.pk)
    return True


def run_decision(pk: int) -> None:
    """Do all that is left of a decision or its undo. Safe to call at any time, by any number of workers."""
    # The long list stays as it was asked for; it is not read again for each chunk.
    asked = ConflictDecision.objects.filter(pk=pk).values_list("asked", flat=True).first()
    while asked is not None and _do_chunk(pk, asked):
        pass


@retry_on_database_error
def _do_chunk(pk: int, asked: Sequence[tuple[int, str]]) -> bool:
    """Do the next chunk; ``False`` if there is none."""
    with transaction.atomic():
        decision = ConflictDecision.objects.select_for_update().filter(pk=pk).defer("asked").first()
        if decision is None or not decision.is_working:
            return False
        if decision.state == State.DECIDING:
            return _decide_next(decision, asked[decision.position : decision.position + CHUNK])
        return _reopen_next(decision)


def _decide_next(decision: ConflictDecision, chunk: Sequence[tuple[int, str]]) -> bool:
    if not chunk:
        DECISION_STATES.change(decision, State.DECIDED, ended_at=clock.now())
        return False
    found = _hold([pk for pk, _seen in chunk])
    left = list(decision.left)
    for pk, seen in chunk:
        conflict = found.get(pk)
        if conflict is None or digest_fields(disputed_fields(conflict)) != seen:
            left.append([pk, conflict.label if conflict else "", DECIDED_SINCE])
            continue
        try:
            resolve_both_changed(conflict, decision.choices, decision.user)
        except ValueError as error:
            left.append([pk, conflict.label, str(error)])
        else:
            Conflict.objects.filter(pk=pk).update(decision=decision)
    _step(decision, position=decision.position + len(chunk), left=left)
    return True


def _reopen_next(decision: ConflictDecision) -> bool:
    kept = list(decision.kept)
    chunk = decision.conflicts.exclude(pk__in=[pk for pk, _label, _why in kept]).order_by("pk")
    held = _hold(chunk.values_list("pk", flat=True)[:CHUNK])
    if not held:
        DECISION_STATES.change(decision, State.UNDONE, undone_at=clock.now())
        return False
    person = User.objects.filter(username=decision.undone_by).first()
    for conflict in held.values():
        try:
            reopen_both_changed(conflict, decision.choices, person)
        except ValueError as error:
            kept.append([conflict.pk, conflict.label, str(error)])
    _step(decision, kept=kept)
    return True


def _hold(pks: object) -> dict[int, Conflict]:
    rows = Conflict.objects.select_for_update().filter(pk__in=list(pks)).order_by("pk")  # type: ignore[call-overload]
    return {row.pk: row for row in rows}


def _step(decision: ConflictDecision, **values: object) -> None:
    ConflictDecision.objects.filter(pk=decision.pk).update(step_at=clock.now(), **values)
