"""What has to be written so that Marketo holds a program's costs as they are here, and whether it then does.

Where only new costs go out they are appended, so that a cost that somebody enters in Marketo meanwhile cannot be lost.
Where one changes or goes, the whole list is written in the place of the old one, with every cost in it that is not
known here. A cost that somebody enters between the read just before and that write is lost: Marketo offers no way to
see it, neither before nor after.

A plan may be made any number of times: what has been written already is found and not written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mobjects.marketo.rest.programs.cost_rows import (
    CostRow,
    RowPool,
    describe_rows,
    row_of,
    rows_by_month,
    split_sums,
    total_amount,
)
from mobjects.marketo.types import OutgoingRecord
from mobjects.marking import gettext_noop as _


@dataclass(frozen=True, slots=True)
class CostPlan:
    """What to write.

    Args:
        before: what Marketo holds, its sums split.
        added: new costs to be appended; empty where the whole list is written.
        whole: the list to be written in the place of ``before``; ``None`` where none has to be.
        already: new costs that Marketo holds already.
        stuck: changed costs that Marketo holds neither as they were nor as they are to be.
        gone: costs that were to stay and that Marketo no longer holds.
        foreign: costs in Marketo that are not known here.
        summed: months that Marketo shows as one sum.
    """

    before: Sequence[CostRow]
    added: Sequence[CostRow] = ()
    whole: Sequence[CostRow] | None = None
    already: Sequence[CostRow] = ()
    stuck: Sequence[CostRow] = ()
    gone: Sequence[CostRow] = ()
    foreign: Sequence[CostRow] = ()
    summed: Sequence[str] = ()

    @property
    def writes(self) -> bool:
        """Whether anything has to be written."""
        return bool(self.added) or self.whole is not None

    @property
    def doubtful(self) -> bool:
        """Whether Marketo's list is not what it was accepted as; one that is out of date may be the cause."""
        return bool(self.stuck or self.gone)

    @property
    def expected(self) -> Sequence[CostRow]:
        """What Marketo holds after the write, if nobody else writes."""
        return self.whole if self.whole is not None else [*self.before, *self.added]


@dataclass(slots=True)
class _Draft:
    kept: list[CostRow] = field(default_factory=list)
    changed: list[tuple[CostRow, CostRow]] = field(default_factory=list)
    removed: list[CostRow] = field(default_factory=list)
    added: list[CostRow] = field(default_factory=list)
    already: list[CostRow] = field(default_factory=list)
    stuck: list[CostRow] = field(default_factory=list)
    gone: list[CostRow] = field(default_factory=list)


def touches_costs(record: OutgoingRecord) -> bool:
    """Whether costs of a program are to be written at all."""
    return bool(record.costs or record.removed_costs)


def plan_costs(record: OutgoingRecord, reported: Sequence[CostRow], *, known_arrived: bool = False) -> CostPlan:
    """Decide what to write.

    Args:
        record: what is wanted; see :class:`mobjects.marketo.types.OutgoingRecord`.
        reported: all costs that Marketo holds.
        known_arrived: Marketo's list is known to be what an earlier sending of the same was to leave.
    """
    stay = [row_of(cost) for cost in record.unchanged_costs]
    leave = [row_of(cost) for cost in record.removed_costs]
    changes = [(row_of(cost.accepted), row_of(cost)) for cost in record.costs if cost.accepted is not None]
    new = [row_of(cost) for cost in record.costs if cost.accepted is None]
    as_before = [*stay, *(old for old, _now in changes), *leave]
    as_wanted = [*stay, *(now for _old, now in changes), *new]
    before, summed = split_sums(reported, [as_before, as_wanted])
    pool = RowPool(before)
    # Marketo's list is as before, unless it lacks something of that and lacks nothing of what is wanted: then an
    # earlier sending has arrived, and a row that looks like an old form is another cost's new one.
    arrived = bool(pool.lacks(as_before)) and not pool.lacks(as_wanted)
    draft = _Draft()
    _match_staying(draft, pool, stay)
    if arrived or known_arrived:
        _match_wanted(draft, pool, changes, new)
        _match_leaving(draft, pool, () if known_arrived else leave)
    else:
        missing = _match_old_forms(draft, pool, changes)
        _match_leaving(draft, pool, leave)
        _match_new_forms(draft, pool, missing)
        _match_new(draft, pool, new)
    return _finish_plan(draft, before, pool.rows, summed)


def _match_staying(draft: _Draft, pool: RowPool, stay: Sequence[CostRow]) -> None:
    for row in stay:
        found = pool.pop_row(row)
        draft.kept.append(found) if found else draft.gone.append(row)


def _match_wanted(
    draft: _Draft, pool: RowPool, changes: Sequence[tuple[CostRow, CostRow]], new: Sequence[CostRow]
) -> None:
    for row in [*(now for _old, now in changes), *new]:
        pool.pop_row(row)
    draft.already += new


def _match_leaving(draft: _Draft, pool: RowPool, leave: Sequence[CostRow]) -> None:
    draft.removed += [found for row in leave if (found := pool.pop_row(row))]


def _match_old_forms(
    draft: _Draft, pool: RowPool, changes: Sequence[tuple[CostRow, CostRow]]
) -> list[tuple[CostRow, CostRow]]:
    missing = []
    for old, now in changes:
        found = pool.pop_row(old)
        draft.changed.append((found, now)) if found else missing.append((old, now))
    return missing


