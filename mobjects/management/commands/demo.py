"""``manage.py demo``: everything on this machine, with sample data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from mobjects.local.demo import TRANSPORTS, WEB_PORT, Demo


class Command(BaseCommand):
    """Start Redis, the local Marketo, web and worker with sample data; Ctrl-C stops them all."""

    help = "Start Redis, the local Marketo, web and worker with sample data; Ctrl-C stops them all."
    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]  # Its children check their own settings.

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="stop again as soon as all of it has worked")
        parser.add_argument("--port", type=int, default=WEB_PORT, help="preferred port of the web server")
        parser.add_argument(
            "--transport", choices=TRANSPORTS, default=TRANSPORTS[0], help="the API that the demo sends over"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the demo; the exit code is 0 where all went well."""
        demo = Demo(Path(settings.BASE_DIR), self._print_line, web_port=options["port"], transport=options["transport"])
        sys.exit(demo.run(once=options["once"]))

    def _print_line(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
