"""``manage.py import_mobjects KIND FILE``: the same steps, and the same history, as an import in the admin."""

from __future__ import annotations

import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, F, Max, Min

from mobjects.formatting import format_count
from mobjects.imports import column_mapping, error_file, runner, service
from mobjects.imports.formats.questions import QUESTIONS
from mobjects.imports.lifecycle import InvalidState
from mobjects.management.base import system_username
from mobjects.marketo.value_parsing import quote_value
from mobjects.models import (
    Import,
    ImportGroup,
    ImportMode,
    ImportProblemLevel,
    ImportRowOutcome,
    ImportSource,
    ImportState,
)
from mobjects.presentation.import_text import blanks_text
from mobjects.resources import RESOURCES
from mobjects.selectors import values_cleared
from mobjects.spreadsheets.encoding import ENCODINGS
from mobjects.spreadsheets.types import ReadOptions

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_WORKBOOK = b"PK\x03\x04"


class Command(BaseCommand):
    """Exit code 0: imported, or could be; 1: rows have errors, or columns are not decided; 2: it cannot be read."""

    help = "Import a CSV or XLSX file. Unless --mode valid is given, nothing is imported if any row has an error."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=RESOURCES, metavar="KIND", help=", ".join(RESOURCES))
        parser.add_argument(
            "file",
            metavar="FILE",
            help="CSV (.csv, .txt, .tsv) or a workbook (.xlsx, .xlsm, .xls, .xlsb, .ods); - is the standard input",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be imported, change nothing")
        parser.add_argument(
            "--encoding", choices=ENCODINGS, default="auto", help="of a CSV file (default: %(default)s)"
        )
        parser.add_argument("--delimiter", choices=DELIMITERS, help="of a CSV file (default: the header line tells)")
        parser.add_argument("--sheet", default="", help="of a workbook (default: the first one that holds anything)")
        parser.add_argument(
            "--header-row", type=int, default=0, help="number of the row with the headers (default: found)"
        )
        parser.add_argument(
            "--map", action="append", default=[], metavar="HEADER=COLUMN", help="what a column means; repeatable"
        )
        parser.add_argument(
            "--leave-out", action="append", default=[], metavar="HEADER", help="a column to ignore; repeatable"
        )
        parser.add_argument(
            "--set", action="append", default=[], metavar="COLUMN=VALUE", help="one value for all rows; repeatable"
        )
        for question in QUESTIONS:
            answers = "; ".join(f"{name}: {meaning}" for name, meaning in question.answers.items())
            parser.add_argument(
                f"--{question.name}",
                choices=question.answers,
                help=f"{question.label} ({answers.replace('%', '%%')}; default: the file tells)",
            )
        parser.add_argument(
            "--blank",
            action="append",
            default=[],
            metavar="leave|clear|HEADER=…",
            help="what blank cells do to records that exist: leave the value (default) or clear it; repeatable",
        )
        parser.add_argument(
            "--mode", choices=ImportMode.values, default="all", help="all or nothing (default), or the valid rows"
        )
        parser.add_argument("--overwrite", action="store_true", help="write rows that conflict with changes made here")
        parser.add_argument("--reason", default="", help="kept in the history")
        parser.add_argument("--errors", metavar="FILE", help="write the rows that are not imported, with the reasons")

    def handle(self, *args: Any, **options: Any) -> None:
        with _opened(options["file"]) as (file, name):
            imported = service.start_import(
                options["kind"],
                file,
                name,
                user=None,
                username=system_username(),
                source=ImportSource.COMMAND,
                reading=_reading(options),
                reason=options["reason"],
                check=False,
            )
        self._refuse_unreadable(imported, options)
        self._describe_file(imported)
        try:
            self._import(imported, options)
        except InvalidState as error:
            raise CommandError(f"Somebody else is at import {imported.pk}. {error}", returncode=1) from error

    def _import(self, imported: Import, options: dict[str, Any]) -> None:
        self._decide(imported, options)
        service.request_check(imported, enqueue=False)
        runner.run_import(imported, beat=True)
        self._refuse_unreadable(imported, options)
        self._describe_formats(imported)
        listed = self._list_problems(imported)
        failed = _left_out(imported, overwrite=options["overwrite"])
        possible = imported.state == ImportState.REVIEW and not (failed and options["mode"] == ImportMode.ALL)
        if possible and not options["dry_run"]:
            self._commit(imported, options)
            self._list_problems(imported, after=listed)
            failed += imported.written.get("left", 0)
        if options["errors"] and error_file.has_error_rows(imported):
            self._write_errors(imported, options["errors"])
        if options["dry_run"] and imported.state == ImportState.REVIEW:
            service.discard_import(imported)
        if not possible:
            raise CommandError(
                f"Nothing was imported. {imported.problem or _describe_left_out(imported, failed)}", returncode=1
            )
        self._sum_up(imported, failed, dry_run=options["dry_run"])

    # --- before the check ---

    def _refuse_unreadable(self, imported: Import, options: dict[str, Any]) -> None:
        if imported.state == ImportState.REFUSED:
            raise CommandError(_printable(f"{options['file']} cannot be read. {imported.problem}"), returncode=2)

    def _describe_file(self, imported: Import) -> None:
        """Say how the file is read, and what should be known about it."""
        delimiter = next((word for word, sign in DELIMITERS.items() if sign == imported.delimiter), "")
        encoding = ENCODINGS.get(imported.encoding, imported.encoding)
        how = f"sheet “{imported.sheet}”" if imported.format == "xlsx" else f"{encoding}, {delimiter}"
        self.stdout.write(_printable(f"import {imported.pk}: {imported.file_name}, {how}"))
        for note in imported.notes:
            self.stderr.write(_printable(f"please note: {note}"), self.style.WARNING)
        twin = service.same_file_imports(imported).first()
        if twin is not None:
            same = f"please check: the same file came before, as import {twin.pk} ({twin.get_state_display().lower()})."
            self.stderr.write(same, self.style.WARNING)

    def _decide(self, imported: Import, options: dict[str, Any]) -> None:
        """Give the columns the meanings that were asked for, and refuse what is open then."""
        chosen, constants = list(imported.mapping), dict(imported.constants)
        for given in options["map"]:
            header, name = _parted(given, "--map", last=True)
            chosen[_find_position(imported, header, "--map")] = _column(imported.kind, name, "--map")
        for header in options["leave_out"]:
            chosen[_find_position(imported, header, "--leave-out")] = ""
        for given in options["set"]:
            name, value = _parted(given, "--set")
            constants[_column(imported.kind, name, "--set")] = value
        given = {question.name: options[question.name.replace("-", "_")] for question in QUESTIONS}
        service.correct_import(imported, (), formats={**imported.formats, **{q: a for q, a in given.items() if a}})
        clears = _clearing_columns(imported, chosen, options["blank"])
        problems = service.set_columns(imported, chosen, constants, blank_clears=clears)
        if problems:
            hint = "Say what columns mean with --map, leave them out with --leave-out, or give a value with --set."
            raise CommandError(_printable(f"Nothing was imported. {' '.join(problems)} {hint}"), returncode=1)

    # --- after the check ---

    def _describe_formats(self, imported: Import) -> None:
        """Say how values that are not in our own spelling are read, and why; or which option is missing."""
        questions = {question.name: question for question in QUESTIONS}
        for found in imported.format_findings:
            question = questions[found["question"]]
            samples = ", ".join(
                f"{quote_value(text)} is {reading}" for _, text, reading in found["samples"] if reading and text
            )
            parts = (str(question.answers.get(found["answer"], "")), found["reason"], samples)
            said = f"{question.label}: {' '.join(part if part[-1] in '.?' else f'{part}.' for part in parts if part)}"
            if found["doubt"]:
                said += f" Say --{question.name} {' or '.join(question.answers)}."
            self.stderr.write(_printable(f"please note: {said}"), self.style.WARNING)

    def _list_problems(self, imported: Import, *, after: int = 0) -> int:
        """Print what is to be said about the rows, equal things once with their count, as the page does.

        Returns:
            The id of the newest of it, to print what is newer.
        """
        found = imported.found_problems.filter(pk__gt=after).order_by()
        equal = found.values("level", "column", "position", "value", "rule")
        groups = equal.annotate(count=Count("pk"), first=Min("number"), newest=Max("pk"), suggestion=Max("suggestion"))
        newest = after
        for group in groups.order_by("first", F("position").asc(nulls_last=True), "newest"):
            newest = max(newest, group.pop("newest"))
            warning = group["level"] == ImportProblemLevel.WARNING
            self.stderr.write(_printable(_line(ImportGroup(**group))), self.style.WARNING if warning else None)
        return newest

    def _write_errors(self, imported: Import, path: str) -> None:
        try:
            with open(path, "wb") as file:
                error_file.write_error_file(imported, file)
        except OSError as error:
            self.stderr.write(f"{path} cannot be written: {error.strerror}.")

    def _commit(self, imported: Import, options: dict[str, Any]) -> None:
        service.request_commit(
            imported, options["mode"], options["overwrite"], None, username=system_username(), enqueue=False
        )
        if imported.state == ImportState.HELD:
            rule = imported.approvals.latest("pk").rule_name
            raise CommandError(
                f"Nothing is written yet: the rule “{rule}” holds import {imported.pk} until another person approves "
                "it under “To approve”; a worker writes it then.",
                returncode=1,
            )
        runner.run_import(imported, beat=True)
        if imported.state != ImportState.COMMITTED:
            raise CommandError(f"Import {imported.pk}: {imported.problem}", returncode=1)

    def _sum_up(self, imported: Import, failed: int, *, dry_run: bool) -> None:
        counts, unchanged = imported.written, imported.counts.get("unchanged", 0)
        new, changed = counts.get("created", 0), counts.get("changed", 0)
        if dry_run:
            new, changed = imported.counts.get("new", 0), imported.counts.get("changed", 0)
        outcome = "would be imported" if dry_run else "imported"
        said = f"{outcome}: {new} new, {changed} changed; {unchanged} unchanged"
        blanks = dict(imported.blanks)
        if not dry_run:
            blanks |= {ImportRowOutcome.CHANGED: values_cleared(imported), ImportRowOutcome.CONFLICT: 0}
        self.stdout.write(f"{said}. {blanks_text(blanks)}".removesuffix(". "), self.style.SUCCESS)
        if failed:
            raise CommandError(_describe_left_out(imported, failed), returncode=1)


# --- the file -------------------------------------------------------------------------------


@contextmanager
def _opened(path: str) -> Iterator[tuple[BinaryIO, str]]:
    """The file and its name; the standard input as a temporary file, since it can be read only once."""
    file: BinaryIO
    with ExitStack() as stack:
        if path == "-":
            file = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(sys.stdin.buffer, file)
            file.seek(0)
            yield file, "standard-input.xlsx" if file.read(len(_WORKBOOK)) == _WORKBOOK else "standard-input.csv"
            return
        try:
            file = stack.enter_context(open(path, "rb"))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from error
        yield file, Path(path).name


def _reading(options: dict[str, Any]) -> ReadOptions | None:
    encoding = "" if options["encoding"] == "auto" else options["encoding"]
    delimiter = DELIMITERS[options["delimiter"]] if options["delimiter"] else ""
    if not (encoding or delimiter or options["sheet"] or options["header_row"]):
        return None
    return ReadOptions("", encoding, delimiter, options["sheet"], max(options["header_row"], 0))


# --- columns --------------------------------------------------------------------------------


def _parted(given: str, option: str, *, last: bool = False) -> tuple[str, str]:
    """Both sides of the equals sign; of the last one, since a header of a file may hold any character."""
    left, sign, right = given.rpartition("=") if last else given.partition("=")
    if not sign:
        raise CommandError(f"{option} {given}: write it with an equals sign.", returncode=2)
    return left.strip(), right


def _find_position(imported: Import, header: str, option: str) -> int:
    places = [place for place, found in enumerate(imported.headers) if found == header]
    if len(places) != 1:
        how_many = "no column" if not places else f"{len(places)} columns"
        raise CommandError(_printable(f"{option}: the file has {how_many} “{header}”."), returncode=2)
    return places[0]


def _clearing_columns(imported: Import, chosen: Sequence[str | None], given: Sequence[str]) -> list[str]:
    """Our columns whose blank cells clear the value; without an option, as for the last file with these headers."""
    clears = {name for name in chosen if name in imported.blank_clears}
    for each in given:
        header, _, what = each.rpartition("=")
        if what not in ("leave", "clear"):
            raise CommandError(_printable(f"--blank {each}: end it with leave or clear."), returncode=2)
        places = [_find_position(imported, header, "--blank")] if header else range(len(chosen))
        meant = {name for place in places if (name := chosen[place])}
        clears = clears | meant if what == "clear" else clears - meant
    return [name for name in chosen if name and name in clears]


def _column(kind: str, name: str, option: str) -> str:
    (found,) = column_mapping.match_names(kind, [name])
    if not found:
        known = ", ".join(column.name for column in column_mapping.columns_of(kind))
        raise CommandError(_printable(f"{option}: there is no column “{name}”. There are {known}."), returncode=2)
    return found


# --- words ----------------------------------------------------------------------------------


def _line(problem: ImportGroup) -> str:
    rows = f"row {problem.first}"
    if problem.count > 1:
        rows += f" and {format_count(problem.count - 1, 'more row')}"
    place = (rows, problem.column, problem.value and quote_value(problem.value))
    line = f"{', '.join(part for part in place if part)}: {problem.rule}"
    if problem.suggestion:
        line += f" Perhaps {quote_value(problem.suggestion)}?"
    words = {ImportProblemLevel.WARNING: "please check ", ImportProblemLevel.CONFLICT: "conflict in "}
    return words.get(ImportProblemLevel(problem.level), "") + line


def _left_out(imported: Import, *, overwrite: bool) -> int:
    """How many rows cannot be imported in this way."""
    outcomes = ("error",) if overwrite else ("error", "conflict")
    return sum(imported.counts.get(outcome, 0) for outcome in outcomes)


def _describe_left_out(imported: Import, failed: int) -> str:
    why = "errors or conflicts" if imported.counts.get("conflict") else "errors"
    return f"{format_count(failed, 'row')} with {why}. Import {imported.pk} in the admin shows them."


def _printable(text: str) -> str:
    """Control characters of a file as escapes: a terminal would obey them."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
