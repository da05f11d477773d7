"""How long a sending will take, and what it would take away from programs in Marketo; both before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mobjects.marketo.types import Kind, Operation
from mobjects.models import SyncBatch, SyncBatchState
from mobjects.sync import marketo_settings
from mobjects.sync.content.loading import load_records
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


def find_losses(selection: SyncSelection, keys: KeyFields) -> ForeseenLoss:
    """What programs would lose; a fixed number of queries for a part of the selection, and none where Marketo's API
    takes nothing away from them.
    """
    traits = keys.traits
    if Kind.PROGRAM not in selection.kinds or not (traits.removes_tags or traits.removes_costs):
        return ForeseenLoss()
    plans = list(islice(_program_plans(selection, keys), EXAMINED + 1))
    losing = [plan for plan in plans[:EXAMINED] if plan.lost_tags or plan.lost_costs]
    return ForeseenLoss(
        sum(len(plan.lost_tags) for plan in losing),
        sum(len(plan.lost_costs) for plan in losing),
        len(losing),
        len(plans) <= EXAMINED,
    )


def _program_plans(selection: SyncSelection, keys: KeyFields) -> Iterator[RecordPlan]:
    for part in selection.iter_parts(WHOLE_SIZE):
        sendable = judged_records(Kind.PROGRAM, part, keys).filter(hold="").exclude(accepted={})
        ids = list(sendable.values_list("pk", flat=True)[: EXAMINED + 1])
        for program in load_records(Kind.PROGRAM, ids):
            yield plan_record(program, Operation.UPDATE, "", keys, None, resend=part.resend)
