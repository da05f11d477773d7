"""Files that people take out: of the records a query finds, and of imports. Each is written down before it begins.

A file is a generator of bytes. It comes into being while it is sent or written, so that a million rows take no more
memory than a few thousand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Length
from django.utils import timezone

from mobjects.models import Download, DownloadContent, Import, ImportSource
from mobjects.resources import RESOURCES, TableFormat, TransferResource, XlsxFormat
from mobjects.resources.columns import Column, CustomColumn
from mobjects.spreadsheets.xlsx_writer import LONGEST, length

T = TypeVar("T")

_LONG = LONGEST // 7  # A character can become seven in a workbook.


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes a file out.

    Args:
        username: kept when the user is deleted.
        user: if it is one of our users.
        source: a value of ``ImportSource``.
    """

    username: str = ""
    user: User | None = None
    source: str = ImportSource.COMMAND


class Counted(Iterable[T]):
    """Rows, and how many of them were taken so far."""

    def __init__(self, rows: Iterable[T]) -> None:
        self.count = 0
        self._rows = rows

    def __iter__(self) -> Iterator[T]:
        for row in self._rows:
            self.count += 1
            yield row


class Export(NamedTuple):
    """A file about to be made: its pieces, and the rows that went into it so far."""

    pieces: Iterator[bytes]
    rows: Counted[Any]


def export(
    kind: str,
    queryset: models.QuerySet[Any],
    file_format: TableFormat,
    taker: Taker,
    *,
    chosen: Collection[str] | None = None,
    filters: str = "",
) -> Export:
    """Write down that records are exported, and give the file.

    Args:
        kind: of the records, a key of ``RESOURCES``.
        queryset: the records, in the order of the file.
        file_format: what to write.
        taker: who gets it.
        chosen: names of the columns besides the key columns; ``None`` means all.
        filters: what the records were narrowed to, in words.

    Raises:
        ValueError: a value does not fit into the format, as a sentence. Nothing was written then.
    """
    resource = RESOURCES[kind]()
    columns = resource.export_columns(chosen)
    if isinstance(file_format, XlsxFormat):
        check_lengths(resource, queryset, columns)
    download = _begin(
        DownloadContent.EXPORT,
        kind,
        file_format.extension,
        taker,
        columns=[column.name for column in columns],
        filters=filters,
    )
    rows = Counted(resource.rows(queryset, columns))
    return Export(_noted(download, file_format.pieces(columns, rows), rows), rows)


def of_import(
    what: DownloadContent, imported: Import, taker: Taker, pieces: Iterable[bytes], rows: Counted[Any]
) -> Iterator[bytes]:
    """Write down that a file of an import is taken out, and give it.

    Args:
        what: the uploaded file or the error file.
        imported: the import.
        taker: who gets it.
        pieces: the file.
        rows: counts what went into it.
    """
    return _noted(_begin(what, imported.kind, imported.format, taker, imported=imported), pieces, rows)


def _begin(what: DownloadContent, kind: str, extension: str, taker: Taker, **values: Any) -> Download:
    return Download.objects.create(
        what=what,
        kind=kind,
        format=extension,
        user=taker.user,
        username=taker.username,
        source=taker.source,
        **values,
    )


def _noted(download: Download, pieces: Iterable[bytes], rows: Counted[Any]) -> Iterator[bytes]:
    """The pieces; then, how many rows they held. If the file is broken off, the time alone is noted."""
    count = None
    try:
        yield from pieces
        count = rows.count
    finally:
        Download.objects.filter(pk=download.pk).update(rows=count, finished_at=timezone.now())


# --- what does not fit ----------------------------------------------------------------------


def check_lengths(resource: TransferResource, queryset: models.QuerySet[Any], columns: Collection[Column]) -> None:
    """See that a workbook can hold every text, before its first byte is sent.

    The database looks for texts that are long at all; only those are measured here.

    Raises:
        ValueError: names the column and the length of the first that does not fit.
    """
    text_columns = [column for column in columns if column.is_text]
    lengths = _lengths(resource._meta.model, text_columns)
    if not lengths:
        return
    is_long = Q(*((f"{name}__gt", _LONG) for name in lengths), _connector=Q.OR)
    for row in resource.rows(queryset.alias(**lengths).filter(is_long).order_by(), text_columns):
        for column, value in zip(text_columns, row, strict=True):
            if isinstance(value, str) and length(value) > LONGEST:
                raise ValueError(
                    f"A value of {column.name} has {len(value):,} characters; a cell of a workbook holds {LONGEST:,}. "
                    "Export as CSV."
                )


def _lengths(model: type[models.Model], columns: Collection[Column]) -> dict[str, Any]:
    """Lengths to ask the database for, of the texts that can be long."""
    long_fields = {field.name for field in model._meta.fields if isinstance(field, models.TextField)}
    lengths: dict[str, Any] = {}
    for column in columns:
        if isinstance(column, CustomColumn):
            lengths["_length_custom"] = Length(Cast(column.field, models.TextField()))
        elif column.field in long_fields:
            lengths[f"_length_{column.field}"] = Length(column.field)
    return lengths
