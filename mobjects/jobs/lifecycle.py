"""How a job ends, and how sending is halted."""

from __future__ import annotations

from django.utils import timezone

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, OutcomeUnknown, Unavailable
from mobjects.models import Circuit, SyncJob
from mobjects.sync import outcomes
from mobjects.sync.retry import clock_words
from mobjects.sync.saving import insisting

PROBLEMS: dict[type[MarketoError], str] = {
    ConfigError: "configuration",
    AuthError: "authentication",
    Unavailable: "unavailable",
    OutcomeUnknown: "outcome unknown",
}
"""Why a job stopped, in a word, by error class."""

State = SyncJob.State


@insisting
def end_job(job: SyncJob, state: SyncJob.State, problem: str = "", text: str = "") -> None:
    """Put a job into a final state, unless it is in one already."""
    unfinished = SyncJob.objects.filter(pk=job.pk).exclude(state__in=SyncJob.FINAL)
    unfinished.update(
        state=state,
        problem=problem,
        problem_text=text,
        finished_at=timezone.now(),
        waits_until=None,
        waits_for="",
        requested_action=SyncJob.RequestedAction.NONE,
    )
    job.refresh_from_db()


def stop_job(job: SyncJob, error: MarketoError) -> None:
    """End a job because of an error that waiting does not cure."""
    word = PROBLEMS.get(type(error), "refused")
    end_job(job, State.STOPPED, word, f"{error.message} {clock_words(error)}".strip())


def end_cancelled_job(job: SyncJob) -> None:
    """End a job that nobody works on any more and that is not wanted."""
    outcomes.dissolve(job, "The job was cancelled before this was sent.")
    end_job(job, State.CANCELLED)


def open_circuit(job: SyncJob, error: MarketoError) -> None:
    """Halt sending: nothing is sent by any job until a person resets the connection."""
    reason = f"{error.message} {clock_words(error)}".strip()
    Circuit.objects.get_or_create(reset_at=None, defaults={"job": job, "code": error.code, "reason": reason})
