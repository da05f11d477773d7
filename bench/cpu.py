"""How much processor time one batch takes on our side, next to a floor measured in the same minutes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count
from statistics import median

from django.db.models import F

from bench.apis import Api, build_batches
from bench.records import opportunities
from bench.surroundings import Surroundings, lift_limits
from mobjects.jobs.requests import create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.models import Opportunity, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import open_transport

BATCHES_EACH = 20
"""Batches in one round; a round of ours is one whole job, so that what a job costs besides its batches counts too."""


def measure(around: Surroundings, say: Callable[[str], None], apis: Sequence[Api], *, rounds: int = 7) -> None:
    """Print milliseconds of this process' processor time per batch of opportunities with 20 attributes.

    The rounds of all APIs, and of each its floor and ours, take turns.
    """
    lift_limits()
    around.reset()
    runs = [_ApiRun(around, api) for api in apis]
    for number in range(-1, rounds):  # The first one warms up and is thrown away.
        for run in runs:
            run.round(keep=number >= 0)
    for run in runs:
        run.report(say)


class _ApiRun:
    """The rounds of one API."""

    made = count()
    """Parts of all rounds so far: each has records of its own."""

    def __init__(self, around: Surroundings, api: Api) -> None:
        self._around, self._api, self._size = around, api, api.select()
        self._figures: dict[str, list[float]] = defaultdict(list)

    def round(self, *, keep: bool) -> None:
        """Measure each part once."""
        self._api.select()
        for name, part in (("floor", self._floor), ("job", self._job), ("call", self._calls)):
            milliseconds = part()
            if keep:
                self._figures[name].append(milliseconds)

    def report(self, say: Callable[[str], None]) -> None:
        """Print medians, ranges and ratios; the ratios are those of the medians."""
        base, rounds = median(self._figures["floor"]), len(self._figures["floor"])
        say(
            f"{self._api.name.upper()}: CPU of our side per batch of {self._size} opportunities × 20 attributes, "
            f"n = {rounds} rounds × {BATCHES_EACH}:"
        )
        words = {"floor": f"floor: {self._api.floor_words}", **_WORDS}
        for name, text in words.items():
            of = self._figures[name]
            low, middle, high = min(of), median(of), max(of)
            say(f"  {text:<58} {middle:6.1f} ms ({low:.1f} to {high:.1f})  {middle / base:4.1f} × the floor")

    def _ids(self) -> list[int]:
        # Clean are those of the parts before: what is changed is what this part made.
        Opportunity.objects.update(synced_revision=F("revision"))
        size = BATCHES_EACH * self._size
        return opportunities(size, after=next(self.made) * BATCHES_EACH * 1000)

    def _floor(self) -> float:
        with self._api.prepare_floor(self._around, self._ids(), self._size) as work:
            return _per_batch(work)

    def _job(self) -> float:
        ids = self._ids()
        job = create_sync_job(SyncSelection())
        took = _per_batch(lambda: run_job(job))
        job.refresh_from_db()
        if job.state != SyncJobState.SUCCEEDED or job.counts != {"CREATED": len(ids)}:
            raise RuntimeError(f"the job ended {job.state} with {job.counts}: {job.problem_text}")
        return took

    def _calls(self) -> float:
        batches, transport = build_batches(self._ids(), self._size), open_transport()
        try:
            return _per_batch(lambda: [transport.send(batch) for batch in batches])
        finally:
            transport.close()


_WORDS = {
    "call": "the call alone: request, sending, reading",
    "job": "all: claim, build, call, save with history, job and lease",
}


def _per_batch(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000 / BATCHES_EACH
