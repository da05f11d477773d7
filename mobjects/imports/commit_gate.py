"""What has to be so before the rows of an import are written: a mode that fits, and no rule that holds it."""

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
from mobjects.jobs.approvals.facts import Facts, WorkFacts
from mobjects.jobs.approvals.gate import ask_approval, new_approval
from mobjects.jobs.approvals.lifecycle import HELD_WORK, HeldWork
from mobjects.jobs.approvals.rules import enabled_rules, find_match
from mobjects.marketo.types import Kind
from mobjects.models import (
    RECORD_MODELS,
    Approval,
    ApprovedWork,
    Import,
    ImportMode,
    ImportRow,
    ImportRowOutcome,
    ImportState,
    records_of_kind,
)

STEP_BEGINS: dict[str, Any] = {"begun_at": None, "reported_at": None, "expired_leases": 0, "problem": ""}
"""What is known of a step before a process has begun with it."""


def hold_if_ruled(imported: Import, user: User | None, username: str, **values: Any) -> bool:
    """Hold an import that is about to be written, if a rule says so.

    Args:
        imported: waits for review, and nothing of it is written.
        user: who wants it written, if that is one of our users.
        username: who else wants it.
        values: what is kept of how it is to be written.

    Returns:
        Whether it waits for approval now.
    """
    outcomes = [ImportRowOutcome.NEW, ImportRowOutcome.CHANGED]
    if values["overwrite"]:
        outcomes.append(ImportRowOutcome.CONFLICT)
    rows = imported.found.filter(outcome__in=outcomes)
    count = sum(imported.counts.get(outcome.value, 0) for outcome in outcomes)
    match = find_match(enabled_rules(ApprovedWork.IMPORT), partial(_facts, imported, rows, count))
    if match is None:
        return False
    with transaction.atomic():
        if not IMPORT_STATES.change(imported, ImportState.HELD, only_from=(ImportState.REVIEW,), **values):
            return False
        name = user.get_username() if user else username
        approval = new_approval(ApprovedWork.IMPORT, match, user=user, username=name)
        approval.imported = imported
        ask_approval(approval, _frozen_records(imported, rows))
    return True


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


def _facts(imported: Import, rows: QuerySet[ImportRow], count: int, amounts: bool, _losses: bool) -> Facts:
    """What an import would write, as far as approval rules ask about it. It takes no tags away.

    Args:
        rows: those that would be written.
        count: of them.
    """
    target = TARGETS[imported.kind]
    amount = None
    if amounts:
        texts = rows.order_by().values_list(KeyTextTransform("amount", "data"), flat=True).iterator()
        amount = max((Decimal(text) for text in texts if text), default=None)
    is_record = target.model is RECORD_MODELS[target.owner]
    created = imported.counts.get(ImportRowOutcome.NEW.value, 0) if is_record else 0
    return {target.owner: WorkFacts({"IMPORT": count}, created=created, amount=amount)}


def _frozen_records(imported: Import, rows: QuerySet[ImportRow]) -> Iterator[tuple[Kind, int, int]]:
    """The records that an import would change, each with its revision; of costs and tags their programs."""
    target = TARGETS[imported.kind]
    records = records_of_kind(target.owner)
    changed = rows.exclude(record_id=None).order_by().values("record_id")
    if target.model is not RECORD_MODELS[target.owner]:
        owners = set(target.model._default_manager.filter(pk__in=changed).values_list("program", flat=True))
        # New rows, and those that set a channel, name their program.
        named = rows.filter(record_id=None).order_by().values_list("data", flat=True)
        owners |= {data["program_id"] for data in named.iterator() if "program_id" in data}
        records = records.filter(pk__among=owners)
    else:
        records = records.filter(pk__in=changed)
    for pk, revision in records.order_by("pk").values_list("pk", "revision").iterator():
        yield target.owner, pk, revision


def _release(approval: Approval) -> None:
    imported = approval.imported
    given = {**STEP_BEGINS, "step_at": clock.now()}
    if imported is not None and IMPORT_STATES.change(
        imported, ImportState.COMMITTING, only_from=(ImportState.HELD,), **given
    ):
        transaction.on_commit(partial(runner.enqueue_import, imported.pk))


def _give_back(approval: Approval, _words: str) -> None:
    """Back to its review, where it can be checked and asked for anew."""
    if approval.imported is not None:
        IMPORT_STATES.change(approval.imported, ImportState.REVIEW, only_from=(ImportState.HELD,))


HELD_WORK[ApprovedWork.IMPORT] = HeldWork(_release, _give_back)
