"""How long a measurement took, by the clock and of the processor."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from bench.surroundings import database_seconds


@dataclass(frozen=True)
class TimeUsed:
    """Seconds by the clock, and of CPU: ours and PostgreSQL's for us, which others on the machine do not lengthen."""

    seconds: float
    cpu: float

    def __add__(self, other: TimeUsed) -> TimeUsed:
        return TimeUsed(self.seconds + other.seconds, self.cpu + other.cpu)

    def __sub__(self, other: TimeUsed) -> TimeUsed:
        return TimeUsed(self.seconds - other.seconds, self.cpu - other.cpu)

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s ({self.cpu:.2f} s of CPU)"


def read_clocks() -> TimeUsed:
    """What both clocks show now; only differences mean anything."""
    return TimeUsed(time.perf_counter(), time.process_time() + database_seconds())


def median_of(times: Iterable[TimeUsed]) -> TimeUsed:
    """The median of each clock by itself."""
    found = list(times)
    return TimeUsed(median(each.seconds for each in found), median(each.cpu for each in found))