def _match_new_forms(draft: _Draft, pool: RowPool, missing: Sequence[tuple[CostRow, CostRow]]) -> None:
    draft.stuck += [old for old, now in missing if pool.pop_row(now) is None]


def _match_new(draft: _Draft, pool: RowPool, new: Sequence[CostRow]) -> None:
    for row in new:
        (draft.already if pool.pop_row(row) else draft.added).append(row)


def _finish_plan(draft: _Draft, before: Sequence[CostRow], foreign: Sequence[CostRow], summed: list[str]) -> CostPlan:
    changed = [(old, now) for old, now in draft.changed if old.key != now.key]
    whole = None
    if changed or draft.removed:
        whole = _replace_rows(before, changed, draft.removed) + draft.added
    return CostPlan(
        before=before,
        added=() if whole is not None else draft.added,
        whole=whole,
        already=draft.already,
        stuck=draft.stuck,
        gone=draft.gone,
        foreign=foreign,
        summed=summed,
    )


def _replace_rows(
    before: Sequence[CostRow], changed: Sequence[tuple[CostRow, CostRow]], removed: Sequence[CostRow]
) -> list[CostRow]:
    """The list with some rows changed in their place and others left out, all else as Marketo holds it."""
    rows = list(before)
    for old, now in changed:
        rows[rows.index(old)] = now
    for row in removed:
        rows.remove(row)
    return rows


def plan_problem(plan: CostPlan) -> str:
    """Why a plan cannot be carried out, as a sentence; "" if it can."""
    if plan.stuck:
        return _(
            "The cost %(stuck)s was changed or removed in Marketo; pull the program first. None of "
            "its costs were written."
        ) % {"stuck": describe_rows(plan.stuck)}
    broken = [row for row in plan.whole or () if not row.is_whole]
    if broken:
        return _(
            "Marketo holds the cost %(broken)s, and over this API its list can only be written in "
            "whole amounts; round it in Marketo first. None of the costs were written."
        ) % {"broken": describe_rows(broken)}
    return ""


def plan_notes(plan: CostPlan) -> list[str]:
    """What a person should know about costs that were written by a plan, as sentences."""
    notes = []
    if plan.already:
        notes.append(
            _("Already in Marketo, so not added again: %(already)s.") % {"already": describe_rows(plan.already)}
        )
    if plan.whole is not None and plan.foreign:
        notes.append(
            _("Kept, though not known here: %(foreign)s; pull the program to see it.")
            % {"foreign": describe_rows(plan.foreign)}
        )
    if plan.gone:
        notes.append(
            _("No longer in Marketo: %(gone)s; pull the program to see what is.") % {"gone": describe_rows(plan.gone)}
        )
    if plan.summed:
        notes.append(_("Marketo shows the costs of %(summed)s as one sum.") % {"summed": ", ".join(plan.summed)})
    return notes


@dataclass(frozen=True, slots=True)
class CostCheck:
    """What Marketo's costs show after a write.

    Args:
        missing: of what was to be there.
        appeared: what was not to be there: entered in Marketo meanwhile.
        summed: months that are shown as one sum.
        other_notes: rows whose note Marketo changed.
    """

    missing: Sequence[CostRow]
    appeared: Sequence[CostRow]
    summed: Sequence[str] = ()
    other_notes: Sequence[CostRow] = ()


def check_costs(expected: Sequence[CostRow], reported: Sequence[CostRow]) -> CostCheck:
    """Compare what Marketo holds with what it should hold, month by month.

    Args:
        expected: after the write.
        reported: all costs that Marketo holds now.
    """
    rows, summed = split_sums(reported, [expected], written=True)
    pool = RowPool(rows)
    not_equal = [row for row in expected if pool.pop_row(row) is None]
    missing: list[CostRow] = []
    other_notes: list[CostRow] = []
    for row in not_equal:
        (missing if pool.pop_similar(row) is None else other_notes).append(row)
    surplus = _surplus_of_sums(expected, reported, {row.month for row in missing})
    if surplus:
        months = {row.month for row in surplus}
        missing = [row for row in missing if row.month not in months]
        summed += sorted(months)
        pool.rows = [row for row in pool.rows if row.month not in months] + surplus
    return CostCheck(missing, pool.rows, summed, other_notes)


def _surplus_of_sums(expected: Sequence[CostRow], reported: Sequence[CostRow], months: set[str]) -> list[CostRow]:
    """What somebody added to months that are shown as one sum, so that it holds all that is expected and more."""
    wanted, shown = rows_by_month(expected), rows_by_month(reported)
    more = []
    for month in sorted(months):
        rows, over = shown.get(month, []), total_amount(shown.get(month, [])) - total_amount(wanted[month])
        if len(rows) == 1 and over > 0:
            more.append(CostRow(rows[0].day, over))
    return more


def check_notes(check: CostCheck) -> list[str]:
    """What a person should know about the costs after a write, as sentences."""
    notes = []
    if check.appeared:
        notes.append(
            _("Entered in Marketo meanwhile and kept: %(appeared)s; pull the program.")
            % {"appeared": describe_rows(check.appeared)}
        )
    if check.other_notes:
        notes.append(
            _("Marketo shows another note for %(other_notes)s.") % {"other_notes": describe_rows(check.other_notes)}
        )
    if check.summed:
        notes.append(_("Marketo shows the costs of %(summed)s as one sum.") % {"summed": ", ".join(check.summed)})
    return notes
