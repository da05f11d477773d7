"""``manage.py sync_mobjects``: the same jobs, and the same history, as the admin's Sync button."""

from __future__ import annotations

import json
import math
import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass, field
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper, SystemCheckError

from mobjects import clock
from mobjects.formatting import format_count
from mobjects.jobs.requests import Asked, create_sync_job, request_sync
from mobjects.management.base import INLINE, KINDS_BY_NAME, run_inline, system_username
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.types import Kind
from mobjects.models import SyncJob, SyncJobSource, SyncJobState, records_of_kind
from mobjects.presentation import job_text
from mobjects.processes import status as queue_status
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.rate_limits.usage import LimitUsage, UnknownUsage
from mobjects.sync.send import task
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.selection import OperationChoice, SyncSelection
from mobjects.sync.transport_factory import key_fields, open_transport

POLL_SECONDS = 0.5
EXIT_CODES = """Exit code: 0 everything was accepted (or the job is only queued), 1 some records were not, or the job
was cancelled, 2 the job could not run, 3 it is not over: it is paused, waits for a person, or --timeout passed."""


class Command(BaseCommand):
    """Send changed records to Marketo."""

    help = f"{__doc__} {EXIT_CODES}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--kind", action="append", choices=sorted(KINDS_BY_NAME), help="repeatable; default: all kinds"
        )
        parser.add_argument("--operation", default="auto", choices=[choice.lower() for choice in OperationChoice])
        parser.add_argument("--ids", help="our own ids, separated by commas; needs one --kind")
        parser.add_argument("--reason", default="", help="kept in the history")
        parser.add_argument("--resend", action="store_true", help="send unchanged records too")
        parser.add_argument(
            "--include-unknown",
            action="store_true",
            help="send records whose last outcome is unknown again; this can double them",
        )
        parser.add_argument(
            "--read-first",
            action="store_true",
            help="read each record in Marketo first, so that a change made there waits for a decision; one more call "
            "for each record",
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--wait", action="store_true", help="wait until the workers have finished the job")
        how.add_argument("--inline", action="store_true", help=INLINE)
        how.add_argument("--dry-run", action="store_true", help="print the requests, secrets masked; send nothing")
        parser.add_argument(
            "--timeout", type=float, metavar="SECONDS", help="with --wait or --inline: give up after so long"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Wrong settings are exit code 2 as well; Django's own 1 would read as "some records were not accepted"."""
        try:
            super().check(*args, **kwargs)
        except SystemCheckError as error:
            error.returncode = 2
            raise

    def handle(self, *args: Any, **options: Any) -> None:
        selection = _selection(options)
        if options["timeout"] is not None and not (options["wait"] or options["inline"]):
            raise CommandError("--timeout needs --wait or --inline.", returncode=2)
        if options["dry_run"]:
            self._dry_run(selection)
            return
        job = self._start(selection, options)
        job.refresh_from_db()
        self.stdout.write(json.dumps(_summary(job)) if options["json"] else _describe_job(job))
        sys.exit(_exit_code(job, awaited=options["wait"] or options["inline"]))

    def _start(self, selection: SyncSelection, options: dict[str, Any]) -> SyncJob:
        asked: Asked = {"username": system_username(), "reason": options["reason"], "source": SyncJobSource.COMMAND}
        before = clock.now()
        job = (create_sync_job if options["inline"] else request_sync)(selection, **asked)
        if job.created_at < before:
            self.stderr.write(f"That is queued already: job {job.pk}.")
        patience = _JobWaiter(job, options["timeout"], self.stderr)
        try:
            if options["inline"]:
                run_inline(job, pause=patience.pause, beat=True)
            while options["wait"] and SyncJob.objects.get(pk=job.pk).is_live:
                if queue_status.worker_alive() is False:
                    patience.say_once("No worker is running; the job goes on once one is started.")
                patience.pause(POLL_SECONDS)
        except _WaitTimeout:
            self.stderr.write(_GIVEN_UP)
        return job

    def _dry_run(self, selection: SyncSelection) -> None:
        try:
            transport = open_transport()
            number = 0
            for number, (kind, operation, size, body) in enumerate(
                task.render_batches(selection, transport, key_fields()), start=1
            ):
                self.stdout.write(f"<!-- batch {number}: {operation} of {size} {kind} -->\n{body}")
            transport.close()
        except MarketoError as error:
            raise CommandError(error.message, returncode=2) from error
        self.stderr.write(f"{number} batches would be sent; nothing was.")
        groups = [group for group in forecast_groups(selection, key_fields()) if not group.reason]
        if skipped := sum(group.skipped for group in groups):
            which = "has" if selection.operation == OperationChoice.INSERT else "does not have"
            why = f"{selection.operation} skips what Marketo {which}"
            self.stderr.write(f"{format_count(skipped, 'record')} would be skipped: {why}.")
        if cleared := sum(group.cleared for group in groups):
            self.stderr.write(f"{format_count(cleared, 'value')} would be cleared in Marketo.")
        self.stderr.write(_describe_usage(RedisRateLimiter.from_settings(transport.endpoint).read_usage(), number))


class _WaitTimeout(Exception):
    """The time that the user gave is over."""


_GIVEN_UP = "Given up waiting; the job is not over, and goes on by itself where workers run."


@dataclass
class _JobWaiter:
    """Waits for a job for so long as the user wants to, and says what it waits for, each thing once."""

    job: SyncJob
    timeout: float | None
    output: OutputWrapper
    _since: float = field(default_factory=time.monotonic)
    _said: set[str] = field(default_factory=set)

    def pause(self, seconds: float) -> None:
        """Wait for a while.

        Raises:
            _GivenUp: the time that the user gave is over.
        """
        self.job.refresh_from_db()
        if self.job.state == SyncJobState.WAITING and self.job.waits_for:
            self.say_once(job_text.describe_job(self.job))
        left = math.inf if self.timeout is None else self._since + self.timeout - time.monotonic()
        time.sleep(max(0.0, min(seconds, left)))
        if left < seconds:
            raise _WaitTimeout

    def say_once(self, words: str) -> None:
        """Tell the user, unless that was said already."""
        if words not in self._said:
            self._said.add(words)
            self.output.write(words)


def _describe_usage(usage: LimitUsage | UnknownUsage, needed: int) -> str:
    """What a job of so many calls, or more, means for today's share of the quota."""
    if isinstance(usage, UnknownUsage):
        return f"How many calls were made today is not known: the queue's Redis {usage.problem}."
    used = f"Used today: {usage.used_today:,} of our {format_count(usage.share, 'call')}."
    return f"{used} {usage.quota_warning(needed)}".strip()


def _selection(options: dict[str, Any]) -> SyncSelection:
    kinds = tuple(KINDS_BY_NAME[name] for name in options["kind"]) if options["kind"] else tuple(Kind)
    ids = None
    if options["ids"] is not None:
        if len(kinds) != 1:
            raise CommandError("--ids needs exactly one --kind.", returncode=2)
        try:
            ids = tuple(int(part) for part in options["ids"].split(","))
        except ValueError:
            raise CommandError(
                f"--ids {options['ids']}: give whole numbers separated by commas.", returncode=2
            ) from None
        found = set(records_of_kind(kinds[0]).filter(pk__in=ids).values_list("pk", flat=True))
        if missing := sorted(set(ids) - found):
            raise CommandError(f"--ids: there are no {options['kind'][0]} {missing}.", returncode=2)
    return SyncSelection(
        kinds=kinds,
        ids=ids,
        operation=OperationChoice(options["operation"].upper()),
        resend=options["resend"],
        include_unknown=options["include_unknown"],
        read_first=options["read_first"],
    )


def _summary(job: SyncJob) -> dict[str, Any]:
    return {
        "job": str(job.pk),
        "state": job.state,
        "counts": job.counts,
        "batches": job.batches.count(),
        "problem": job.problem,
        "problem_text": job.problem_text,
        "waits_for": job.waits_for,
    }


def _describe_job(job: SyncJob) -> str:
    counts = ", ".join(f"{count} {status.lower()}" for status, count in sorted(job.counts.items())) or "no records"
    why = job_text.describe_job(job) if job.state == SyncJobState.WAITING else job.problem_text
    return f"Job {job.pk}: {job.get_state_display().lower()}; {counts}. {why}".strip()


def _exit_code(job: SyncJob, *, awaited: bool) -> int:
    if job.state in (SyncJobState.STOPPED, SyncJobState.CRASHED, SyncJobState.NOT_QUEUED):
        return 2
    if job.state in (SyncJobState.PROBLEMS, SyncJobState.CANCELLED):
        return 1
    return 3 if awaited and job.state != SyncJobState.SUCCEEDED else 0
