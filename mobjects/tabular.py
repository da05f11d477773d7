"""Reading tables that people upload: CSV in whatever encoding and delimiter, and XLSX, without guessing in silence.

What cannot be read for certain is refused in one sentence (:class:`FileRefused`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tablib

ENCODINGS = {
    "auto": "Detect (UTF-8, or UTF-16 with a byte order mark)",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Western European (Windows-1252)",
    "latin-1": "Western European (ISO 8859-1)",
    "cp949": "Korean (CP949, EUC-KR)",
}
"""Encodings a person can choose for a CSV file."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ANY_BYTES = ("cp1252", "latin-1")
_DELIMITERS = ",;\t"
_FORMULA_LIKE = re.compile(r"'*[=+\-@\t\r]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")


class FileRefused(ValueError):
    """The file as a whole cannot be imported; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read: bytes of the file and rows below the header."""

    size: int
    rows: int

    def check_size(self, size: int) -> None:
        """Raise FileRefused if a file of ``size`` bytes is too large."""
        if size > self.size:
            raise FileRefused(
                f"The file is {size / 1e6:.1f} MB; here at most {self.size / 1e6:g} MB can be imported. {_ELSEWHERE}"
            )


_ELSEWHERE = "Split it, or import it on the command line: manage.py import_mobjects."
BROWSER_LIMITS = Limits(size=5_000_000, rows=10_000)
"""What an upload may hold: a preview of more takes longer than a web request should."""


class Sheet(tablib.Dataset):
    """A table whose rows know where in the file they stood.

    ``numbers[i]`` is the row number of row ``i``; the first row of the file is 1, blank rows count.
    ``text_headers`` names the columns that hold text (for writing).
    """

    def __init__(self, headers: Iterable[str], text_headers: Iterable[str] = ()) -> None:
        super().__init__()
        self.headers = list(headers)
        self.numbers: list[int] = []
        self.text_headers = frozenset(text_headers)


def neutralise(text: str) -> str:
    """Put one apostrophe before text that a spreadsheet would take for a formula; see :func:`restore`."""
    return f"'{text}" if _FORMULA_LIKE.match(text) else text


def restore(text: str) -> str:
    """Undo :func:`neutralise`. Text that it would not have written is left as it is."""
    return text[1:] if _NEUTRALISED.match(text) else text


def decode(data: bytes, encoding: str = "auto") -> str:
    """Turn a CSV file's bytes into text.

    Args:
        data: the file.
        encoding: a key of ENCODINGS. A byte order mark wins over it.

    Raises:
        FileRefused: empty; not in that encoding; or plainly not text.
    """
    if not data.strip():
        raise FileRefused("The file is empty.")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileRefused("This is a workbook, not a CSV file; its name must end in .xlsx.")
    chosen = next((codec for mark, codec in _MARKS if data.startswith(mark)), encoding)
    if chosen in _ANY_BYTES and _is_utf8(data):
        raise FileRefused(f"The file is UTF-8, not {ENCODINGS[chosen]}; choose UTF-8.")
    text = _decode_as(data, "utf-8" if chosen == "auto" else chosen)
    if "\0" in text:
        raise FileRefused("The file holds NUL bytes, so it is no CSV text; if it is UTF-16, choose that encoding.")
    return text


def _decode_as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        name = ENCODINGS[encoding.removesuffix("-sig")]
        raise FileRefused(
            f"The file is not {name}: byte 0x{data[error.start]:02X} on line "
            f"{line} does not fit. Save it as “CSV UTF-8”, or choose the encoding it was saved in."
        ) from None


def _is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8 beyond ASCII; text in a single-byte encoding practically never is."""
    try:
        return not data.isascii() and bool(data.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def read_csv(data: bytes, encoding: str = "auto", limits: Limits | None = None) -> Sheet:
    """Read a CSV file; comma, semicolon or tab is told from the header line.

    Raises:
        FileRefused: see :func:`decode`; also broken quoting, rows of another width than the header, no rows.
    """
    text = decode(data, encoding)
    # The io module must not touch line ends: they may stand inside a quoted value.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    return build(_csv_rows(lines), limits, ragged=False)


def _csv_rows(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    number = 0
    try:
        for cells in lines:
            number += 1
            yield cells
    except csv.Error as error:
        raise FileRefused(f"The file cannot be read after row {number}: {error} (check the quotation marks).") from None


def _delimiter(text: str) -> str:
    """The delimiter that stands most often in the first line that holds anything, quoted parts aside."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for character in text.lstrip("\r\n"):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "\r\n":
            break
        elif not quoted and character in counts:
            counts[character] += 1
    return max(counts, key=lambda delimiter: counts[delimiter])


def build(rows: Iterable[list[Any]], limits: Limits | None, *, ragged: bool) -> Sheet:
    """Make a sheet of rows of cells, header included; rows without content are skipped but counted.

    Args:
        rows: every row of the file in order.
        limits: the most rows to accept.
        ragged: whether a row may be shorter than the header (a workbook leaves empty cells out).

    Raises:
        FileRefused: no header, no rows, too many rows, or a row of the wrong width.
    """
    sheet: Sheet | None = None
    for number, cells in enumerate(rows, 1):
        if all(_is_blank(cell) for cell in cells):
            continue
        if sheet is None:
            sheet = Sheet(_headers(cells))
            continue
        if limits is not None and len(sheet.numbers) >= limits.rows:
            raise FileRefused(f"The file has more than {limits.rows:,} rows. {_ELSEWHERE}")
        sheet.append(_fit(cells, sheet.headers, number, ragged=ragged))
        sheet.numbers.append(number)
    if sheet is None:
        raise FileRefused("The file is empty.")
    if not sheet.numbers:
        raise FileRefused("The file has a header row but no rows below it.")
    return sheet


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _headers(cells: list[Any]) -> list[str]:
    headers = ["" if cell is None else str(cell).strip() for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    return headers


def _fit(cells: list[Any], headers: list[str], number: int, *, ragged: bool) -> list[Any]:
    """Bring a row to the header's width; what stands outside it is refused, not dropped."""
    width = len(headers)
    if any(not _is_blank(cell) for cell in cells[width:]):
        raise FileRefused(f"Row {number} has {len(cells)} cells, the header row only {width}.")
    if len(cells) < width and not ragged:
        # Reading what is missing as empty would clear those fields.
        raise FileRefused(f"Row {number} has only {len(cells)} cells, the header row {width}; is the file complete?")
    cells = [*cells[:width], *[None] * (width - len(cells))]
    for column, (header, cell) in enumerate(zip(headers, cells, strict=True), 1):
        if not header and not _is_blank(cell):
            raise FileRefused(f"Column {column} holds values (row {number}) but has no name in the header row.")
    return cells
