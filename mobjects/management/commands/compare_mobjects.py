"""``manage.py compare_mobjects``: the same jobs, and the same history, as the admin's drift report."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from mobjects.forms.pull import CompareForm
from mobjects.management.base import EXIT_CODES, KINDS_BY_NAME, ReadingCommand, check_form
from mobjects.models import SyncJobAction


class Command(ReadingCommand):
    """Find out which records differ from Marketo now; changes neither side."""

    help = f"{__doc__} {EXIT_CODES}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--kind", action="append", choices=sorted(KINDS_BY_NAME), help="repeatable; default: all kinds"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = [KINDS_BY_NAME[name].value for name in options["kind"] or KINDS_BY_NAME]
        form = CompareForm({"kinds": kinds, "ids": options["ids"], "reason": options["reason"]})
        check_form(form)
        asked = form.cleaned_data["comparison"]
        self.run_job(SyncJobAction.COMPARE, asked.kind_of_job, asked.to_json(), options)
