"""What reading a table needs to be told, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple


class FileRefused(ValueError):
    """The file as a whole cannot be read; the message says in a sentence why and what would help."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """The most that is read.

    Args:
        size: bytes of the file.
        columns: columns of the header.
        cell: characters in a cell.
        unpacked: bytes that a workbook may unpack to.
    """

    size: int
    columns: int
    cell: int
    unpacked: int


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is read. Empty parts are found out by :func:`mobjects.spreadsheets.reader.detect_file`.

    Args:
        format: ``csv`` (any delimited text) or ``xlsx``.
        encoding: of a CSV file, a key of ``mobjects.spreadsheets.encoding.ENCODINGS`` other than ``auto``.
        delimiter: of a CSV file, one character.
        sheet: of a workbook, the sheet's name.
        header: number of the row with the headers; of a complete one 0 stands for the first that holds anything.
    """

    format: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header: int = 0


@dataclass(frozen=True, slots=True)
class DetectedFile:
    """What a first look at a file tells.

    Args:
        reading: complete; reading the file again with it gives the same.
        sheets: names of a workbook's sheets.
        headers: as in the file, stripped; ``""`` for an empty one. Trailing empty ones are left out.
        samples: for each header up to three values below it, as text.
        notes: what a person should know about how it is read, each a sentence.
    """

    options: ReadOptions
    sheets: Sequence[str] = ()
    headers: Sequence[str] = ()
    samples: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = field(default=())


class BadCell(NamedTuple):
    """A cell without a usable value: an error (``#REF!``), a formula that was never calculated, too long a text."""

    text: str
    why: str


class DrawnNumber(NamedTuple):
    """A number of a workbook that is not the whole of what a person sees in its cell.

    Args:
        number: what the cell holds; what a column of numbers wants.
        text: what the cell shows, such as ``OPP-00042`` for 42; what a column of text wants.
        is_1904: whether the number, should it be a day without a format, is counted from 1904 instead of 1900.
    """

    number: int | float
    text: str
    is_1904: bool = False


Cell = str | bool | int | float | Decimal | datetime | date | time | BadCell | DrawnNumber | None


class TableRow(NamedTuple):
    """One row below the header.

    ``cells`` has the width of the header. ``problem`` is a sentence if the row as a whole is wrong, for example
    wider or narrower than the header; its cells are then what could be read.
    """

    number: int
    cells: Sequence[Cell]
    problem: str = ""
