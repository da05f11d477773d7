"""``manage.py export_mobjects KIND FILE``: write all records of a kind to a CSV or XLSX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mobjects.resources import RESOURCES, CsvFormat, format_of
from mobjects.tabular import FileRefused


class Command(BaseCommand):
    """Exit code 0: written; 1: a value does not fit the format; 2: the file cannot be written."""

    help = "Export all records of a kind; importing the file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=RESOURCES, metavar="KIND", help=", ".join(RESOURCES))
        parser.add_argument("file", metavar="FILE", help="ends in .csv or .xlsx; - is CSV on the standard output")

    def handle(self, *args: Any, kind: str, file: str, **options: Any) -> None:
        if file == "-":
            # No byte order mark here: what reads a pipe does not want it.
            text = CsvFormat().export_data(RESOURCES[kind]().export()).decode("utf-8-sig")
            self._write_out(text)
            return
        try:
            file_format = format_of(file)()
            sheet = RESOURCES[kind]().export()
            Path(file).write_bytes(file_format.export_data(sheet))
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.", returncode=2) from error
        except FileRefused as error:
            raise CommandError(str(error), returncode=2) from error
        except ValueError as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(f"{len(sheet)} rows written to {file}", self.style.SUCCESS)

    def _write_out(self, text: str) -> None:
        """As UTF-8, whatever the terminal's encoding; a test's text stream has no bytes below it."""
        raw = getattr(self.stdout, "buffer", None)
        if raw is None:
            self.stdout.write(text, ending="")
        else:
            raw.write(text.encode())
            raw.flush()
