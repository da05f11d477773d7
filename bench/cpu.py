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
from bench.surroundings import Surroundings, database_seconds, lift_limits
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
    runs = [ApiRun(around, api) for api in apis]
    for number in range(-1, rounds):  # The first one warms up and is thrown away.
        for run in runs:
            run.round(keep=number >= 0)
    for run in runs:
        run.report(say)


class ApiRun:
    """The rounds of one API."""

    made = count()
    """Parts of all rounds so far: each has records of its own."""

    def __init__(self, around: Surroundings, api: Api) -> None:
        self._around, self._api, self._size = around, api, api.select()
        self.figures: dict[str, list[float]] = defaultdict(list)
        """Milliseconds per batch of each round, by part."""

    def round(self, *, keep: bool) -> None:
        """Measure each part once."""
        self._api.select()
        for part in (self._floor, self._job, self._calls):
            for name, milliseconds in part().items():
                if keep:
                    self.figures[name].append(milliseconds)

    def report(self, say: Callable[[str], None]) -> None:
        """Print medians, ranges and ratios; the ratios are those of the medians."""
        base, rounds = median(self.figures["floor"]), len(self.figures["floor"])
        say(
            f"{self._api.name.upper()}: CPU of our side per batch of {self._size} opportunities × 20 attributes, "
            f"n = {rounds} rounds × {BATCHES_EACH}:"
        )
        words = {"floor": f"floor: {self._api.floor_words}", **_WORDS}
        for name, text in words.items():
            of = self.figures[name]
            if not any(of):
                continue  # SQLite has no process of its own.
            low, middle, high = min(of), median(of), max(of)
            say(f"  {text:<58} {middle:6.1f} ms ({low:.1f} to {high:.1f})  {middle / base:4.1f} × the floor")

    def _ids(self) -> list[int]:
        # Clean are those of the parts before: what is changed is what this part made.
        Opportunity.objects.filter(revision__gt=F("synced_revision")).update(synced_revision=F("revision"))
        size = BATCHES_EACH * self._size
        return opportunities(size, after=next(self.made) * BATCHES_EACH * 1000)

    def _floor(self) -> dict[str, float]:
        with self._api.prepare_floor(self._around, self._ids(), self._size) as work:
            return {"floor": _per_batch(work)}

    def _job(self) -> dict[str, float]:
        ids = self._ids()
        job = create_sync_job(SyncSelection())
        before = database_seconds()
        took = _per_batch(lambda: run_job(job))
        server = (database_seconds() - before) * 1000 / BATCHES_EACH
        job.refresh_from_db()
        if job.state != SyncJobState.SUCCEEDED or job.counts != {"CREATED": len(ids)}:
            raise RuntimeError(f"the job ended {job.state} with {job.counts}: {job.problem_text}")
        return {"job": took, "server": server}

    def _calls(self) -> dict[str, float]:
        batches, transport = build_batches(self._ids(), self._size), open_transport()
        try:
            return {"call": _per_batch(lambda: [transport.send(batch) for batch in batches])}
        finally:
            transport.close()


_WORDS = {
    "call": "the call alone: request, sending, reading",
    "job": "all: claim, build, call, save with history, job and lease",
    "server": "and PostgreSQL's process for us, meanwhile",
}


def _per_batch(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000 / BATCHES_EACH
