"""The forms of imports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from mobjects.api.paging import PageQuery
from mobjects.imports import service
from mobjects.kept_text import translate_kept, translate_rule
from mobjects.models import Import, ImportGroup, ImportState
from mobjects.presentation.vocabulary import removed_text
from mobjects.views.imports.corrections import check_stamp

FileKind = Literal["programs", "program-costs", "program-tags", "opportunities", "roles"]


class ImportOut(Schema):
    """An import."""

    id: int
    kind: FileKind
    state: ImportState
    is_working: bool = Field(description="Whether a worker is at it, so that it is worth asking again.")
    problem: str = Field(description="Why it was refused, or went wrong.")
    file_name: str
    size: int
    sha256: str
    username: str
    by_token: str = Field(description="The API token by which it was uploaded.")
    reason: str
    rows: int = Field(description="Rows read so far by the check.")
    counts: dict[str, int] = Field(description="Rows by what the check made of them: new, changed, error, …")
    problems: int
    written: dict[str, Any]
    undone: dict[str, Any]
    checked: str = Field(description="Stands for the last check; writing takes it along. Empty before it.")
    created_at: datetime
    committed_at: datetime | None
    committed_by: str
    undone_at: datetime | None
    file_removed_at: datetime | None = Field(description="When the file went, with the samples of its columns.")
    rows_removed_at: datetime | None = Field(description="When went what stood in its rows, and what was wrong there.")


class ImportListOut(Schema):
    """A list of imports."""

    items: list[ImportOut]
    next: str | None = Field(description="Where to read on; null at the end.")


class ColumnsOut(Schema):
    """How a file is read, and what its columns mean."""

    headers: list[str]
    samples: list[list[str]]
    mapping: list[str | None] = Field(description="For each header our column; '' if left out, null if not decided.")
    constants: dict[str, str]
    blank_clears: list[str]
    format: str
    encoding: str
    delimiter: str
    sheet: str
    sheets: list[str]
    header_row: int
    notes: list[str]
    open_questions: list[str] = Field(description="What has to be decided before the file can be checked.")
    columns: list[str] = Field(description="The columns that there are.")


class ReadingIn(Schema):
    """How to read the file; what is not sent is found out."""

    model_config = ConfigDict(extra="forbid")
    encoding: str = Field("", max_length=20)
    delimiter: str = Field("", max_length=1)
    sheet: str = Field("", max_length=255)
    header: int = Field(0, ge=0, le=10**6, description="Number of the row with the headers; 0: find it out.")


class ColumnsIn(Schema):
    """What the columns mean."""

    model_config = ConfigDict(extra="forbid")
    mapping: list[str | None] = Field(description="For each header our column; '' to leave it out.")
    constants: dict[str, str] = Field({}, description="Our column to the text that every row has there.")
    blank_clears: list[str] | None = Field(None, description="Our columns whose blank cells clear the value.")
    reading: ReadingIn | None = Field(None, description="Read the file in another way first.")


class WriteIn(Schema):
    """How an import is written."""

    model_config = ConfigDict(extra="forbid")
    checked: str = Field(description="What the import says under checked: that this check was looked at.")
    mode: Literal["valid", "all"] = Field(description="Only the valid rows, or all or nothing.")
    overwrite: bool = Field(False, description="Write rows that conflict with changes made here, too.")


class ImportProblemOut(Schema):
    """Equal problems of a file, counted."""

    level: str
    column: str
    value: str
    detail: str = Field(description="What is wrong, and what would be right.")
    suggestion: str
    count: int
    first_row: int


class ImportProblemsOut(Schema):
    """What the check found to be wrong, the most frequent first."""

    items: list[ImportProblemOut]
    items_missing: str = Field(description="Why none are given though there may have been some; else empty.")


class ImportQuery(PageQuery):
    """How a list of imports is narrowed."""

    kind: Annotated[FileKind | None, Field(description="Only of this kind.")] = None
    state: Annotated[ImportState | None, Field(description="Only in this state.")] = None


def show_import(imported: Import) -> dict[str, Any]:
    """An import as it is given."""
    names = [name for name in ImportOut.model_fields if name not in ("checked", "problem")]
    return {name: getattr(imported, name) for name in names} | {
        "checked": check_stamp(imported),
        "problem": translate_kept(imported.problem),
    }


def explain_removal(imported: Import) -> str:
    """That what was found in the rows is not kept any more, as a sentence; "" while it is."""
    return removed_text(imported.rows_removed_at, imported.committed_at or imported.checked_at)


def show_columns(imported: Import, columns: list[str]) -> dict[str, Any]:
    """What the columns of an import mean."""
    names = [name for name in ColumnsOut.model_fields if name not in ("notes", "open_questions", "columns")]
    return {name: getattr(imported, name) for name in names} | {
        "notes": [translate_kept(note) for note in imported.notes],
        "open_questions": service.column_problems(imported),
        "columns": columns,
    }


def show_group(group: ImportGroup) -> dict[str, Any]:
    """Equal problems as they are given."""
    return {
        **{name: getattr(group, name) for name in ("level", "column", "value", "suggestion", "count")},
        "detail": translate_rule(group.rule),
        "first_row": group.first,
    }
