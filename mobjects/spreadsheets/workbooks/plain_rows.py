"""Rows as nearly all programs write them, read by patterns: several times faster than element by element.

What is read here is read with the same result as by the parser, and what is not written in exactly this way is left to
it; ``tests/spreadsheets/test_plain_rows.py`` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from mobjects.spreadsheets.types import Cell, FileRefused
from mobjects.spreadsheets.workbooks.cell_readers import CellReaders, NumberedRow, put_cell
from mobjects.spreadsheets.workbooks.xlsx_shared_strings import resolve_references
from mobjects.spreadsheets.workbooks.xml_parsing import UNREADABLE

_ATTRIBUTES = r'(?: (?!xmlns)[A-Za-z0-9:]+="[^"<&]*")*'
_OF_CELLS = re.compile(r'(?: (?:[stm]|cm|vm|ph)="\w*")*')
_PAIR = re.compile(r'(\w+)="([^"]*)"')
_TEXTS = ("inlineStr", "str")
_MOST_STYLES = 100_000


class _Patterns(NamedTuple):
    """What matches the start of a row, its cells if all are simple, and its cells if some have formulas or no content.

    The groups of a cell: the letters of its column, its other attributes, perhaps a formula, the text of ``v``, that of
    ``t``; or whatever is no such cell.
    """

    row: re.Pattern[str]
    simple_cell: re.Pattern[str]
    cell: re.Pattern[str]


@lru_cache(100)
def _patterns(prefix: str) -> _Patterns:
    tag = f"{re.escape(prefix)}:" if prefix else ""
    value, end = rf"<{tag}v>([^<]*)</{tag}v>", rf"</{tag}c>"
    text = rf'<{tag}is><{tag}t(?: xml:space="preserve")?>([^<]*)</{tag}t></{tag}is>'
    formula = rf"<{tag}f{_ATTRIBUTES}(?:/>|>[^<]*</{tag}f>)"
    cell = rf'<{tag}c(?: r="([A-Z]+)[0-9]+")?([^<>/]*)'
    return _Patterns(
        re.compile(rf'\s*<{tag}row(?: r="([0-9]+)")?{_ATTRIBUTES}(/?)>'),
        re.compile(rf"{cell}(?:>(?:{value}|{text}){end}|/>)|(\S)"),
        re.compile(rf"{cell}(?:/>|>({formula})?(?:{value}|<{tag}v/>|{text})?{end})|(\S)"),
    )


class PlainRows:
    """Reads pieces of whole rows.

    Args:
        readers: make values of the texts.
    """

    def __init__(self, readers: CellReaders) -> None:
        self._readers = readers
        self._keys: dict[str, tuple[str, str]] = {}
        self._letters: Sequence[str] = ()
        self._places: list[int] = []  # Of the cells of the latest row, by self._letters.
        self._attributes: Sequence[str] = ()
        self._parsers: list[Callable[[str], Cell]] = []  # The same by self._attributes; text is left as it is.

    def parse_rows(self, xml: str, prefix: str, number: int) -> list[NumberedRow] | None:
        """The rows of a piece; ``None`` if something in it is not plain.

        Args:
            xml: ends with the end of a row.
            prefix: of the names of elements.
            number: of the row before.

        Raises:
            FileRefused: the rows contradict themselves.
        """
        patterns = _patterns(prefix)
        rows: list[NumberedRow] = []
        for piece in xml.split(f"</{prefix}:row>" if prefix else "</row>")[:-1]:
            empty, end = "/", 0
            while empty:
                start = patterns.row.match(piece, end)
                if start is None:
                    return None
                number, empty, end = self._readers.row_number(start[1], number), start[2], start.end()
                rows.append((number, []))
            values = self._values(piece, end, patterns)
            if values is None:
                return None
            rows[-1] = (number, values)
        return rows

    def _values(self, piece: str, start: int, patterns: _Patterns) -> list[Cell] | None:
        """The cells of a row; ``None`` if one is not plain."""
        if "_x" in piece or "&" in piece or len(piece) > self._readers.longest:
            return self._careful_values(piece, start, patterns)
        cells = patterns.simple_cell.findall(piece, start)
        if not cells:
            return []
        letters, attributes, values, inline, others = zip(*cells, strict=True)
        if any(others) or not (attributes == self._attributes or self._use_attributes(attributes)):
            return self._careful_values(piece, start, patterns)
        texts = map("".join, zip(values, inline, strict=True)) if any(inline) else values
        row = [parse(text) for parse, text in zip(self._parsers, texts, strict=True)]
        if "" in row:
            row = [None if value == "" else value for value in row]
        return self._placed(letters, row)

    def _use_attributes(self, attributes: Sequence[str]) -> bool:
        """Find what reads cells with these attributes; ``False`` if one is not plain."""
        keys = [self._key(attribute) for attribute in attributes]
        if None in keys:
            return False
        self._attributes = attributes
        self._parsers = [str if key[0] in _TEXTS else self._readers[key] for key in keys if key]
        return True

    def _careful_values(self, piece: str, start: int, patterns: _Patterns) -> list[Cell] | None:
        """Cells of a row some of which are formulas, or long, or texts with escapes."""
        letters, row = [], []
        for name, attributes, formula, value, inline, other in patterns.cell.findall(piece, start):
            text, key = resolve_references(value or inline), self._key(attributes)
            if other or text is None or key is None:
                return None
            letters.append(name)
            row.append(self._readers.read_cell(*key, text, has_formula=bool(formula)))
        return self._placed(tuple(letters), row) if row else []

    def _key(self, attributes: str) -> tuple[str, str] | None:
        """Type and format of a cell; ``None`` if its attributes are not plain."""
        key = self._keys.get(attributes)
        if key is None and _OF_CELLS.fullmatch(attributes):
            if len(self._keys) > _MOST_STYLES:
                raise FileRefused(UNREADABLE)
            pairs = dict(_PAIR.findall(attributes))
            key = self._keys[attributes] = (pairs.get("t", "n"), pairs.get("s", ""))
        return key

    def _placed(self, letters: Sequence[str], values: list[Cell]) -> list[Cell]:
        """Cells in their columns; those that are left out are blank."""
        if letters != self._letters:
            self._letters, self._places = letters, self._find_places(letters)
        last, most = self._places[-1], self._readers.most
        if len(self._places) == last + 1 <= most + 1:
            return values
        row: list[Cell] = []
        for place, value in zip(self._places, values, strict=True):
            put_cell(row, place, value, most)
        return row

    def _find_places(self, letters: Sequence[str]) -> list[int]:
        places: list[int] = []
        for name in letters:
            following = places[-1] + 1 if places else 0
            place = self._readers.columns[name] if name else following
            if place < following:
                raise FileRefused(UNREADABLE)
            places.append(place)
        return places
