"""``manage.py probe_marketo``: ask the Marketo instance what its API's documentation leaves open."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mobjects.instance_facts import store_answer
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.probing import ProbeOrder
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.task import WaitRequired
from mobjects.sync.transport_factory import probe_instance, target


class Command(BaseCommand):
    """Ask the configured Marketo instance. Only reads, unless a program is named for writing."""

    help = "Asks the Marketo instance what its API leaves open, and keeps the answers. Only reads without --write."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--write",
            type=int,
            metavar="PROGRAM_ID",
            help="a program that may be written to, by its Marketo ID; what is changed there is put back",
        )
        parser.add_argument(
            "--opportunity",
            default="",
            metavar="EXTERNAL_ID",
            help="external ID of an opportunity that exists in Marketo; with --write a role of a person that does not "
            "exist is tried on it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        order = ProbeOrder(options["write"], options["opportunity"])
        endpoint = target()
        try:
            with RedisRateLimiter.from_settings(endpoint).permit_call():
                for answer in probe_instance(order):
                    store_answer(endpoint, answer)
                    self.stdout.write(f"{answer.question} {answer.answer}")
        except MarketoError as error:
            raise CommandError(error.message, returncode=2) from error
        except WaitRequired as error:
            raise CommandError(f"Not now: {error.reason}", returncode=2) from error
