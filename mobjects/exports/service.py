"""Files that people take out: of the records a query finds, and of imports. Each is written down before it begins.

A file is a generator of bytes. It comes into being while it is sent or written, so that a million rows take no more
memory than a few thousand.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Cast, Length
from django.utils import timezone
from django.utils.translation import gettext as _

from mobjects.audit.events import record_event
from mobjects.exports.formats import ExportFormat, XlsxFormat
from mobjects.models import Download, DownloadContent, EventKind, Import, ImportSource
from mobjects.resources import RESOURCES
from mobjects.resources.base import TransferResource
from mobjects.resources.columns import CustomColumn, FileColumn
from mobjects.spreadsheets.xlsx_writer import MAX_CELL_CHARACTERS, written_length

T = TypeVar("T")

_LONG = MAX_CELL_CHARACTERS // 7  # A character can become seven in a workbook.


@dataclass(frozen=True, slots=True)
class DownloadUser:
    """Who takes a file out.

    Args:
        username: kept when the user is deleted.
        user: if it is one of our users.
        source: a value of ``ImportSource``.
    """

    username: str = ""
    user: User | None = None
    source: str = ImportSource.COMMAND


class CountedRows(Iterable[T]):
    """Rows, and how many of them were taken so far."""

    def __init__(self, rows: Iterable[T]) -> None:
        self.count = 0
        self._rows = rows

    def __iter__(self) -> Iterator[T]:
        for row in self._rows:
            self.count += 1
            yield row


class ExportFile(NamedTuple):
    """A file about to be made: its pieces, and the rows that went into it so far."""

    pieces: Generator[bytes, None, None]
    rows: CountedRows[Any]


def export_records(
    kind: str,
    queryset: models.QuerySet[Any],
    file_format: ExportFormat,
    taker: DownloadUser,
    *,
    chosen: Collection[str] | None = None,
    filters: str = "",
) -> ExportFile:
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
    download = _create_download(
        DownloadContent.EXPORT,
        kind,
        file_format.extension,
        taker,
        columns=[column.name for column in columns],
        filters=filters,
    )
    rows = CountedRows(resource.iter_rows(queryset, columns))
    return ExportFile(_finish_download(download, file_format.iter_pieces(columns, rows), rows), rows)


def download_import_file(
    what: DownloadContent, imported: Import, taker: DownloadUser, pieces: Iterable[bytes], rows: CountedRows[Any]
) -> Generator[bytes, None, None]:
    """Write down that a file of an import is taken out, and give it.

    Args:
        what: the uploaded file or the error file.
        imported: the import.
        taker: who gets it.
        pieces: the file.
        rows: counts what went into it.
    """
    return _finish_download(
        _create_download(what, imported.kind, imported.format, taker, imported=imported), pieces, rows
    )


def log_download(
    what: DownloadContent,
    pieces: Iterable[bytes],
    rows: CountedRows[Any],
    taker: DownloadUser,
    *,
    extension: str,
    columns: list[str],
    filters: str,
) -> Generator[bytes, None, None]:
    """Write down that a file without records of a kind is taken out, and give it.

    Args:
        what: is in it.
        pieces: the file.
        rows: counts what went into it.
        taker: who gets it.
        extension: of the file.
        columns: their headers.
        filters: what the list was narrowed to, in words.
    """
    return _finish_download(
        _create_download(what, "", extension, taker, columns=columns, filters=filters), pieces, rows
    )


def _create_download(what: DownloadContent, kind: str, extension: str, taker: DownloadUser, **values: Any) -> Download:
    with transaction.atomic():
        download = Download.objects.create(
            what=what,
            kind=kind,
            format=extension,
            user=taker.user,
            username=taker.username,
            source=taker.source,
            **values,
        )
        record_event(
            EventKind.EXPORTED,
            on=download,
            user=taker.user,
            username=taker.username,
            detail={"what": what.value, "format": extension, "filters": download.filters, "source": taker.source},
        )
    return download


def _finish_download(
    download: Download, pieces: Iterable[bytes], rows: CountedRows[Any]
) -> Generator[bytes, None, None]:
    """The pieces; then, how many rows they held. If the file is broken off, the time alone is noted."""
    count = None
    try:
        yield from pieces
        count = rows.count
    finally:
        Download.objects.filter(pk=download.pk).update(rows=count, finished_at=timezone.now())


# --- what does not fit ----------------------------------------------------------------------


def check_lengths(resource: TransferResource, queryset: models.QuerySet[Any], columns: Collection[FileColumn]) -> None:
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
    for row in resource.iter_rows(queryset.alias(**lengths).filter(is_long).order_by(), text_columns):
        for column, value in zip(text_columns, row, strict=True):
            if isinstance(value, str) and written_length(value) > MAX_CELL_CHARACTERS:
                raise ValueError(
                    _(
                        "A value of %(name)s has %(count)s characters; a cell of a workbook holds "
                        "%(max_cell_characters)s. Export as CSV."
                    )
                    % {
                        "name": column.name,
                        "count": f"{len(value):,}",
                        "max_cell_characters": f"{MAX_CELL_CHARACTERS:,}",
                    }
                )


def _lengths(model: type[models.Model], columns: Collection[FileColumn]) -> dict[str, Any]:
    """Lengths to ask the database for, of the texts that can be long."""
    long_fields = {field.name for field in model._meta.fields if isinstance(field, models.TextField)}
    lengths: dict[str, Any] = {}
    for column in columns:
        if isinstance(column, CustomColumn):
            lengths["_length_custom"] = Length(Cast(column.field, models.TextField()))
        elif column.field in long_fields:
            lengths[f"_length_{column.field}"] = Length(column.field)
    return lengths
