"""Making copies of period costs, setting and removing tags, and taking that back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_noop as _

from mobjects.bulk_edits.field_sql import CHANGED_AFTER, CHANGED_SINCE, GONE_AFTER, GONE_SINCE
from mobjects.bulk_edits.operations import Do, EditOperation
from mobjects.bulk_edits.parts import describe_cost
from mobjects.bulk_edits.rows import mark_rows, note_made, rows_between
from mobjects.models import BulkEdit, BulkEditOutcome, BulkEditRow, Program, ProgramCost, ProgramTag
from mobjects.models.program import COST_PREFIX

HAS_TAG_AGAIN = _("has such a tag again")
IN_MARKETO = _("is in Marketo by now, or is being sent; remove it there")
TAG_PREFIX = "Tag "


def hold_programs(ids: Iterable[int]) -> dict[int, Program]:
    """Programs, locked, with what is looked at before a part of them is made or removed."""
    held = Program.objects.filter(pk__among=set(ids)).select_for_update(of=("self",)).order_by("pk")
    return {program.pk: program for program in held.only("pk", "revision", "accepted", "claimed_by", "unknown_since")}


def is_sent(program: Program, key: str) -> bool:
    """Whether Marketo has a part of a program, or may have it."""
    return key in program.accepted or program.claimed_by_id is not None or program.unknown_since is not None


class CopyApplier:
    """Copies period costs to another month."""

    def __init__(self, asked: BulkEdit, operation: EditOperation) -> None:
        self._pk = asked.pk
        self._month = date.fromisoformat(operation.value)

    def apply_chunk(self, first: int, last: int, now: datetime) -> None:
        """Make the copies of costs that are still as they were shown."""
        rows = rows_between(self._pk, first, last)
        costs = self._hold_costs([row.record_id for row in rows])
        left, going = {}, []
        for row in rows:
            cost = costs.get(row.record_id)
            if cost is None:
                left[row.number] = GONE_SINCE
            elif describe_cost(cost.month, cost.amount, cost.note) != row.old:
                left[row.number] = CHANGED_SINCE
            else:
                going.append((row.number, cost))
        made = ProgramCost.objects.bulk_create(
            ProgramCost(program_id=cost.program_id, month=self._month, amount=cost.amount, note=cost.note)
            for _number, cost in going
        )
        mark_rows(self._pk, left, BulkEditOutcome.LEFT)
        note_made(self._pk, {number: each.pk for (number, _cost), each in zip(going, made, strict=True)})

    def undo_chunk(self, first: int, last: int, now: datetime) -> None:
        """Remove the copies that are as they were made, and that Marketo has not got."""
        rows = rows_between(self._pk, first, last)
        costs = self._hold_costs([row.made_id for row in rows if row.made_id])
        programs = hold_programs(cost.program_id for cost in costs.values())
        kept, going = {}, []
        for row in rows:
            cost = costs.get(row.made_id or 0)
            if cost is None:
                kept[row.number] = GONE_AFTER
            elif describe_cost(cost.month, cost.amount, cost.note) != row.new or cost.marketo_cost_id is not None:
                kept[row.number] = CHANGED_AFTER
            elif is_sent(programs[cost.program_id], f"{COST_PREFIX}{cost.pk}"):
                kept[row.number] = IN_MARKETO
            else:
                going.append(cost.pk)
        ProgramCost.objects.filter(pk__among=going).delete()
        mark_rows(self._pk, kept, BulkEditOutcome.KEPT)

    def _hold_costs(self, ids: list[int]) -> dict[int, ProgramCost]:
        """Costs, locked after their programs."""
        of_them = ProgramCost.objects.filter(pk__among=ids)
        hold_programs(of_them.values_list("program", flat=True))
        return {cost.pk: cost for cost in of_them.select_for_update(of=("self",)).order_by("pk")}


class TagApplier:
    """Sets the tag of a type, or removes it."""

    def __init__(self, asked: BulkEdit, operation: EditOperation) -> None:
        self._pk = asked.pk
        self._removes = operation.do == Do.UNTAG
        self._type = operation.sought

    def apply_chunk(self, first: int, last: int, now: datetime) -> None:
        """Do it to the programs that are still as they were shown."""
        rows = rows_between(self._pk, first, last)
        programs = hold_programs(row.record_id for row in rows)
        left: dict[int, str] = {}
        going = []
        for row in rows:
            program = programs.get(row.record_id)
            if program is None or program.revision != row.version:
                left[row.number] = GONE_SINCE if program is None else CHANGED_SINCE
            else:
                going.append(row)
        if self._removes:
            self._tags(row.record_id for row in going).delete()
        else:
            self._set_values((row.record_id, row.old, row.new, self._type) for row in going)
        mark_rows(self._pk, left, BulkEditOutcome.LEFT)

    def undo_chunk(self, first: int, last: int, now: datetime) -> None:
        """Give the tags back what they were, where nobody has touched them since."""
        rows = rows_between(self._pk, first, last)
        programs = hold_programs(row.record_id for row in rows)
        tags = {tag.program_id: tag for tag in self._tags(programs)}
        kept, back, going = {}, [], []
        for row in rows:
            program, tag = programs.get(row.record_id), tags.get(row.record_id)
            if why := self._why_kept(row, program, tag):
                kept[row.number] = why
            elif row.old is None:
                going.append(row.record_id)
            else:
                back.append((row.record_id, row.new, row.old, row.more.get("type") or self._type))
        self._tags(going).delete()
        self._set_values(back)
        mark_rows(self._pk, kept, BulkEditOutcome.KEPT)

    def _why_kept(self, row: BulkEditRow, program: Program | None, tag: ProgramTag | None) -> str:
        if program is None:
            return GONE_AFTER
        if self._removes:
            return HAS_TAG_AGAIN if tag is not None else ""
        if tag is None or tag.value != row.new:
            return CHANGED_AFTER
        return IN_MARKETO if row.old is None and is_sent(program, f"{TAG_PREFIX}{tag.type}") else ""

    def _tags(self, programs: Iterable[int]) -> Any:
        return ProgramTag.objects.filter(program__pk__among=set(programs), type__iexact=self._type)

    def _set_values(self, changes: Iterable[tuple[int, str | None, str | None, str]]) -> None:
        """Write tags; of each the program, its value now (``None`` if there is no tag), the new one, and its type."""
        by_value: defaultdict[str, list[int]] = defaultdict(list)
        new = []
        for program, now, value, spelled in changes:
            if now is None:
                new.append(ProgramTag(program_id=program, type=spelled, value=value or ""))
            else:
                by_value[value or ""].append(program)
        ProgramTag.objects.bulk_create(new)
        for value, programs in by_value.items():
            self._tags(programs).update(value=value)


def count_sent_tags(tag_type: str, programs: Iterable[int]) -> int:
    """How many programs have a tag that Marketo has accepted, and which stays there when it is removed here."""
    found = ProgramTag.objects.filter(program__pk__among=set(programs), type__iexact=tag_type).select_related("program")
    counted = Counter(tag.content_key in tag.program.accepted for tag in found)
    return counted[True]
