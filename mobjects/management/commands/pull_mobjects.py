"""``manage.py pull_mobjects``: the same jobs, and the same history, as the admin's Pull page."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from mobjects.forms.pull import PullForm
from mobjects.management.base import EXIT_CODES, KINDS_BY_NAME, ReadingCommand, check_form
from mobjects.models import SyncJobAction
from mobjects.sync.paging import NamedBy


class Command(ReadingCommand):
    """Read records from Marketo into the local copies; never overwrites a change that was not sent yet."""

    help = f"{__doc__} {EXIT_CODES}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", required=True, choices=sorted(KINDS_BY_NAME))
        parser.add_argument("--name", default="", help="exactly this name; programs and opportunities")
        parser.add_argument("--workspace", default="", help="programs")
        parser.add_argument("--tag", default="", metavar="TYPE=VALUE", help="programs")
        parser.add_argument("--updated-since", default="", help='"2026-03-31" or "2026-03-31 14:30", in UTC')
        parser.add_argument("--named-by", default="", choices=[by.value for by in NamedBy], help="what the names are")
        parser.add_argument(
            "--names-from",
            type=Path,
            metavar="FILE",
            help="text with a name on each line; - for standard input",
        )
        parser.add_argument("--archived", action="store_true", help="archived programs too")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        type_, _, value = options["tag"].partition("=")
        given = {"kind": KINDS_BY_NAME[options["kind"]].value, "tag_type": type_, "tag_value": value}
        names = ("ids", "name", "workspace", "updated_since", "reason")
        given |= {name: options[name] for name in names} | ({"archived": "on"} if options["archived"] else {})
        given |= {"named_by": options["named_by"], "names": _read_names(options["names_from"])}
        form = PullForm(given)
        check_form(form)
        asked = form.cleaned_data["pull"]
        self.run_job(SyncJobAction.PULL, asked.kind.value, asked.to_json(), options)


def _read_names(path: Path | None) -> str:
    """The text of a file of names. Raises CommandError with exit code 2."""
    if path is None:
        return ""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--names-from {path}: {error}", returncode=2) from error
