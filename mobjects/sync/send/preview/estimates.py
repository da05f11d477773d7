"""How long a sending will take, and what it would take away from programs in Marketo; both before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mobjects.marketo.types import Kind, Operation
from mobjects.models import SyncBatch, SyncBatchState, SyncedRecord
from mobjects.sync import marketo_settings
from mobjects.sync.content.loading import fetch_with_related
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.preview.record_plans import RecordPlan, judged_records, plan_record
from mobjects.sync.send.selection import WHOLE_SIZE, SyncSelection

LOOKED_BACK = 200
"""So many of the newest answered batches are looked at."""
EXAMINED = 300
"""So many programs are looked at; of more, what they would lose is said as "at least"."""


@dataclass(frozen=True, slots=True)
class ForeseenLoss:
    """What would be taken away in Marketo: tags and costs that were removed here.

    Args:
        tags, costs: how many.
        programs: how many programs lose some.
        complete: whether all programs were looked at.
    """

    tags: int = 0
    costs: int = 0
    programs: int = 0
    complete: bool = True

    def __bool__(self) -> bool:
        return bool(self.tags or self.costs)


def estimate_seconds(batches: Sequence[tuple[Kind, Operation, int]]) -> float | None:
    """How long sending takes, from how long such batches took before.

    Args:
        batches: kind, operation, and how many batches of these.

    Returns:
        Seconds; ``None`` if nothing was answered before. Batches of a kind that was never sent are taken to need as
        long as those that were. What waits for a limit, or is tried again, comes on top.
    """
    answered = SyncBatch.objects.filter(state=SyncBatchState.ANSWERED, seconds__isnull=False).order_by("-pk")
    known: dict[tuple[str, str], list[float]] = defaultdict(list)
    for kind, operation, seconds in answered.values_list("kind", "operation", "seconds")[:LOOKED_BACK]:
        known[kind, operation].append(seconds or 0.0)
    everything = [seconds for of_one in known.values() for seconds in of_one]
    total, count = 0.0, 0
    for kind, operation, number in batches:
        taken = known.get((kind.value, operation.value)) or everything
        if not taken:
            return None
        total, count = total + number * sum(taken) / len(taken), count + number
    return total / max(1, min(marketo_settings.workers_per_job(), count))


def examined_programs(selection: SyncSelection, keys: KeyFields, *, at: datetime | None = None) -> list[SyncedRecord]:
    """The first programs of a selection, one more than :data:`EXAMINED` at most, with all that they have; none where
    Marketo's API takes nothing away from programs. A fixed number of queries for a part of the selection.

    Args:
        selection: what would be sent.
        keys: names of the external key fields, with the ways of the API in use.
        at: the moment at which they are judged; now if none is given.
    """
    found: list[SyncedRecord] = []
    if Kind.PROGRAM not in selection.kinds or not (keys.traits.removes_tags or keys.traits.removes_costs):
        return found
    for part in selection.iter_parts(WHOLE_SIZE):
        judged = judged_records(Kind.PROGRAM, part, keys, at=at)[: EXAMINED + 1 - len(found)]
        found += fetch_with_related(Kind.PROGRAM, judged)
    return found


def plan_losing(programs: Sequence[SyncedRecord], selection: SyncSelection, keys: KeyFields) -> list[RecordPlan]:
    """Those that would lose tags or costs, of the programs that :func:`examined_programs` gave. Arguments as there."""
    judged: list[Any] = list(programs[:EXAMINED])  # annotated
    plans = [
        plan_record(program, Operation.UPDATE, "", keys, None, resend=selection.resend)
        for program in judged
        if not program.hold and program.accepted
    ]
    return [plan for plan in plans if plan.lost_tags or plan.lost_costs]


def find_losses(programs: Sequence[SyncedRecord], selection: SyncSelection, keys: KeyFields) -> ForeseenLoss:
    """What programs would lose, by those that :func:`examined_programs` gave. Arguments as there."""
    losing = plan_losing(programs, selection, keys)
    return ForeseenLoss(
        sum(len(plan.lost_tags) for plan in losing),
        sum(len(plan.lost_costs) for plan in losing),
        len(losing),
        len(programs) <= EXAMINED,
    )
