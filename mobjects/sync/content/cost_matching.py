"""Which of a program's costs here stands for which in Marketo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from mobjects.marketo.types import RemoteCost
from mobjects.marketo.value_parsing import parse_month
from mobjects.models import ProgramCost
from mobjects.models.program import COST_PREFIX


@dataclass(frozen=True, slots=True)
class CostMatch:
    """Marketo's costs of a program, one to one with ours.

    Args:
        by_name: content name to the cost in Marketo; also of costs that were removed here but not there.
        ids: our cost to the Marketo cost id it is now known to have.
        new: in Marketo, and nothing here stands for them.
        unclear: in Marketo, and perhaps one of ``lost``, changed there.
        lost: content names of costs here without a Marketo cost id that equal none in Marketo.
    """

    by_name: dict[str, RemoteCost] = field(default_factory=dict)
    ids: dict[int, int] = field(default_factory=dict)
    new: Sequence[RemoteCost] = ()
    unclear: Sequence[RemoteCost] = ()
    lost: frozenset[str] = frozenset()


def match_costs(found: Sequence[RemoteCost], local: Sequence[ProgramCost], accepted: Mapping[str, str]) -> CostMatch:
    """Match by Marketo cost id; then by what Marketo accepted of a cost; then by month, amount and note.

    Args:
        found: all costs that Marketo holds of the program.
        local: all costs that we hold of it.
        accepted: what Marketo last accepted of it.
    """
    free = sorted(found, key=lambda cost: cost.id or 0)
    by_name: dict[str, RemoteCost] = {}
    ids: dict[int, int] = {}
    known = {cost.marketo_cost_id: cost for cost in local if cost.marketo_cost_id is not None}
    for cost in [cost for cost in free if cost.id in known]:
        by_name[known[cost.id].content_key] = cost
        free.remove(cost)
    without_id = {cost.content_key: cost for cost in local if cost.marketo_cost_id is None}
    present = {cost.content_key for cost in local}
    removed = [name for name in accepted if name.startswith(COST_PREFIX) and name not in present]
    wanted = [(name, accepted.get(name, "")) for name in (*without_id, *removed)]
    for name, text in (*wanted, *((name, cost.content_text) for name, cost in without_id.items())):
        equal = next((cost for cost in free if format_cost(cost) == text), None)
        if name in by_name or equal is None:
            continue
        by_name[name] = equal
        free.remove(equal)
        if name in without_id and equal.id is not None:
            ids[without_id[name].pk] = equal.id
    lost = {name: cost for name, cost in without_id.items() if name not in by_name}
    months = {cost.month for name, cost in lost.items() if name in accepted}
    return CostMatch(
        by_name,
        ids,
        new=tuple(cost for cost in free if cost.month not in months),
        unclear=tuple(cost for cost in free if cost.month in months),
        lost=frozenset(lost),
    )


def format_cost(cost: RemoteCost) -> str:
    """A cost of Marketo's as :attr:`ProgramCost.content_text` writes ours."""
    note = cost.note.replace("\r\n", "\n").replace("\r", "\n")
    exact = cost.amount == round(cost.amount, 2)
    amount = f"{cost.amount:.2f}" if exact else f"{cost.amount:f}"
    return f"{cost.month:%Y-%m} {amount} {note}".rstrip()


def parse_cost(text: str) -> tuple[date, Decimal, str]:
    """Month, amount and note of a cost that is written as one line."""
    month, amount, *note = text.split(" ", 2)
    return parse_month(month), Decimal(amount), note[0] if note else ""
