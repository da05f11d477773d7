"""The error file: a person's own file with the rows that were not imported, and why.

Same format, encoding, delimiter, sheet and columns as the file that was uploaded, and one column more. Corrected and
uploaded again it is known by the header of that column. What was put in the place of a value in the review is put
into the file, so that the correction does not ask for it again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import PurePath
from typing import BinaryIO

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from mobjects.imports import file_storage
from mobjects.imports.column_mapping import correction_header
from mobjects.imports.detection import get_read_options
from mobjects.imports.file_limits import limits_for
from mobjects.imports.formats.findings import kept_findings
from mobjects.imports.writing import commit
from mobjects.marketo.types import DataType
from mobjects.marketo.value_parsing import quote_value
from mobjects.models import Import, ImportFix, ImportProblem, ImportProblemLevel, ImportRow, ImportRowOutcome
from mobjects.resources import RESOURCES
from mobjects.spreadsheets.csv_writer import csv_pieces, iter_batches, replace_unencodable
from mobjects.spreadsheets.formula_escaping import escape_formula, unescape_formula
from mobjects.spreadsheets.reader import cell_text
from mobjects.spreadsheets.reader import iter_rows as read_rows
from mobjects.spreadsheets.types import BadCell, Cell, FileLimits, TableRow
from mobjects.spreadsheets.xlsx_writer import MAX_CELL_CHARACTERS, xlsx_pieces

CHUNK = 2000
"""Rows of the file whose problems are looked up at once."""


_EARLIER = re.compile(r"problems of import [0-9]+", re.IGNORECASE)
_SIGNED_NUMBER = re.compile(r"\s*[-+＋－]\s*[€$£¥₩]?\s*\d[\d.,' \u00a0\u202f]*(?:%|[€$£¥₩]|[A-Z]{3})?\s*")
"""A number with a sign and perhaps a currency, which a spreadsheet reads as that and nothing else."""
_REPORTED_LEVELS = (ImportProblemLevel.ERROR, ImportProblemLevel.CONFLICT)
_ENDINGS = (".csv", ".txt", ".tsv")


def write_error_file(imported: Import, out: BinaryIO) -> int:
    """Write the error file of an import; gives the number of its rows.

    Args:
        imported: checked; perhaps committed.
        out: is written from where it stands.
    """
    count = 0

    def count_rows() -> Iterator[list[Cell]]:
        nonlocal count
        for row in iter_error_rows(imported):
            count += 1
            yield row

    for piece in iter_error_file(imported, count_rows()):
        out.write(piece)
    return count


def error_file_extension(imported: Import) -> str:
    """How the name of the error file ends, without the point."""
    if imported.format == "xlsx":
        return "xlsx"
    ending = PurePath(imported.file_name).suffix.lower()
    return ending[1:] if ending in _ENDINGS else "csv"


def has_error_rows(imported: Import) -> bool:
    """Whether there are rows that were not imported, or will not be as it stands, and file and rows are kept."""
    kept = imported.file_removed_at is None and imported.rows_removed_at is None
    return kept and imported.checked_at is not None and _left_out(imported).exists()


def error_file_headers(imported: Import) -> list[str]:
    """The columns of the error file; reasons of an import that this one corrected give way to its own."""
    return [*(imported.headers[place] for place in _original_columns(imported)), correction_header(imported.pk)]


def iter_error_rows(imported: Import) -> Iterator[list[Cell]]:
    """The rows of the error file, read from the uploaded file while they are used."""
    places, fixes = _original_columns(imported), _ReviewFixes(imported)
    escapes = _list_escapes(imported)
    with file_storage.open_import_file(imported) as file:
        for batch in iter_batches(read_rows(file, get_read_options(imported), _limits(imported)), CHUNK):
            reasons = _reasons(imported, batch[0].number, batch[-1].number)
            for row in batch:
                if row.number in reasons:
                    cells = fixes.apply_fixes(row)
                    kept = (escapes[place](cells[place]) for place in places)
                    yield [*kept, escape_formula(reasons[row.number])]


def iter_error_file(imported: Import, rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The error file, piece by piece; ``rows`` are those of :func:`iter_error_rows`, perhaps counted on the way."""
    names = error_file_headers(imported)
    if imported.format == "xlsx":
        return xlsx_pieces(names, rows, title=imported.sheet or "Errors", safe=False)
    return csv_pieces(names, rows, _csv_text, encoding=_encoding(imported), delimiter=imported.delimiter or ",")


def _list_escapes(imported: Import) -> list[Callable[[Cell], Cell]]:
    """For each column of the file, what neutralises its cells."""
    types = {each.name: each.attribute.type for each in RESOURCES[imported.kind]().columns}
    mapping = [*imported.mapping, *[""] * (len(imported.headers) - len(imported.mapping))]
    return [_neutralise_text if types.get(name) is DataType.STRING else _neutralise_other for name in mapping]


def _neutralise_text(cell: Cell) -> Cell:
    """A cell that no spreadsheet runs, and that is read as before: text has its apostrophe once, as in exports."""
    if isinstance(cell, BadCell):
        return cell._replace(text=escape_formula(unescape_formula(cell.text)))
    return escape_formula(unescape_formula(cell)) if isinstance(cell, str) else cell


