"""How the records of a job are spread over the statuses: a bar, and beside it every part in words with its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from mobjects.models import SyncJob
from mobjects.models import SyncResultStatus as Status
from mobjects.presentation.vocabulary import STATUS_WORDS, join_or

WIDTH = 1000
"""Units of the whole bar."""
LEAST = 6
"""Units of the smallest part that has any records: one failure among a million is to be seen."""

_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("failed", (Status.FAILED, Status.NOT_SENT)),
    ("unknown", (Status.UNKNOWN,)),
    ("held", (Status.HELD, Status.CONFLICT)),
    ("skipped", (Status.SKIPPED,)),
    ("planned", (Status.PLANNED,)),
    ("found", (Status.DIFFERS, Status.MISSING)),
    ("created", (Status.CREATED, Status.ADDED)),
    ("updated", (Status.UPDATED, Status.TAKEN, Status.DELETED)),
    ("unchanged", (Status.UNCHANGED, Status.EQUAL, Status.SAME)),
    ("waiting", (Status.PENDING,)),
)
"""Each pattern, and the statuses that share it."""


@dataclass(frozen=True, slots=True)
class BarPart:
    """A part of a bar.

    Args:
        name: of its pattern in the style sheet.
        label: all its statuses, in words.
        count: how many records.
        status: the one status that they have; "" if they have several, or none yet.
        start, end: where it lies, in units of :data:`WIDTH`.
    """

    name: str
    label: str
    count: int
    status: str
    start: int
    end: int


def build_bar(job: SyncJob) -> list[BarPart]:
    """The parts of a job's bar that have any records, what needs a person first; empty if nothing is known yet."""
    counts: Mapping[str, int] = job.counts
    sums = [(name, {each: counts[each] for each in statuses if counts.get(each)}) for name, statuses in _PARTS]
    if job.state not in SyncJob.FINAL_STATES and job.planned > job.result_count:
        sums[-1][1][""] = job.planned - job.result_count
    held = [(name, found) for name, found in sums if found]
    total = sum(sum(found.values()) for _name, found in held)
    parts, start, left = [], 0, WIDTH
    for index, (name, found) in enumerate(held):
        count, behind = sum(found.values()), len(held) - index - 1
        width = left if not behind else min(max(round(WIDTH * count / total), LEAST), left - behind * LEAST)
        words = _("waiting") if name == "waiting" else join_or([STATUS_WORDS[each] for each in found])
        parts.append(BarPart(name, words, count, next(iter(found)) if len(found) == 1 else "", start, start + width))
        start, left = start + width, left - width
    return parts
