"""Erase a person, or say where they are named."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mobjects.management.base import system_username
from mobjects.models import Erasure, SyncJobSource
from mobjects.retention.erasure import service


class Command(BaseCommand):
    """``manage.py erase_person``; docs/retention.md."""

    help = "Replace a person's key or Marketo ID by a mark wherever it lies, in this process; it cannot be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", metavar="KEY", help="person key, or Marketo's ID of the person")
        parser.add_argument("--dry-run", action="store_true", help="say where and how many, and change nothing")
        parser.add_argument("--reason", default="", help="kept in the log; do not name the person in it")

    def handle(self, *args: Any, **options: Any) -> None:
        value = options["person"].strip()
        if len(value) < service.SHORTEST:
            raise CommandError(f"KEY “{value}” is too short: give the whole person key or ID.", returncode=2)
        if options["dry_run"]:
            self.stdout.write(json.dumps(service.preview_erasure(value)))
            return
        erasure = service.request_erasure(
            value, source=SyncJobSource.COMMAND, username=system_username(), reason=options["reason"], enqueue=False
        )
        if not service.run_erasure(erasure.pk):
            self.stdout.write("The person is being sent, or an import of roles goes on: a worker erases afterwards.")
            return
        self.stdout.write(json.dumps(Erasure.objects.get(pk=erasure.pk).counts))
