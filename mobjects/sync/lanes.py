"""Lanes: the processes that work on a job, how they begin, wait, end, and are found when they die.

A lane takes step after step of its job's task. It leaves when it has to wait, when its turn is over (so that
other jobs, and a worker that is asked to stop, get theirs), when a person pauses or cancels the job, or when there
is nothing left to do; the last one to leave finishes the job. Nothing sleeps here. All state is in the database.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error, connection, transaction
from django.db.models import Exists, F
from django.db.models.functions import Coalesce
from django.utils import timezone

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, OutcomeUnknown, Trouble, Unavailable
from mobjects.models import Circuit, SyncJob, SyncLane, SyncResult
from mobjects.sync import config, outcomes
from mobjects.sync.retry import WAITING_WORDS, Action, clock_words, rule_for, wait_seconds
from mobjects.sync.saving import insisting
from mobjects.sync.work import Context, Task, Wait

TURN_SECONDS = 10.0
"""After so long a lane makes room in its worker and queues up again."""
BEAT_SECONDS = 10.0
SILENCE = timedelta(seconds=40)
"""A lane that has not been heard of for so long is dead; four beats, so that a slow database kills none."""

WAITS_FOR_RESET = "Sending is halted until a person resets the connection."
TURN_OVER = "It makes room for other jobs, and goes on at once."
CUT_OFF = "The worker was cut off while this batch was being sent."

State = SyncJob.State

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """How a lane left its job: ``again_at`` is when it wants to be called again, ``None`` if it does not."""

    again_at: datetime | None = None


def enter(job: SyncJob, *, queue_id: str = "", alone: bool = False) -> SyncLane | None:
    """Begin to work on a job, or find that it is not the time to.

    Args:
        job: its row is read anew.
        queue_id: RQ's id of the work, if it has one.
        alone: whether such a job is for one lane at a time.
    """
    with transaction.atomic():
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        now = timezone.now()
        # While it runs too: a lane was told to wait, and that is meant for all.
        waits = job.waits_until is not None and job.waits_until > now
        if job.state in (*SyncJob.FINAL, State.PAUSED) or waits or (alone and job.lanes.exists()):
            return None
        if Circuit.objects.filter(reset_at__isnull=True).exists():
            if not job.lanes.exists():
                job.state, job.waits_until, job.waits_for = State.WAITING, None, WAITS_FOR_RESET
                job.save(update_fields=["state", "waits_until", "waits_for"])
            return None
        SyncJob.objects.filter(pk=job.pk).update(
            state=State.RUNNING,
            started_at=Coalesce("started_at", now),
            waits_until=None,
            waits_for="",
            problem="",
            problem_text="",
        )
        process = f"{socket.gethostname()} {os.getpid()}"[:255]
        lane = SyncLane.objects.create(job=job, process=process, queue_id=queue_id, beat_at=now)
    job.refresh_from_db()
    return lane


def work_on(context: Context, task: Task, *, turn_seconds: float = TURN_SECONDS) -> Left:
    """Take steps until there is a reason to leave, and leave.

    Raises:
        BaseException: a fault of ours; the lane is not left then, see :func:`crash`.
    """
    return _Worker(context, task, turn_seconds).run()


class _Worker:
    def __init__(self, context: Context, task: Task, turn_seconds: float) -> None:
        self._context = context
        self._task = task
        self._until = time.monotonic() + turn_seconds
        self._looked_as_last = False
        self._expired = False
        self._failed = False

    def run(self) -> Left:
        while self._may_go_on():
            try:
                left = self._step()
            except Wait as wait:
                left = self._leave_until(wait.until, wait.words)
            except MarketoError as error:
                left = self._cope(error)
            if left is not None:
                return left
        return self._leave()

    def _step(self) -> Left | None:
        busy = self._task.step()
        self._expired = False
        if busy:
            self._looked_as_last = False
            self._answered()
            over = time.monotonic() >= self._until
            return self._leave_until(timezone.now(), TURN_OVER) if over else None
        if not self._is_last():
            return self._leave()
        if self._looked_as_last:
            return self._finish()
        # Another lane may have left something undone when it went; now nobody else is there.
        self._looked_as_last = True
        return None

    def _may_go_on(self) -> bool:
        """Whether nobody has stopped, braked, paused, halted or buried this lane since the last step."""
        lane = SyncLane.objects.filter(pk=self._context.lane.pk)
        halted = Exists(Circuit.objects.filter(reset_at__isnull=True))
        found = lane.values_list("job__state", "job__wish", "job__waits_until", "job__failures", halted).first()
        if found is None:
            return False
        state, wish, waits_until, failures, halted_now = found
        self._failed = failures > 0
        braked = waits_until is not None and waits_until > timezone.now()
        return state == State.RUNNING and not wish and not braked and not halted_now

    def _is_last(self) -> bool:
        return not self._context.job.lanes.exclude(pk=self._context.lane.pk).exists()

    def _answered(self) -> None:
        if self._failed:
            SyncJob.objects.filter(pk=self._context.job.pk).update(failures=0)

    def _cope(self, error: MarketoError) -> Left | None:
        """Do what the table says; ``None`` means go on at once."""
        job = self._context.job
        rule = rule_for(error, expired_before=self._expired)
        self._expired = error.trouble is Trouble.EXPIRED
        if rule.action is Action.HALT:
            halt(job, error)
            return self._stop(error)
        if rule.action is Action.AGAIN:
            return None
        failures = _one_more_failure(job)
        if rule.action in (Action.HALVE, Action.REFUSE) or (failures >= config.tries() and not rule.endless):
            return self._stop(error)
        if rule.action is Action.FEWER:
            self._context.permits.fewer()
        now = timezone.now()
        until = now + timedelta(seconds=wait_seconds(rule.action, failures, now))
        words = f"{error.message} {WAITING_WORDS[rule.action]}"
        SyncJob.objects.filter(pk=job.pk, state=State.RUNNING).update(waits_until=until, waits_for=words)
        return self._leave_until(until, words)

    def _stop(self, error: MarketoError) -> Left:
        stop(self._context.job, State.STOPPED, problem_word(error), f"{error.message} {clock_words(error)}".strip())
        return self._leave()

    def _finish(self) -> Left:
        """The last lane has found nothing to do: wait for what is due later, or end the job."""
        due = self._task.due()
        if due is not None:
            return self._leave_until(due, "It waits until Marketo can no longer be working on what was not answered.")
        self._task.finish()
        self._end()
        return self._leave()

    @insisting
    def _end(self) -> None:
        """End the job, unless a lane has begun meanwhile; then that one will."""
        job = self._context.job
        with transaction.atomic():
            job.refresh_from_db(fields=["counts"], from_queryset=SyncJob.objects.select_for_update())
            if self._is_last():
                # A comparison is there to find differences.
                good = SyncResult.ACCEPTED | (SyncResult.FINDINGS if job.action == SyncJob.Action.COMPARE else set())
                clean = set(job.counts) <= {status.value for status in good}
                stop(job, State.SUCCEEDED if clean else State.PROBLEMS)

    def _leave_until(self, until: datetime, words: str) -> Left:
        return leave(self._context.job, self._context.lane, until=until, words=words)

    def _leave(self) -> Left:
        return leave(self._context.job, self._context.lane)


@insisting
def leave(job: SyncJob, lane: SyncLane, *, until: datetime | None = None, words: str = "") -> Left:
    """Leave a job; the last lane turns off the light.

    Args:
        until: when the lane would go on; ``None`` if it found nothing more to do.
        words: what it waits for, as a sentence.
    """
    with transaction.atomic():
        job.refresh_from_db(from_queryset=SyncJob.objects.select_for_update())
        if not SyncLane.objects.filter(pk=lane.pk).delete()[0]:
            return Left()  # Taken for dead and buried; whoever did so has seen to the job.
        alone = not job.lanes.exists()
        if job.state in SyncJob.FINAL:
            if alone:
                outcomes.dissolve(job, _given_up(job))
            return Left()
        if alone and job.wish == SyncJob.Wish.CANCEL:
            end_cancelled(job)
            return Left()
        if alone and job.wish == SyncJob.Wish.PAUSE:
            SyncJob.objects.filter(pk=job.pk).update(state=State.PAUSED, waits_until=None, waits_for="")
            return Left()
        again = max((at for at in (until, job.waits_until) if at is not None), default=None)
        if alone:
            again = again or timezone.now()
            words = job.waits_for if job.waits_until == again else words
            SyncJob.objects.filter(pk=job.pk).update(state=State.WAITING, waits_until=again, waits_for=words)
    job.refresh_from_db()
    return Left(again)


def end_cancelled(job: SyncJob) -> None:
    """End a job that nobody works on any more and that is not wanted."""
    outcomes.dissolve(job, "The job was cancelled before this was sent.")
    stop(job, State.CANCELLED)


def _given_up(job: SyncJob) -> str:
    return f"Not sent: {job.problem_text or 'the job ended.'}"


@insisting
def stop(job: SyncJob, state: SyncJob.State, problem: str = "", text: str = "") -> None:
    """Put a job into a final state, unless it is in one already."""
    unfinished = SyncJob.objects.filter(pk=job.pk).exclude(state__in=SyncJob.FINAL)
    unfinished.update(
        state=state,
        problem=problem,
        problem_text=text,
        finished_at=timezone.now(),
        waits_until=None,
        waits_for="",
        wish=SyncJob.Wish.NONE,
    )
    job.refresh_from_db(fields=["state", "problem", "problem_text", "finished_at", "waits_until", "waits_for", "wish"])


def crash(job: SyncJob, lane: SyncLane, error: BaseException) -> None:
    """After a fault of ours: what this lane was sending is unknown, and the job ends."""
    if not SyncLane.objects.filter(pk=lane.pk).exists():
        return  # Taken for dead and buried; whoever did so has seen to the job, and others may be at work on it.
    name = type(error).__name__
    outcomes.abandon(job, f"The job crashed ({name}) while this batch was being sent.", lane.pk)
    stop(job, State.CRASHED, "crash", f"{name}: the log has the details.")
    leave(job, lane)


@insisting
def bury(lane: SyncLane) -> SyncJob | None:
    """End a lane whose process is dead: what it was sending is unknown. The job may go on.

    Returns:
        The job if it has to be queued anew, because no other lane works on it.
    """
    with transaction.atomic():
        job = SyncJob.objects.select_for_update().get(pk=lane.job_id)
        if not SyncLane.objects.filter(pk=lane.pk).exists():
            return None
        outcomes.abandon(job, CUT_OFF, lane.pk)
        failures = _one_more_failure(job)
        if job.state == State.RUNNING and failures >= config.tries():
            words = f"Its worker was cut off {failures} times in a row. What was not sent is still changed."
            stop(job, State.CRASHED, "crash", words)
        again = leave(job, lane, until=timezone.now(), words="Its worker was cut off; it goes on by itself.")
    return job if again.again_at is not None and job.state == State.WAITING else None


def dead_lanes(now: datetime) -> Iterator[SyncLane]:
    """Lanes that have not been heard of for too long."""
    return SyncLane.objects.filter(beat_at__lt=now - SILENCE).select_related("job").iterator()


@contextmanager
def beating(lane: SyncLane, *, every_seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Sign the lane's sign of life, from a thread of its own, while the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(lane.pk, over, every_seconds), daemon=True, name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(pk: int, over: threading.Event, every_seconds: float) -> None:
    try:
        while not over.wait(every_seconds):
            sign(pk)
    finally:
        connection.close()


def sign(pk: int) -> None:
    """Save a lane's sign of life."""
    try:
        connection.close_if_unusable_or_obsolete()
        SyncLane.objects.filter(pk=pk).update(beat_at=timezone.now())
    except Error as error:
        # The next beat may get through; until then the lane is as silent as it looks.
        logger.warning("A heartbeat could not be saved: %s", type(error).__name__)


def halt(job: SyncJob, error: MarketoError) -> None:
    """Open the circuit: nothing is sent by any job until a person resets it."""
    reason = f"{error.message} {clock_words(error)}".strip()
    Circuit.objects.get_or_create(reset_at=None, defaults={"job": job, "code": error.code, "reason": reason})


PROBLEMS: dict[type[MarketoError], str] = {
    ConfigError: "configuration",
    AuthError: "authentication",
    Unavailable: "unavailable",
    OutcomeUnknown: "outcome unknown",
}
"""Why a job stopped, in a word, by error class."""


def problem_word(error: MarketoError) -> str:
    """Why a job stopped, in a word."""
    return PROBLEMS.get(type(error), "refused")


def _one_more_failure(job: SyncJob) -> int:
    SyncJob.objects.filter(pk=job.pk).update(failures=F("failures") + 1)
    return int(SyncJob.objects.values_list("failures", flat=True).get(pk=job.pk))
