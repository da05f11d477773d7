"""Writing tables piece by piece, so that a file of any length takes no more memory than a few of its rows.

Each writer is a generator of bytes. It takes rows as they come and gives a piece as soon as enough of it is there;
what is written depends on the values alone. Workbooks are in :mod:`mobjects.spreadsheets.xlsx_writer`.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from json.encoder import encode_basestring
from typing import TypeVar

from mobjects.spreadsheets.types import Cell

BATCH = 500
"""Rows that are turned into bytes at once."""

T = TypeVar("T")

_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "–": "-", "→": "->", "×": "x"})


def iter_batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The rows in lists of ``size``; the last one may be shorter."""
    source = iter(rows)
    while batch := list(islice(source, size)):
        yield batch


# --- CSV ------------------------------------------------------------------------------------


def csv_pieces(
    headers: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    text: Callable[[Cell], str],
    *,
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
) -> Iterator[bytes]:
    """A CSV file with CRLF at the ends of its lines.

    Args:
        headers: the first line.
        rows: as wide as the headers.
        text: how a cell is written.
        encoding: of the file; one that writes a byte order mark writes it once. A character that it lacks is
            replaced by the nearest one of ASCII, or a question mark.
        delimiter: one character.
    """
    if not encoding.startswith("utf"):
        headers, text = [replace_unencodable(header, encoding) for header in headers], _encodable_text(text, encoding)
    encoder = codecs.getincrementalencoder(encoding)()
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow(headers)
    for batch in iter_batches(rows):
        writer.writerows([text(value) for value in row] for row in batch)
        yield encoder.encode(stream.getvalue())
        stream.seek(0)
        stream.truncate()
    yield encoder.encode(stream.getvalue())


def replace_unencodable(text: str, encoding: str) -> str:
    """The text with every character that the encoding lacks replaced by the nearest one there is."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _encodable_text(text: Callable[[Cell], str], encoding: str) -> Callable[[Cell], str]:
    """Before the line is written: a replacement may be a quotation mark."""
    return lambda cell: replace_unencodable(text(cell), encoding)


# --- JSON -----------------------------------------------------------------------------------


def json_pieces(headers: Sequence[str], rows: Iterable[Sequence[Cell]], text: Callable[[Cell], str]) -> Iterator[bytes]:
    """A JSON file: an array with an object for each row, one on a line, with typed values. Empty is ``null``.

    Args:
        headers: names of the values.
        rows: as wide as the headers.
        text: how a number, which keeps every digit, or a date is written.
    """
    names = [f"{encode_basestring(header)}: " for header in headers]
    before = "[\n"
    for batch in iter_batches(rows):
        lines = (
            "{" + ", ".join([name + json_text(value, text) for name, value in zip(names, row, strict=True)]) + "}"
            for row in batch
        )
        yield (before + ",\n".join(lines)).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def json_text(value: Cell, text: Callable[[Cell], str]) -> str:
    """A value as JSON."""
    if value is None or value == "":
        return "null"
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return text(value)
    return f'"{text(value)}"'
