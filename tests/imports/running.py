"""Imports from beginning to end in this process."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from mobjects.imports import runner, service
from mobjects.models import Import, ImportMode, ImportSource, ImportState


def as_csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    """A file with the columns of the first row."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def checked(data: bytes, name: str = "file.csv", kind: str = "opportunities") -> Import:
    """Upload a file whose columns have our names, and check it."""
    source = ImportSource.COMMAND
    imported = service.start_import(
        kind, io.BytesIO(data), name, user=None, username="ann", source=source, enqueue=False
    )
    assert imported.state == ImportState.CHECKING, imported.problem or service.column_problems(imported)
    return done(imported, ImportState.REVIEW)


def written(imported: Import, mode: ImportMode = ImportMode.ALL) -> Import:
    """Write what the check found."""
    service.request_commit(imported, mode, overwrite=False, user=None, enqueue=False)
    return done(imported, ImportState.COMMITTED)


def undone(imported: Import) -> Import:
    """Take it back."""
    service.request_undo(imported, None, username="ann", enqueue=False)
    return done(imported, ImportState.UNDONE)


def done(imported: Import, state: ImportState) -> Import:
    """Do the step it waits for, which has to lead to a state."""
    runner.run_import(imported)
    assert imported.state == state, imported.problem
    return imported
