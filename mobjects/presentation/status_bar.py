"""How the records of a job are spread over the statuses: a bar, and beside it every part in words with its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from mobjects.models import SyncJob
from mobjects.models import SyncResultStatus as Status

WIDTH = 1000
"""Units of the whole bar."""
LEAST = 6
"""Units of the smallest part that has any records: one failure among a million is to be seen."""

_PARTS: tuple[tuple[str, object, tuple[str, ...]], ...] = (
    ("failed", _("failed"), (Status.FAILED, Status.NOT_SENT)),
    ("unknown", _("outcome unknown"), (Status.UNKNOWN,)),
    ("held", _("held back"), (Status.HELD, Status.CONFLICT)),
    ("skipped", _("skipped"), (Status.SKIPPED,)),
    ("found", _("different, or not in Marketo"), (Status.DIFFERS, Status.MISSING)),
    ("created", _("created"), (Status.CREATED, Status.ADDED)),
    ("updated", _("updated"), (Status.UPDATED, Status.TAKEN, Status.DELETED)),
    ("unchanged", _("unchanged"), (Status.UNCHANGED, Status.EQUAL, Status.SAME)),
)
_WAITING = ("waiting", _("waiting"))


@dataclass(frozen=True, slots=True)
class BarPart:
    """A part of a bar.

    Args:
        name: of its pattern in the style sheet.
        label: in words.
        count: how many records.
        start, end: where it lies, in units of :data:`WIDTH`.
    """

    name: str
    label: str
    count: int
    start: int
    end: int


def build_bar(job: SyncJob) -> list[BarPart]:
    """The parts of a job's bar that have any records, what needs a person first; empty if nothing is known yet."""
    counts: Mapping[str, int] = job.counts
    sums = [(name, label, sum(counts.get(each, 0) for each in statuses)) for name, label, statuses in _PARTS]
    waiting = counts.get(Status.PENDING, 0)
    if job.state not in SyncJob.FINAL_STATES:
        waiting += max(job.planned - job.result_count, 0)
    held = [(name, str(label), count) for name, label, count in (*sums, (*_WAITING, waiting)) if count > 0]
    total = sum(count for *_named, count in held)
    parts, start, left = [], 0, WIDTH
    for index, (name, label, count) in enumerate(held):
        behind = len(held) - index - 1
        width = left if not behind else min(max(round(WIDTH * count / total), LEAST), left - behind * LEAST)
        parts.append(BarPart(name, label, count, start, start + width))
        start, left = start + width, left - width
    return parts
