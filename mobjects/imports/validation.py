"""The check: the whole file, every error of every cell, and what each row would do, in one pass with flat memory.

It writes :class:`~mobjects.models.ImportRow`, :class:`~mobjects.models.ImportProblem` and
:class:`~mobjects.models.ImportGroup`, and reads nothing of an earlier check: one that was broken off is repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import BinaryIO

from django.db import transaction
from django.db.models import Count, Sum

from mobjects.db.retry import retry_on_database_error
from mobjects.imports import duplicates, staging
from mobjects.imports.cell_parser import CellError, ColumnLayout, ColumnParser, RowProblem
from mobjects.imports.column_mapping import refuse_gone_columns
from mobjects.imports.detection import get_read_options
from mobjects.imports.file_limits import limits_for
from mobjects.imports.formats.evidence import FileFormats
from mobjects.imports.formats.kept_answers import load_formats, save_findings
from mobjects.imports.staging import CheckedRow
from mobjects.imports.validators import KINDS, RowValidator
from mobjects.imports.validators.base import CHUNK, RowSource
from mobjects.imports.validators.total_rows import LEFT_OUT, TotalRows
from mobjects.jobs.step_loop import without_collecting
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import DataType
from mobjects.models import Import, ImportProblem, ImportProblemLevel, ImportRow, ImportRowOutcome
from mobjects.resources import RESOURCES
from mobjects.resources.columns import REVISION, CustomColumn, FileColumn
from mobjects.spreadsheets import reader as tables
from mobjects.spreadsheets.types import TableRow

_REVISION = FileColumn(MarketoAttribute(REVISION, REVISION, DataType.INTEGER), "")
_READINGS = 2


def check_import(imported: Import, file: BinaryIO, alive: Callable[[int], None]) -> None:
    """Check a whole file and write down what was found.

    Args:
        imported: with its columns decided; gets ``rows``, ``counts``, ``blanks`` and ``problems``.
        file: what was uploaded; seekable.
        alive: called in each transaction that writes, with the number of rows read so far; what it raises undoes it.

    Raises:
        FileRefused: the file cannot be read to its end.
        ColumnGone: a custom field was deleted or renamed since the columns were decided. Nothing was written then.
    """
    columns = list(RESOURCES[imported.kind]().columns)
    formats = load_formats(imported)
    totals = TotalRows(imported.mapping, KINDS[imported.kind].key_names)

    def iter_file_rows() -> Iterator[TableRow]:
        return totals.leave_out(tables.iter_rows(file, get_read_options(imported), limits_for(imported.source)))

    # What the end of a file tells of its formats may make its beginning mean something else; then it is read once more,
    # with all that there is to know.
    for _ in range(_READINGS):
        imported.rows = 0
        _clear(imported, alive)
        kind = _prepare_kind(imported, iter_file_rows, columns, formats)
        _check_rows(imported, iter_file_rows, kind, alive)
        if not kind.layout.decide_again():
            break
    if totals.left_out:
        noted = [RowProblem(number, "warning", "", None, "", LEFT_OUT, "") for number in totals.left_out]
        _save(imported, [], noted, alive)
    _conclude(imported, kind, formats, alive)


def _prepare_kind(imported: Import, rows: RowSource, columns: list[FileColumn], formats: FileFormats) -> RowValidator:
    """What judges the rows; a kind that has read all of them before knows the file's formats by then."""
    while True:
        kind = KINDS[imported.kind](build_layout(imported, columns, formats), columns)
        kind.prepare_file(rows)
        if not kind.layout.decide_again():
            return kind


def _check_rows(imported: Import, rows: RowSource, kind: RowValidator, alive: Callable[[int], None]) -> None:
    source = rows()
    while True:
        # A chunk makes so much that collecting would look through the whole process every few of them.
        with without_collecting():
            chunk = list(islice(source, CHUNK))
            if not chunk:
                return
            items = list(kind.layout.parse_rows(chunk))
            if not imported.rows and kind.layout.decide_again():
                items = list(kind.layout.parse_rows(chunk))
            imported.rows += len(chunk)
            findings = list(kind.validate_rows(items))
            _save(imported, findings, [problem for item in items for problem in item.problems], alive)


