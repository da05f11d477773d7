"""The states of a job, which may follow which, and how a job ends. docs/data-flow.md prints the table."""

from __future__ import annotations

from django.dispatch import Signal
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.state_machine import StateMachine
from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, OutcomeUnknown, Unavailable
from mobjects.models import Circuit, RequestedAction, SyncJob, SyncJobState
from mobjects.sync.retry_policy import describe_clock_offset
from mobjects.sync.send import results

PROBLEMS: dict[type[MarketoError], str] = {
    ConfigError: "configuration",
    AuthError: "authentication",
    Unavailable: "unavailable",
    OutcomeUnknown: _("outcome unknown"),
}
"""Why a job stopped, in a word, by error class."""

ENDED_BY_A_WORKER = (SyncJobState.SUCCEEDED, SyncJobState.PROBLEMS, SyncJobState.STOPPED, SyncJobState.CRASHED)
BEGUN = (SyncJobState.RUNNING, SyncJobState.WAITING, SyncJobState.PAUSED, SyncJobState.CANCELLED)
JOB_CHANGES: dict[str, tuple[str, ...]] = {
    # Running and back to it: a process of its own, without the queue; a further worker.
    SyncJobState.NOT_QUEUED: (SyncJobState.QUEUED, SyncJobState.HELD, *BEGUN),
    SyncJobState.HELD: (SyncJobState.NOT_QUEUED, SyncJobState.CANCELLED),
    SyncJobState.QUEUED: (SyncJobState.NOT_QUEUED, SyncJobState.HELD, *BEGUN),
    SyncJobState.RUNNING: (*BEGUN, *ENDED_BY_A_WORKER),
    SyncJobState.WAITING: (SyncJobState.HELD, *BEGUN),
    SyncJobState.PAUSED: (SyncJobState.NOT_QUEUED, SyncJobState.CANCELLED),
}

job_came_to_rest = Signal()
"""Sent when a job has ended, is paused, or waits until a person lets sending go on: ``work``, ``old``, ``new``."""


def is_at_rest(job: SyncJob) -> bool:
    """Whether a job has ended, or only a person lets it go on."""
    halted = job.state == SyncJobState.WAITING and job.waits_until is None
    return halted or job.state in (*SyncJob.FINAL_STATES, SyncJobState.PAUSED, SyncJobState.HELD)


JOB_STATES = StateMachine(SyncJob, JOB_CHANGES, is_at_rest, job_came_to_rest)


@retry_on_database_error
def end_job(job: SyncJob, state: SyncJobState, problem: str = "", text: str = "") -> None:
    """Put a job into a final state, unless it is in one already."""
    JOB_STATES.change(
        job,
        state,
        problem=problem,
        problem_text=text,
        finished_at=clock.now(),
        waits_until=None,
        waits_for="",
        requested_action=RequestedAction.NONE,
    )


def stop_job(job: SyncJob, error: MarketoError) -> None:
    """End a job because of an error that waiting does not cure."""
    end_job(job, SyncJobState.STOPPED, PROBLEMS.get(type(error), "refused"), _reason(error))


def end_cancelled_job(job: SyncJob) -> None:
    """End a job that nobody works on any more and that is not wanted."""
    results.cancel_waiting_batches(job, _("The job was cancelled before this was sent."))
    end_job(job, SyncJobState.CANCELLED)


def open_circuit(job: SyncJob, error: MarketoError) -> None:
    """Halt sending: nothing is sent by any job until a person resets the connection."""
    defaults = {"job": job, "code": error.code, "reason": _reason(error)}
    Circuit.objects.get_or_create(reset_at=None, kind="", defaults=defaults)


def _reason(error: MarketoError) -> str:
    return f"{error.message} {describe_clock_offset(error)}".strip()
