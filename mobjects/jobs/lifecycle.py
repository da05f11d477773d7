"""How processes begin with a job and leave it, and how it ends.

A worker takes step after step of its job's task. It leaves when it has to wait, when its turn is over (so that
other jobs, and a worker that is asked to stop, get theirs), when a person pauses or cancels the job, or when there
is nothing left to do; the last one to leave finishes the job. Nothing sleeps here. All state is in the database.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, OutcomeUnknown, Unavailable
from mobjects.models import Circuit, SyncJob, SyncLane
from mobjects.sync import config, outcomes
from mobjects.sync.retry import clock_words
from mobjects.sync.saving import insisting

WAITS_FOR_RESET = "Sending is halted until a person resets the connection."
CUT_OFF = "The worker was cut off while this batch was being sent."

State = SyncJob.State


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
        failures = one_more_failure(job)
        if job.state == State.RUNNING and failures >= config.tries():
            words = f"Its worker was cut off {failures} times in a row. What was not sent is still changed."
            stop(job, State.CRASHED, "crash", words)
        again = leave(job, lane, until=timezone.now(), words="Its worker was cut off; it goes on by itself.")
    return job if again.again_at is not None and job.state == State.WAITING else None


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


def one_more_failure(job: SyncJob) -> int:
    SyncJob.objects.filter(pk=job.pk).update(failures=F("failures") + 1)
    return int(SyncJob.objects.values_list("failures", flat=True).get(pk=job.pk))
