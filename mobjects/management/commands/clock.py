"""``manage.py clock``: see mobjects/processes/scheduler.py. Run exactly one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from redis.exceptions import RedisError

from mobjects.processes.scheduler import INTERVAL_SECONDS, TickScheduler


class Command(BaseCommand):
    """Run the clock until it is told to stop."""

    help = "Have the workers find lost jobs and start scheduled ones, every few seconds. Run exactly one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--interval", type=int, default=INTERVAL_SECONDS, help="seconds between two looks (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["interval"] <= INTERVAL_SECONDS:
            raise CommandError(f"--interval is {options['interval']}; give seconds from 1 to {INTERVAL_SECONDS}.")
        try:
            clock = TickScheduler(options["interval"])
            clock.start()  # type: ignore[no-untyped-call]  # RQ has no types here
        except RedisError as error:
            raise CommandError(
                f"The queue (Redis) cannot be reached ({type(error).__name__}); see REDIS_URL."
            ) from None
        except Error as error:
            raise CommandError(
                f"The database cannot be asked which installation this is ({type(error).__name__}); see DATABASE_URL."
            ) from None
