"""``manage.py sync_mobjects``: the same jobs, and the same history, as the admin's Sync button."""

from __future__ import annotations

import getpass
import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, SystemCheckError

from mobjects import jobs
from mobjects.marketo.contract import Kind
from mobjects.marketo.errors import MarketoError
from mobjects.models import SyncJob, records
from mobjects.sync import engine
from mobjects.sync.selection import Choice, Selection
from mobjects.sync.transports import key_fields, open_transport

KINDS = {"programs": Kind.PROGRAM, "opportunities": Kind.OPPORTUNITY, "roles": Kind.ROLE}
POLL_SECONDS = 0.5


class Command(BaseCommand):
    """Send changed records to Marketo.

    Exit code: 0 everything was accepted (or only queued), 1 some records were not, 2 the job could not run.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", action="append", choices=sorted(KINDS), help="repeatable; default: all kinds")
        parser.add_argument("--operation", default="auto", choices=[choice.lower() for choice in Choice])
        parser.add_argument("--ids", help="our own ids, separated by commas; needs one --kind")
        parser.add_argument("--reason", default="", help="kept in the history")
        parser.add_argument("--resend", action="store_true", help="send unchanged records too")
        parser.add_argument(
            "--include-unknown",
            action="store_true",
            help="send records whose last outcome is unknown again; this can double them",
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--wait", action="store_true", help="wait until the workers have finished the job")
        how.add_argument("--inline", action="store_true", help="run in this process, without Redis and workers")
        how.add_argument("--dry-run", action="store_true", help="print the requests, signature masked; send nothing")
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
        if options["dry_run"]:
            self._dry_run(selection)
            return
        job = self._start(selection, options)
        job.refresh_from_db()
        self.stdout.write(json.dumps(_summary(job)) if options["json"] else _sentence(job))
        sys.exit(_exit_code(job))

    def _start(self, selection: Selection, options: dict[str, Any]) -> SyncJob:
        asked: jobs.Asked = {"username": _system_user(), "reason": options["reason"], "source": SyncJob.Source.COMMAND}
        if options["inline"]:
            job = jobs.create_job(selection, **asked)
            jobs.run(job)
            return job
        job = jobs.request_sync(selection, **asked)
        while options["wait"] and SyncJob.objects.get(pk=job.pk).is_live:
            time.sleep(POLL_SECONDS)
        return job

    def _dry_run(self, selection: Selection) -> None:
        try:
            transport = open_transport()
            number = 0
            for number, (kind, operation, size, body) in enumerate(
                engine.render(selection, transport, key_fields()), start=1
            ):
                self.stdout.write(f"<!-- batch {number}: {operation} of {size} {kind} -->\n{body}")
            transport.close()
        except MarketoError as error:
            raise CommandError(error.message, returncode=2) from error
        self.stderr.write(f"{number} batches would be sent; nothing was.")


def _system_user() -> str:
    """Who is at the keyboard, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _selection(options: dict[str, Any]) -> Selection:
    kinds = tuple(KINDS[name] for name in options["kind"]) if options["kind"] else tuple(Kind)
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
        found = set(records(kinds[0]).filter(pk__in=ids).values_list("pk", flat=True))
        if missing := sorted(set(ids) - found):
            raise CommandError(f"--ids: there are no {options['kind'][0]} {missing}.", returncode=2)
    return Selection(
        kinds=kinds,
        ids=ids,
        operation=Choice(options["operation"].upper()),
        resend=options["resend"],
        include_unknown=options["include_unknown"],
    )


def _summary(job: SyncJob) -> dict[str, Any]:
    return {
        "job": str(job.pk),
        "state": job.state,
        "counts": job.counts,
        "batches": job.batches.count(),
        "problem": job.problem,
        "problem_text": job.problem_text,
    }


def _sentence(job: SyncJob) -> str:
    counts = ", ".join(f"{count} {status.lower()}" for status, count in sorted(job.counts.items())) or "no records"
    return f"Job {job.pk}: {job.get_state_display().lower()}; {counts}. {job.problem_text}".strip()


def _exit_code(job: SyncJob) -> int:
    if job.state in (SyncJob.State.STOPPED, SyncJob.State.CRASHED, SyncJob.State.NOT_QUEUED):
        return 2
    return 1 if job.state == SyncJob.State.PROBLEMS else 0
