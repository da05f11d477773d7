"""What has to be so before an import is written or taken back: a mode that fits, and no rule that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext, ngettext

from mobjects import clock
from mobjects.imports import runner
from mobjects.imports.lifecycle import IMPORT_STATES, InvalidState
from mobjects.imports.writing.target_tables import TARGETS
from mobjects.jobs.approvals.facts import Facts, WorkFacts, greatest_amount
from mobjects.jobs.approvals.gate import ask_approval, new_approval
from mobjects.jobs.approvals.lifecycle import HELD_WORK, HeldWork
from mobjects.jobs.approvals.rules import enabled_rules, find_match
from mobjects.marketo.types import Kind
from mobjects.models import (
    RECORD_MODELS,
    Approval,
    ApprovedWork,
    Import,
    ImportChange,
    ImportMode,
    ImportRow,
    ImportRowOutcome,
    ImportState,
    ProgramTag,
    UndoOutcome,
    records_of_kind,
)

STEP_BEGINS: dict[str, Any] = {"begun_at": None, "reported_at": None, "expired_leases": 0, "problem": ""}
"""What is known of a step before a process has begun with it."""


def hold_if_ruled(imported: Import, user: User | None, username: str, *, undoes: bool = False, **values: Any) -> bool:
    """Hold an import that is about to be written, or to be taken back, if a rule says so.

    Args:
        imported: waits for review, and nothing of it is written; or was written.
        user: who wants it, if that is one of our users.
        username: who else wants it.
        undoes: whether it is to be taken back.
        values: what is kept of how it is to be done.

    Returns:
        Whether it waits for approval now.
    """
    rows = _rows_to_undo(imported) if undoes else _rows_to_write(imported, values["overwrite"])
    match = find_match(enabled_rules(ApprovedWork.IMPORT), partial(_facts, imported, rows, undoes))
    if match is None:
        return False
    with transaction.atomic():
        before = ImportState(imported.state)
        if not IMPORT_STATES.change(imported, ImportState.HELD, only_from=(before,), **values):
            return False
        name = user.get_username() if user else username
        approval = new_approval(ApprovedWork.IMPORT, match, user=user, username=name)
        approval.imported, approval.asked_selection = imported, {"counts": imported.counts, "undoes": undoes}
        ask_approval(approval, _frozen_records(imported, rows, undoes))
    return True


def _rows_to_write(imported: Import, overwrite: bool) -> QuerySet[ImportRow]:
    outcomes = [ImportRowOutcome.NEW, ImportRowOutcome.CHANGED]
    return imported.found.filter(outcome__in=[*outcomes, ImportRowOutcome.CONFLICT] if overwrite else outcomes)


def _rows_to_undo(imported: Import) -> QuerySet[ImportRow]:
    return imported.found.filter(number__in=_changes(imported).values("number"))


def _changes(imported: Import) -> QuerySet[ImportChange]:
    """What it wrote and what is not taken back yet."""
    return imported.changes.filter(undone=UndoOutcome.NO).order_by()


def refuse_mode(imported: Import, mode: str, *, overwrite: bool) -> None:
    """Refuse a mode in which the rows cannot be written. Raises InvalidState with the reason."""
    if mode not in ImportMode.values:
        raise InvalidState(gettext("Choose whether only the valid rows are written, or all or nothing."))
    errors, conflicts = imported.counts.get("error", 0), imported.counts.get("conflict", 0)
    if mode == ImportMode.ALL and errors:
        raise InvalidState(
            ngettext(
                "%(count)s row with errors: all or nothing is nothing. Mend them, or write the valid rows only.",
                "%(count)s rows with errors: all or nothing is nothing. Mend them, or write the valid rows only.",
                errors,
            )
            % {"count": f"{errors:,}"}
        )
    if mode == ImportMode.ALL and conflicts and not overwrite:
        raise InvalidState(
            ngettext(
                "%(count)s row in conflict with changes made here: all or nothing is nothing. Overwrite those changes, "
                "or write the valid rows only.",
                "%(count)s rows in conflict with changes made here: all or nothing is nothing. Overwrite those "
                "changes, or write the valid rows only.",
                conflicts,
            )
            % {"count": f"{conflicts:,}"}
        )


def _facts(imported: Import, rows: QuerySet[ImportRow], undoes: bool, amounts: bool, _losses: bool) -> Facts:
    """What an import, or its undo, would write, as far as approval rules ask about it.

    Args:
        rows: those that would be written, or taken back.
    """
    target, model = TARGETS[imported.kind], TARGETS[imported.kind].model
    amount = None
    if amounts:
        texts = rows.order_by().values_list(KeyTextTransform("amount", "old" if undoes else "data"), flat=True)
        if model is ProgramTag:
            now = greatest_amount(_owners(imported, rows, undoes))
        else:
            now = greatest_amount(model._default_manager.filter(pk__in=_record_ids(imported, rows, undoes)))
        written = (Decimal(text) for text in texts.iterator() if text)
        amount = max((each for each in (now, *written) if each is not None), default=None)
    counts = imported.counts if not undoes and model is RECORD_MODELS[target.owner] else {}
    # An import takes no tags and costs away. Its undo does, with what was new.
    lost = _changes(imported).filter(created=True).count() if undoes and target.is_part else 0
    created = counts.get(ImportRowOutcome.NEW.value, 0)
    return {target.owner: WorkFacts({"IMPORT": rows.count()}, created=created, amount=amount, lost=lost)}


def _record_ids(imported: Import, rows: QuerySet[ImportRow], undoes: bool) -> QuerySet[Any, Any]:
    """Our own ids of what is there and would be changed: opportunities, roles, costs or tags."""
    found: QuerySet[Any] = _changes(imported) if undoes else rows.order_by()
    return found.exclude(record_id=None).values("record_id")


def _owners(imported: Import, rows: QuerySet[ImportRow], undoes: bool) -> QuerySet[Any]:
    """The synced records that would be changed; of costs and tags their programs."""
    target = TARGETS[imported.kind]
    records = records_of_kind(target.owner)
    if undoes:
        return records.filter(pk__in=_changes(imported).values("owner_id"))
    ids = _record_ids(imported, rows, undoes)
    if not target.is_part:
        return records.filter(pk__in=ids)
    owners = set(target.model._default_manager.filter(pk__in=ids).values_list("program", flat=True))
    # New rows, and those that set a channel, name their program.
    named = rows.filter(record_id=None).order_by().values_list("data", flat=True)
    owners |= {data["program_id"] for data in named.iterator() if "program_id" in data}
    return records.filter(pk__among=owners)


def _frozen_records(imported: Import, rows: QuerySet[ImportRow], undoes: bool) -> Iterator[tuple[Kind, int, int]]:
    """The records that would be changed, each with its revision."""
    kind = TARGETS[imported.kind].owner
    for pk, revision in _owners(imported, rows, undoes).order_by("pk").values_list("pk", "revision").iterator():
        yield kind, pk, revision


def _release(approval: Approval) -> None:
    imported = approval.imported
    given = {**STEP_BEGINS, "step_at": clock.now()}
    # Who asks for the rest of an undo that broke off has undone nothing before.
    given |= {"undone_by": approval.username} if approval.is_undo else {}
    step = ImportState.UNDOING if approval.is_undo else ImportState.COMMITTING
    if imported is not None and IMPORT_STATES.change(imported, step, only_from=(ImportState.HELD,), **given):
        transaction.on_commit(partial(runner.enqueue_import, imported.pk))


def _give_back(approval: Approval, _words: str) -> None:
    """Back to its review, where it can be checked and asked for anew; where its undo was asked for, to be written."""
    if approval.imported is not None:
        back = runner.state_before(approval.imported)
        IMPORT_STATES.change(approval.imported, back, only_from=(ImportState.HELD,))


HELD_WORK[ApprovedWork.IMPORT] = HeldWork(_release, _give_back)
