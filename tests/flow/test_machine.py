"""Edits, syncs, faults, killed workers, pulls, time: in any order. Nothing is lost, nothing doubled, all is told.

The state machine calls :mod:`mobjects.jobs` in this process, as the queue's worker and its sweeper do. Marketo is the
sandbox, over real HTTP. Each example runs in a savepoint that is rolled back at its end.

What is drawn does not depend on what is there, and no rule has a precondition: on a loaded machine a call may time out
that did not the time before, and Hypothesis gives up where the same choices lead to others. A rule that finds nothing
to act upon does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from mobjects.jobs.control import cancel_job, pause_job, reset_circuit, resume_job
from mobjects.jobs.job_lease import acquire_job
from mobjects.jobs.queue import enqueue_job
from mobjects.jobs.recovery import sweep_jobs
from mobjects.jobs.requests import request_job, request_sync
from mobjects.jobs.runner import run_job
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.types import Kind, OutgoingBatch
from mobjects.models import (
    Circuit,
    Conflict,
    ConflictAnswer,
    ConflictReason,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    SyncJob,
    SyncJobAction,
    SyncJobState,
)
from mobjects.models.synced_record import RecordUnderWay
from mobjects.sandbox import SandboxServer
from mobjects.sync.conflicts import ambiguous
from mobjects.sync.pull.task import PullSelection
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.task import JobContext
from mobjects.sync.task_registry import TASKS
from mobjects.sync.transport_factory import key_fields, open_transport
from tests import factories
from tests.support import invariants
from tests.support.invariants import OURS
from tests.support.rest_fault_cases import SCRIPTS, SPOILT

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "7"))
STEPS = int(os.environ.get("MACHINE_STEPS", "20"))
SHRINK = os.environ.get("MACHINE_SHRINK", "1") == "1"
START = datetime(2026, 3, 2, 12, tzinfo=UTC)

State, Action = SyncJobState, SyncJobAction

STAGES = ["Open", "Won", "Lost", ""]
WHICH = st.integers(0, 59)
"""One of what is there, whatever their number is."""
ROLES = ["Influencer", "Decision Maker", "Owner"]
REGIONS = ["EMEA", "APAC", "Korea", "AMER"]


class Killed(BaseException):
    """The process is gone at this point: nothing after it runs."""


class Dying:
    """A transport whose process is killed at a certain call, before or after Marketo carried it out."""

    def __init__(self, inner: Any, at_call: int, *, applied: bool) -> None:
        self._inner, self._left, self._applied = inner, at_call, applied

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def send(self, batch: OutgoingBatch) -> Any:
        return self._call(lambda: self._inner.send(batch))

    def find(self, *query: Any) -> Any:
        return self._call(lambda: self._inner.find(*query))

    def _call(self, call: Callable[[], Any]) -> Any:
        self._left -= 1
        if self._left > 0:
            return call()
        if self._applied:
            try:
                call()
            except MarketoError:
                pass  # The answer comes to nobody.
        raise Killed


class Machine(RuleBasedStateMachine):
    """One person, one worker, one Marketo, and everything that can come between them."""

    api: ClassVar[str]
    sandbox: ClassVar[SandboxServer]
    redis: ClassVar[Redis]

    def __init__(self) -> None:
        super().__init__()
        self.sandbox.reset()
        self.redis.flushdb()
        Path(django_settings.INSTALLATION_FILE).unlink(missing_ok=True)  # The database is rolled back by ourselves.
        self.number = 0
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.time = time_machine.travel(START, tick=False)
        self.now = self.time.start()
        self.user = factories.user()

    def teardown(self) -> None:
        try:
            self.let_everything_end()
            self.holds()
            invariants.both_sides_are_equal(self.sandbox)
        finally:
            self.time.stop()
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def next(self) -> int:
        self.number += 1
        return self.number

    # --- a person edits ---

    @initialize()
    def programs(self) -> None:
        for number in (1001, 1002):
            stored = self.sandbox.store.programs[number]
            stored.tags.clear()  # Nothing there that is not here: nobody else changes anything in this Marketo.
            factories.program(marketo_id=number, name=stored.name, channel=stored.channel)

    @rule(stage=st.sampled_from(STAGES))
    def new_opportunity(self, stage: str) -> None:
        number = self.next()
        factories.opportunity(
            external_id=f"M-{number}", name=f"Deal {number}", description=f"Deal no. {number}", stage=stage
        )

    @rule(which=WHICH, stage=st.sampled_from(STAGES))
    def edit_opportunity(self, which: int, stage: str) -> None:
        one(which, Opportunity.objects.order_by("pk")).update(stage=stage)

    @rule(which=WHICH)
    def rename_opportunity(self, which: int) -> None:
        one(which, Opportunity.objects.order_by("pk")).update(name=f"Deal {self.next()}")

    @rule(which=WHICH)
    def new_role(self, which: int) -> None:
        for parent in one(which, Opportunity.objects.order_by("pk")):
            factories.role(parent, person_id=self.next())

    @rule(which=WHICH, role=st.sampled_from(ROLES))
    def edit_role(self, which: int, role: str) -> None:
        one(which, OpportunityPersonRole.objects.order_by("pk")).update(role=role)

    @rule(which=WHICH, amount=st.integers(1, 9))
    def new_cost(self, which: int, amount: int) -> None:
        for of in one(which, Program.objects.order_by("pk")):
            factories.cost(of, amount=Decimal(amount), note=f"{OURS}{self.next()}")

    @rule(which=WHICH, amount=st.integers(1, 9))
    def edit_cost(self, which: int, amount: int) -> None:
        one(which, ProgramCost.objects.filter(note__startswith=OURS).order_by("pk")).update(amount=Decimal(amount))

    @rule(which=WHICH, value=st.sampled_from(REGIONS))
    def set_tag(self, which: int, value: str) -> None:
        for of in one(which, Program.objects.order_by("pk")):
            ProgramTag.objects.update_or_create({"value": value}, program=of, type="Region")

    @rule(which=WHICH, model=st.sampled_from([Opportunity, OpportunityPersonRole]))
    def delete_here(self, which: int, model: Any) -> None:
        with suppress(RecordUnderWay):  # A person is told to come again later.
            one(which, model.objects.order_by("pk")).delete()

    # --- a person asks ---

    @rule(
        kinds=st.sampled_from([tuple(Kind), *((kind,) for kind in Kind)]), resend=st.sampled_from([False] * 4 + [True])
    )
    def sync(self, kinds: tuple[Kind, ...], resend: bool) -> None:
        self.ask(SyncSelection(kinds=kinds, resend=resend))
        self.work()

    @rule(kinds=st.sampled_from([tuple(Kind), (Kind.OPPORTUNITY,), (Kind.PROGRAM,)]))
    def ask_only(self, kinds: tuple[Kind, ...]) -> None:
        self.ask(SyncSelection(kinds=kinds))

    @rule(kind=st.sampled_from(list(Kind)))
    def pull(self, kind: Kind) -> None:
        selection = PullSelection(kind).to_json() if kind is not Kind.PROGRAM else self.pull_of_programs()
        enqueue_job(request_job(action=Action.PULL, kind=kind.value, selection=selection))
        self.work()

    @rule(which=WHICH, ask=st.sampled_from([pause_job, resume_job, cancel_job]))
    def a_person_asks(self, which: int, ask: Callable[[SyncJob], bool]) -> None:
        for job in one(which, SyncJob.objects.exclude(state__in=SyncJob.FINAL_STATES).order_by("created_at")):
            ask(job)
            enqueue_job(job)

    @rule()
    def reset_circuit(self) -> None:
        if Circuit.objects.filter(reset_at=None).exists():
            reset_circuit(self.user)

    @rule()
    def decide(self) -> None:
        self.decide_conflicts()

    def ask(self, selection: SyncSelection) -> SyncJob:
        # on_commit calls nothing in a test's transaction.
        job = request_sync(selection)
        enqueue_job(job)
        return job

    def pull_of_programs(self) -> dict[str, Any]:
        ids = tuple(Program.objects.order_by("pk").values_list("pk", flat=True))
        return PullSelection(Kind.PROGRAM, ids=ids).to_json()

    # --- fate ---

    @rule(which=WHICH, spoilt=WHICH)
    def fault(self, which: int, spoilt: int) -> None:
        scripts, kinds = SCRIPTS[self.api], SPOILT[self.api]
        self.sandbox.faults.add(**scripts[which % len(scripts)], **kinds[spoilt % len(kinds)])

    @rule(
        kinds=st.sampled_from([tuple(Kind), (Kind.OPPORTUNITY,), (Kind.ROLE,), (Kind.PROGRAM,)]),
        at_call=st.integers(1, 3),
        applied=st.booleans(),
    )
    def killed_while_syncing(self, kinds: tuple[Kind, ...], at_call: int, applied: bool) -> None:
        self.kill(self.ask(SyncSelection(kinds=kinds)), at_call, applied=applied)

    @rule(which=WHICH, at_call=st.integers(1, 3), applied=st.booleans())
    def killed_while_going_on(self, which: int, at_call: int, applied: bool) -> None:
        if found := due_jobs():
            self.kill(found[which % len(found)], at_call, applied=applied)

    @rule(seconds=st.sampled_from([5, 45, 200, 1000]))
    def time_passes(self, seconds: int) -> None:
        self.pass_time(seconds)
        sweep_jobs()

    @rule()
    def work(self) -> None:
        """What the worker does: every job that is due, in the order in which they were asked for."""
        for job in due_jobs():
            run_job(job)

    def kill(self, job: SyncJob, at_call: int, *, applied: bool) -> None:
        """Work on a job like :func:`run_job`, but nobody tidies up when the process is killed."""
        lease = acquire_job(job, alone=TASKS[job.action].single_worker)
        if lease is None:
            return
        transport = open_transport()
        here = JobContext(job, lease, Dying(transport, at_call, applied=applied), key_fields(), factories.Unlimited())
        try:
            StepLoop(here, TASKS[job.action](here)).run()
        except Killed:
            pass
        finally:
            transport.close()

    def pass_time(self, seconds: float) -> None:
        self.now.shift(seconds)
        # The limits go by the clock of Redis, which does not travel.
        self.redis.flushdb()

    # --- what holds ---

    @invariant()
    def holds(self) -> None:
        invariants.check(self.sandbox)
        self.now.shift(1)

    def let_everything_end(self) -> None:
        """No more faults, enough time, and a person who does what is left for a person."""
        self.sandbox.faults.clear()
        for number in range(40):
            reset_circuit(self.user)
            # First what settles soon; a used-up quota takes until midnight.
            self.pass_time(400 if number < 5 else 90_000)
            sweep_jobs()
            for job in SyncJob.objects.filter(state=State.PAUSED):
                resume_job(job)
            for job in SyncJob.objects.filter(state=State.NOT_QUEUED):
                enqueue_job(job)
            self.work()
            self.decide_conflicts()
            if not SyncJob.objects.exclude(state__in=SyncJob.FINAL_STATES).exists():
                if not self.unsent():
                    return
                self.ask(SyncSelection())
        told = list(SyncJob.objects.exclude(state__in=SyncJob.FINAL_STATES).values("state", "waits_for", "failures"))
        latest = SyncJob.objects.order_by("-created_at")[:2]
        last = [list(job.results.values_list("label", "status", "error")) for job in latest]
        pytest.fail(f"it never settles: {self.unsent()}, {told}, {last}")

    def unsent(self) -> list[str]:
        return [f"{each!r} {each.last_status} {each.last_error}" for each in invariants.everything() if each.is_dirty]

    def decide_conflicts(self) -> None:
        """The person looks in Marketo, and so knows."""
        ambiguous.close_orphaned_conflicts()
        for conflict in Conflict.objects.filter(decided_at=None):
            assert conflict.reason == ConflictReason.AMBIGUOUS, f"nobody changes anything in Marketo: {conflict!r}"
            key = conflict.kind, conflict.record_id
            record: Any = next(each for each in invariants.everything() if (each.KIND, each.pk) == key)
            if record.claimed_by_id is not None:
                continue
            mine = [each["id"] for each in conflict.candidates if self.is_it(record, each["id"])]
            if mine:
                ambiguous.resolve_ambiguous(conflict, ConflictAnswer.IS_THIS, self.user, mine[0])
            else:
                ambiguous.resolve_ambiguous(conflict, ConflictAnswer.SEND, self.user)

    def is_it(self, record: Any, number: int) -> bool:
        stored = self.sandbox.store.objects[record.KIND.value][number].values
        if record.KIND is Kind.OPPORTUNITY:
            return stored.get("Description") == record.description
        mine = str(record.opportunity.marketo_id), str(record.person_id)
        return (stored["OpportunityId"], stored["PersonId"]) == mine


def one(which: int, there: QuerySet[Any]) -> QuerySet[Any]:
    """One of those that are there; none where there are none."""
    pks = list(there.values_list("pk", flat=True))
    return there.model._default_manager.filter(pk__in=pks and [pks[which % len(pks)]])


def due_jobs() -> list[SyncJob]:
    """What a worker would find in the queue: jobs that are live, not waiting for later, and without a lease."""
    live = SyncJob.objects.filter(state__in=SyncJob.LIVE_STATES, leases=None).order_by("created_at", "pk")
    return [job for job in live if job.waits_until is None or job.waits_until <= timezone.now()]


# 8 s for the usual seven examples, over REST twice that; what fails is shrunk, and that takes several times as long.
@pytest.mark.timeout(max(180, EXAMPLES * STEPS // 2))
@pytest.mark.django_db
@pytest.mark.usefixtures("either_api")
@pytest.mark.parametrize(
    ("either_api", "key_field"),
    [("soap", ""), ("soap", "ExternalOpportunityId"), ("rest", "")],
    ids=["without keys", "with keys", "over REST"],
    indirect=["either_api"],
)
def test_nothing_is_lost_or_doubled_whatever_happens(sandbox, queue, settings, either_api, key_field):
    # The limits have tests of their own; here they would only slow down what is to go fast.
    no_limits = {"CALLS_PER_WINDOW": 100_000, "DAILY_QUOTA": 1_000_000}
    django = settings
    django.MARKETO = {**django.MARKETO, **no_limits, "OPPORTUNITY_KEY_FIELD": key_field}
    Machine.api, Machine.sandbox, Machine.redis = either_api, sandbox, queue.connection
    run_state_machine_as_test(Machine, settings=limits())


def limits() -> settings:
    return settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[phase for phase in Phase if SHRINK or phase is not Phase.shrink],
        print_blob=True,
    )
