"""Reading CSV and other delimited text row by row, so that a file of any length takes the same memory."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO, TextIO

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets.detection.header_row import (
    ENOUGH_NAMES,
    SEARCHED_ROWS,
    NameTest,
    blank_header,
    count_names,
    find_header_row,
)
from mobjects.spreadsheets.encoding import find_encoding
from mobjects.spreadsheets.row_shape import SAMPLED_ROWS, RowNormaliser, collect_samples, parse_headers
from mobjects.spreadsheets.types import DetectedFile, FileLimits, FileRefused, ReadOptions, TableRow

DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
"""Delimiters that are told from the file, with their names."""

# Where two fit equally well, the one that stands inside values least often.
_ORDER = "\t;|,"
_SAMPLE = 1 << 18
_TRIED = 50  # Rows that a delimiter has to fit.
_LINE = 1 << 23  # Characters of a line, and of a record of several lines.
# Bounds on the work that one file can ask for. A note of some hundred lines in a cell is far below them.
_RECORD_LINES = 10_000
_READ_AGAIN = 50_000  # Lines after misplaced quotation marks, in any file; and ten for each row.
_SEP = re.compile(r'"?sep=([^"\r\n])"?', re.IGNORECASE)
_MISPLACED = _("A quotation mark is misplaced; put the whole value in quotation marks and double those inside it.")


def detect_csv(file: BinaryIO, given: ReadOptions, limits: FileLimits, is_name: NameTest) -> DetectedFile:
    """Find out encoding, delimiter, headers and samples.

    Args:
        file: seekable.
        given: what a person decided; empty parts are found out.
        limits: the most that is read.
        is_name: whether a text is the name of a known column.

    Raises:
        FileRefused: the file cannot be read for certain.
    """
    encoding, notes = find_encoding(file, given.encoding)
    delimiter = given.delimiter or _delimiter(file, encoding, is_name)
    with _text(file, encoding) as text:
        header = find_header_row(_CsvRecords(text, delimiter, limits).iter_above(), is_name, given.header)
    reading = ReadOptions("csv", encoding, delimiter, header=header.number)
    with _text(file, encoding) as text:
        records = _CsvRecords(text, delimiter, limits)
        headers = parse_headers(records.read_header(reading.header), limits)
        found = list(islice(_fitted(records, headers, limits), SAMPLED_ROWS))
    if not found:
        raise FileRefused(_("The file has a header row but no rows below it."))
    return DetectedFile(
        reading, headers=headers, samples=collect_samples(len(headers), found), notes=[*notes, *header.notes]
    )


def iter_csv_rows(file: BinaryIO, reading: ReadOptions, limits: FileLimits) -> Iterator[TableRow]:
    """The rows below the header.

    Args:
        file: seekable; is not closed.
        reading: complete, from :func:`detect_csv`.
        limits: the most that is read.

    Raises:
        FileRefused: a quotation mark is missing; or a value stands in a column without a name.
    """
    with _text(file, reading.encoding) as text:
        records = _CsvRecords(text, reading.delimiter, limits)
        yield from _fitted(records, parse_headers(records.read_header(reading.header), limits), limits)


@contextmanager
def _text(file: BinaryIO, encoding: str) -> Iterator[TextIO]:
    """The file as text; the io module must not touch line ends, which may stand inside a quoted value."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        yield text
    except UnicodeDecodeError as error:
        raise FileRefused(
            _("The file is not %(encoding)s: %(reason)s.") % {"encoding": encoding, "reason": error.reason}
        ) from None
    finally:
        if not file.closed:
            text.detach()


