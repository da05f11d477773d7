"""``manage.py export_mobjects KIND FILE``: write all records of a kind to a CSV, XLSX or JSON file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mobjects.exports import service
from mobjects.exports.formats import CsvFormat, ExportFormat, format_of
from mobjects.management.base import system_username
from mobjects.resources import RESOURCES
from mobjects.spreadsheets.types import FileRefused


class Command(BaseCommand):
    """Exit code 0: written; 1: a value does not fit the format; 2: the file cannot be written."""

    help = "Export all records of a kind; importing the file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=RESOURCES, metavar="KIND", help=", ".join(RESOURCES))
        parser.add_argument(
            "file", metavar="FILE", help="ends in .csv, .xlsx or .json; - is CSV on the standard output"
        )
        parser.add_argument(
            "--columns", metavar="A,B", help="columns besides the key columns, parted by commas; all if left out"
        )

    def handle(self, *args: Any, kind: str, file: str, columns: str | None, **options: Any) -> None:
        chosen = _chosen(kind, columns)
        try:
            if file == "-":
                # No byte order mark here: what reads a pipe does not want it.
                self._write_to_stdout(_export(kind, CsvFormat("utf-8"), chosen).pieces)
                return
            made = _export(kind, format_of(file), chosen)
            _write_file(Path(file), made.pieces)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.", returncode=2) from error
        except FileRefused as error:
            raise CommandError(str(error), returncode=2) from error
        except ValueError as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(f"{made.rows.count} rows written to {file}", self.style.SUCCESS)

    def _write_to_stdout(self, pieces: Iterable[bytes]) -> None:
        """As UTF-8, whatever the terminal's encoding; a test's text stream has no bytes below it."""
        raw = getattr(self.stdout, "buffer", None)
        if raw is None:
            self.stdout.write(b"".join(pieces).decode(), ending="")
            return
        raw.writelines(pieces)
        raw.flush()


def _chosen(kind: str, columns: str | None) -> list[str] | None:
    if columns is None:
        return None
    names = [name.strip() for name in columns.split(",") if name.strip()]
    known = [column.name for column in RESOURCES[kind]().export_columns()]
    if unknown := [name for name in names if name not in known]:
        words = ", ".join(f"“{name}”" for name in unknown)
        raise CommandError(f"There is no column {words}. Known columns: {', '.join(known)}.", returncode=2)
    return names


def _export(kind: str, file_format: ExportFormat, chosen: list[str] | None) -> service.ExportFile:
    everything = RESOURCES[kind]().get_queryset().order_by("pk")
    return service.export_records(kind, everything, file_format, service.DownloadUser(system_username()), chosen=chosen)


def _write_file(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file whole or not at all: what was there before stays until the new one is complete."""
    path = path.resolve()
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
