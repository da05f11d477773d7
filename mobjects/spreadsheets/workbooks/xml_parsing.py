"""Parsing the XML of workbooks piece by piece: elements by their namespace and place, and nothing that expands.

A name alone means little: the names of a workbook's own elements occur in its extensions too, with another meaning
(``workbookPr`` of Excel 2010, ``numFmt`` of a conditional format). What is read is therefore named by its path from
the root, such as ``workbook/sheets/sheet``, and each step of it is in one of the namespaces of ECMA-376.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO
from xml.parsers import expat

from mobjects.marking import gettext_noop
from mobjects.spreadsheets.types import FileRefused

UNREADABLE = gettext_noop("This is not a readable XLSX workbook; open it in Excel and save it again.")
MAIN = frozenset(
    {"http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main"}
)
"""The namespace of workbooks, and that of “strict” ones."""

Attributes = Mapping[str, str]

SEPARATOR = "\x1f"  # Between namespace and name; XML cannot hold it.
_PIECE = 1 << 16
_PENDING = 1 << 23  # Bytes of one tag; those of tables have a hundred.
_MOST_NAMES = 1000
_LONGEST_NAME = 64  # Bytes of an item's name with its prefix, where it is to be read by patterns.
_LONGEST_ITEM = 1 << 20  # Bytes of an item that is still read at once.
_CONTROLS = bytes(range(9)) + bytes(range(11, 32))  # Not XML, or carriage returns, which mean line feeds in it.


class _Paths(dict[tuple[str, str], str]):
    """Path of an element, by that of its parent and its own name; foreign elements have an empty name in it."""

    def __init__(self, namespaces: frozenset[str]) -> None:
        super().__init__()
        self._namespaces = namespaces

    def __missing__(self, key: tuple[str, str]) -> str:
        if len(self) > _MOST_NAMES:
            raise FileRefused(UNREADABLE)
        parent, name = key
        parts = name.split(SEPARATOR)
        local = parts[1] if parts[0] in self._namespaces and len(parts) > 1 else ""
        path = self[key] = f"{parent}/{local}" if parent else local
        return path


class XmlParser:
    """Calls functions with the path of each element.

    Args:
        start: is called with path and attributes; namespace, name and prefix of an attribute are joined by SEPARATOR.
        end: is called with the path.
        text: is called with pieces of text.
        namespaces: of the elements that are meant.
    """

    def __init__(
        self,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
        namespaces: frozenset[str] = MAIN,
    ) -> None:
        self._start_element, self._end_element = start, end
        self._paths = _Paths(namespaces)
        self._open = [""]
        self._fed = 0
        self._begun = self.prefix = ""  # Path and prefix of the element that began last.
        self._encoding: str | None = None
        self._parser = parser = expat.ParserCreate(namespace_separator=SEPARATOR)
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.XmlDeclHandler = self._declared
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = text

    @property
    def path(self) -> str:
        """Of the element that is open."""
        return self._open[-1]

    def feed(self, data: bytes) -> None:
        """Parse a piece.

        Raises:
            FileRefused: it has a document type, which no workbook has and which can define entities without end; or a
                tag of many megabytes.
        """
        self._parser.Parse(data, False)
        self._fed += len(data)
        if self._fed - self._parser.CurrentByteIndex > _PENDING:
            raise FileRefused(UNREADABLE)

    def is_first_in(self, path: str) -> bool:
        """Whether what comes next is the first in an element, in an encoding that patterns may rely on."""
        return self.path == self._begun == path and (self._encoding or "utf-8").lower() == "utf-8"

    def close(self) -> None:
        """There is no more."""
        self._parser.Parse(b"", True)

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        self._encoding = encoding

    def _start(self, name: str, attributes: Attributes) -> None:
        path = self._paths[self._open[-1], name]
        self._open.append(path)
        self._begun, self.prefix = path, name.split(SEPARATOR)[2] if name.count(SEPARATOR) > 1 else ""
        self._start_element(path, attributes)

    def _end(self, name: str) -> None:
        path = self._open.pop()
        if self._end_element is not None:
            self._end_element(path)


def _refuse_doctype(*_: object) -> None:
    raise FileRefused(
        gettext_noop("The workbook holds a document type definition, which no spreadsheet program writes.")
    )


def parse_elements(
    stream: IO[bytes], found: Mapping[str, Callable[[Attributes], None]], namespaces: frozenset[str] = MAIN
) -> None:
    """Call a function with the attributes of each element that has its path in ``found``."""

    def start_element(path: str, attributes: Attributes) -> None:
        if path in found:
            found[path](attributes)

    parser = XmlParser(start_element, namespaces=namespaces)
    while piece := stream.read(_PIECE):
        parser.feed(piece)
    parser.close()


def parse_list(
    stream: IO[bytes], parser: XmlParser, path: str, item: str, plain: Callable[[bytes, str], bool]
) -> Iterator[None]:
    """Parse a part whose bulk is one list of items: the rows of a sheet, the strings of a workbook.

    A call for each element is what reading a workbook costs. Nearly all items of nearly all files are written in one
    plain way, which patterns read several times faster; so pieces of whole items go to ``plain`` first. Only what it
    does not know goes through the parser, and the parser says whether the next piece stands in the list, in a namespace
    and an encoding that patterns may rely on. Gives control back after each piece.

    Args:
        stream: the XML.
        parser: calls what reads items that are not plain.
        path: of the list.
        item: the name of its elements.
        plain: reads items, given with the prefix of their names; or gives ``False`` and has done nothing.
    """
    first = re.compile(rb"<(?:[\w.-]+:)?" + item.encode() + rb"[\s/>]")
    rest, ending = b"", b""
    while piece := stream.read(_PIECE):
        data = rest + piece
        if not ending:
            begin = found.start() if (found := first.search(data)) else max(len(data) - _LONGEST_NAME, 0)
            head, data = data[:begin], data[begin:]
            parser.feed(head)
            if found and (b"<!" in head or not parser.is_first_in(path)):
                rest = data
                break
            if not found:
                rest = data
                continue
            ending = f"</{parser.prefix}{':' if parser.prefix else ''}{item}>".encode()
        end = data.rfind(ending) + len(ending)
        if end < len(ending):
            rest = data
            if len(rest) < _LONGEST_ITEM:
                continue
            break
        chunk, rest = data[:end], data[end:]
        if not _feed_items(parser, path, chunk, plain):
            break
        yield
    yield from _parse_rest(stream, parser, rest)


def has_controls(xml: bytes) -> bool:
    """Whether XML holds what patterns must not read: characters that are none of XML, or carriage returns."""
    return len(xml.translate(None, _CONTROLS)) < len(xml)


def _feed_items(parser: XmlParser, path: str, chunk: bytes, plain: Callable[[bytes, str], bool]) -> bool:
    """Read whole items; returns whether what follows them is known to stand in the list."""
    if plain(chunk, parser.prefix):
        return True
    parser.feed(chunk)
    # In a comment the parser would still be in the list, but what looks like items would be none.
    return parser.path == path and b"<!" not in chunk and b"<?" not in chunk


def _parse_rest(stream: IO[bytes], parser: XmlParser, rest: bytes) -> Iterator[None]:
    parser.feed(rest)
    yield
    while piece := stream.read(_PIECE):
        parser.feed(piece)
        yield
    parser.close()
    yield
