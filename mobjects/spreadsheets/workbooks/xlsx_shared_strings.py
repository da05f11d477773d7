"""The shared strings of a workbook: read as far as they are needed, and kept in a file rather than in memory."""

from __future__ import annotations

import re
import tempfile
from array import array
from collections.abc import Iterator
from typing import IO

from mobjects.spreadsheets.types import FileRefused
from mobjects.spreadsheets.workbooks.xlsx_package import UNREADABLE, Attributes, LocalNames, parse_xml

# Office Open XML writes a character that XML cannot hold as _xHHHH_, and a literal "_x0041_" as "_x005F_x0041_".
_ESCAPED = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)|_x000D_(?:\n)?")
_BLOCK = 16  # Strings that are read from the file at once; programs number them in the order in which cells use them.
_CACHED, _SMALL = 1000, 8192  # Blocks that are kept, and the most bytes of one that is.
_END = b"\0"  # XML cannot hold it.


def unescape_text(text: str) -> str:
    """Text as a cell shows it."""
    return _ESCAPED.sub(lambda match: "_" if "5F" in match.group() else "\n", text) if "_x" in text else text


class SharedStrings:
    """Strings by number.

    Args:
        stream: the part with the strings; ``None`` if there is none.
        most: characters of a string that are kept; one more shows that it is longer.
    """

    def __init__(self, stream: IO[bytes] | None, most: int) -> None:
        self._most = most
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 – lives as long as this object
        self._starts = array("Q")  # Of each block.
        self._count = self._size = 0
        self._blocks: dict[int, list[str]] = {}
        self._names = LocalNames()
        self._depth = 0  # Inside of phonetic hints, which are no content.
        self._string = ""
        self._wanted = False
        self._pending: list[bytes] = []
        self._more: Iterator[None] = (
            iter(()) if stream is None else parse_xml(stream, self._start, self._end, self._text)
        )

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __getitem__(self, number: int) -> str:
        """A string. Raises FileRefused if there is none of that number."""
        block = self._blocks.get(number // _BLOCK) or self._load(number)
        return block[number % _BLOCK]

    def _load(self, number: int) -> list[str]:
        place = number // _BLOCK
        wanted = (place + 1) * _BLOCK
        while self._count < wanted and next(self._more, self) is not self:
            self._store()
        if not 0 <= number < self._count:
            raise FileRefused(UNREADABLE)
        end = self._starts[place + 1] if place + 1 < len(self._starts) else self._size
        self._file.seek(self._starts[place])
        data = self._file.read(end - self._starts[place])
        block = data.decode("utf-8").split("\0")
        if len(data) <= _SMALL:
            if len(self._blocks) >= _CACHED:
                self._blocks.clear()
            self._blocks[place] = block
        return block

    def _store(self) -> None:
        self._file.seek(0, 2)
        self._file.write(b"".join(self._pending))
        self._pending.clear()

    def _start(self, name: str, attributes: Attributes) -> None:
        name = self._names[name]
        if name == "t":
            self._wanted = not self._depth
        elif name == "rPh":
            self._depth += 1
        elif name == "si":
            self._string = ""

    def _end(self, name: str) -> None:
        name = self._names[name]
        if name == "t":
            self._wanted = False
        elif name == "rPh":
            self._depth -= 1
        elif name == "si":
            self._add_string(unescape_text(self._string).encode() + _END)

    def _add_string(self, data: bytes) -> None:
        if self._count % _BLOCK == 0:
            self._starts.append(self._size)
        self._count += 1
        self._size += len(data)
        self._pending.append(data)

    def _text(self, text: str) -> None:
        if self._wanted and len(self._string) <= self._most:
            self._string += text
