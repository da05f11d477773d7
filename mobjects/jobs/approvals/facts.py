"""What a piece of work would do, as far as rules ask about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Max, QuerySet

from mobjects.marketo.types import Kind, Operation
from mobjects.models import Opportunity, Program, ProgramCost, SyncJob, SyncJobAction, SyncResult, records_of_kind
from mobjects.models.program import COST_PREFIX
from mobjects.sync.content.cost_matching import parse_cost
from mobjects.sync.content.former_names import UNKNOWN_VALUE
from mobjects.sync.delete.task import revisions_to_delete
from mobjects.sync.send.preview.estimates import examined_programs, find_losses
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.selection import WHOLE_SIZE, SyncSelection, foreseen_records, ordered_kinds
from mobjects.sync.send.undo.verdicts import judged_results
from mobjects.sync.transport_factory import key_fields

AMOUNT = "Amount"
"""What an opportunity's amount is called in what is sent."""


@dataclass(frozen=True, slots=True)
class WorkFacts:
    """What is done to records of one kind, or of several.

    Args:
        operations: records by operation.
        created, deleted: so many of them in Marketo.
        amount: the greatest one among them, before and after.
        lost: tags and costs that programs would lose.
        is_lost_known: whether all programs were looked at for that.
    """

    operations: Mapping[str, int] = field(default_factory=dict)
    created: int = 0
    deleted: int = 0
    amount: Decimal | None = None
    lost: int = 0
    is_lost_known: bool = True

    @property
    def count(self) -> int:
        """All records."""
        return sum(self.operations.values())


Facts = dict[Kind, WorkFacts]


def merge_facts(found: Iterable[WorkFacts]) -> WorkFacts:
    """What several kinds come to."""
    parts = list(found)
    operations: Counter[str] = Counter()
    for part in parts:
        operations.update(part.operations)
    return WorkFacts(
        operations,
        sum(part.created for part in parts),
        sum(part.deleted for part in parts),
        _greatest(*(part.amount for part in parts)),
        sum(part.lost for part in parts),
        all(part.is_lost_known for part in parts),
    )


def find_facts(job: SyncJob, *, amounts: bool, losses: bool) -> Facts:
    """What a job would do if it were begun now.

    Args:
        job: one that sends, undoes or deletes.
        amounts: whether the greatest amount is asked for.
        losses: whether it is asked what programs would lose.
    """
    if job.action == SyncJobAction.SEND:
        return _facts_of_sending(SyncSelection.from_json(job.selection), amounts=amounts, losses=losses)
    deletes = job.action == SyncJobAction.DELETE
    ids: dict[Kind, list[int]] = defaultdict(list)
    back: dict[Kind, Decimal | None] = {}
    for kind, pk, amount in _records_and_amounts(job, amounts):
        ids[kind].append(pk)
        back[kind] = _greatest(back.get(kind), amount)
    operation = "DELETE" if deletes else Operation.UPDATE.value
    return {
        kind: WorkFacts(
            {operation: len(found)},
            deleted=len(found) if deletes else 0,
            # As they stand, and as an undo would put them back.
            amount=_greatest(back[kind], greatest_amount(records_of_kind(kind).filter(pk__in=found)))
            if amounts
            else None,
            # What an undo takes away again is not looked at record by record.
            is_lost_known=deletes or kind is not Kind.PROGRAM,
        )
        for kind, found in ids.items()
    }


def _greatest(*amounts: Decimal | None) -> Decimal | None:
    return max((amount for amount in amounts if amount is not None), default=None)


def _records_and_amounts(job: SyncJob, amounts: bool) -> Iterator[tuple[Kind, int, Decimal | None]]:
    """Kind and our own id of each record that a job which undoes or deletes is about, and the greatest amount that it
    would put back, if amounts are asked for.
    """
    if not amounts or job.action == SyncJobAction.DELETE or job.origin is None:
        yield from ((kind, pk, None) for kind, pk, _revision in frozen_records(job))
        return
    for kind in Kind:
        found: QuerySet[Any, Any] = judged_results(job.origin, kind).filter(left="").values_list("record_id", "diff")
        for pk, diff in found.iterator():
            yield kind, pk, max(_amounts_put_back(kind, diff), default=None)


def _amounts_put_back(kind: Kind, diff: Iterable[tuple[str, str, str]]) -> Iterator[Decimal]:
    """The amounts among the values of one record that an undo of a sending would put back."""
    for name, old, _sent in diff:
        if not old or old == UNKNOWN_VALUE:
            continue
        found = Decimal("NaN")
        with suppress(ValueError, InvalidOperation):  # Kept text need not be an amount.
            if kind is Kind.OPPORTUNITY and name == AMOUNT:
                found = Decimal(old)
            elif name.startswith(COST_PREFIX):
                found = parse_cost(old)[1]
        if found.is_finite():
            yield found


def frozen_records(job: SyncJob) -> Iterator[tuple[Kind, int, int]]:
    """The records that a job which undoes or deletes is about: kind, our own id, revision."""
    if job.action == SyncJobAction.DELETE:
        for name, revisions in revisions_to_delete(job.selection, key_fields().id_column).items():
            yield from ((Kind(name), int(pk), revision) for pk, revision in revisions.items())
    elif job.origin is not None:
        for kind in Kind:
            results: QuerySet[SyncResult] = judged_results(job.origin, kind).filter(left="")
            for pk, revision in results.values_list("record_id", "revision"):
                yield kind, pk, revision


def _facts_of_sending(selection: SyncSelection, *, amounts: bool, losses: bool) -> Facts:
    keys = key_fields()
    facts: Facts = {}
    for group in forecast_groups(selection, keys):
        if not group.reason and group.operation is not None:
            one = WorkFacts({group.operation.value: group.count}, group.new, group.replaced)
            facts[group.kind] = merge_facts((facts.get(group.kind, WorkFacts()), one))
    if amounts:
        for kind in ordered_kinds(selection):
            found = [
                greatest_amount(foreseen_records(kind, part, keys).filter(hold=""))
                for part in selection.iter_parts(WHOLE_SIZE)
            ]
            facts[kind] = replace(facts.get(kind, WorkFacts()), amount=_greatest(*found))
    if losses and facts.get(Kind.PROGRAM):
        lost = find_losses(examined_programs(selection, keys), selection, keys)
        facts[Kind.PROGRAM] = replace(facts[Kind.PROGRAM], lost=lost.tags + lost.costs, is_lost_known=lost.complete)
    return facts


def greatest_amount(records: QuerySet[Any]) -> Decimal | None:
    """The greatest amount of opportunities, or period cost, also of programs; ``None`` if there is none."""
    pks = records.order_by().values("pk")
    found: QuerySet[Any] | None = None
    if records.model is Opportunity:
        found = Opportunity.objects.filter(pk__in=pks)
    elif records.model in (Program, ProgramCost):
        found = ProgramCost.objects.filter(**{"program__in" if records.model is Program else "pk__in": pks})
    return None if found is None else found.aggregate(most=Max("amount"))["most"]
