"""Kill workers at random moments while they send new opportunities, and compare both sides afterwards."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from bench.herd import Herd, kill, send, wait_for
from bench.records import opportunities
from bench.verdict import both_sides, left
from mobjects.jobs.lease import EXPIRY
from mobjects.jobs.requests import request_sync
from mobjects.models import (
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    SyncBatch,
    SyncBatchState,
    SyncJob,
    WorkerLease,
)
from mobjects.sync.send.selection import SyncSelection
from tests.support import invariants

LONGEST_PAUSE_SECONDS = 2.0
ROLES, PROGRAMS = 100, 20
JOB_SECONDS = 600
MORE_JOBS = 5


@dataclass
class Report:
    """What happened, and what came of it.

    ``killed`` counts what the killed process was doing; from ``records`` on see :func:`bench.verdict.both_sides`.
    """

    seed: int
    database: str
    killed: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0
    records: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    unknown: int = 0
    claimed: int = 0
    history: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing was lost or doubled, and everything arrived."""
        wrong = self.lost, self.doubled, self.changed, self.unknown, self.claimed
        return not any(wrong) and not self.history

    def to_json(self) -> dict[str, Any]:
        """All of it, for a program to read."""
        return {**asdict(self), "kills": sum(self.killed.values()), "clean": self.clean}


class Killing:
    """One run.

    Args:
        herd: running, with its workers and clock.
        rng: decides who is killed, and when.
        real_time: whether the silence of a killed worker is waited for.
    """

    def __init__(self, herd: Herd, rng: random.Random, report: Report, *, real_time: bool) -> None:
        self._herd = herd
        self._rng = rng
        self._report = report
        self._real_time = real_time
        self._killed: Counter[str] = Counter()
        self._jobs: list[SyncJob] = []
        self._made = 0

    def run(self, records: int, kills: int, say: Callable[[str], None]) -> None:
        """Kill so often while jobs run, then let everything come to its end and look at both sides."""
        began = time.monotonic()
        self._make(records)
        self._ask()
        while sum(self._killed.values()) < kills:
            if self._jobs[-1].state in SyncJob.FINAL_STATES:
                self._edit_all(records // 4)
                self._ask()
            time.sleep(self._rng.uniform(0, LONGEST_PAUSE_SECONDS))
            what = self._kill_one()
            if what:
                self._killed[what] += 1
                say(f"  kill {sum(self._killed.values()):2}: {what}")
            self._jobs[-1].refresh_from_db()
        self._finish()
        self._report.seconds = round(time.monotonic() - began, 1)
        self._judge()

    # --- records and jobs ---

    def _make(self, records: int) -> None:
        self._add(records)
        for opportunity in Opportunity.objects.order_by("pk")[:ROLES]:
            OpportunityPersonRole.objects.create(opportunity=opportunity, person_id=19, role="Influencer")
        for number, stored in enumerate(list(self._herd.sandbox.store.programs.values())[:PROGRAMS]):
            program = Program.objects.create(marketo_id=stored.id, name=stored.name)
            note = f"{invariants.OURS}{number}"
            ProgramCost.objects.create(program=program, month=date(2026, 6, 1), amount=Decimal(number), note=note)

    def _add(self, records: int) -> None:
        ids = opportunities(records, after=self._made)
        self._made += records
        # A description of its own tells a double from a namesake.
        Opportunity.objects.filter(pk__in=ids).update(description=F("external_id"))

    def _edit_all(self, more: int) -> None:
        number = len(self._jobs)
        Opportunity.objects.update(next_step=f"Step {number}")
        ProgramCost.objects.update(amount=F("amount") + 1)
        OpportunityPersonRole.objects.update(is_primary=bool(number % 2))
        self._add(more)

    def _ask(self) -> None:
        self._jobs.append(request_sync(SyncSelection()))

    def _finish(self) -> None:
        """Let the last job end, and send again what it did not deal with."""
        for _ in range(MORE_JOBS):
            wait_for(self._is_over, f"the end of the job ({self._jobs[-1]})", JOB_SECONDS)
            if not any(left().values()):
                return
            self._ask()

    def _is_over(self) -> bool:
        time.sleep(0.2)
        self._herd.replace_dead()
        self._jobs[-1].refresh_from_db()
        return self._jobs[-1].state in SyncJob.FINAL_STATES

    # --- killing ---

    def _kill_one(self) -> str:
        """Kill a process that works, alone or with its worker; says what it was doing, "" if nobody works."""
        self._herd.replace_dead()
        found = [(lease, self._herd.owner_of(_pid(lease))) for lease in WorkerLease.objects.all()]
        working = [(lease, owner) for lease, owner in found if owner is not None]
        if not working:
            return ""
        lease, owner = self._rng.choice(working)
        with _frozen(_pid(lease)) as was_there:
            if not was_there:
                return ""
            what = self._doing(lease)
            if self._rng.random() < 0.5:
                kill(_pid(lease))
                return f"{what} (its process alone)"
            self._herd.kill_worker(owner)
        self._herd.add_worker(wait=False)
        if not self._real_time:
            silent = timezone.now() - 2 * EXPIRY
            WorkerLease.objects.filter(process=lease.process).update(renewed_at=silent)
        return f"{what} (with its worker)"

    def _doing(self, lease: WorkerLease) -> str:
        batch = SyncBatch.objects.filter(lease_id=lease.pk, state=SyncBatchState.SENDING).last()
        if batch is None or batch.sent_at is None:
            return "between two batches"
        if batch.operation == "GET":
            return "looking up"
        result = batch.results.order_by("position").first()
        mark = f">{result.sent.get('Description', result.label)}<" if result else ""
        since = [call for call in self._herd.sandbox.calls if call.at >= batch.sent_at and mark in call.request]
        if not since:
            return "claimed, not sent"
        return "answered, not saved" if since[-1].finished else "sent, not answered"

    # --- both sides ---

    def _judge(self) -> None:
        report, sandbox = self._report, self._herd.sandbox
        report.killed = dict(self._killed.most_common())
        states = [SyncJob.objects.get(pk=job.pk).get_state_display() for job in self._jobs]
        report.jobs = dict(Counter(str(state) for state in states))
        report.calls = sandbox.load.calls
        for name, found in both_sides(sandbox).items():
            setattr(report, name, found)


def _pid(lease: WorkerLease) -> int:
    return int(lease.process.rpartition(" ")[2])


@contextmanager
def _frozen(pid: int) -> Iterator[bool]:
    """Hold a process at the moment at which it is about to be killed, to see what it is at."""
    try:
        yield send(pid, signal.SIGSTOP)
    finally:
        send(pid, signal.SIGCONT)