@retry_on_database_error
def _clear(imported: Import, alive: Callable[[int], None]) -> None:
    # Signed in the transaction, as everything here: who lost the import meanwhile must not touch what its next check,
    # or even its commit, has written.
    with transaction.atomic():
        alive(0)
        staging.clear_results(imported)


@retry_on_database_error
def _save(
    imported: Import, findings: Sequence[CheckedRow], problems: Sequence[RowProblem], alive: Callable[[int], None]
) -> None:
    with transaction.atomic():
        alive(imported.rows)
        staging.save_results(imported.pk, findings, problems)


@retry_on_database_error
def _conclude(imported: Import, kind: RowValidator, formats: FileFormats, alive: Callable[[int], None]) -> None:
    """Find what only the whole file tells, and sum up."""
    with transaction.atomic():
        alive(imported.rows)
        duplicates.mark_duplicates(imported.pk, kind.noun, kind.unique_rules())
        staging.write_groups(imported.pk)
        found = ImportRow.objects.filter(imported=imported).order_by().values_list("outcome")
        counted = list(found.annotate(rows=Count("number"), cleared=Sum("cleared")))
        imported.counts = {**dict.fromkeys(ImportRowOutcome.values, 0), **{name: rows for name, rows, _ in counted}}
        imported.blanks = {name: cleared for name, _, cleared in counted if cleared and name != ImportRowOutcome.ERROR}
        imported.blanks |= {"kept": kind.blanks.kept} if kind.blanks.kept else {}
        errors = ImportProblem.objects.filter(imported=imported, level=ImportProblemLevel.ERROR)
        imported.problems = errors.count()
        Import.objects.filter(pk=imported.pk).update(
            rows=imported.rows, counts=imported.counts, blanks=imported.blanks, problems=imported.problems
        )
        save_findings(imported, formats)


def build_layout(imported: Import, columns: list[FileColumn], formats: FileFormats) -> ColumnLayout:
    """The columns of a file that are read: those that are mapped, in their order, then constants, then "Revision".

    Args:
        imported: says what its columns mean.
        columns: all columns of its kind.
        formats: what is known of how the file writes values; what its cells tell is noted there.
    """
    refuse_gone_columns(imported, columns)
    everywhere, of_rows, rules = _fixes(imported)
    by_name = {column.name: column for column in columns}
    mapped = [(name, place) for place, name in enumerate(imported.mapping) if name]
    width = len(imported.headers)
    chosen = [(name, place, place + 1) for name, place in mapped if name != REVISION]
    chosen += [(name, width + number, None) for number, name in enumerate(imported.constants)]  # type: ignore[misc]
    chosen += [(name, place, place + 1) for name, place in mapped if name == REVISION]
    faults: list[CellError] = []
    model = KINDS[imported.kind].model
    parsers = []
    for name, _, position in chosen:
        column = by_name.get(name, _REVISION)
        written = column is not _REVISION and not isinstance(column, CustomColumn)
        field = model._meta.get_field(column.field) if written else None
        # What a person typed for all rows is written in our own way.
        reader = formats.build_reader(column) if position and column is not _REVISION else None
        parsers.append(ColumnParser(column, position, field, everywhere[name], faults, reader, rules[name]))
    places, constants = [place for _, place, _ in chosen], list(imported.constants.values())
    # What a person gave for every row, the empty text as well, was given on purpose.
    clears = (*imported.blank_clears, *imported.constants)
    only_texts = get_read_options(imported).format == "csv"
    return ColumnLayout(parsers, places, constants, of_rows, faults, clears, only_texts=only_texts)


def _fixes(
    imported: Import,
) -> tuple[Mapping[str, dict[str, str]], Mapping[int, dict[str, str]], Mapping[str, set[str]]]:
    """What people corrected: by column and text of the cell, by row and column, by column and rule."""
    everywhere: defaultdict[str, dict[str, str]] = defaultdict(dict)
    of_rows: defaultdict[int, dict[str, str]] = defaultdict(dict)
    rules: defaultdict[str, set[str]] = defaultdict(set)
    for fix in imported.fixes.all():
        if fix.by_rule:
            rules[fix.column].add(fix.value)
        elif fix.number is None:
            everywhere[fix.column][fix.value] = fix.replacement
        else:
            of_rows[fix.number][fix.column] = fix.replacement
    return everywhere, of_rows, rules