class _CsvRecords:
    """Records of a CSV file, numbered from 1, and where reading goes on after a broken one."""

    def __init__(self, text: TextIO, delimiter: str, limits: FileLimits) -> None:
        # The limit is one for the whole process; it is only ever raised.
        if csv.field_size_limit() <= limits.cell:
            csv.field_size_limit(limits.cell + 1)
        self.text, self.delimiter = text, delimiter
        self.number = 0
        self.broken = False
        self.held: list[str] = []  # Lines of the present record.
        self.again: list[str] = []  # Lines to be read once more, the next one last.
        self.size = 0  # Characters of the present record, if it has several lines.
        self.repeated = 0  # Lines that were read once more so far.
        self.reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        readline, held, hold, again = self.text.readline, self.held, self.held.append, self.again
        while line := again.pop() if again else readline(_LINE):
            if len(line) >= _LINE:
                raise FileRefused(
                    _("A line after row %(number)s is longer than %(line)s characters; this is no table.")
                    % {"number": self.number, "line": f"{_LINE:,}"}
                )
            if held:
                self._check_length(line)
            hold(line)
            yield line

    def _check_length(self, line: str) -> None:
        """See that a record of several lines stays one that a table can have.

        Raises:
            FileRefused: it has more lines or characters.
        """
        held = self.held
        self.size = (self.size if len(held) > 1 else len(held[0])) + len(line)
        if len(held) >= _RECORD_LINES or self.size >= _LINE:
            raise FileRefused(
                _(
                    "Row %(number)s begins a value with a quotation mark, and no quotation mark ends it (within "
                    "%(lines)s lines and %(count)s characters). Add the missing one, or double those inside the value."
                )
                % {"number": self.number + 1, "lines": f"{_RECORD_LINES:,}", "count": f"{_LINE:,}"}
            )

    def read_header(self, at: int) -> list[str]:
        """The record with this number; 0 is the first that holds anything."""
        for number, cells in self.iter_above():
            if number < at:
                continue
            if self.broken:
                raise FileRefused(_("The header row cannot be read. %(why)s") % {"why": _MISPLACED})
            if "".join(cells).strip():
                return cells
            if at:
                raise blank_header(at)
        raise blank_header(at) if at else FileRefused(_("The file is empty."))

    def iter_above(self) -> Iterator[tuple[int, list[str]]]:
        """Number and cells of the records down to the header, broken ones as far as they can be read.

        A first line “sep=;”, which Excel understands, is none of them. It sets ``broken``.
        """
        while True:
            self.broken = False
            try:
                cells = next(self.reader)
            except StopIteration:
                return
            except csv.Error as error:
                cells, self.broken = self.recover_record(error), True
            else:
                self.number += 1
                self.held.clear()
            if self.number > 1 or not _SEP.fullmatch(self.delimiter.join(cells)):
                yield self.number, cells

    def recover_record(self, error: csv.Error) -> list[str]:
        """What can be read of a record with misplaced quotation marks: its first line. The others are read again.

        Raises:
            FileRefused: the record never ends; or reading once more would be most of the work.
        """
        self.number += 1
        if "unexpected end" in str(error) or "limit" in str(error):
            raise self._never_ends() from None
        line, *others = self.held
        self.repeated += len(others)
        if self.repeated > _READ_AGAIN + 10 * self.number:
            raise FileRefused(
                _(
                    "Row %(number)s is one of many with misplaced quotation marks, each of which runs on over the rows "
                    "below it. Save the file anew, or put the whole values in quotation marks and double those inside "
                    "them."
                )
                % {"number": self.number}
            )
        self.again.extend(reversed(others))
        self.held.clear()
        try:
            return next(csv.reader([line.rstrip("\r\n")], delimiter=self.delimiter), [])
        except csv.Error:  # Read so, a value of it is longer than any may be.
            raise self._never_ends() from None

    def _never_ends(self) -> FileRefused:
        return FileRefused(
            _(
                "Row %(number)s begins a value with a quotation mark, and no quotation mark ends it (within "
                "%(count)s characters). Add the missing one, or double those inside the value."
            )
            % {"number": self.number, "count": f"{csv.field_size_limit():,}"}
        )


def _fitted(records: _CsvRecords, headers: list[str], limits: FileLimits) -> Iterator[TableRow]:
    fitter = RowNormaliser(headers, limits, is_workbook=False)
    while True:
        try:
            yield from _read_good_rows(records, fitter)
        except csv.Error as error:
            cells = records.recover_record(error)
            row = fitter.normalise_row(records.number, cells) or TableRow(records.number, [None] * fitter.width)
            yield row._replace(problem=_MISPLACED)
        else:
            return


def _read_good_rows(records: _CsvRecords, fitter: RowNormaliser) -> Iterator[TableRow]:
    """Rows up to the first broken one. Most need no second look, and this decides what a file costs."""
    number, width, most = records.number, fitter.width, fitter.limits.cell
    unnamed, release = fitter.unnamed, records.held.clear
    for cells in records.reader:
        number += 1
        records.number = number
        release()
        joined = "".join(cells)
        if len(cells) == width and len(joined) <= most and not unnamed and "\0" not in joined:
            if joined and not joined.isspace():
                yield TableRow(number, cells)
        elif row := fitter.normalise_row(number, cells):
            yield row


# --- delimiter ------------------------------------------------------------------------------


def _delimiter(file: BinaryIO, encoding: str, is_name: NameTest) -> str:
    """The delimiter that the first line names, that finds known headers, or with which the rows fit the header best."""
    with _text(file, encoding) as text:
        sample = text.read(_SAMPLE)
    if said := _SEP.match(sample.partition("\n")[0].rstrip("\r")):
        return said[1]
    fits = {delimiter: (_most_names(sample, delimiter, is_name), *_fit(sample, delimiter)) for delimiter in _ORDER}
    best = max(fits, key=lambda delimiter: fits[delimiter])
    if any(fits[best]):
        return best
    return next((delimiter for delimiter in ",;\t|" if delimiter not in sample), ",")  # A single column.


def _most_names(sample: str, delimiter: str, is_name: NameTest) -> int:
    """How many known names a row has that can be the one with the headers; 0 if no row has enough."""
    rows = islice(_records(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)), SEARCHED_ROWS)
    most = max((count_names(cells, is_name) for cells in rows), default=0)
    return most if most >= ENOUGH_NAMES else 0


def _fit(sample: str, delimiter: str) -> tuple[float, int]:
    """How well a delimiter explains a sample: the share of rows as wide as the header, and its width."""
    rows = _records(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter))
    widths = [len(cells) for cells in islice(rows, _TRIED)]
    if not widths or widths[0] == 1:
        return 0, 0
    return widths.count(widths[0]) / len(widths), widths[0]


def _records(records: Iterable[list[str]]) -> Iterator[list[str]]:
    try:
        for cells in records:
            if "".join(cells).strip():
                yield cells
    except csv.Error:
        return  # A field that is too long; what came before it has to do.
