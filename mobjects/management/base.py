"""What the commands share that read from Marketo: how the job runs, what is printed, the exit code."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.management.base import BaseCommand, CommandError

from mobjects.db.schema_version import SchemaNewer
from mobjects.jobs.host_clock import HostClockOff
from mobjects.jobs.requests import Asked, create_job, request_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind
from mobjects.models import SyncJob, SyncJobAction, SyncJobSource, SyncJobState, SyncResult
from mobjects.presentation import job_text

KINDS_BY_NAME = {"programs": Kind.PROGRAM, "opportunities": Kind.OPPORTUNITY, "roles": Kind.ROLE}
EXIT_CODES = "Exit code: 0 done (or only queued), 1 done with problems, 2 it could not run, 3 it waits and is not over."

INLINE = "run in this process, without workers (Redis is still needed, for the limits)"
EXIT_CODE_BY_STATE = {SyncJobState.SUCCEEDED: 0, SyncJobState.PROBLEMS: 1, SyncJobState.CANCELLED: 1}
WAITING_STATES = (SyncJobState.WAITING, SyncJobState.PAUSED, SyncJobState.HELD)


class ReadingCommand(BaseCommand):
    """Base of the commands that make a job that reads."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ids", default="", help="our own ids of records, separated by commas")
        parser.add_argument("--reason", default="", help="kept in the history")
        parser.add_argument("--inline", action="store_true", help=INLINE)
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def run_job(
        self, action: SyncJobAction, kind: str, selection: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        """Make the job, run it if that is wanted, print what became of it, and exit."""
        asked: Asked = {"username": system_username(), "reason": options["reason"], "source": SyncJobSource.COMMAND}
        if options["inline"]:
            job = create_job(action, kind, selection, **asked)
            run_inline(job, beat=True)
        else:
            job = request_job(action=action, kind=kind, selection=selection, **asked)
        job.refresh_from_db()
        report = {"job": str(job.pk), "state": job.state, "counts": job.counts, "problem_text": job.problem_text}
        said = f"Job {job.pk}: {job_text.describe_job(job)}"
        self.stdout.write(json.dumps(report) if options["json"] else said)
        sys.exit(_exit_code(job, inline=options["inline"]))


def run_inline(job: SyncJob, **options: Any) -> None:
    """Run a job in this process; see :func:`mobjects.jobs.runner.run_job`.

    Raises:
        CommandError: exit code 2; this host's clock is wrong or its program too old: the job waits for another host.
    """
    try:
        run_job(job, **options)
    except (HostClockOff, SchemaNewer) as error:
        raise CommandError(f"{error} The job {job.pk} waits for a worker of another host.", returncode=2) from error


def check_form(form: forms.Form) -> None:
    """Refuse what the admin's form refuses, in its words.

    Raises:
        CommandError: exit code 2.
    """
    if form.is_valid():
        return
    said = [
        f"{form[name].label}: {error}"
        for name, errors in form.errors.items()
        if name in form.fields
        for error in errors
    ]
    raise CommandError(" ".join([*said, *form.non_field_errors()]), returncode=2)


def system_username() -> str:
    """Who is at the keyboard, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _exit_code(job: SyncJob, *, inline: bool) -> int:
    if not inline:
        return 2 if job.state == SyncJobState.NOT_QUEUED else 0
    if job.state == SyncJobState.SUCCEEDED and SyncResult.FINDING_STATUSES & set(job.counts):
        return 1
    return 3 if job.state in WAITING_STATES else EXIT_CODE_BY_STATE.get(SyncJobState(job.state), 2)
