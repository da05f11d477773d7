"""``manage.py import_mobjects KIND FILE``: import a CSV or XLSX file of any size, all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mobjects.resources import RESOURCES, Summary, format_of, read, summarise
from mobjects.tabular import ENCODINGS, FileRefused, Sheet


class Command(BaseCommand):
    """Exit code 0: imported; 1: the file has errors and nothing was imported; 2: it could not be read."""

    help = "Import a CSV or XLSX file. Nothing is imported if any row has an error."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=RESOURCES, metavar="KIND", help=", ".join(RESOURCES))
        parser.add_argument("file", metavar="FILE", help="ends in .csv, .txt, .tsv or .xlsx")
        parser.add_argument("--dry-run", action="store_true", help="say what would be imported, change nothing")
        parser.add_argument(
            "--encoding", choices=ENCODINGS, default="auto", help="of a CSV file (default: %(default)s)"
        )

    def handle(self, *args: Any, kind: str, file: str, dry_run: bool, encoding: str, **options: Any) -> None:
        sheet = _read(Path(file), encoding)
        summary = summarise(RESOURCES[kind]().import_data(sheet, dry_run=dry_run))
        for warning in summary.warnings:
            self.stderr.write(f"please check {warning}", self.style.WARNING)
        if not summary.ok:
            self._refuse(summary)
        outcome = "would be imported" if dry_run else "imported"
        self.stdout.write(
            f"{outcome}: {summary.new} new, {summary.changed} changed; {summary.unchanged} unchanged",
            self.style.SUCCESS,
        )

    def _refuse(self, summary: Summary) -> None:
        for problem in summary.problems:
            self.stderr.write(_printable(str(problem)))
        rows = "1 row" if summary.failed == 1 else f"{summary.failed} rows"
        reason = summary.refused or f"{rows} with errors."
        raise CommandError(f"Nothing was imported. {reason}", returncode=1)


def _printable(text: str) -> str:
    """Control characters of a file as escapes: a terminal would obey them."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _read(path: Path, encoding: str) -> Sheet:
    try:
        return read(path.read_bytes(), format_of(path.name).extension, encoding=encoding)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from error
    except FileRefused as error:
        raise CommandError(f"{path} cannot be read. {error}", returncode=2) from error
