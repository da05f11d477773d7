"""How much processor time one batch takes on our side, next to a floor measured in the same minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import requests
from django.conf import settings
from django.db.models import F

from bench import floor
from bench.records import BATCH, opportunities
from bench.surroundings import Surroundings, lift_limits
from mobjects.jobs.requests import create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind, Operation, OutgoingBatch
from mobjects.models import Opportunity, SyncJobState
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import Payload, build_payload, record_content
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import key_fields, open_transport

BATCHES_EACH = 20
"""Batches in one round; a round of ours is one whole job, so that what a job costs besides its batches counts too."""


def measure(around: Surroundings, say: Callable[[str], None], *, rounds: int = 7) -> None:
    """Print milliseconds of this process' processor time per batch of 100 opportunities with 20 attributes."""
    lift_limits()
    around.reset()
    figures: dict[str, list[float]] = {"job": [], "call": [], "floor": []}
    for number in range(-1, rounds):  # The first one warms up and is thrown away.
        took = {"floor": _floor(number), "job": _job(number), "call": _calls(number)}
        if number >= 0:
            for name, seconds in took.items():
                figures[name].append(seconds)
    base = median(figures["floor"])
    say(f"CPU of our side per batch of {BATCH} opportunities × 20 attributes, n = {rounds} rounds × {BATCHES_EACH}:")
    for name, words in _WORDS.items():
        low, middle, high = min(figures[name]), median(figures[name]), max(figures[name])
        ratio = f"{middle / base:4.1f} × the floor"
        say(f"  {words:<58} {middle:6.1f} ms ({low:.1f} to {high:.1f})  {ratio}")


_WORDS = {
    "floor": "floor: lxml, requests, lxml, one UPDATE",
    "call": "the call alone: envelope, signature, sending, reading",
    "job": "all: claim, build, call, save with history, job and lease",
}


def _per_batch(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000 / BATCHES_EACH


def _ids(number: int, part: int) -> list[int]:
    size = BATCHES_EACH * BATCH
    return opportunities(size, after=(3 * (number + 1) + part) * size)


def _floor(number: int) -> float:
    keys = key_fields()
    records = load_records(Kind.OPPORTUNITY, _ids(number, 0))
    rows = [(record.pk, record_content(record, keys)) for record in records]
    endpoint = settings.MARKETO["SOAP_ENDPOINT"]
    with requests.Session() as session:

        def work() -> None:
            for start in range(0, len(rows), BATCH):
                floor.send(session, endpoint, rows[start : start + BATCH])

        return _per_batch(work)


def _job(number: int) -> float:
    Opportunity.objects.update(synced_revision=F("revision"))
    _ids(number, 1)
    job = create_sync_job(SyncSelection())
    took = _per_batch(lambda: run_job(job))
    job.refresh_from_db()
    if job.state != SyncJobState.SUCCEEDED or job.counts != {"CREATED": BATCHES_EACH * BATCH}:
        raise RuntimeError(f"the job ended {job.state} with {job.counts}: {job.problem_text}")
    return took


def _calls(number: int) -> float:
    keys, records = key_fields(), load_records(Kind.OPPORTUNITY, _ids(number, 2))
    built = [build_payload(record, Operation.UPSERT, keys) for record in records]
    wire = [part.record for part in built if isinstance(part, Payload)]
    batches = [OutgoingBatch(Operation.UPSERT, wire[start : start + BATCH]) for start in range(0, len(wire), BATCH)]
    transport = open_transport()
    try:
        return _per_batch(lambda: [transport.send(batch) for batch in batches])
    finally:
        transport.close()
