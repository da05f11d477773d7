"""The shared strings of a workbook: read as far as they are needed, and kept in a file rather than in memory."""

from __future__ import annotations

import re
import tempfile
from array import array
from collections.abc import Iterator
from typing import IO

from mobjects.spreadsheets.row_shape import check_text
from mobjects.spreadsheets.types import Cell, FileLimits, FileRefused
from mobjects.spreadsheets.workbooks.xml_parsing import UNREADABLE, Attributes, XmlParser, has_controls, parse_list

# Office Open XML writes characters that XML cannot hold as _xHHHH_, one for each unit of UTF-16, and the first sign of
# a text that only looks so as _x005F_ (ECMA-376, part 1, 22.9.2.19: ST_Xstring).
_ESCAPED = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
_NEW_LINE = re.compile(r"\r\n?")
_BLOCK = 64  # Strings that are read from the file at once; programs number them in the order in which cells use them.
_CACHED, _SMALL = 20_000, 128  # Strings that are kept, and the most characters of one that is.
_END = b"\xff"  # UTF-8 has no such byte.
_PLAIN = re.compile(r'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>|(\S)')
_TEXTS = ("sst/si/t", "sst/si/r/t")  # Phonetic hints (rPh) are no content.
_REFERENCE = re.compile("&([^;&]*)(;?)")
_REFERENCES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def unescape_text(text: str) -> str:
    """Text as a cell shows it."""
    if "_x" not in text:
        return text
    return _NEW_LINE.sub("\n", _ESCAPED.sub(_unescape_units, text))


def _unescape_units(match: re.Match[str]) -> str:
    units = bytes.fromhex(match.group().replace("_x", "").replace("_", ""))
    return units.decode("utf-16-be", "replace")


def resolve_references(text: str) -> str | None:
    """Text of XML as it is meant; ``None`` where it refers to what only a parser knows."""
    if "&" not in text:
        return text
    if any(name not in _REFERENCES or not end for name, end in _REFERENCE.findall(text)):
        return None
    return _REFERENCE.sub(lambda match: _REFERENCES[match[1]], text)


class SharedStrings(dict[str, Cell]):
    """Strings by their number, as a cell has it. The dictionary holds those that were asked for lately.

    Args:
        stream: the part with the strings; ``None`` if there is none.
        limits: the most that is read.
    """

    def __init__(self, stream: IO[bytes] | None, limits: FileLimits) -> None:
        super().__init__()
        self._limits = limits
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 – lives as long as this object
        self._starts = array("Q")  # Of each block.
        self._count = self._size = 0
        self._string = ""
        self._pending: list[bytes] = []
        parser = XmlParser(self._start, self._end, self._text)
        self._parser = parser
        self._more: Iterator[None] = (
            iter(()) if stream is None else parse_list(stream, parser, "sst", "si", self._add_plain)
        )

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __missing__(self, number: str) -> Cell:
        """A string; ``None`` for an empty cell. Raises FileRefused if there is none of that number."""
        if not number:
            return None
        place, inside = divmod(int(number), _BLOCK)
        block = self._load_block(place)
        if inside >= len(block):
            raise FileRefused(UNREADABLE)
        if len(self) >= _CACHED:
            self.clear()
        first = place * _BLOCK
        most = min(_SMALL, self._limits.cell)
        self.update((str(first + at), text) for at, text in enumerate(block) if len(text) <= most and "\0" not in text)
        return check_text(block[inside], self._limits)

    def _load_block(self, place: int) -> list[str]:
        wanted = (place + 1) * _BLOCK
        while self._count < wanted and next(self._more, self) is not self:
            self._store()
        if not 0 <= place < len(self._starts):
            return []
        end = self._starts[place + 1] if place + 1 < len(self._starts) else self._size
        self._file.seek(self._starts[place])
        data = self._file.read(end - self._starts[place])
        return [text.decode() for text in data.split(_END)[:-1]]

    def _store(self) -> None:
        self._file.seek(0, 2)
        self._file.write(b"".join(self._pending))
        self._pending.clear()

    def _add_plain(self, chunk: bytes, prefix: str) -> bool:
        """Strings of one piece each, without formats or hints, as most are."""
        found = [] if prefix or has_controls(chunk) else _PLAIN.findall(chunk.decode())
        texts = [resolve_references(text) for text, _ in found]
        if not found or None in texts or any(other for _, other in found):
            return False
        for text in texts:
            self._add_string(text or "")
        return True

    def _start(self, path: str, attributes: Attributes) -> None:
        if path == "sst/si":
            self._string = ""

    def _end(self, path: str) -> None:
        if path == "sst/si":
            self._add_string(self._string)

    def _text(self, text: str) -> None:
        if self._parser.path in _TEXTS and len(self._string) <= self._limits.cell:
            self._string += text

    def _add_string(self, text: str) -> None:
        data = unescape_text(text[: self._limits.cell + 1]).encode() + _END
        if self._count % _BLOCK == 0:
            self._starts.append(self._size)
        self._count += 1
        self._size += len(data)
        self._pending.append(data)
