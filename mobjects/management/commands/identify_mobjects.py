"""``manage.py identify_mobjects``: the same jobs, and the same history, as "Look up IDs" in the admin."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from mobjects.forms.moving import IdentifyForm
from mobjects.management.base import EXIT_CODES, KINDS_BY_NAME, ReadingCommand, check_form
from mobjects.models import SyncJobAction
from mobjects.sync.content.gaps import LOOKED_UP
from mobjects.sync.transport_factory import key_fields

NAMES = [name for name, kind in KINDS_BY_NAME.items() if kind in LOOKED_UP]


class Command(ReadingCommand):
    """Look up what records are called in Marketo, by their keys; changes no value on either side."""

    help = f"{__doc__} {EXIT_CODES}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", action="append", choices=NAMES, help="repeatable; default: both")
        parser.add_argument(
            "--key-field", default="", help="the field of opportunities in Marketo that holds our external ID"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = [KINDS_BY_NAME[name].value for name in options["kind"] or NAMES]
        given = {name: options[name] for name in ("ids", "key_field", "reason")}
        form = IdentifyForm({"kinds": kinds, **given}, key_fields())
        check_form(form)
        asked = form.cleaned_data["look_up"]
        self.run_job(SyncJobAction.IDENTIFY, asked.kind_of_job, asked.to_json(), options)
