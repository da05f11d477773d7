"""Files that are checked, and written, without anything of the flow around it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook

from mobjects.imports import column_mapping, validation
from mobjects.imports.file_limits import limits_for
from mobjects.imports.file_storage import open_import_file, store_file
from mobjects.imports.writing.commit import commit_import
from mobjects.models import Import, ImportFix, ImportMode, ImportProblemLevel, ImportSource, ImportState
from mobjects.spreadsheets import reader

Cells = Sequence[Sequence[Any]]


def made(kind: str, table: str | Cells, *, columns: Sequence[str] | None = None, **values: Any) -> Import:
    """An import that waits for its check. Text is CSV, rows of cells become a workbook; the header comes first.

    Args:
        kind: of the file.
        table: what stands in it.
        columns: what its columns mean; told by their headers if it is not given.
        values: fields of the import.
    """
    name, data = ("file.csv", table.encode()) if isinstance(table, str) else ("file.xlsx", workbook(table))
    head = reader.detect_file(io.BytesIO(data), name, limits_for(ImportSource.COMMAND))
    imported = Import(
        kind=kind,
        state=ImportState.CHECKING,
        source=ImportSource.COMMAND,
        file_name=name,
        format=head.options.format,
        encoding=head.options.encoding,
        delimiter=head.options.delimiter,
        sheet=head.options.sheet,
        headers=list(head.headers),
        mapping=list(columns) if columns is not None else column_mapping.match_names(kind, head.headers),
        **values,
    )
    store_file(imported, io.BytesIO(data))
    return imported


def workbook(rows: Cells) -> bytes:
    book, data = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    book.save(data)
    return data.getvalue()


def check(imported: Import) -> Import:
    """Check an import, as often as one likes."""
    with open_import_file(imported) as file:
        validation.check_import(imported, file, lambda rows: None)
    return imported


def checked(kind: str, table: str | Cells, **values: Any) -> Import:
    """Check a file; see :func:`made`."""
    return check(made(kind, table, **values))


def imported(kind: str, table: str | Cells, **values: Any) -> Import:
    """Check a file and write its valid rows."""
    found = checked(kind, table, **{"mode": ImportMode.VALID, **values})
    commit_import(found, lambda rows: None)
    return found


def fix(imported: Import, column: str, value: str, replacement: str, number: int | None = None) -> Import:
    """Put a value in the place of another, and check again."""
    ImportFix.objects.create(imported=imported, column=column, value=value, replacement=replacement, number=number)
    return check(imported)


def counts(imported: Import) -> tuple[int, ...]:
    """Rows that are new, changed, unchanged, wrong; conflicts, where there are any."""
    found: Mapping[str, int] = imported.counts
    four = tuple(found[name] for name in ("new", "changed", "unchanged", "error"))
    return (*four, found["conflict"]) if found["conflict"] else four


def words(imported: Import, level: str = ImportProblemLevel.ERROR) -> list[str]:
    """What was found, each as one line."""
    lines = []
    for problem in imported.found_problems.filter(level=level).order_by("number", "position", "pk"):
        value = f"“{problem.value}”" if problem.value else ""
        place = ", ".join(part for part in (f"row {problem.number}", problem.column, value) if part)
        lines.append(f"{place}: {problem.rule}")
    return lines


def outcomes(imported: Import) -> dict[int, str]:
    """The outcome of each row, by its number."""
    return dict(imported.found.values_list("number", "outcome"))
