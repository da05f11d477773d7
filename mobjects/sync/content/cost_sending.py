"""What is said to Marketo of a program's costs and tags: with cost ids, or by how Marketo accepted them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext_noop as _

from mobjects.marketo.transport_traits import TransportTraits
from mobjects.marketo.types import OutgoingCost, RemoteCost
from mobjects.models import Program
from mobjects.models.program import COST_PREFIX, TAG_PREFIX
from mobjects.sync.content.cost_matching import format_cost, parse_cost

"""How the names of tags begin in a program's content; the channel's is ``Channel``."""


@dataclass(frozen=True, slots=True)
class CostsToSend:
    """The costs of a program as they are to be sent.

    Args:
        costs: new and changed ones.
        unchanged: accepted ones that stay as they are; only where costs have no ids.
        removed: accepted ones that were removed here; only where Marketo can remove them.
        sent: content name to text of what is sent; "" where it is removed.
    """

    costs: Sequence[OutgoingCost] = ()
    unchanged: Sequence[RemoteCost] = ()
    removed: Sequence[RemoteCost] = ()
    sent: Mapping[str, str] = field(default_factory=dict)


def gather_costs(record: Program, names: Collection[str], traits: TransportTraits) -> CostsToSend | str:
    """The costs to be sent of a program.

    Args:
        record: with its costs.
        names: content names of what is to be sent.
        traits: the ways of the API in use.

    Returns:
        The costs; or why the program may not be sent, as a sentence.
    """
    return _gather_by_id(record, names) if traits.has_cost_ids else _gather_by_text(record, names, traits)


def find_removed_tags(record: Program, names: Collection[str], traits: TransportTraits) -> list[str]:
    """The types of accepted tags that were removed here and are to be removed in Marketo; none where it cannot.

    A type whose spelling was changed here is still there under the new one.
    """
    if not traits.removes_tags:
        return []
    kept = {tag.content_key.casefold() for tag in record.tags.all()}
    gone = [name for name in record.accepted if name.startswith(TAG_PREFIX) and name in names]
    return [name.removeprefix(TAG_PREFIX) for name in gone if record.accepted[name] and name.casefold() not in kept]


def find_lost_texts(
    found: Sequence[RemoteCost], accepted: Mapping[str, str], sent: Mapping[str, str]
) -> dict[str, str]:
    """Which costs of a lost sending stand in Marketo as they were sent, where costs have no ids.

    Args:
        found: all costs that Marketo holds of the program.
        accepted: what Marketo had accepted of it before.
        sent: what was sent without an answer.

    Returns:
        Content name to text, of those that arrived. Of the others Marketo may hold what it had accepted.
    """
    there = Counter(format_cost(cost) for cost in found)
    new = {name: text for name, text in sent.items() if name.startswith(COST_PREFIX) and text}
    before = {name: text for name, text in accepted.items() if name.startswith(COST_PREFIX)}
    untouched = Counter(text for name, text in before.items() if name not in sent)
    if untouched + Counter(new.values()) <= there:
        return new
    if Counter(before.values()) <= there:
        return {}  # Though one of them may hold now what was sent of another one.
    free, arrived = there - untouched, {}
    for name, text in new.items():
        if free[text] > 0:
            free[text] -= 1
            arrived[name] = text
    return arrived


def _gather_by_id(record: Program, names: Collection[str]) -> CostsToSend | str:
    costs, sent = [], {}
    for cost in record.costs.all():
        key = cost.content_key
        if key not in names or (key in record.accepted and cost.marketo_cost_id is None):
            if record.accepted.get(key, cost.content_text) != cost.content_text:
                return _(
                    "The cost %(cost)s is already in Marketo without a known cost ID. Enter its Marketo cost "
                    "ID to change it; sent without, it would be added a second time."
                ) % {"cost": record.accepted[key]}
            continue
        # An empty note is sent only where there may be one to clear.
        note = cost.note if cost.note or key in record.accepted else None
        costs.append(OutgoingCost(cost.month, cost.amount, note, cost.marketo_cost_id))
        sent[key] = cost.content_text
    return CostsToSend(costs, sent=sent)


def _gather_by_text(record: Program, names: Collection[str], traits: TransportTraits) -> CostsToSend | str:
    if unread := [name for name in record.accepted if name.startswith(COST_PREFIX) and not _is_readable(record, name)]:
        return _("How %(names)s stands in Marketo is not known; pull or compare the program, then send it.") % {
            "names": ", ".join(unread)
        }
    costs, unchanged, sent = [], [], {}
    for cost in record.costs.all():
        key = cost.content_key
        accepted = _as_accepted(record, key)
        # One that stands there as it is here is never sent: nothing about it would change.
        if key not in names or record.accepted.get(key) == cost.content_text:
            unchanged += [accepted] if accepted else []
            continue
        if traits.whole_costs and (problem := _find_decimals(cost.content_text, cost.amount)):
            return problem
        costs.append(OutgoingCost(cost.month, cost.amount, cost.note, accepted=accepted))
        sent[key] = cost.content_text
    here = {cost.content_key for cost in record.costs.all()}
    gone = {name: kept for name in record.accepted if name not in here and (kept := _as_accepted(record, name))}
    if not traits.removes_costs:
        return CostsToSend(costs, (*unchanged, *gone.values()), sent=sent)
    removed = [cost for name, cost in gone.items() if name in names]
    return CostsToSend(costs, unchanged, removed, {**sent, **{name: "" for name in gone if name in names}})


def _as_accepted(record: Program, name: str) -> RemoteCost | None:
    """A cost as Marketo last accepted it; ``None`` if it never did."""
    text = record.accepted.get(name, "") if name.startswith(COST_PREFIX) else ""
    return RemoteCost(None, *parse_cost(text)) if text else None


def _is_readable(record: Program, name: str) -> bool:
    try:
        _as_accepted(record, name)
    except (ValueError, ArithmeticError):
        return False
    return True


def _find_decimals(text: str, amount: Decimal) -> str:
    """Why an amount with decimals cannot be sent, with the nearest one that can; "" if it has none."""
    whole = amount.quantize(Decimal(1), ROUND_HALF_UP)
    if whole == amount:
        return ""
    return _("The cost %(cost)s: Marketo takes whole amounts only over this API; %(whole)s would be next.") % {
        "cost": text,
        "whole": whole,
    }