def _neutralise_other(cell: Cell) -> Cell:
    """Likewise in a column that is not read as text, whose numbers would be none behind an apostrophe."""
    return cell if isinstance(cell, str) and _SIGNED_NUMBER.fullmatch(cell) else _neutralise_text(cell)


def _csv_text(cell: Cell) -> str:
    """A cell as it stood in the file. The one that cannot be read there holds a NUL, shown as another character."""
    return cell.text.replace("\ufffd", "\0") if isinstance(cell, BadCell) else cell_text(cell)


def _limits(imported: Import) -> FileLimits:
    """As at the check, but a cell that was too long is needed whole."""
    limits = limits_for(imported.source)
    return replace(limits, cell=max(limits.cell, imported.size))


def _encoding(imported: Import) -> str:
    """The encoding to write: as the file was read. UTF-16 gets a byte order mark, which it is recognised by."""
    return "utf-16" if imported.encoding.startswith("utf-16") else imported.encoding or "utf-8"


def _original_columns(imported: Import) -> list[int]:
    return [place for place, header in enumerate(imported.headers) if not _EARLIER.fullmatch(header)]


# --- which rows, and why --------------------------------------------------------------------


def _left_out(imported: Import) -> QuerySet[ImportRow]:
    """The rows that were not imported; before the commit, those that will not be."""
    wrong = [
        ImportRowOutcome.ERROR,
        *([] if imported.overwrite and imported.committed_to else [ImportRowOutcome.CONFLICT]),
    ]
    found = commit.annotate_change(ImportRow.objects.filter(imported=imported))
    not_written = Q(outcome__in=commit.outcomes_to_write(imported), number__lte=imported.committed_to, change=None)
    return found.filter(Q(outcome__in=wrong) | not_written)


def _reasons(imported: Import, first: int, last: int) -> dict[int, str]:
    """Row number to reason, of the rows that were not imported."""
    here = Q(number__range=(first, last))
    numbers = list(_left_out(imported).filter(here).order_by().values_list("number", flat=True))
    found = defaultdict(list)
    if numbers:
        problems = ImportProblem.objects.filter(here, imported=imported, level__in=_REPORTED_LEVELS)
        for problem in problems.order_by("number", F("position").asc(nulls_last=True), "pk"):
            found[problem.number].append(describe_problem(problem))
    return {number: _joined(found[number]) for number in numbers}


def _joined(reasons: Sequence[str]) -> str:
    text = "; ".join(dict.fromkeys(reasons)) or _("This row was not imported")
    # With room for an apostrophe in front.
    return f"{text[: MAX_CELL_CHARACTERS - 100]}…" if len(text) > MAX_CELL_CHARACTERS - 100 else f"{text}."


def describe_problem(problem: ImportProblem) -> str:
    """A problem on one line, such as ``Amount: “1,5” is not a number; write digits with a point``."""
    value = quote_value(problem.value) if problem.value else ""
    rule = problem.rule if not value or problem.rule.startswith(value) else f"{value} {problem.rule}"
    text = f"{problem.column}: {rule}" if problem.column else rule
    if problem.suggestion:
        text = _("%(text)s (perhaps %(suggestion)s)") % {
            "text": text.rstrip("."),
            "suggestion": quote_value(problem.suggestion),
        }
    return " ".join(text.split()).rstrip(".")


# --- what was put in the place of a value ---------------------------------------------------


_NUMBERS = (DataType.CURRENCY, DataType.FLOAT, DataType.INTEGER)
_OWN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class _ReviewFixes:
    """The values that were given in the review, by column and value, and those for single rows."""

    def __init__(self, imported: Import) -> None:
        self._columns = dict(enumerate(imported.mapping))
        self._types = {each.name: each.attribute.type for each in RESOURCES[imported.kind]().columns}
        self._answers = kept_findings(imported.format_findings) | imported.formats
        encoding = _encoding(imported)
        self._given: dict[tuple[str, str, int | None], str] = {
            (fix.column, fix.value, fix.number): self._in_file_spelling(fix)
            for fix in ImportFix.objects.filter(imported=imported).order_by("pk")
            # One that the file's encoding lacks would become question marks, and be imported as such.
            if imported.format == "xlsx" or replace_unencodable(fix.replacement, encoding) == fix.replacement
        }

    def _in_file_spelling(self, fix: ImportFix) -> str:
        """What a person typed in our own spelling, as the file writes it: there a comma may be the decimal point."""
        is_number = self._types.get(fix.column) in _NUMBERS and _OWN_NUMBER.fullmatch(fix.replacement)
        if not is_number:
            return fix.replacement
        text = fix.replacement
        if fix.column == "Probability" and self._answers.get("probability") == "fraction":
            text = f"{Decimal(text) / 100:f}"
        return text.replace(".", ",") if self._answers.get("number-format") == "comma" else text

    def apply_fixes(self, row: TableRow) -> list[Cell]:
        """The cells of a row, with what was put in their place."""
        if not self._given:
            return list(row.cells)
        return [self._cell(self._columns.get(place), cell, row.number) for place, cell in enumerate(row.cells)]

    def _cell(self, column: str | None, cell: Cell, number: int) -> Cell:
        if not column:
            return cell
        text = cell_text(cell)
        of_all_rows = self._given.get((column, text, None), cell)
        return self._given.get((column, text, number), of_all_rows)
