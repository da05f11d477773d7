"""The two file formats of imports and exports, as django-import-export wants them."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import PurePath
from typing import Any

from import_export.formats.base_formats import Format

from mobjects.marketo.text import to_text
from mobjects.tabular import BROWSER_LIMITS, FileRefused, Limits, Sheet, neutralise, read_csv
from mobjects.workbook import Month, read_xlsx, write_xlsx


class TableFormat(Format):
    """What both formats share. Uploads are read within the browser's limits."""

    title: str
    extension: str
    content_type: str

    def __init__(self, encoding: str | None = None) -> None:
        """Take the encoding that import-export passes; uploads are UTF-8 by the time they come here."""

    def get_title(self) -> str:
        return self.title

    def get_extension(self) -> str:
        return self.extension

    def get_content_type(self) -> str:
        return self.content_type

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> Sheet:
        """Read an upload.

        Raises:
            FileRefused: in words.
        """
        return read(in_stream, self.extension, limits=BROWSER_LIMITS)


class CsvFormat(TableFormat):
    """CSV as spreadsheets read it best: UTF-8 with a byte order mark, commas, CRLF."""

    title = "CSV (.csv)"
    extension = "csv"
    content_type = "text/csv; charset=utf-8"

    def export_data(self, dataset: Sheet, **kwargs: Any) -> bytes:
        stream = io.StringIO(newline="")
        writer = csv.writer(stream)
        writer.writerow(dataset.headers)
        writer.writerows([_csv_cell(value) for value in row] for row in dataset)
        return stream.getvalue().encode("utf-8-sig")


class XlsxFormat(TableFormat):
    """Excel's workbook."""

    title = "Excel (.xlsx)"
    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def export_data(self, dataset: Sheet, **kwargs: Any) -> bytes:
        return write_xlsx(dataset, "Export")


def _csv_cell(value: Any) -> str:
    if isinstance(value, str):
        return neutralise(value)
    if isinstance(value, Month) and not isinstance(value, datetime):
        return value.isoformat()[:7]
    return to_text(value)


FORMATS: tuple[type[TableFormat], ...] = (CsvFormat, XlsxFormat)
EXTENSIONS = {".csv": CsvFormat, ".txt": CsvFormat, ".tsv": CsvFormat, ".xlsx": XlsxFormat}


def format_of(name: str) -> type[TableFormat]:
    """The format that a file's name says.

    Raises:
        FileRefused: none of ours.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in EXTENSIONS:
        raise FileRefused(f"“{name}” is neither CSV nor XLSX; its name must end in {', '.join(EXTENSIONS)}.")
    return EXTENSIONS[suffix]


def read(data: bytes, extension: str, *, encoding: str = "auto", limits: Limits | None = None) -> Sheet:
    """Read a file of one of the formats.

    Args:
        data: the file's bytes.
        extension: ``csv`` or ``xlsx``.
        encoding: of a CSV file, a key of :data:`mobjects.tabular.ENCODINGS`.
        limits: the most to read; ``None`` for any amount.

    Raises:
        FileRefused: the file cannot be read for certain.
    """
    if limits is not None:
        limits.check_size(len(data))
    return read_xlsx(data, limits) if extension == XlsxFormat.extension else read_csv(data, encoding, limits)
