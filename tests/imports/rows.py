"""Imports as their check leaves them, for tests that begin with the commit."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.db import connection, models

from mobjects.imports.writing import commit as committing
from mobjects.models import (
    Import,
    ImportChange,
    ImportMode,
    ImportProblem,
    ImportProblemLevel,
    ImportRow,
    ImportRowOutcome,
    ImportState,
)

Data = dict[str, Any]

_hashes = count(1)


def checked(kind: str, *rows: tuple[ImportRowOutcome, int | None, Data, Data], **values: Any) -> Import:
    """An import that is about to be written, with a row for each (outcome, record, data, old); the first is row 2."""
    imported = Import.objects.create(
        **{
            "kind": kind,
            "state": ImportState.COMMITTING,
            "mode": ImportMode.VALID,
            "file_name": "file.csv",
            "size": 1,
            "sha256": f"{next(_hashes):064d}",
            "format": "csv",
            "rows": len(rows),
            **values,
        }
    )
    ImportRow.objects.bulk_create(
        ImportRow(
            imported=imported, number=number, outcome=outcome, record_id=pk, label=f"R{number}", data=data, old=old
        )
        for number, (outcome, pk, data, old) in enumerate(rows, start=2)
    )
    return imported


def new(**data: Any) -> tuple[ImportRowOutcome, int | None, Data, Data]:
    """A row that adds a record."""
    return ImportRowOutcome.NEW, None, data, {}


def changed(
    record: models.Model, outcome: ImportRowOutcome = ImportRowOutcome.CHANGED, /, **fields: tuple[Any, Any]
) -> tuple[ImportRowOutcome, int | None, Data, Data]:
    """A row that changes a record; for each field (old, new)."""
    data = {name: new for name, (_, new) in fields.items()}
    return outcome, record.pk, data, {name: old for name, (old, _) in fields.items()}


def commit(imported: Import) -> Import:
    """Write an import."""
    committing.commit_import(imported, lambda number: None)
    return imported


def left(imported: Import) -> dict[int, str]:
    """What is told about rows that were left out, by number."""
    problems = ImportProblem.objects.filter(imported=imported, level=ImportProblemLevel.CONFLICT)
    return dict(problems.values_list("number", "rule"))


def change(imported: Import, number: int) -> ImportChange:
    """What was done because of a row."""
    return ImportChange.objects.get(imported=imported, number=number)


def raw(record: models.Model, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A record's columns as the database holds them, on SQLite with their types."""
    columns = [field.column for field in record._meta.concrete_fields if field.column not in without]
    names = ", ".join(f'"{column}"' for column in columns)
    types = ", ".join(f'typeof("{column}")' for column in columns) if connection.vendor == "sqlite" else "1"
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {names}, {types} FROM "{record._meta.db_table}" WHERE id = %s', [record.pk])
        found = cursor.fetchone()
    return {
        **dict(zip(columns, found, strict=False)),
        **{f"type of {column}": kind for column, kind in zip(columns, found[len(columns) :], strict=False)},
    }
