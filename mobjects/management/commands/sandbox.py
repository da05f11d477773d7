"""``manage.py sandbox``: run the local Marketo. The same as ``python -m mobjects.sandbox``."""

from __future__ import annotations

import sys
from argparse import Namespace

from django.core.management.base import BaseCommand, CommandParser

from mobjects.sandbox import cli


class Command(BaseCommand):
    help = "Runs a strict local stand-in for Marketo's SOAP and REST APIs."
    # It needs neither database nor Marketo settings, so nothing of that has to be right.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        cli.add_options(parser)

    def handle(self, *args: object, **options: object) -> None:
        code = cli.run_server(Namespace(**options))
        if code:
            sys.exit(code)
