"""The formats of exports; each is written piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.marketo.value_text import to_text
from mobjects.spreadsheets.csv_writer import csv_pieces, json_pieces
from mobjects.spreadsheets.formula_escaping import escape_formula
from mobjects.spreadsheets.types import Cell, FileRefused
from mobjects.spreadsheets.xlsx_writer import xlsx_pieces

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class NamedColumn(Protocol):
    """A column of a file: its header, and whether its cells are text."""

    @property
    def name(self) -> str: ...
    @property
    def is_text(self) -> bool: ...


class ExportFormat:
    """What all formats share."""

    title: StrOrPromise
    extension: str
    content_type: str

    def iter_pieces(self, columns: Sequence[NamedColumn], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
        """The file, piece by piece.

        Args:
            columns: of the rows.
            rows: typed values.
        """
        raise NotImplementedError


class CsvFormat(ExportFormat):
    """CSV as spreadsheets read it best: UTF-8 with a byte order mark, commas, CRLF."""

    title = _("CSV (.csv)")
    extension = "csv"
    content_type = "text/csv; charset=utf-8"

    def __init__(self, encoding: str = "utf-8-sig") -> None:
        self.encoding = encoding

    def iter_pieces(self, columns: Sequence[NamedColumn], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
        return csv_pieces(_names(columns), rows, csv_text, encoding=self.encoding)


class XlsxFormat(ExportFormat):
    """Excel's workbook."""

    title = _("Excel (.xlsx)")
    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def iter_pieces(self, columns: Sequence[NamedColumn], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
        text = {column.name for column in columns if column.is_text}
        return xlsx_pieces(_names(columns), rows, text_headers=text)


class JsonFormat(ExportFormat):
    """An array of objects, for other programs."""

    title = _("JSON (.json)")
    extension = "json"
    content_type = "application/json"

    def iter_pieces(self, columns: Sequence[NamedColumn], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
        return json_pieces(_names(columns), rows, plain_text)


def csv_text(value: Cell) -> str:
    """A value as a cell of a CSV file. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return escape_formula(value) if isinstance(value, str) else plain_text(value)


def plain_text(value: Cell) -> str:
    """A value in its canonical text."""
    return to_text(value)  # type: ignore[arg-type]  # an export has no other types


def _names(columns: Sequence[NamedColumn]) -> list[str]:
    return [column.name for column in columns]


FORMATS: tuple[type[ExportFormat], ...] = (CsvFormat, XlsxFormat, JsonFormat)
BY_EXTENSION = {each.extension: each for each in FORMATS}
_ENDINGS: dict[str, Callable[[], ExportFormat]] = {
    ".csv": CsvFormat,
    ".txt": CsvFormat,
    ".tsv": CsvFormat,
    ".xlsx": XlsxFormat,
    ".json": JsonFormat,
}


def format_of(name: str) -> ExportFormat:
    """The format that a file's name says.

    Raises:
        FileRefused: none of ours.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in _ENDINGS:
        raise FileRefused(
            gettext("“%(name)s” is neither CSV, XLSX nor JSON; its name must end in %(endings)s.")
            % {"name": name, "endings": ", ".join(_ENDINGS)}
        )
    return _ENDINGS[suffix]()
