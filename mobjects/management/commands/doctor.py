"""``manage.py doctor``: what is wrong with an installation, in words."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from mobjects.operations.doctor import examine_site
from mobjects.operations.finding import FindingLevel


class Command(BaseCommand):
    """Look at settings, servers, processes and disk. Exit code 1 if something is bad (with --strict: or a warning)."""

    help = __doc__
    # What they find it says itself; an error would keep it from starting.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--connect", action="store_true", help="ask Marketo, too; nothing is changed there")
        parser.add_argument("--strict", action="store_true", help="warnings count as bad")
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(examine_site(connect=options["connect"]))
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings]))
        else:
            for finding in findings:
                advice = f" {finding.advice}" if finding.advice else ""
                self.stdout.write(f"{finding.level:<8} {finding.name}: {finding.says}{advice}")
        counted = {FindingLevel.BAD, FindingLevel.WARNING} if options["strict"] else {FindingLevel.BAD}
        wrong = sum(finding.level in counted for finding in findings)
        if not options["json"]:
            self.stdout.write(f"{wrong} to put right." if wrong else "Nothing has to be put right.")
        if wrong:
            sys.exit(1)
